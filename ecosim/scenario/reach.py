"""Numbers that a run could not hold, and supplies that would fall below 0."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecosim.errors import Problem

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

_DIGITS = {"float32": 37, "float64": 307}  # powers of ten that a number may have, either sign


def out_of_range(s: Scenario) -> Iterator[Problem]:
    """Find claims that would underflow to nothing, or overflow, in the run's precision.

    An agent's largest share is at least 1/K, K the niches that it may use, so its largest claim
    is at least (budget exp(-breadth_cost (K - 1)) / K)^(exponent x contest exponent). What is
    measured lies between 0 and 1, whatever the budget.
    """
    if s.tradeoff.kind == "measured":
        return
    exponent = s.tradeoff.exponent * s.competition.exponent
    factors = [group.budget for group in s.population.groups] or [1.0]
    budgets = [math.log10(s.population.budget) + math.log10(factor) for factor in factors]
    spread = math.log10(s.niches.most)
    lost = s.tradeoff.breadth_cost * (s.niches.most - 1) / math.log(10)
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


def fluctuation(s: Scenario) -> Iterator[Problem]:
    """Find fluctuations that would make a supply negative, or that nothing can share."""
    given = s.environment.fluctuation
    if given is None:
        return
    rows = s.patches.supply or (s.niches.supply or (1.0,) * s.niches.count,) * s.patches.count
    weights = [weight for row in rows for weight in row]
    least = min(weights) / max(sum(weights), 1e-300) * s.total_supply
    if given.range > 2 * least:
        yield Problem(
            "environment.fluctuation.range",
            f"{given.range:g}",
            f"cannot exceed twice the smallest supply of a niche, {2 * least:g}, as supplies "
            "cannot be negative",
        )
    if given.coupling == "tied" and s.niches.count < 2:
        yield Problem("environment.fluctuation.coupling", "tied", "needs two niches or more")


def vanishing(s: Scenario) -> Iterator[Problem]:
    """Find numbers that must be positive and would be 0 in the run's precision."""
    market = s.market
    numbers = {
        "niches.productivity": s.total_supply or 1.0,  # 0: said elsewhere
        "population.budget": s.population.budget,
        "population.stock": s.population.stock,
        "selection.upkeep": s.selection.upkeep,
        "selection.division": s.selection.division,
        "market.costs.upkeep": market.costs.upkeep or 1.0,  # it may be 0
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
