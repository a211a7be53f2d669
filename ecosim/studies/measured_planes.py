"""The planes of optimisation and learning, where competence is found by searching and training.

Axes are those of ecology and market: r, contest x returns exponent, is set by the contest's
exponent g, given what the whole of a budget and a part of it find (`found_returns`).
Each world has a plane on axes of its own: evaluations against the contest's exponent, with
competence the exact mean over all functions (O1); relatedness against examples, one model for
all tasks against one for each (L1).
"""

from __future__ import annotations

from typing import Any

from ecosim.studies.classic_planes import (
    CROWDED,
    CURVATURE,
    EXPONENT,
    LINES,
    WINDOW,
    crowding_plane,
    grain_plane,
    specialists_crowd_above,
)
from ecosim.studies.found_returns import (
    ALGORITHMS,
    BUDGET,
    DIMENSION,
    FEW_DIMENSIONS,
    FEW_EXAMPLES,
    SEARCH_CURVATURE,
    SEARCH_EXPONENT,
    learning_curvature,
    learning_exponent,
)
from ecosim.studies.planes import Axis, Boundary, Plane, Point
from ecosim.theory import transfer
from ecosim.theory.no_free_lunch import split_best
from ecosim.theory.returns import returns_exponent

K = 4  # niches of the crowding planes
LEVELS = 100  # of the class `uniform-mean`


def exact_exponent(evaluations: float) -> float:
    """Return the contest exponent above which specialists win, 32 rivals a niche, E[best] (O1)."""
    whole, half = (split_best(int(n), 1, LEVELS) for n in (evaluations, evaluations / 2))
    return specialists_crowd_above(_CROWD, K) / returns_exponent(whole, half, 2)


def unrelated_above(examples: float) -> float:
    """Return 1 - rho* of L1, above which one model for each task does better than one for all."""
    found = transfer.boundary(tasks=K, dimension=_FEW, examples=int(examples), sigma=_NOISE)
    return 1 - found


_CROWD = 32.0
_FEW, _NOISE = 5, 0.3
_UPTO = 2.0


def _below(axis: Axis) -> Axis:
    quick, full = (tuple(v for v in some if v <= _UPTO) for some in (axis.quick, axis.full))
    return Axis(axis.label, quick, full, log=axis.log, whole=axis.whole)


SEARCH: dict[str, Any] = {
    "world": "optimisation",
    "niches": {"count": K},
    "population": {"start": "random", "budget": float(BUDGET)},
    "tradeoff": {"kind": "measured"},
    "search": {"algorithms": ALGORITHMS, "problems": ["separable"] * K},
    "selection": {"kind": "wright-fisher"},
    "mutation": {"rate": 0.02, "step": 0.3, "switch": 0.01},
    "run": {"steps": 600},
    "record": {"every": 20},
}
LEARN: dict[str, Any] = {
    "world": "learning",
    "niches": {"count": K},
    "population": {"start": "random", "budget": float(BUDGET)},
    "tradeoff": {"kind": "measured"},
    "training": {"learners": ["dedicated"], "dimension": DIMENSION, "noise": 0.01},
    "selection": {"kind": "wright-fisher"},
    "mutation": {"rate": 0.02, "step": 0.3},
    "run": {"steps": 400},
    "record": {"every": 20},
}


def two(method: str) -> list[dict[str, Any]]:
    """Return a specialist and a generalist of two niches, both of one method."""
    return [
        {"name": "specialist", "allocation": [1.0, 0.0], "method": method},
        {"name": "generalist", "allocation": [0.5, 0.5], "method": method},
    ]


def _windows(
    world: str, method: str, table: dict[str, Any], *, count: int, budget: int
) -> dict[str, Any]:
    return {
        "world": world,
        "niches": {"count": 2},
        "environment": {"switching": {"amplitude": 1.0}},
        "population": {"size": count, "budget": float(budget), "groups": two(method)},
        "tradeoff": {"kind": "measured"},
        "competition": {"kind": "independent"},
        "selection": {"kind": "wright-fisher", "window": WINDOW},
        "mutation": {"rate": 0.0},
        "run": {"steps": 40 * WINDOW},
        "record": {"every": WINDOW},
    } | table


SEARCH_WINDOWS = _windows(
    "optimisation", "bit-climber",
    {"search": {"algorithms": ["bit-climber"], "problems": ["separable"] * 2}},
    count=200, budget=BUDGET,
)  # fmt: skip
LEARN_WINDOWS = _windows(
    "learning", "dedicated",
    {"training": {"learners": ["dedicated"], "dimension": FEW_DIMENSIONS, "noise": 0.01}},
    count=100, budget=FEW_EXAMPLES,
)  # fmt: skip
_EXACT = SEARCH | {
    "population": {"start": "random", "size": round(K * _CROWD)},
    "search": {"algorithms": ALGORITHMS, "problems": ["uniform-mean"] * K},
}
_EVEN = [1.0 / K] * K
_SHARING = {
    "world": "learning",
    "niches": {"count": K},
    "population": {"size": 200, "groups": [
        {"name": "one model for each task", "allocation": _EVEN, "method": "dedicated"},
        {"name": "one model for all", "allocation": _EVEN, "method": "pooled"},
    ]},
    "tradeoff": {"kind": "measured"},
    "competition": {"exponent": 4.0},
    "training": {"learners": ["dedicated", "pooled"], "dimension": _FEW, "noise": _NOISE},
    "selection": {"kind": "wright-fisher"},
    "mutation": {"rate": 0.0},
    "run": {"steps": 150},
    "record": {"every": 10},
}  # fmt: skip


def searching(r: float, crowding: float) -> Point:
    """Return the keys of a cell of searchers."""
    return {"competition.exponent": SEARCH_EXPONENT[r], "population.size": round(K * crowding)}


def learning(r: float, crowding: float) -> Point:
    """Return the keys of a cell of learners."""
    return {"competition.exponent": learning_exponent(r), "population.size": round(K * crowding)}


def search_grain(c: float, spell: float) -> Point:
    """Return the keys of a cell of searchers in windows."""
    return _grain(*SEARCH_CURVATURE[c], spell)


def learning_grain(c: float, spell: float) -> Point:
    """Return the keys of a cell of learners in windows."""
    return _grain(*learning_curvature(c), spell)


def _grain(power: float, floor: float, spell: float) -> Point:
    return {"competition.exponent": power, "tradeoff.floor": floor,
            "environment.switching.spell": int(spell)}  # fmt: skip


def _exact(power: float, evaluations: float) -> Point:
    return {"competition.exponent": power, "population.budget": float(evaluations)}


def _sharing(unrelated: float, examples: float) -> Point:
    return {"training.relatedness": round(1 - unrelated, 6),
            "population.budget": float(K * examples)}  # fmt: skip


SELECTION = ("model.selection.wright_fisher", "model.inheritance", "worlds.ecology")
COMMON = ("model.niches", "model.environment", "model.competition", "model.population",
          "model.founders", "model.tally", "model.measured")  # fmt: skip
SEARCHED = ("model.searching", "search.profile", "search.algorithms", "search.problems")
TRAINED = ("worlds.learning", "training.learners", "training.least_squares", "training.tasks")
CROWD = (
    Boundary("T3 in a crowd of N agents", lambda y: specialists_crowd_above(y, K)),
    *CROWDED[1:],
)
# Selection is shared with the ecology: these worlds' own is what competence is.
_HEADS: dict[str, Any] = {
    "metric": LINES["metric"],
    "rest": False,
    "shares": (*COMMON, *SELECTION),
    "boundaries": CROWD,
}
_LINES: dict[str, Any] = {
    "metric": LINES["metric"], "rest": False, "shares": (*COMMON, *SELECTION),
    "replicates": {"quick": 4, "full": 16},
}  # fmt: skip
_LOAD = (
    "Mutation (rate .02, step .3) keeps some from being specialists: in a large crowd the contour "
    "is expected up to .05 right of T3; in small ones, below 8 a niche, drift empties niches and "
    "specialists may miss where T3 has them, as in the ecology."
)

PLANES: tuple[Plane, ...] = (
    crowding_plane(
        "optimisation", "Optimisation: searches, 16 evaluations", scenario=SEARCH,
        point=searching, across=_below(EXPONENT), own=SEARCHED, expects=_LOAD, **_HEADS,
    ),
    crowding_plane(
        "learning", "Learning: ridge regressions, 16 examples", scenario=LEARN,
        point=learning, across=EXPONENT, own=TRAINED, expects=_LOAD, **_HEADS,
    ),
    grain_plane(
        "optimisation", "Optimisation: offspring by a window's finds", scenario=SEARCH_WINDOWS,
        point=search_grain, across=_below(CURVATURE), own=SEARCHED, **_LINES,
    ),
    grain_plane(
        "learning", "Learning: offspring by a window's tests", scenario=LEARN_WINDOWS,
        point=learning_grain, own=TRAINED, **_LINES,
    ),
    Plane(
        world="optimisation", map="evaluations", title="All functions, competence E[best of m]",
        across=Axis("Contest exponent", (2.0, 3.0, 5.0, 8.0, 12.0, 16.0, 24.0, 40.0),
                    (2.0, 2.8, 3.5, 4.5, 5.5, 7.0, 9.0, 12.0, 15.0, 19.0, 24.0, 30.0, 40.0),
                    log=True),
        up=Axis("Evaluations", (4.0, 8.0, 16.0, 32.0), (4.0, 8.0, 16.0, 32.0), log=True,
                whole=True),
        scenario=_EXACT, point=_exact,
        boundaries=(Boundary("E[best of m] (O1) and T3 in a crowd", exact_exponent),),
        own=SEARCHED,
        replicates={"quick": 4, "full": 16},
        expects=_LOAD, **{k: _HEADS[k] for k in ("metric", "rest", "shares")},
    ),
    Plane(
        world="learning", map="transfer", title="One model for each task, or one for all",
        across=Axis("Unrelatedness 1 − ρ", (0.003, 0.006, 0.012, 0.024, 0.05, 0.1, 0.2, 0.4),
                    (0.003, 0.0045, 0.006, 0.009, 0.012, 0.017, 0.024, 0.035, 0.05, 0.07, 0.1,
                     0.14, 0.2, 0.4), log=True),
        up=Axis("Examples of each task", (10.0, 16.0, 24.0, 40.0, 64.0),
                (10.0, 12.0, 16.0, 24.0, 40.0, 64.0), log=True, whole=True),
        scenario=_SHARING, point=_sharing,
        boundaries=(Boundary("L1: 1 − ρ*", unrelated_above),),
        metric="method_share_0", rest=False, shares=(*COMMON, *SELECTION), own=TRAINED,
        replicates={"quick": 4, "full": 16},
        expects="Learners shrink (ridge), L1 does not: at 10 examples of 5 dimensions dedicated "
                "models are better than L1 has them, and the contour is expected left of it.",
    ),
)  # fmt: skip
