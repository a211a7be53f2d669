"""Hard selection with a finite budget on two niches (T2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecosim.theory import budget
from ecosim.verification.case import Case, Parameter, Values
from ecosim.verification.cases.observing import VARIANCE_RATE, late_mean, wright_fisher


def _supply(v: Values) -> list[float]:
    return [v["kappa"], 1 - v["kappa"]]


def _soft(v: Values) -> dict[str, Any]:
    return wright_fisher(supply=_supply(v), size=v["N"], exponent=v["s"], steps=v["T"])


def _hard(v: Values) -> dict[str, Any]:
    return _soft(v) | {"competition": {"kind": "additive"}}


def _observed_hard(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_hard(v), seeds, "allocation_0", v["T"] // 2)


def _hard_bias(v: Values) -> float:
    """Twice the shift by mutation: terms beyond the second order are of its order."""
    return 2 * abs(budget.hard_mutation_balance(v["kappa"], v["s"], VARIANCE_RATE)[0])


def _hard_refuses(v: Values) -> str | None:
    x = budget.hard_repeller(v["kappa"], v["s"])
    spread = budget.hard_mutation_balance(v["kappa"], v["s"], VARIANCE_RATE)[1] ** 0.5
    if min(x, 1 - x) < 2 * spread:
        return (
            f"x* = {x:.3f} must lie two standard deviations ({2 * spread:.3f}) inside [0, 1], "
            "or the edge cuts mutants off"
        )
    return None


def _basin(v: Values) -> dict[str, Any]:
    raw = _hard(v)
    raw["population"] = {"size": v["N"], "allocation": [v["x0"], 1 - v["x0"]]}
    return raw


def _observed_basin(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_basin(v), seeds, "specialists_0", v["T"] * 2 // 3)


def _basin_refuses(v: Values) -> str | None:
    repeller = budget.hard_repeller(v["kappa"], v["s"])
    if abs(v["x0"] - repeller) < 0.08:
        return f"x0 must lie at least .08 from the repeller x = {repeller:.4f}"
    return None


def _basin_case(name: str, x0: float) -> Case:
    return Case(
        name=name,
        labels=("T2",),
        family="core",
        title=f"hard selection, s > 1, from x0 = {x0:g}: share of specialists of niche 1",
        source="closed form: repeller x_k proportional to kappa_k^(1/(1-s))",
        parameters=(
            Parameter("kappa", 0.6, "supply of niche 1", least=0.3, most=0.7),
            Parameter("s", 2.0, "returns exponent", least=1.5, most=3),
            Parameter("x0", x0, "allocation to niche 1 at the start", least=0.1, most=0.9),
            Parameter("N", 500, "agents", least=500, most=20_000, whole=True),
            Parameter("T", 2000, "generations", least=2000, most=100_000, whole=True),
        ),
        expected=lambda v: float(v["x0"] > budget.hard_repeller(v["kappa"], v["s"])),
        observe=_observed_basin,
        bias=lambda v: 2 * budget.corner_spread(v["s"], VARIANCE_RATE)[1] + 1e-3,
        refuses=_basin_refuses,
        note="bias: twice the share that mutation holds beyond .9",
    )


CASES = (
    Case(
        name="hard-selection-generalist",
        labels=("T2",),
        family="core",
        title="hard selection, s < 1: mean allocation to niche 1",
        source="closed form: x_k proportional to kappa_k^(1/(1-s))",
        parameters=(
            Parameter("kappa", 0.6, "supply of niche 1", least=0.3, most=0.7),
            Parameter("s", 0.5, "returns exponent", least=0.1, most=0.5),
            Parameter("N", 1000, "agents", least=500, most=20_000, whole=True),
            Parameter("T", 2000, "generations", least=2000, most=100_000, whole=True),
        ),
        expected=lambda v: budget.hard_repeller(v["kappa"], v["s"]),
        observe=_observed_hard,
        bias=_hard_bias,
        refuses=_hard_refuses,
        seeds=20,
        note="bias: twice the shift by mutation, -V w'''/2w''",
    ),
    _basin_case("hard-selection-richest", 0.5),
    _basin_case("hard-selection-poorer", 0.3),
)
