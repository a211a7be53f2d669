"""How widely to spread a budget in a crowd of equal agents (T3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.theory import crowd
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import Numbers, gains

MOST_SCATTER = 0.25  # beyond, a parabola through payoffs may have no top
NEGLIGIBLE = 1e-12  # budget of agents that only fill up a patch


def _tried(v: Values) -> list[int]:
    """Return the three divisors of T next to the expected breadth: newcomers tile all niches."""
    best, niches = crowd.crowd_breadth(v["r"], v["N"], v["T"]), v["T"]
    divisors = [k for k in range(1, niches + 1) if niches % k == 0]
    return sorted(sorted(divisors, key=lambda k: abs(np.log(k / best)))[:3])


def _residents(v: Values) -> int:
    return round(crowd.crowd_breadth(v["r"], v["N"], v["T"]))


def _top(breadths: Sequence[int], payoffs: Sequence[float]) -> float:
    """Return the breadth of the largest payoff, by a parabola through three points of logs."""
    curve = np.polyfit(np.log(breadths), np.log(payoffs), 2)
    return float(np.exp(-curve[1] / (2 * curve[0])))


def _groups(v: Values, seed: int) -> list[dict[str, Any]]:
    """Return N - 1 residents for each patch, and newcomers that share no niche with each other.

    All patches hold the same residents, each on k niches drawn at random. In patch p newcomers of
    the p-th breadth tile all niches, so that their mean payoff is the mean over the niches of the
    crowd. Agents are put into patches by turns, hence a group of residents has one in each.
    """
    niches, agents, breadths = v["T"], v["N"], _tried(v)
    draw = np.random.default_rng(seed)
    orders = draw.permuted(np.tile(np.arange(niches), (agents - 1, 1)), axis=1)
    k = _residents(v)
    residents = np.zeros((agents - 1, niches))
    np.put_along_axis(residents, orders[:, :k], 1 / k, axis=1)
    groups: list[dict[str, Any]] = [
        {"name": f"resident {i}", "allocation": row.tolist(), "share": len(breadths)}
        for i, row in enumerate(residents)
    ]
    for turn in range(niches // breadths[0]):
        for k in breadths:
            row, real = np.zeros(niches), (turn + 1) * k <= niches
            row[turn * k : (turn + 1) * k] = 1 / k
            row = row if real else np.full(niches, 1 / niches)
            groups.append({
                "name": f"{'newcomer' if real else 'filler'} {k} {turn}",
                "allocation": row.tolist(),
                "budget": 1.0 if real else NEGLIGIBLE,
            })  # fmt: skip
    return groups


def _observed_breadth(v: Values, seeds: Sequence[int]) -> Numbers:
    breadths, root = _tried(v), v["r"] ** 0.5

    def read(table: Any) -> float:
        new = table[(table["group"] >= v["N"] - 1) & (table["budget"] > 0.5)]
        return _top(breadths, new.groupby("patch")["stock"].mean().to_list())

    found = []
    for seed in seeds:
        groups = _groups(v, seed)
        raw: dict[str, Any] = {
            "niches": {"count": v["T"]},
            "patches": {"count": len(breadths)},
            "population": {
                "size": len(groups) + (v["N"] - 1) * (len(breadths) - 1),
                "groups": groups,
            },
            "tradeoff": {"exponent": root},
            "competition": {"exponent": root},
        }
        found.append(gains(raw, 1, [seed], read)[0])
    return np.array(found)


def _breadth_bias(v: Values) -> float:
    """Residents of whole breadth and the parabola, exactly; and chance in so few niches.

    A ratio of means that scatters by e of itself is off by e^2 or less on average, and so is what
    it is solved for, once more for its curvature: 3 e^2 covers both.
    """
    n, niches, tried = v["N"], v["T"], _tried(v)
    best = crowd.crowd_breadth(v["r"], n, niches)
    payoffs = [crowd.crowd_payoff(k, _residents(v), v["r"], agents=n, niches=niches) for k in tried]
    scatter = crowd.crowd_scatter(v["r"], n, niches)
    return abs(_top(tried, payoffs) - best) + 3 * scatter**2 * best


def _refuses(v: Values) -> str | None:
    try:
        best = crowd.crowd_breadth(v["r"], v["N"], v["T"])
    except ValueError as error:
        return str(error)
    tried, scatter = _tried(v), crowd.crowd_scatter(v["r"], v["N"], v["T"])
    if scatter > MOST_SCATTER:
        return f"a crowd's niches would miss the closed form by {scatter:.0%}: take a larger T"
    if best < 2 or tried[0] < best / 2 or tried[-1] > 2 * best:
        return (
            f"newcomers' breadths must divide T and lie within a factor 2 of {best:.4g}, which "
            f"three do not: take a T of many divisors (120, 240, 360), or a smaller N"
        )
    return None


def _rivals(v: Values) -> float:
    return crowd.crowd_rivals(v["r"])


def _rivals_bias(v: Values) -> float:
    finite = crowd.crowd_breadth(v["r"], v["N"], v["T"]) * v["N"] / v["T"]
    return abs(finite - _rivals(v)) + _breadth_bias(v) * v["N"] / v["T"]


_PARAMETERS = (
    Parameter("r", 1.1, "returns times contest exponent", above=1, most=1.2),
    Parameter("N", 100, "agents", least=20, most=400, whole=True),
    Parameter("T", 360, "niches", least=12, most=1000, whole=True),
)

CASES = (
    Case(
        name="crowd-breadth",
        labels=("T3",),
        family="core",
        title="best breadth of a rare newcomer in a crowd of N agents of that breadth on T niches",
        source="closed form: E[1/(1+M)^2]/E[1/(1+M)] = (r-1)/r, M binomial(N-1, k/T)",
        parameters=_PARAMETERS,
        expected=lambda v: crowd.crowd_breadth(v["r"], v["N"], v["T"]),
        observe=_observed_breadth,
        bias=_breadth_bias,
        refuses=_refuses,
        note="mean field T/(N(r-1)) leaves out an agent's own claim and the scatter of rivals; "
        "bias: whole breadths, a parabola through three of them, and chance in so few niches",
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
