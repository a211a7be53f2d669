"""The planes of optimisation and learning on axes of their own, which nothing calibrates.

Evaluations against the contest's exponent, on functions drawn from all functions (O1); relatedness
against examples, one model for each task against one for all (L1) and against models that share a
representation of rank 1 (L2).
"""

from __future__ import annotations

import math
from typing import Any

from ecosim.studies.classic_planes import LINES, specialists_crowd_above
from ecosim.studies.found_returns import ALGORITHMS
from ecosim.studies.measured_planes import (
    CHANGED,
    COMMON,
    DRAWN,
    MUTANTS,
    SEARCH,
    SEARCHED,
    SELECTION,
    TRAINED,
    K,
)
from ecosim.studies.planes import Axis, Boundary, Plane, Point
from ecosim.theory import low_rank, transfer
from ecosim.theory.no_free_lunch import split_best
from ecosim.theory.returns import returns_exponent

_CROWD = 32.0
_FEW, _NOISE = 5, 0.3


def sampled_exponent(evaluations: float) -> float:
    """Return the contest exponent above which specialists win on functions drawn from all: none.

    E f(best of m) is concave in m for any rising f (`theory.returns.drawn_claim`), so that half of
    a budget in each of two niches claims more than all of it in one: r < 1, whatever the contest.
    """
    return math.inf


def exact_exponent(evaluations: float) -> float:
    """Return the exponent above which they would if each search found E[best] (O1), 32 a niche."""
    from ecosim.search.problems import LEVELS

    whole, half = (split_best(int(n), 1, LEVELS) for n in (evaluations, evaluations / 2))
    return specialists_crowd_above(_CROWD, K) / returns_exponent(whole, half, 2)


def unrelated_above(examples: float) -> float:
    """Return 1 - rho* of L1, above which one model for each task does better than one for all."""
    found = transfer.boundary(tasks=K, dimension=_FEW, examples=int(examples), sigma=_NOISE)
    return 1 - found


def beyond_rank_above(examples: float) -> float:
    """Return 1 - rho* of L2, above which dedicated models do better than ones of shared rank 1.

    Tasks of relatedness rho leave (T - 1)(1 - rho) to the singular values after the first. Designs
    are Gaussian, not orthogonal: n - d - 1 in place of n, the mean of 1/(X'X) (von Rosen 1988).
    """
    tail = low_rank.tail_boundary(
        1, tasks=K, dimension=_FEW, examples=int(examples) - _FEW - 1, sigma=_NOISE
    )
    return tail / (K - 1)


_ALL_FUNCTIONS = SEARCH | {
    "population": {"start": "random", "size": round(K * _CROWD)},
    "search": {"algorithms": ALGORITHMS, "problems": ["uniform"] * K},
}
_EVEN = [1.0 / K] * K


def _against(method: str, words: str) -> dict[str, Any]:
    """Return a contest of dedicated models and another method, all with even budgets."""
    return {
        "world": "learning",
        "niches": {"count": K},
        "population": {"size": 200, "groups": [
            {"name": "one model for each task", "allocation": _EVEN, "method": "dedicated"},
            {"name": words, "allocation": _EVEN, "method": method},
        ]},
        "tradeoff": {"kind": "measured"},
        "competition": {"exponent": 4.0},
        "training": {"learners": ["dedicated", method], "dimension": _FEW, "noise": _NOISE},
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.0},
        "run": {"steps": 150},
        "record": {"every": 10},
    }  # fmt: skip


def _evaluated(power: float, evaluations: float) -> Point:
    return {"competition.exponent": power, "population.budget": float(evaluations)}


def _sharing(unrelated: float, examples: float) -> Point:
    return {"training.relatedness": round(1 - unrelated, 6),
            "population.budget": float(K * examples)}  # fmt: skip


PLANES: tuple[Plane, ...] = (
    Plane(
        world="optimisation", map="evaluations", title="Optimisation: functions drawn from all",
        across=Axis("Contest exponent", (2.0, 3.0, 5.0, 8.0, 12.0, 16.0, 24.0, 40.0),
                    (2.0, 2.8, 3.5, 4.5, 5.5, 7.0, 9.0, 12.0, 15.0, 19.0, 24.0, 30.0, 40.0),
                    log=True),
        up=Axis("Evaluations", (4.0, 8.0, 16.0, 32.0), (4.0, 8.0, 16.0, 32.0), log=True,
                whole=True),
        scenario=_ALL_FUNCTIONS, point=_evaluated,
        boundaries=(Boundary("E[best^g] of m draws (O1), luck counted: nowhere", sampled_exponent),
                    Boundary("E[best]^g (O1), luck left out, T3 in a crowd", exact_exponent)),
        metric=LINES["metric"], rest=False, shares=(*COMMON, *SELECTION), own=SEARCHED,
        replicates={"quick": 6, "full": 16},
        expects="Generalists in every cell, whatever the contest: the best of m draws has "
                "diminishing returns in any rising payoff. The second form pays the mean find "
                "E[best] to the power g, and is expected to fail right of it. Nothing is "
                "calibrated here: both forms are independent of the simulation.",
        history=CHANGED.format(
            "problems are searched (`uniform`) in place of credited with their exact mean "
            "(`uniform-mean`), which made simulation and boundary one formula, and the boundary "
            "counts luck; " + MUTANTS + DRAWN),
    ),
    Plane(
        world="learning", map="transfer", title="One model for each task, or one for all",
        across=Axis("Unrelatedness 1 − ρ", (0.003, 0.006, 0.012, 0.024, 0.05, 0.1, 0.2, 0.4),
                    (0.003, 0.0045, 0.006, 0.009, 0.012, 0.017, 0.024, 0.035, 0.05, 0.07, 0.1,
                     0.14, 0.2, 0.4), log=True),
        up=Axis("Examples of each task", (10.0, 16.0, 24.0, 40.0, 64.0),
                (10.0, 12.0, 16.0, 24.0, 40.0, 64.0), log=True, whole=True),
        scenario=_against("pooled", "one model for all"), point=_sharing,
        boundaries=(Boundary("L1: 1 − ρ*", unrelated_above),),
        metric="method_share_0", rest=False, shares=(*COMMON, *SELECTION), own=TRAINED,
        replicates={"quick": 6, "full": 16}, sides=("dedicated models", "pooled models"),
        expects="Learners shrink (ridge), L1 does not: at 10 examples of 5 dimensions dedicated "
                "models are better than L1 has them, and the contour is expected left of it.",
        note="Both sides divide their budget evenly over all tasks (breadth 4): what contends is "
             "the method, one model for each task or one for all, and not an agent's scope.",
        history=CHANGED.format("what is counted is called dedicated models, not specialists; ")
        + " After its first run only the note was changed, which said that L2 has no map.",
    ),
    Plane(
        world="learning", map="rank", title="One model for each task, or a shared representation",
        across=Axis("Unrelatedness 1 − ρ", (0.003, 0.006, 0.012, 0.024, 0.05, 0.1, 0.2, 0.4),
                    (0.003, 0.0045, 0.006, 0.009, 0.012, 0.017, 0.024, 0.035, 0.05, 0.07, 0.1,
                     0.14, 0.2, 0.4), log=True),
        up=Axis("Examples of each task", (12.0, 16.0, 24.0, 40.0, 64.0),
                (12.0, 14.0, 16.0, 24.0, 40.0, 64.0), log=True, whole=True),
        scenario=_against("low-rank", "a shared representation of rank 1"), point=_sharing,
        boundaries=(Boundary("L2: 1 − ρ*, rank 1", beyond_rank_above),),
        metric="method_share_0", rest=False, shares=(*COMMON, *SELECTION), own=TRAINED,
        replicates={"quick": 6, "full": 16}, sides=("dedicated models", "shared representation"),
        expects="L2 is of first order and learners shrink (ridge), which helps dedicated models "
                "more: the contour is expected left of it at 12 examples, and on it at 64.",
        note="Both sides divide their budget evenly over all tasks (breadth 4), and both have a "
             "model of each task: what contends is whether the models share a representation.",
        history="",
    ),
)  # fmt: skip
