"""How widely to spread a budget in a crowd of equal agents (T3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ecosim.theory import crowd
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import gains

PLACES = 8  # of the niches at which a newcomer is tried, in a patch each


def _bracket(v: Values) -> tuple[int, int]:
    """Return two breadths of residents about a fifth below and above the expected one."""
    best = crowd.crowd_breadth(v["r"], v["N"], v["T"])
    return int(np.floor(0.8 * best)), int(np.ceil(1.2 * best))


def _balance(v: Values, payoff: Callable[[int], tuple[float, float]]) -> float:
    """Return the breadth of residents at which one niche more pays newcomers as one fewer.

    `payoff(k)` gives payoffs of newcomers of breadth k - 1 and k + 1 among residents of breadth k.
    What the wider one gains over the narrower is taken to be linear in 1/k.
    """
    ends = _bracket(v)
    slopes = []
    for k in ends:
        narrow, wide = payoff(k)
        slopes.append(float(np.log(wide / narrow) / np.log((k + 1) / (k - 1))))
    (low, high), (first, second) = ends, slopes
    weight = first / (first - second)
    return float(1 / ((1 - weight) / low + weight / high))


def _tried(v: Values, k: int, seed: int) -> tuple[float, float]:
    """Return mean gains of newcomers of breadth k - 1 and k + 1, each alone in a copy of a crowd.

    All patches hold the same N - 1 residents, each on k niches drawn at random; patch by patch the
    newcomer is of one breadth or the other, and is on niches further along.
    """
    niches, agents, patches = v["T"], v["N"], 2 * PLACES
    draw = np.random.default_rng(seed)
    orders = draw.permuted(np.tile(np.arange(niches), (agents - 1, 1)), axis=1)
    residents = np.zeros((agents - 1, niches))
    np.put_along_axis(residents, orders[:, :k], 1 / k, axis=1)
    newcomers = np.zeros((patches, niches))
    for patch in range(patches):
        breadth, start = k - 1 + 2 * (patch % 2), patch // 2 * niches // PLACES
        newcomers[patch, (start + np.arange(breadth)) % niches] = 1 / breadth
    # Agents of a group follow one another and so do the patches they begin in.
    groups = [
        {"name": f"{kind} {i}", "allocation": row.tolist(), "share": share}
        for kind, rows, share in (("resident", residents, patches), ("newcomer", newcomers, 1))
        for i, row in enumerate(rows)
    ]
    root = v["r"] ** 0.5
    raw: dict[str, Any] = {
        "niches": {"count": niches},
        "patches": {"count": patches},
        "population": {"size": agents * patches, "groups": groups},
        "tradeoff": {"exponent": root},
        "competition": {"exponent": root},
    }

    def read(table: Any) -> float:
        found.append(table[table["group"] >= agents - 1].sort_values("patch")["stock"].to_numpy())
        return 0.0

    found: list[np.ndarray] = []
    gains(raw, 1, [seed], read)
    return float(found[0][::2].mean()), float(found[0][1::2].mean())


def _observed_breadth(v: Values, seeds: Sequence[int]) -> np.ndarray:
    return np.array([_balance(v, lambda k, seed=seed: _tried(v, k, seed)) for seed in seeds])


def _breadth_bias(v: Values) -> float:
    """Whole steps of breadth and the interpolation, exactly; and chance in so few niches.

    1/(1+M) varies by 1/sqrt(x) about its mean over niches with x rivals each, so that a ratio of
    means over n niches, and what it is solved for, is biased by at most 3/(x n) of itself.
    """
    n, t = v["N"], v["T"]
    best = crowd.crowd_breadth(v["r"], n, t)

    def payoff(k: int) -> tuple[float, float]:
        tried = [crowd.crowd_payoff(b, k, v["r"], agents=n, niches=t) for b in (k - 1, k + 1)]
        return tried[0], tried[1]

    covered = min(t, PLACES * best)
    chance = 3 * best / (n * best / t * covered)
    return abs(_balance(v, payoff) - best) + chance


def _refuses(v: Values) -> str | None:
    try:
        low, high = _bracket(v)
    except ValueError as error:
        return str(error)
    if low < 3 or high > v["T"] - 1:
        return (
            f"residents of breadth {low} and {high} are compared, which must lie in 3..T-1: take "
            "another N or T, the breadth being proportional to T/N"
        )
    return None


def _rivals(v: Values) -> float:
    return crowd.crowd_rivals(v["r"])


def _rivals_bias(v: Values) -> float:
    finite = crowd.crowd_breadth(v["r"], v["N"], v["T"]) * v["N"] / v["T"]
    return abs(finite - _rivals(v)) + _breadth_bias(v) * v["N"] / v["T"]


_PARAMETERS = (
    Parameter("r", 1.1, "returns times contest exponent", above=1, most=2),
    Parameter("N", 100, "agents", least=20, most=400, whole=True),
    Parameter("T", 128, "niches", least=10, most=400, whole=True),
)

CASES = (
    Case(
        name="crowd-breadth",
        labels=("T3",),
        family="core",
        title="breadth that is its own best answer in a crowd of N equal agents on T niches",
        source="closed form: E[1/(1+M)^2]/E[1/(1+M)] = (r-1)/r, M binomial(N-1, k/T)",
        parameters=_PARAMETERS,
        expected=lambda v: crowd.crowd_breadth(v["r"], v["N"], v["T"]),
        observe=_observed_breadth,
        bias=_breadth_bias,
        refuses=_refuses,
        note="mean field T/(N(r-1)) leaves out an agent's own claim and the scatter of rivals; "
        "bias: one niche more or fewer, interpolation, and chance in so few niches",
        curve=Curve("r", (1.05, 1.075, 1.1, 1.15, 1.2), "breadth in a crowd"),
    ),
    Case(
        name="crowd-rivals",
        labels=("T3",),
        family="core",
        title="rivals met per niche, N k/T, at that breadth",
        source="closed form: the same with Poisson M; 22.05, 12.12, 7.20 at r = 1.05, 1.1, 1.2",
        parameters=_PARAMETERS,
        expected=_rivals,
        observe=lambda v, seeds: _observed_breadth(v, seeds) * v["N"] / v["T"],
        bias=_rivals_bias,
        refuses=_refuses,
        note="bias: a crowd of N, binomial M, plus that of crowd-breadth",
    ),
)
