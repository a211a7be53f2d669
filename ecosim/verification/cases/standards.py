"""Noisy standards of performance, and coverage by random specialists (T6, T7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.theory import budget, grain
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import gains, late_mean, recordings


def _passes(v: Values, seeds: Sequence[int], breadths: Sequence[int]) -> np.ndarray:
    """Return standards passed a step, `[seeds, breadths]`, by 1000 agents of each over 25 steps."""
    count, steps, each = v["T"], 25, 1000
    groups = [
        {"name": f"breadth {k}", "allocation": [1 / k] * k + [0.0] * (count - k)} for k in breadths
    ]
    raw = {
        "niches": {"count": count, "productivity": float(count)},
        "population": {"size": each * len(groups), "groups": groups, "budget": v["B"]},
        "tradeoff": {
            "kind": "standard",
            "exponent": 1.0,
            "threshold": v["theta"],
            "noise": v["sigma"],
        },
        "competition": {"kind": "independent"},
    }
    found = []

    def read(table: Any) -> float:
        found.append(table.groupby("group")["stock"].mean().to_numpy() / steps)
        return 0.0

    gains(raw, steps, seeds, read)
    return np.array(found)


def _observed_standard(v: Values, seeds: Sequence[int]) -> Any:
    found = _passes(v, seeds, (1, v["T"]))
    return found[:, 0] - found[:, 1]


def _expected_standard(v: Values) -> float:
    one, everywhere = (
        grain.standard_passes(v["B"], k, v["theta"], v["sigma"]) for k in (1, v["T"])
    )
    return one - everywhere


def _observed_covered(v: Values, seeds: Sequence[int]) -> Any:
    raw = {
        "world": "ecology",
        "niches": {"count": v["K"]},
        "population": {"size": v["n"], "start": "random-specialists"},
        "run": {"steps": 0},
    }
    many = [5 * seed + i for seed in seeds for i in range(5)]
    return late_mean(raw, many, "coverage", -1)


def _observed_needed(v: Values, seeds: Sequence[int]) -> Any:
    """Collect specialists in order of id until all niches are covered, again and again."""
    size = int(60 * budget.specialists_needed(v["K"]))
    raw = {
        "world": "ecology",
        "niches": {"count": v["K"]},
        "population": {"size": size, "start": "random-specialists"},
        "run": {"steps": 0},
    }
    counts = []
    for recording in recordings(raw, seeds):
        seen: set[int] = set()
        began, found = 0, 0
        for place, niche in enumerate(recording.founders["niche"].to_numpy()):
            seen.add(int(niche))
            # A fixed number of collections: to take all that end in time would favour short ones.
            if len(seen) == v["K"] and found < 20:
                counts.append(place + 1 - began)
                began, found, seen = place + 1, found + 1, set()
    return np.array(counts, float)


# grain.standard_noise(1, 4, 0.6): to list the cases must not take computing.
_EQUAL = 0.4272743017955156


def _standard(name: str, factor: float) -> Case:
    sigma = factor * _EQUAL
    return Case(
        name=name,
        labels=("T6",),
        family="core",
        title=f"standards passed, specialist minus generalist, at {factor:g} sigma* by default",
        source="closed form: k Phi((B/k - theta)/sigma); statement 7",
        parameters=(
            Parameter("sigma", sigma, "noise", above=0, most=100),
            Parameter("theta", 0.6, "standard", above=0, most=100),
            Parameter("B", 1.0, "budget", above=0, most=100),
            Parameter("T", 4, "niches", least=2, most=64, whole=True),
        ),
        expected=_expected_standard,
        observe=_observed_standard,
        bias=lambda v: 1e-5,
        note="bias: draws have 23 bits; the specialist is better below sigma* = .42727, "
        "the generalist above, at B=1, theta=.6, T=4",
        curve=Curve(
            "sigma", (0.2, 0.3, 0.38, 0.427, 0.47, 0.6, 0.8), "passes, specialist - generalist"
        )
        if factor < 1
        else None,
    )


_NICHES = Parameter("K", 16, "niches", least=2, most=64, whole=True)

CASES = (
    _standard("noisy-standard-below", 0.9),
    _standard("noisy-standard-above", 1.1),
    Case(
        name="coverage",
        labels=("T7",),
        family="core",
        title="share of K niches that n random specialists cover",
        source="closed form: 1 - (1 - 1/K)^n",
        parameters=(
            Parameter("n", 32, "specialists", least=2, most=5000, whole=True),
            _NICHES,
        ),
        expected=lambda v: budget.coverage(v["n"], v["K"]),
        observe=_observed_covered,
        bias=lambda v: 1e-9,
    ),
    Case(
        name="coverage-complete",
        labels=("T7",),
        family="core",
        title="random specialists needed until all K niches are covered",
        source="coupon collector: K H_K",
        parameters=(_NICHES,),
        expected=lambda v: budget.specialists_needed(v["K"]),
        observe=_observed_needed,
    ),
)
