"""Density dependence recovered by regression from simulated counts (M5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ecosim.theory import density as theory
from ecosim.verification.case import Case, Parameter, Values

PER_STEP = 12.0  # foundings a step at the peak
STEPS = 250
_SOURCE = "Hannan & Carroll 1992, Dynamics of Organizational Populations"
_AT_POWER = "sqrt(-t1 / 2 t2): choose t2 = -t1 / 2 peak^2"
_TURN = "the rate must turn between 50 and 3,000 firms: t1 of the sign opposite to t2, and larger"


def _counts(scenario: dict[str, Any], sizes: Sequence[int], seed: int) -> tuple[np.ndarray, ...]:
    """Return numbers at the start of each step, entries and exits, over runs from two sizes."""
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    numbers, entries, exits = [], [], []
    for index, size in enumerate(sizes):
        built = validate(scenario | {"population": {"size": size, "stock_variation": 0.0}})
        table = simulate(built, seed=1000 * index + seed).metrics
        numbers.append(table["population"].to_numpy()[:-1])
        entries.append(table["entries"].to_numpy()[1:])
        exits.append(table["exits"].to_numpy()[1:])
    return np.concatenate(numbers), np.concatenate(entries), np.concatenate(exits)


def _scenario(entry: dict[str, Any], exit: dict[str, Any]) -> dict[str, Any]:
    return {
        "world": "market",
        "niches": {"count": 1, "productivity": 1.0},
        "market": {
            "costs": {"upkeep": 0.0},
            "investment": {"reinvestment": 0.0},
            "exit": {"enabled": False} | exit,
            "entry": entry,
        },
        "run": {"steps": STEPS},
    }


def _sizes(peak: float) -> tuple[int, int]:
    """Return starts well below and well above the number at which the rate turns."""
    return max(round(peak / 10), 2), round(2 * peak)


@lru_cache(maxsize=8)
def _founding(form: str, first: float, second: float, seeds: tuple[int, ...]) -> np.ndarray:
    """Return estimates `[seeds, 2]` of the coefficients of founding.

    The hazard of exit holds numbers near the peak, so that they come there from both sides.
    """
    from ecosim.analysis.rates import founding

    if form == "power":
        peak = theory.power_peak(first, second)
        top = float(theory.power_rate(1.0, first, second, peak))
    else:
        peak = theory.exponential_peak(first, second)
        top = float(theory.exponential_rate(1.0, first, second, peak))
    foundings = PER_STEP * max(peak / 400, 1.0)
    scenario = _scenario(
        {"rate": foundings / top, "density": first, "density_squared": second, "form": form},
        {"hazard": foundings / peak},
    )
    found = []
    for seed in seeds:
        n, entries, _ = _counts(scenario, _sizes(peak), seed)
        kept = n > 0
        n, entries = n[kept], entries[kept]
        x = np.column_stack([np.log(n) if form == "power" else n, n**2])
        found.append(founding(entries, x).coefficients)
    return np.array(found)


@lru_cache(maxsize=8)
def _mortality(first: float, second: float, seeds: tuple[int, ...]) -> np.ndarray:
    """Return estimates `[seeds, 2]` of the coefficients of mortality."""
    from ecosim.analysis.rates import mortality

    peak = theory.exponential_peak(first, second)
    least = float(theory.exponential_rate(1.0, first, second, peak))
    exits = PER_STEP * max(peak / 400, 1.0)
    scenario = _scenario(
        {"rate": exits},
        {"hazard": exits / peak / least, "density": first, "density_squared": second},
    )
    found = []
    for seed in seeds:
        n, _, gone = _counts(scenario, _sizes(peak), seed)
        kept = n > 0
        x = np.column_stack([n, n**2])[kept]
        found.append(mortality(gone[kept], n[kept], x).coefficients)
    return np.array(found)


def _coefficient(
    which: int, fitted: Callable[..., np.ndarray], *words: str
) -> Callable[[Values, Sequence[int]], np.ndarray]:
    def observe(v: Values, seeds: Sequence[int]) -> np.ndarray:
        return np.asarray(fitted(*words, v["t1"], v["t2"], tuple(seeds))[:, which])

    return observe


def _turning(form: str = "exponential") -> Callable[[Values, Sequence[int]], np.ndarray]:
    def observe(v: Values, seeds: Sequence[int]) -> np.ndarray:
        first, second = _founding(form, v["t1"], v["t2"], tuple(seeds)).T
        ratio = -first / (2 * second)
        return np.asarray(np.sqrt(ratio) if form == "power" else ratio)

    return observe


def _refuses(v: Values) -> str | None:
    if not v["t1"] * v["t2"] < 0:
        return _TURN
    peak = theory.exponential_peak(v["t1"], v["t2"])
    if not 50 <= peak <= 3000:
        return _TURN
    if not 0.5 <= abs(v["t1"]) * peak <= 6:
        return "the rate must change by a factor of e^0.25 to e^3 up to its turn: t1 of other size"
    return None


def _refuses_power(v: Values) -> str | None:
    return None if 50 <= theory.power_peak(v["t1"], v["t2"]) <= 3000 else (
        f"the rate must be largest between 50 and 3,000 firms, {_AT_POWER}"
    )  # fmt: skip


def _numbers(first: float, second: float, unit: str) -> tuple[Parameter, Parameter]:
    """Return parameters of these signs."""
    side: dict[str, Any] = {"above": 0.0} if first > 0 else {"below": 0.0}
    other: dict[str, Any] = {"below": 0.0} if first > 0 else {"above": 0.0}
    return (
        Parameter("t1", first, f"coefficient of {unit}", **side),
        Parameter("t2", second, "coefficient of N^2", **other),
    )


_FOUNDING = _numbers(0.01, -1.25e-5, "N")
_MORTALITY = _numbers(-0.01, 1.25e-5, "N")
# Below .5 some runs show no turn at all; above 2 nobody enters at a tenth of the peak, and what is
# left, a series that returns slowly to its mean, biases the regression (Stambaugh 1999).
_POWER = (
    Parameter("t1", 1.0, "coefficient of ln N", least=0.5, most=2.0),
    Parameter("t2", -3e-6, "coefficient of N^2", below=0.0),
)


def _case(name: str, title: str, **parts: Any) -> Case:
    return Case(name=name, labels=("M5",), family="market", title=title, source=_SOURCE, **parts)


CASES = (
    _case(
        "density-founding",
        "Founding exp(t1 N + t2 N^2): t1 recovered by Poisson regression",
        parameters=_FOUNDING,
        expected=lambda v: v["t1"],
        observe=_coefficient(0, _founding, "exponential"),
        refuses=_refuses,
    ),
    _case(
        "density-founding-squared",
        "Founding exp(t1 N + t2 N^2): t2 recovered by Poisson regression",
        parameters=_FOUNDING,
        expected=lambda v: v["t2"],
        observe=_coefficient(1, _founding, "exponential"),
        refuses=_refuses,
    ),
    _case(
        "density-founding-peak",
        "Founding exp(t1 N + t2 N^2) is largest at -t1 / 2 t2",
        parameters=_FOUNDING,
        expected=lambda v: theory.exponential_peak(v["t1"], v["t2"]),
        observe=_turning(),
        refuses=_refuses,
    ),
    _case(
        "density-mortality",
        "Mortality exp(t1 N + t2 N^2), t1 < 0 < t2: t1 recovered by regression",
        parameters=_MORTALITY,
        expected=lambda v: v["t1"],
        observe=_coefficient(0, _mortality),
        refuses=_refuses,
    ),
    _case(
        "density-mortality-squared",
        "Mortality exp(t1 N + t2 N^2), t1 < 0 < t2: t2 recovered by regression",
        parameters=_MORTALITY,
        expected=lambda v: v["t2"],
        observe=_coefficient(1, _mortality),
        refuses=_refuses,
    ),
    _case(
        "power-form",
        "Founding N^t1 exp(t2 N^2): t1 recovered by Poisson regression",
        parameters=_POWER,
        expected=lambda v: v["t1"],
        observe=_coefficient(0, _founding, "power"),
        refuses=_refuses_power,
    ),
    _case(
        "power-form-peak",
        "Founding N^t1 exp(t2 N^2) is largest at sqrt(-t1 / 2 t2)",
        parameters=_POWER,
        expected=lambda v: theory.power_peak(v["t1"], v["t2"]),
        observe=_turning("power"),
        refuses=_refuses_power,
    ),
)
