"""Invasion analysis of the core: T1's singular strategy from pairwise invasibility."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecosim.theory import budget
from ecosim.verification.case import Case, Parameter, Values

SOURCE = "Geritz et al. 1998, Evol Ecol 12:35-57; Levene 1953"
STEP = 0.01  # between traits


def _singular(read: Callable[[Any], float]) -> Any:
    def observe(v: Values, seeds: Sequence[int]) -> ArrayLike:
        from ecosim.invasion import pairwise_invasibility
        from ecosim.scenario import validate

        scenario = validate({
            "world": "ecology", "niches": {"count": 2, "supply": [v["kappa"], 1 - v["kappa"]]},
            "population": {"size": 20}, "tradeoff": {"exponent": v["s"]},
            "selection": {"kind": "wright-fisher"}, "run": {"steps": 0},
        })  # fmt: skip
        traits = np.arange(np.floor(v["kappa"] / STEP) - 4, np.floor(v["kappa"] / STEP) + 6) * STEP
        found = pairwise_invasibility(scenario, traits).singular()
        return [read(found[0]) if len(found) == 1 else float("nan") for _ in seeds]

    return observe


_PARAMETERS = (
    Parameter("kappa", 0.7, "share of the supply that niche 0 emits", least=0.1, most=0.9),
    Parameter("s", 0.5, "exponent of the trade-off", least=0.1, most=4.0),
)


def _bias(which: int) -> Callable[[Values], float]:
    return lambda v: budget.grid_bias(v["kappa"], v["s"], STEP)[which]


CASES = (
    Case(
        name="invasion-singular", labels=("T1",), family="core", source=SOURCE,
        title="The pairwise invasibility plot of soft selection is singular at x = kappa",
        parameters=_PARAMETERS, seeds=1, rounding=1e-6, bias=_bias(0),
        expected=lambda v: v["kappa"], observe=_singular(lambda point: point.trait),
        note="The bias is that of differences between traits 0.01 apart.",
    ),
    Case(
        name="invasion-stable", labels=("T1",), family="core", source=SOURCE,
        title="There a mutant's rate is curved by s (s - 1)/(kappa_1 kappa_2): stable for s < 1",
        parameters=_PARAMETERS, seeds=1, rounding=1e-6, bias=_bias(1),
        expected=lambda v: budget.soft_curvature(v["kappa"], v["s"]),
        observe=_singular(lambda point: point.curvature),
        note="The bias is that of differences between traits 0.01 apart.",
    ),
    Case(
        name="invasion-branching", labels=("T1",), family="core", source=SOURCE,
        title="For s > 1 any mutant invades at x = kappa: a branching point",
        parameters=(_PARAMETERS[0], Parameter("s", 2.0, _PARAMETERS[1].meaning, least=0.1,
                                              most=4.0)),
        seeds=1, rounding=1e-6, bias=_bias(1),
        expected=lambda v: budget.soft_curvature(v["kappa"], v["s"]),
        observe=_singular(lambda point: point.curvature),
    ),
)  # fmt: skip
