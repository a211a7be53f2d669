"""E7: diet breadth follows a discrete Pareto law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecosim.theory import diet as theory
from ecosim.verification.case import Case, Curve, Parameter, Values

SOURCE = "Forister et al. 2015, PNAS 112:442-447"

_PARAMETERS = (
    Parameter("a", 1.883, "exponent of the breadths", least=0.2, most=4.0),
    Parameter("nu", 29, "niches, and largest breadth", least=3, most=512, whole=True),
    Parameter("N", 5016, "founders", least=1000, most=50_000, whole=True),
)


def _counts(v: Values, seed: int) -> np.ndarray:
    """Return how many founders use 1..nu niches."""
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    scenario = validate({
        "world": "ecology", "niches": {"count": v["nu"]},
        "population": {"size": v["N"], "start": "pareto", "breadth_exponent": v["a"]},
        "run": {"steps": 0},
    })  # fmt: skip
    table = simulate(scenario, seed=seed).founders
    columns = [f"allocation_{k}" for k in range(v["nu"])]
    breadth = (table[columns].to_numpy() > 0).sum(axis=1)
    return np.bincount(breadth, minlength=v["nu"] + 1)[1:]


def _observe(read: Any) -> Any:
    def observe(v: Values, seeds: Sequence[int]) -> ArrayLike:
        return [read(_counts(v, seed)) for seed in seeds]

    return observe


def _bias(v: Values) -> float:
    """Return twice the variance of the estimate over a: of a Pareto exponent the bias is a/n."""
    return 2 * theory.standard_error(v["a"], v["nu"], v["N"]) ** 2 / v["a"]


CASES = (
    Case(
        name="diet-exponent", labels=("E7",), family="ecology", source=SOURCE,
        title="Founders' breadths give back their exponent by maximum likelihood",
        parameters=_PARAMETERS, expected=lambda v: v["a"], bias=_bias,
        observe=_observe(lambda counts: theory.fit(counts)[0]),
        note="The butterflies' own fit, 1.883 +- .029, is tested on the counts.",
    ),
    Case(
        name="diet-specialists", labels=("E7",), family="ecology", source=SOURCE,
        title="Share of founders of breadth 1", parameters=_PARAMETERS,
        expected=lambda v: float(theory.pmf(v["a"], v["nu"])[0]),
        observe=_observe(lambda counts: counts[0] / counts.sum()),
        curve=Curve("a", (0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 4.0), "share of founders of breadth 1"),
    ),
    Case(
        name="diet-generalists", labels=("E7",), family="ecology", source=SOURCE,
        title="Share of founders of a breadth above 3",
        parameters=(_PARAMETERS[0], Parameter("nu", 29, _PARAMETERS[1].meaning, least=5, most=512,
                                              whole=True), _PARAMETERS[2]),
        expected=lambda v: 1 - float(theory.cdf(3, v["a"], v["nu"])),
        observe=_observe(lambda counts: counts[3:].sum() / counts.sum()),
    ),
)  # fmt: skip
