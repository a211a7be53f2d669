"""The planes of optimisation and learning, where competence is found by searching and training.

Axes are those of ecology and market: r, contest x returns exponent, is set by the contest's
exponent g, given what the whole of a budget and a part of it find (`found_returns`).
"""

from __future__ import annotations

from typing import Any

from ecosim.studies.classic_planes import (
    CROWDED,
    CURVATURE,
    EXPONENT,
    LINES,
    MUTATION,
    WINDOW,
    crowding_plane,
    grain_plane,
    specialists_crowd_above,
    specialists_win_above,
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

K = 4  # niches of the crowding planes


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
    "mutation": MUTATION | {"switch": 0.01},
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
    "mutation": MUTATION,
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


SELECTION = ("model.selection.wright_fisher", "model.inheritance", "worlds.ecology")
COMMON = ("model.niches", "model.environment", "model.competition", "model.population",
          "model.start", "model.founders", "model.tally",
          "model.measured")  # fmt: skip
SEARCHED = ("model.searching", "search.profile", "search.algorithms", "search.problems")
TRAINED = ("worlds.learning", "training.learners", "training.least_squares", "training.tasks")
CROWD = (
    Boundary("T3 in a crowd of N agents", lambda y: specialists_crowd_above(y, K)),
    Boundary("T3, rivals (N-1)/K in every niche", lambda y: specialists_win_above(y, K)),
    CROWDED[-1],
)
_GIVEN = {
    "optimisation": "x is calibrated: at the contest's exponent of a column the best division over "
    "2, 3 or 4 niches claims k^-r of what all evaluations claim in one, as measured on 512 "
    "instances that no run draws. So with many rivals r = 1 is break-even by construction, and "
    "the sign far from it.",
    "learning": "x is calibrated: at the contest's exponent of a column the best division over 2, "
    "3 or 4 tasks claims k^-r of what all examples claim in one, in closed form and on the mean "
    "over all tasks; a run has a few, and a little noise. So with many rivals r = 1 is break-even "
    "by construction, and the sign far from it.",
}
_FOUND = " A finding is where crowding, drift, luck and whole {} move the contour."
TABLE = (
    "Exponent and floor are calibrated so that whole, half and no budget are worth 1, 2^-c and "
    ".05: the ecology's payoff table. Not counted in statement 16."
)
_CHECK = (
    "Agreement with M1 and with the ecology, whose life cycle it is, by construction: a check of "
    "the calibration. Only luck and drift may differ."
)
CHANGED = (
    "Changed since first registered, before any run of this map: {}6 replicates (quick) in place "
    "of 4, and a cell is decided by Student's t at 5 % in place of two standard errors."
)
MUTANTS = "mutants at .1 in place of .02, as in the ecology; "
_OWN_NICHES = "T3's second line counts rivals on 4 niches, not 8; "
_ROUNDED = (
    "learners buy whole examples by unbiased rounding in place of the floor of their effort, so "
    "that exponents were calibrated anew; "
)
DRAWN = (
    "each run draws instances of its own, and the evaluations of a search add up to its budget; "
)


def _heads(world: str, what: str, changed: str) -> dict[str, Any]:
    # Selection is shared with the ecology: these worlds' own is what competence is.
    return {
        "metric": LINES["metric"], "rest": False, "shares": (*COMMON, *SELECTION),
        "boundaries": CROWD, "given": _GIVEN[world] + _FOUND.format(what),
        "history": CHANGED.format(MUTANTS + _OWN_NICHES + changed), "expects": _LOAD,
    }  # fmt: skip


def _lines(changed: str) -> dict[str, Any]:
    return {
        "metric": LINES["metric"], "rest": False, "shares": (*COMMON, *SELECTION),
        "replicates": {"quick": 6, "full": 16}, "counted": False, "given": TABLE,
        "expects": _CHECK, "history": CHANGED.format(changed),
    }  # fmt: skip


# Numerical mutation-selection balance at equal prices, fitness sum x_k^r, K = 4: .21, .34, .50,
# .57, .76 and .85 specialists at r = 1.05, 1.1, 1.15, 1.2, 1.5 and 2.
_LOAD = (
    "Given by construction are a break-even at r = 1 and the sign far from it, no more. Mutants "
    "(rate .1, step .3, as in the ecology) keep some from being specialists: in an infinite crowd "
    "the contour is at 1.15, right of T3, and here there or further right, as the ecology's was; "
    "in small crowds, below 8 a niche, drift empties niches and specialists may miss where T3 has "
    "them."
)

PLANES: tuple[Plane, ...] = (
    crowding_plane(
        "optimisation", "Optimisation: searches, 16 evaluations", scenario=SEARCH,
        point=searching, across=_below(EXPONENT), own=SEARCHED,
        **_heads("optimisation", "evaluations", DRAWN),
    ),
    crowding_plane(
        "learning", "Learning: ridge regressions, 16 examples", scenario=LEARN,
        point=learning, across=EXPONENT, own=TRAINED,
        **_heads("learning", "examples", _ROUNDED),
    ),
    grain_plane(
        "optimisation", "Optimisation: offspring by a window's finds", scenario=SEARCH_WINDOWS,
        point=search_grain, across=_below(CURVATURE), own=SEARCHED, **_lines(DRAWN),
    ),
    grain_plane(
        "learning", "Learning: offspring by a window's tests", scenario=LEARN_WINDOWS,
        point=learning_grain, own=TRAINED, **_lines(""),
    ),
)  # fmt: skip
