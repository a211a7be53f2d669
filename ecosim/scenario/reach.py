"""Numbers that a run could not hold, and numbers that would have no effect."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ecosim.errors import Problem
from ecosim.scenario.agents import Competition, Population, Tradeoff
from ecosim.scenario.lifecycle import Selection
from ecosim.scenario.places import Niches

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

_DIGITS = {"float32": 37, "float64": 307}  # powers of ten that a number may have, either sign


def out_of_range(s: Scenario) -> Iterator[Problem]:
    """Find claims that would underflow to nothing, or overflow, in the run's precision.

    An agent's largest share is at least 1/K, so its largest claim is at least
    (budget exp(-breadth_cost (K - 1)) / K)^(exponent x contest exponent).
    """
    exponent = s.tradeoff.exponent * s.competition.exponent
    factors = [group.budget for group in s.population.groups] or [1.0]
    budgets = [math.log10(s.population.budget) + math.log10(factor) for factor in factors]
    spread = math.log10(s.niches.count)
    lost = s.tradeoff.breadth_cost * (s.niches.count - 1) / math.log(10)
    low, high = exponent * (min(budgets) - spread - lost), exponent * max(budgets)
    digits = _DIGITS[s.run.precision]
    if low < -digits or high > digits:
        yield Problem(
            "tradeoff.exponent",
            f"{s.tradeoff.exponent:g} x competition.exponent {s.competition.exponent:g}",
            f"claims would range over 1e{low:.0f} .. 1e{high:.0f}, beyond what {s.run.precision} "
            f"holds (1e-{digits} .. 1e{digits})",
            "use smaller exponents, a budget nearer to 1, or run.precision = 'float64'",
        )


def vanishing(s: Scenario) -> Iterator[Problem]:
    """Find numbers that must be positive and would be 0 in the run's precision."""
    market = s.market
    numbers = {
        "niches.productivity": s.total_supply,
        "population.budget": s.population.budget,
        "population.stock": s.population.stock,
        "selection.upkeep": s.selection.upkeep,
        "selection.division": s.selection.division,
        "market.costs.upkeep": market.costs.upkeep,
        "market.entry.capital": market.entry.capital,
    }
    least = 10.0 ** -_DIGITS[s.run.precision]
    for key, value in numbers.items():
        if value < least:
            yield Problem(
                key,
                f"{value:g}",
                f"must be at least {least:g} in {s.run.precision}",
                "use larger units, or run.precision = 'float64'",
            )


def without_effect(s: Scenario) -> Iterator[Problem]:
    """Find words that were set and that nothing in this scenario reads."""
    moran = s.selection.kind == "moran" or s.world == "market"
    fisher = s.selection.kind == "wright-fisher" or s.world == "market"
    competes = s.competition.kind != "independent"
    graded = s.tradeoff.kind != "standard"
    rules: list[tuple[str, Any, Any, bool, str]] = [
        (
            "niches.length",
            s.niches.length,
            Niches().length,
            s.niches.space == "axis",
            "niches.space = 'axis'",
        ),
        (
            "selection.order",
            s.selection.order,
            Selection().order,
            moran,
            "selection.kind = 'moran'",
        ),
        (
            "selection.window",
            s.selection.window,
            Selection().window,
            fisher,
            "selection.kind = 'wright-fisher'",
        ),
        (
            "competition.unclaimed",
            s.competition.unclaimed,
            Competition().unclaimed,
            competes,
            "competition.kind = 'contest' or 'additive'",
        ),
        (
            "competition.exponent",
            s.competition.exponent,
            Competition().exponent,
            graded,
            "a graded competence, not with tradeoff.kind = 'standard'",
        ),
        (
            "tradeoff.floor",
            s.tradeoff.floor,
            Tradeoff().floor,
            graded,
            "a graded competence, not with tradeoff.kind = 'standard'",
        ),
        (
            "population.start",
            s.population.start,
            Population().start,
            s.population.web is None,
            "no population.web",
        ),
    ]
    for key, value, default, read, where in rules:
        if value != default and not read:
            yield Problem(key, str(value), f"has an effect only with {where}", "leave it out")
