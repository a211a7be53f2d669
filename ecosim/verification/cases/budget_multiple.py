"""What a generalist needs to beat specialists (T5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.theory import budget
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import gains, late_mean


def _against_specialists(v: Values, size: int, half: bool) -> dict[str, Any]:
    count = v["K"]
    each = (0.5 if half else 1.0) / count
    groups = [
        {
            "name": "generalist",
            "allocation": [1 / count] * count,
            "share": 0.5 if half else 1e-9,
            "budget": v["B"],
        }
    ] + [
        {"name": f"specialist {k}", "allocation": np.eye(count)[k].tolist(), "share": each}
        for k in range(count)
    ]
    return {
        "niches": {"count": count},
        "population": {"size": size, "groups": groups},
        "tradeoff": {"exponent": v["s"]},
    }


def _observed_multiple(v: Values, seeds: Sequence[int]) -> float:
    def read(table: Any) -> float:
        gain = table.groupby("group")["stock"].mean()
        return float(gain[0] / gain[1:].mean())

    return float(gains(_against_specialists(v, 8 * v["K"] + 1, False), 1, [0], read)[0])


def _contest_values(v: Values) -> dict[str, Any]:
    return {**v, "B": v["ratio"] * budget.budget_threshold(v["s"], v["K"])}


def _contest_steps(v: Values) -> int:
    """From half to fixation the odds must change by N: ln(N)/s |ln ratio| generations, thrice."""
    size = _contest_size(v)
    return int(np.ceil(3 * np.log(size) / (v["s"] * abs(np.log(v["ratio"])))))


def _contest_size(v: Values) -> int:
    """Enough that no specialist is lost by chance while generalists are half of all.

    Each niche has Poisson(N/2K) specialists a generation.
    """
    advantage = v["s"] * abs(np.log(v["ratio"]))
    return int(max(64 * v["K"], 40 / advantage, 500))


def _observed_contest(v: Values, seeds: Sequence[int]) -> Any:
    raw = _against_specialists(_contest_values(v), _contest_size(v), True) | {
        "world": "ecology",
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.0},
        "run": {"steps": _contest_steps(v)},
        "record": {"every": _contest_steps(v)},
    }
    return late_mean(raw, seeds, "group_share_0")


def _contest_refuses(v: Values) -> str | None:
    if 0.95 < v["ratio"] < 1.05:
        return "ratio must be at most .95 or at least 1.05, or chance decides"
    return None


def _contest(name: str, ratio: float) -> Case:
    return Case(
        name=name,
        labels=("T5",),
        family="core",
        title=f"generalists at {ratio:g} of the budget threshold: their share in the end",
        source=_DECISIVE,
        parameters=(
            Parameter("ratio", ratio, "budget over K^((s-1)/s)", least=0.5, most=2),
            _CONTEST_S,
            Parameter("K", 16, "niches", least=2, most=32, whole=True),
        ),
        expected=lambda v: float(v["ratio"] > 1),
        observe=_observed_contest,
        # Kimura's bound e^(-N advantage) from one half is below e^-40; at the end the worse are
        # N^-3 of all.
        failure=lambda v: _contest_size(v) ** -2.0,
        refuses=_contest_refuses,
    )


_CONTEST_S = Parameter("s", 2.0, "returns exponent", least=1, most=4)
_NICHES = Parameter("K", 16, "niches", least=2, most=64, whole=True)
_DECISIVE = "closed form, from T1: W = (B_g/B_s)^s K^(1-s)"

CASES = (
    Case(
        name="budget-multiple",
        labels=("T5",),
        family="core",
        title="fitness of a generalist of budget B relative to specialists of budget 1",
        source=_DECISIVE,
        parameters=(
            Parameter("B", 4.2, "the generalist's budget", least=0.01, most=100),
            _CONTEST_S,
            _NICHES,
        ),
        expected=lambda v: budget.generalist_fitness(v["B"], v["s"], v["K"]),
        observe=_observed_multiple,
        rounding=1e-6,
        seeds=1,
        curve=Curve("B", (2.0, 3.0, 3.8, 4.0, 4.2, 5.0, 6.0), "generalist's relative fitness"),
    ),
    _contest("budget-multiple-above", 1.05),
    _contest("budget-multiple-below", 0.95),
)
