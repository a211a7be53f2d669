"""How widely to spread a budget: invaders, thresholds, dilution (T3, T4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.theory import budget
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import gains, recordings


def _invader_table(v: Values, tradeoff: dict[str, Any], competition: dict[str, Any]) -> Any:
    """Return gains of T agents alone in a patch each, of breadth 1..T, in that order."""
    count = v["T"]
    groups = [
        {"name": f"breadth {k}", "allocation": [1 / k] * k + [0.0] * (count - k)}
        for k in range(1, count + 1)
    ]
    raw = {
        "world": "ecology",
        "niches": {"count": count, "productivity": float(count * count)},
        "patches": {"count": count, "dispersal": 0.0},
        "population": {
            "size": count,
            "groups": groups,
            "stock_variation": 0.0,
            "budget": v.get("B", 1.0),
        },
        "tradeoff": tradeoff,
        "competition": competition,
        "selection": {"upkeep": 1e-9, "division": 1e9, "mortality": 0.0},
        "run": {"steps": 1, "precision": "float64"},
    }
    table = next(recordings(raw, [0])).population.sort_values("group")
    return table["stock"].to_numpy() - 1.0


def _observed_invader(v: Values, seeds: Sequence[int]) -> float:
    root = v["r"] ** 0.5
    gain = _invader_table(v, {"exponent": root}, {"exponent": root, "unclaimed": v["R"]})
    return float(np.argmax(gain) + 1)


def _observed_threshold(v: Values, seeds: Sequence[int]) -> float:
    tradeoff = {"kind": "threshold", "exponent": v["s"], "threshold": v["theta"]}
    gain = _invader_table(v, tradeoff, {"kind": "independent"})
    return float(np.max(np.flatnonzero(gain > 1e-6), initial=-1) + 1)


def _threshold_refuses(v: Values) -> str | None:
    edge = v["B"] / v["theta"] ** (1 / v["s"])
    if abs(edge - round(edge)) < 1e-6 * edge:
        return f"B/theta^(1/s) = {edge:g} must not be whole: rounding would decide the last niche"
    if not 0.0 < v["theta"] < 1e6 or v["B"] ** v["s"] > 1e6:
        return "theta and B^s must be below 1e6"
    return None


def _observed_dilution(v: Values, seeds: Sequence[int]) -> float:
    gain = _invader_table(v, {"exponent": v["s"]}, {"kind": "independent"})
    return float(gain[-1] / v["T"])


def _crowd(v: Values, factor: float, seed: int) -> np.ndarray:
    raw = {
        "niches": {"count": v["K"]},
        "population": {"size": v["N"], "start": "random", "budget": factor},
        "tradeoff": {"exponent": v["s"]},
    }
    found: list[np.ndarray] = []

    def read(table: Any) -> float:
        found.append(table["stock"].to_numpy())
        return 0.0

    gains(raw, 5, [seed], read)
    return found[0]


def _observed_scaling(v: Values, seeds: Sequence[int]) -> float:
    one, many = _crowd(v, 1.0, seeds[0]), _crowd(v, v["B"], seeds[0])
    return float(np.max(np.abs(many / one - 1)))


def _invader(name: str, rivals: float) -> Case:
    return Case(
        name=name,
        labels=("T3",),
        family="core",
        title=f"best breadth of a rare invader, rivals' mass {rivals:g} by default",
        source="closed form: maximum of k b^r/(b^r + R), b = 1/k",
        parameters=(
            Parameter("R", rivals, "rivals' mass in each niche", above=0, most=1e6),
            Parameter("r", 2.0, "returns times contest exponent", above=1, most=6),
            _BREADTH_T,
        ),
        expected=lambda v: float(budget.invader_breadth(v["R"], v["r"], v["T"])),
        observe=_observed_invader,
        seeds=1,
        curve=Curve("R", (0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "best breadth of an invader", log=True)
        if rivals == 0.01
        else None,
    )


_BREADTH_T = Parameter("T", 20, "niches", least=10, most=100, whole=True)

CASES = (
    _invader("invader-breadth", 0.01),
    _invader("invader-breadth-middle", 0.1),
    _invader("invader-breadth-crowded", 1.0),
    Case(
        name="budget-scaling",
        labels=("T3",),
        family="core",
        title="largest relative change of any agent's gain when all budgets are multiplied by B",
        source="statement 12: exact where nothing is left unclaimed",
        parameters=(
            Parameter("B", 7.0, "factor", above=1e-3, most=1e3),
            Parameter("s", 1.5, "returns exponent", above=0.1, most=4),
            Parameter("K", 12, "niches", least=1, most=64, whole=True),
            Parameter("N", 300, "agents", least=2, most=20_000, whole=True),
        ),
        expected=lambda v: 0.0,
        observe=_observed_scaling,
        bias=lambda v: 1e-11,
        seeds=1,
    ),
    Case(
        name="threshold-breadth",
        labels=("T4",),
        family="core",
        title="most niches that a budget can serve above a threshold of performance",
        source="closed form: floor(B/theta^(1/s))",
        parameters=(
            Parameter("theta", 0.02, "threshold", above=1e-9, most=1e6),
            Parameter("s", 2.0, "returns exponent", least=0.2, most=6),
            Parameter("B", 1.0, "budget", above=1e-3, most=1e3),
            _BREADTH_T,
        ),
        expected=lambda v: float(budget.threshold_breadth(v["B"], v["theta"], v["s"], v["T"])),
        observe=_observed_threshold,
        refuses=_threshold_refuses,
        seeds=1,
    ),
    Case(
        name="dilution",
        labels=("T4",),
        family="core",
        title="competence in each of T niches of a budget spread over all",
        source="closed form: (B/T)^s",
        parameters=(
            Parameter("s", 1.0, "returns exponent", least=0.2, most=3),
            Parameter("B", 1.0, "budget", least=0.1, most=10),
            _BREADTH_T,
        ),
        expected=lambda v: budget.diluted_competence(v["B"], v["s"], v["T"]),
        observe=_observed_dilution,
        bias=lambda v: 1e-9,
        rounding=1e-6,
        seeds=1,
        note="bias: an upkeep of 1e-9, which no organism goes without",
    ),
)
