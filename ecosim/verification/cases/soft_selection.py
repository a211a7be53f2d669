"""Soft selection with a finite budget on two niches (T1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.theory import budget, closed
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import VARIANCE_RATE, gains, late_mean, wright_fisher

LEVENE = "Levene 1953, Am Nat 87:331; Christiansen 1975, Am Nat 109:11"
KAPPA = Parameter("kappa", 0.7, "supply of niche 1; niche 2 has the rest", least=0.1, most=0.9)
SIZE = Parameter("N", 1000, "agents", least=500, most=20_000, whole=True)
STEPS = Parameter("T", 3000, "generations", least=3000, most=100_000, whole=True)


def _supply(v: Values) -> list[float]:
    return [v["kappa"], 1 - v["kappa"]]


def _soft(v: Values) -> dict[str, Any]:
    return wright_fisher(supply=_supply(v), size=v["N"], exponent=v["s"], steps=v["T"])


def _observed_generalist(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_soft(v), seeds, "allocation_0", v["T"] // 2)


def _generalist_bias(v: Values) -> float:
    """Twice the Gaussian shift: skewness and finite N are of its order; plus V/N, drift's share."""
    shift = abs(budget.soft_mutation_shift(v["kappa"], v["s"], VARIANCE_RATE))
    return 2 * shift + budget.soft_variance(v["kappa"], v["s"], VARIANCE_RATE) / v["N"]


def _observed_specialists(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_soft(v), seeds, "specialists_0", v["T"] * 2 // 3)


def _specialists_bias(v: Values) -> float:
    """Return how many mutation holds beyond .9, and how many win in the other's niche.

    A niche's offspring number kappa exactly; of each niche E z^s are won by the other's
    specialists, whose share z lies there, in proportion to the frequencies.
    """
    _, beyond, raised = budget.corner_spread(v["s"], VARIANCE_RATE)
    return max(v["kappa"], 1 - v["kappa"]) * beyond + abs(2 * v["kappa"] - 1) * raised


def _breadth_expected(v: Values) -> float:
    return closed.breadth(_supply(v)) if v["s"] < 1 else 1.0


def _breadth_bias(v: Values) -> float:
    """Return how far mutation holds mean breadth from it.

    s < 1: shift and variance of x, through the first two derivatives of exp(H). s > 1: breadth
    at a distance z from the corner is 1 + z (1 - ln z) to first order, which is concave.
    """
    if v["s"] > 1:
        z = budget.corner_spread(v["s"], VARIANCE_RATE)[0]
        return float(z * (1 - np.log(z)))
    kappa, h = v["kappa"], 1e-4
    at = [closed.breadth([kappa + d, 1 - kappa - d]) for d in (-h, 0, h)]
    first, second = (at[2] - at[0]) / (2 * h), (at[2] - 2 * at[1] + at[0]) / h**2
    variance = budget.soft_variance(kappa, v["s"], VARIANCE_RATE)
    # The mean of a curved function lies half its curvature times the variance away.
    return float(abs(first) * _generalist_bias(v) + abs(second) * variance / 2)


def _observed_breadth(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_soft(v), seeds, "breadth_mean", v["T"] * 2 // 3)


def _no_man_s_land(v: Values) -> str | None:
    if 0.8 < v["s"] < 1.5:
        return "s must be at most .8 or at least 1.5: near s = 1 evolution is too slow for any T"
    return None


def _invasion(v: Values, offsets: Sequence[float]) -> np.ndarray:
    """Return growth of rare mutants at x = kappa + offset in a resident population at kappa.

    A mutant's budget is so small that its claims weigh 1e-9 of a resident's; its gain is divided
    by that again. Gains are those of one step of the simulator.
    """
    tiny = 10 ** (-9 / v["s"])
    groups = [{"name": "resident", "allocation": _supply(v), "share": 1e3}] + [
        {
            "name": f"mutant {i}",
            "allocation": [v["kappa"] + d, 1 - v["kappa"] - d],
            "share": 1e-9,
            "budget": tiny,
        }
        for i, d in enumerate(offsets)
    ]
    raw = {
        "niches": {"count": 2, "supply": _supply(v)},
        "population": {"size": 100 + len(offsets), "groups": groups},
        "tradeoff": {"exponent": v["s"]},
    }
    found: list[np.ndarray] = []

    def read(table: Any) -> float:
        gain = table.groupby("group")["stock"].mean().to_numpy()
        found.append(gain[1:] / (gain[0] * tiny ** v["s"]))
        return 0.0

    gains(raw, 1, [0], read)
    return found[0]


def _observed_gradient(v: Values, seeds: Sequence[int]) -> float:
    h = 0.01 * min(_supply(v))
    w = _invasion(v, [-2 * h, -h, h, 2 * h])
    return float((w[0] - 8 * w[1] + 8 * w[2] - w[3]) / (12 * h))


def _observed_curvature(v: Values, seeds: Sequence[int]) -> float:
    h = 0.01 * min(_supply(v))
    w = _invasion(v, [-2 * h, -h, 0.0, h, 2 * h])
    return float((-w[0] + 16 * w[1] - 30 * w[2] + 16 * w[3] - w[4]) / (12 * h * h))


_SOFT_S = Parameter("s", 0.5, "returns exponent", least=0.5, most=0.8)
_ANY_S = Parameter("s", 2.0, "returns exponent", above=0.1, most=6)

CASES = (
    Case(
        name="soft-selection-generalist",
        labels=("T1",),
        family="core",
        title="soft selection, s < 1: mean allocation to niche 1",
        source=LEVENE,
        parameters=(KAPPA, _SOFT_S, SIZE, STEPS),
        expected=lambda v: v["kappa"],
        observe=_observed_generalist,
        bias=_generalist_bias,
        seeds=20,
        note="bias: twice the shift by mutation (1-s) V (1-2 kappa)/(kappa (1-kappa))",
    ),
    Case(
        name="soft-selection-specialists",
        labels=("T1",),
        family="core",
        title="soft selection, s > 1: share of specialists of niche 1",
        source=LEVENE + "; Fretwell & Lucas 1969",
        parameters=(
            KAPPA,
            Parameter("s", 2.0, "returns exponent", least=1.5, most=3),
            SIZE,
            STEPS,
        ),
        expected=lambda v: v["kappa"],
        observe=_observed_specialists,
        bias=_specialists_bias,
        seeds=20,
        note="bias: mutants beyond .9 and what specialists win in the other niche (Airy function)",
    ),
    Case(
        name="soft-selection-breadth",
        labels=("T1",),
        family="core",
        title="soft selection: mean breadth on both sides of s = 1",
        source=LEVENE,
        parameters=(
            KAPPA,
            Parameter("s", 0.5, "returns exponent", least=0.5, most=3),
            Parameter("N", 500, "agents", least=500, most=20_000, whole=True),
            STEPS,
        ),
        expected=_breadth_expected,
        observe=_observed_breadth,
        bias=_breadth_bias,
        refuses=_no_man_s_land,
        seeds=20,
        note="bias: spread by mutation; at s > 1 its bound z (1 - ln z), E z = 1.02 l",
        curve=Curve("s", (0.5, 0.6, 0.7, 0.8, 1.5, 2.0, 3.0), "mean breadth", seeds=10),
    ),
    Case(
        name="soft-selection-gradient",
        labels=("T1",),
        family="core",
        title="soft selection: gradient of a rare mutant's growth at x = kappa",
        source="closed form: w(y) = sum kappa_k (y_k/x_k)^s has its singular point at x = kappa",
        parameters=(KAPPA, _ANY_S),
        expected=lambda v: 0.0,
        observe=_observed_gradient,
        bias=lambda v: 1e-6 * v["s"] / min(_supply(v)),
        seeds=1,
        note="bias: 1e-6 of the gradient s/kappa that one niche alone would have",
    ),
    Case(
        name="soft-selection-curvature",
        labels=("T1",),
        family="core",
        title="soft selection: curvature of a rare mutant's growth at x = kappa",
        source="closed form: s (s-1)/(kappa (1-kappa))",
        parameters=(KAPPA, _ANY_S),
        expected=lambda v: budget.soft_curvature(v["kappa"], v["s"]),
        observe=_observed_curvature,
        bias=lambda v: 1e-6 * v["s"] / min(_supply(v)) ** 2,
        rounding=1e-6,
        seeds=1,
    ),
)
