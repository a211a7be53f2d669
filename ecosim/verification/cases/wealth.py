"""Selection without inheritance: capital follows performance (M7), and mergers conserve it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.theory import selection as theory
from ecosim.verification.case import Case, Curve, Parameter, Values

PERIODS = 50  # of the Price equation
SUPPLY = (0.5, 0.3, 0.2)
ALLOCATIONS = ((0.6, 0.3, 0.1), (0.2, 0.2, 0.6), (0.1, 0.8, 0.1), (0.4, 0.3, 0.3))
CAPITAL = (1.0, 2.0, 0.5, 1.5)


def _market(**tables: Any) -> Any:
    """Return a market where nothing costs, nobody enters and nobody leaves."""
    from ecosim.scenario import validate

    market = {
        "costs": {"upkeep": 0.0},
        "exit": {"enabled": False},
        "entry": {"rate": 0.0},
    } | tables.pop("market", {})
    return validate({"world": "market", "market": market} | tables)


def _terms(v: Values) -> float:
    claims = np.array(ALLOCATIONS) ** v["s"]
    supply = v["supply"] * np.array(SUPPLY)
    return float(np.sum(theory.reinvested(v["g"], CAPITAL, claims, supply=supply, steps=PERIODS)))


def _price(v: Values, seeds: Sequence[int]) -> list[float]:
    from ecosim.simulate import simulate

    groups = [
        {"name": f"firm {i}", "allocation": list(x), "budget": capital}
        for i, (x, capital) in enumerate(zip(ALLOCATIONS, CAPITAL, strict=True))
    ]
    scenario = _market(
        niches={"count": len(SUPPLY), "supply": list(SUPPLY), "productivity": v["supply"]},
        population={"size": len(groups), "groups": groups, "stock_variation": 0.0},
        tradeoff={"exponent": v["s"]},
        market={"investment": {"reinvestment": v["g"]}},
        run={"steps": PERIODS, "precision": "float64"},
    )
    table = simulate(scenario, seed=seeds[0]).metrics.iloc[1:]
    mean, variance = table["performance_mean"], table["performance_variance"]
    terms = v["g"] * variance / (1 + v["g"] * mean)
    # Price's identity in every single step; where it breaks, no sum is returned.
    if np.any(np.abs(table["performance_change"] - terms) > 1e-9 * np.max(np.abs(terms))):
        return [math.nan]
    return [float(table["performance_change"].sum())]


def _states(v: Values) -> tuple[list[float], list[float], list[float]]:
    return tuple([v[name], 1 - v[name]] for name in ("p", "x", "y"))  # type: ignore[return-value]


def _drift(v: Values) -> float:
    return theory.log_wealth_drift(*_states(v))


def _steps(v: Values) -> int:
    """Return as many steps as keep both wealths in the range of float64, at most 10,000."""
    p, x, y = (np.array(part) for part in _states(v))
    rate = np.log(x / y)
    mean = float(abs(p @ rate))
    deviation = float(np.sqrt(p @ (rate - p @ rate) ** 2))
    root = (-6 * deviation + math.sqrt(36 * deviation**2 + 4 * mean * 600)) / (2 * mean or 1)
    return int(min(root**2 if mean > 0 else (100 / deviation) ** 2, 10_000))


def _kelly(v: Values, seeds: Sequence[int]) -> list[float]:
    """Observe the mean step of ln(wealth of x / wealth of y) over a run."""
    from ecosim.simulate import simulate

    _, x, y = _states(v)
    steps = _steps(v)
    scenario = _market(
        niches={"count": 2, "productivity": 2.0},
        environment={"switching": {"spell": 1, "amplitude": 1.0, "probability": v["p"]}},
        population={
            "size": 2,
            "stock_variation": 0.0,
            "groups": [{"name": "x", "allocation": x}, {"name": "y", "allocation": y}],
        },
        tradeoff={"exponent": 1.0},
        # All capital is staked in each period: what a firm has is what its niche pays.
        market={"costs": {"upkeep": 1.0}},
        run={"steps": steps, "precision": "float64"},
        record={"every": steps},
    )
    found = []
    for seed in seeds:
        wealth = simulate(scenario, seed=seed).population.set_index("id")["stock"]
        found.append(math.log(wealth[1] / wealth[2]) / steps)
    return found


def _alike(v: Values) -> str | None:
    return "two equal portfolios do not drift apart: x and y must differ" if (
        abs(v["x"] - v["y"]) < 0.02
    ) else None  # fmt: skip


def _merged(v: Values, seeds: Sequence[int]) -> list[float]:
    """Observe what a market of mergers alone has left of its capital, as a share."""
    from ecosim.simulate import simulate

    scenario = _market(
        niches={"count": 3, "productivity": 1.0},
        population={"size": v["N"], "start": "random"},
        market={
            "mergers": {"rate": v["rate"], "partner": "overlap"},
            "investment": {"reinvestment": 0.0},
        },
        run={"steps": 40, "precision": "float64"},
        record={"every": 10},
    )
    found = []
    for seed in seeds:
        run = simulate(scenario, seed=seed)
        before = math.fsum(run.founders["stock"])
        found.append(math.fsum(run.population["stock"]) / before)
        if not run.metrics["mergers"].sum() == v["N"] - len(run.population):
            return [math.nan]
    return found


CASES = (
    Case(
        name="price-equation",
        labels=("M7",),
        family="market",
        title="Change of the mean performance is g Var / (1 + g mean), every step",
        source="Price 1970, Nature 227:520-521",
        parameters=(
            Parameter("g", 0.5, "share of profits reinvested", above=0, most=1),
            Parameter("s", 1.5, "returns to depth", least=0.1, most=4),
            Parameter("supply", 3.0, "what the niches emit a step", least=0.01, most=100),
        ),
        expected=_terms,
        observe=_price,
        rounding=1e-9,
        seeds=1,
        note="The sum over 50 steps against an iteration of its own; in each step the change "
        "recorded equals g Var / (1 + g mean) to 1e-9, or the case fails.",
        curve=Curve("g", (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0), "change in 50 steps"),
    ),
    Case(
        name="kelly-drift",
        labels=("M7",),
        family="market",
        title="Relative wealth of two portfolios drifts at the difference of their divergences",
        source="Kelly 1956; Blume & Easley 1992, J. Economic Theory 58:9-40",
        parameters=(
            Parameter("p", 0.7, "probability of the first state", least=0.05, most=0.95),
            Parameter("x", 0.7, "share of the first portfolio in it", least=0.02, most=0.98),
            Parameter("y", 0.5, "share of the second portfolio in it", least=0.02, most=0.98),
        ),
        expected=_drift,
        observe=_kelly,
        refuses=_alike,
        rounding=1e-6,
        curve=Curve("x", (0.3, 0.4, 0.45, 0.55, 0.6, 0.7, 0.8, 0.9), "drift a step", seeds=10),
    ),
    Case(
        name="mergers-conserve-capital",
        labels=("M6",),
        family="market",
        title="Mergers move capital and create none",
        source="accounting identity",
        parameters=(
            Parameter("N", 500, "firms", least=2, most=20_000, whole=True),
            Parameter("rate", 0.02, "mergers sought a firm and step", above=0, most=1),
        ),
        expected=lambda v: 1.0,
        observe=_merged,
        rounding=1e-12,
        seeds=1,
    ),
)
