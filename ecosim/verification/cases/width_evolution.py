"""Evolution of niche width: Ackermann & Doebeli 2004, direction only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numpy.typing import ArrayLike

from ecosim.theory import niche_width
from ecosim.verification.case import Case, Parameter, Values

_NICHES = 8
_START = 0.15  # width of the utilisation at the start, on an axis of length 1
_EXPONENT = 0.5
_SOURCE = "Ackermann & Doebeli 2004, Evolution 58:2599"


def _observed(column: str) -> Callable[[Values, Sequence[int]], ArrayLike]:
    def observe(values: Values, seeds: Sequence[int]) -> ArrayLike:
        from ecosim.scenario import validate
        from ecosim.simulate import replicates

        scenario = {
            "world": "ecology",
            "niches": {"count": _NICHES, "space": "axis"},
            "population": {"size": values["N"], "position": 0.5, "width": _START},
            "tradeoff": {"exponent": _EXPONENT, "breadth_cost": values["cost"]},
            "selection": {"kind": "wright-fisher"},
            "mutation": {"rate": 0.1, "step": 0.03, "width_step": 0.1},
            "run": {"steps": 500},
            "record": {"every": 500},
        }
        return replicates(validate(scenario), seeds)[column].to_numpy()

    return observe


def _start(_: Values) -> float:
    return niche_width.utilised(_START, _NICHES)


_SIZE = Parameter("N", 300, "individuals", least=100, most=2000, whole=True)
_MEANING = "share of the budget that each further niche costs (an exponential rate)"
# Cheap: the breadth that takes up most lies beyond all niches; dear: at half the start or below.
_CHEAP = Parameter("cost", 0.0, _MEANING, least=0, most=0.1)
_DEAR = Parameter("cost", 1.0, _MEANING, least=0.5, most=3)
_NOTE = (
    "Soft selection on 8 niches of an axis, position and width of the utilisation evolve, "
    "competence e^s with s = .5: the breadth that takes up most is (1 - s) / (s cost). Held "
    "against the breadth at the start. Direction only."
)

CASES = (
    Case(
        name="niche-width-free",
        labels=("E5",),
        family="ecology",
        title="Where widening is free, niches become wide",
        source=_SOURCE,
        parameters=(_CHEAP, _SIZE),
        expected=_start,
        observe=_observed("breadth_mean"),
        relation="above",
        note=_NOTE,
    ),
    Case(
        name="niche-width-costly",
        labels=("E5",),
        family="ecology",
        title="Where widening costs, niches become narrow",
        source=_SOURCE,
        parameters=(_DEAR, _SIZE),
        expected=_start,
        observe=_observed("breadth_mean"),
        relation="below",
        note=_NOTE,
    ),
    Case(
        name="niche-width-branching",
        labels=("E5",),
        family="ecology",
        title="Where widening costs, the population branches over the niches",
        source=_SOURCE,
        parameters=(_DEAR, _SIZE),
        expected=lambda values: 2.0,
        observe=_observed("hill_1"),
        relation="above",
        note=_NOTE + " The effective number of main niches, 1 at the start, exceeds 2.",
    ),
)
