"""Numbers that a run could not hold, and numbers that would have no effect."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ecosim.errors import Problem
from ecosim.scenario.agents import Competition, Population, Tradeoff
from ecosim.scenario.lifecycle import Mutation, Selection
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
            s.niches.space == "axis" or s.competition.kind == "circular",
            "niches.space = 'axis' or competition.kind = 'circular'",
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
            "tradeoff.exponent",
            s.tradeoff.exponent,
            Tradeoff().exponent,
            s.tradeoff.kind != "measured",
            "a postulated competence, not with tradeoff.kind = 'measured'",
        ),
        (
            "tradeoff.floor",
            s.tradeoff.floor,
            Tradeoff().floor,
            s.tradeoff.kind != "measured",
            "a postulated competence, not with tradeoff.kind = 'measured'",
        ),
        (
            "population.start",
            s.population.start,
            Population().start,
            s.population.web is None,
            "no population.web",
        ),
    ]
    for key, value, default, read, where in [*rules, *_continuous(s)]:
        if value != default and not read:
            yield Problem(key, str(value), f"has an effect only with {where}", "leave it out")


def _continuous(s: Scenario) -> Iterator[tuple[str, Any, Any, bool, str]]:
    """List the words that only a life cycle in continuous time, or only one in steps, reads."""
    if s.world == "market":
        return
    growth, kernel = s.selection.kind == "growth", s.competition.kind == "lotka-volterra"
    only_growth, only_steps = "selection.kind = 'growth'", "another selection.kind than 'growth'"
    steps = s.selection.kind not in ("growth", "birth-death")
    no_events = "a selection.kind in steps, not 'growth' or 'birth-death'"
    only_contest = "competition.kind = 'contest' or 'additive'"
    contest = s.competition.kind in ("contest", "additive")
    rules = [
        ("selection.growth_rate", kernel, "competition.kind = 'lotka-volterra'"),
        ("selection.extinction", growth, only_growth),
        ("selection.tolerance", growth, only_growth),
        ("selection.mortality", steps, no_events),
        ("selection.division", steps, no_events),
        ("selection.upkeep", not kernel, "a life cycle that pays for gains"),
        ("mutation.rate", not growth, only_steps),
        ("mutation.step", not growth, only_steps),
        ("mutation.width_step", steps, no_events),
        ("competition.unclaimed", contest, only_contest),
        ("competition.exponent", contest, only_contest),
    ]
    default = {"selection": Selection(), "mutation": Mutation(), "competition": Competition()}
    for key, read, where in rules:
        table, name = key.split(".")
        yield key, getattr(getattr(s, table), name), getattr(default[table], name), read, where
