"""E8: richness against the inflow of resources (direction only).

Individuals that each specialise in one of K resources take up at most 1 of it in a unit of time
(Monod), in a place that holds at most N. Where little flows in, it feeds too few to withstand the
chances of death; where so much flows in that nobody lacks anything, what is rare has no advantage
and kinds drift to extinction; in between each resource keeps its own kind.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from ecosim.verification.case import Case, Parameter, Values

_UPKEEP, _MORTALITY = 0.1, 0.2
# What an individual uses in a unit of time: upkeep, and at its death a stock of about 1.4.
_COST = _UPKEEP + 1.4 * _MORTALITY
_POINTS = 5


def _inflows(v: Values) -> np.ndarray:
    """Return inflows evenly in logarithm, about what N individuals use.

    The richest feeds all N on any one resource three times over, so that nobody lacks anything;
    the poorest is as far below the middle as that is above.
    """
    middle = _COST * v["N"]
    ratio = 3 * v["K"] * v["N"] / middle
    return np.asarray(middle * np.geomspace(1 / ratio, ratio, _POINTS))


@functools.lru_cache(maxsize=64)
def _richness(inflow: float, niches: int, limit: int, seeds: tuple[int, ...]) -> np.ndarray:
    """Return the richness at the end of a run of each seed, `[S]`."""
    from ecosim.scenario import validate
    from ecosim.simulate import replicates

    steps = 4 * limit
    scenario = validate(
        {
            "world": "ecology",
            "niches": {"count": niches, "productivity": inflow},
            "population": {"size": limit // 2, "start": "specialists", "limit": limit},
            "competition": {
                "kind": "resources",
                "resources": {"rate": 0.1, "uptake": "monod", "half_saturation": 1.0},
            },
            "selection": {"kind": "energy", "upkeep": _UPKEEP, "mortality": _MORTALITY},
            "mutation": {"rate": 0.0},
            "run": {"steps": steps},
            "record": {"every": steps},
        }
    )
    return replicates(scenario, seeds)["hill_0"].to_numpy()


def _curvature(v: Values, seeds: Sequence[int]) -> list[float]:
    """Return the quadratic coefficient of richness / K in log10 inflow, one for each seed."""
    inflows = _inflows(v)
    richness = np.stack([_richness(float(s), v["K"], v["N"], tuple(seeds)) for s in inflows])
    return [float(c) for c in np.polyfit(np.log10(inflows), richness / v["K"], 2)[0]]


def _end(v: Values, seeds: Sequence[int], end: int) -> list[float]:
    """Return the richness at an end of the inflows less that in the middle, one for each seed."""
    inflows = _inflows(v)
    at_end, middle = (
        _richness(float(inflows[i]), v["K"], v["N"], tuple(seeds)) for i in (end, _POINTS // 2)
    )
    return [float(difference) for difference in at_end - middle]


def _case(name: str, title: str, end: int | None) -> Case:
    return Case(
        name=name,
        labels=("E8",),
        family="ecology",
        title=title,
        source="Chow, Wilke, Ofria, Lenski & Adami 2004, Science 305:84-86",
        parameters=(
            Parameter("K", 8, "resources, and kinds of specialists", least=4, most=16, whole=True),
            Parameter("N", 256, "individuals that the place holds", least=96, most=512, whole=True),
        ),
        expected=lambda v: 0.0,
        observe=lambda v, seeds: _curvature(v, seeds) if end is None else _end(v, seeds, end),
        relation="below",
        seeds=20,
        refuses=lambda v: (
            None
            if v["N"] >= 24 * v["K"]
            else "needs N >= 24 K: fewer of a kind are lost by chance whatever flows in"
        ),
        note="Direction only; digital organisms in the source evolve new kinds, here K are given.",
    )


CASES = (
    _case("productivity-diversity", "Richness is hump-shaped in log inflow: curvature", None),
    _case("productivity-low", "Richness where little flows in, less that in the middle", 0),
    _case("productivity-high", "Richness where much flows in, less that in the middle", -1),
)
