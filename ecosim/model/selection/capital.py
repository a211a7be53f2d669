"""Capital: what profits, investors and chance make of it in a period.

Reinvestment 1 + g pi: Blume & Easley 1992. Growth in proportion to size: Gibrat 1931.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, randomness
from ecosim.model.population import Population
from ecosim.model.randomness import Stream
from ecosim.model.slots import by_id
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Growth, Scenario


class Parameters(NamedTuple):
    """Traced numbers of investment, costs and growth."""

    reinvestment: Array
    flow: Array
    defunding: Array
    fixed: Array
    upkeep: Array
    drift: Array  # this and the next are read only where kinds.growth
    volatility: Array


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of what moves a scenario's capital."""
    m = scenario.market
    growth = m.growth or Growth()
    numbers = (
        m.investment.reinvestment, m.investment.flow, m.investment.defunding,
        m.costs.fixed, m.costs.upkeep, growth.drift, growth.volatility,
    )  # fmt: skip
    return Parameters(*(traced(number, scenario.run.precision) for number in numbers))


def performance(population: Population, gain: Array) -> Array:
    """Return revenue per unit of capital `[C]`; 0 for the dead."""
    alive = population.alive & (population.stock > 0)
    return jnp.where(alive, gain / jnp.where(alive, population.stock, 1), 0)


def mean_performance(population: Population, gain: Array) -> Array:
    """Return the market's revenue per unit of capital, float64 scalar."""
    capital = exact.total(population.stock, population.alive)
    revenue = exact.total(gain, population.alive)
    return jnp.where(capital > 0, revenue / jnp.where(capital > 0, capital, 1), 0)


def kept(p: Parameters, capital: Array, revenue: Array, cost: Array | None = None) -> Array:
    """Return what stays in a firm of its profit in a period, or what it loses, `[C]`.

    Args:
        p: traced numbers.
        capital: of each firm.
        revenue: of each firm in the period.
        cost: what its conduct cost it; None: nothing.

    """
    profit = revenue - p.fixed - p.upkeep * capital
    if cost is not None:
        profit = profit - cost.astype(profit.dtype)
    return jnp.where(profit > 0, p.reinvestment * profit, profit)


def moved(
    kinds: Kinds,
    p: Parameters,
    population: Population,
    *,
    own: Array,
    mean: Array,
    below: Array,
    around: Surroundings,
) -> Array:
    """Return capital `[C]` after costs, reinvestment, investors' flow, defunding and growth.

    Args:
        kinds: static structure.
        p: traced numbers.
        population: the firms.
        own: their performance `[C]`.
        mean: the market's performance.
        below: which are below the standard, bool `[C]`.
        around: the step and the draws' key.

    """
    capital = population.stock
    relative = jnp.where(mean > 0, own / jnp.where(mean > 0, mean, 1) - 1, 0)
    after = (
        capital
        + kept(p, capital, own * capital, around.exchange.cost)
        + p.flow * capital * relative
    )
    after = jnp.where(below, after * (1 - p.defunding), after)
    return after if kinds.growth == "none" else after * _factor(kinds, p, population.id, around)


def _factor(kinds: Kinds, p: Parameters, ids: Array, around: Surroundings) -> Array:
    """Return the factor of growth `[C]`; its mean is exp(drift), or 1 + drift."""
    noise = randomness.normals(
        around.key, around.clock, Stream.GROWTH, ids, count=1, dtype=kinds.dtype
    )[:, 0]
    if kinds.growth == "arithmetic":
        return jnp.maximum(1 + p.drift + p.volatility * noise, 0)
    return jnp.exp(p.drift - p.volatility**2 / 2 + p.volatility * noise)


def waiting(
    population: Population, stock: Array, period: Array, clock: Array
) -> tuple[Array, Array, Array]:
    """Return capital `[C]`, what is retained `[C, 1]` and what both are worth `[C]`.

    What would have moved capital is retained until the period ends, and moves it then.

    Args:
        population: the firms at the start of the step.
        stock: their capital, were it invested at once, `[C]`.
        period: steps from one investment to the next.
        clock: the step.

    """
    retained = population.retained[:, 0] + (stock - population.stock)
    worth = population.stock + retained
    invests = (clock + 1) % period == 0
    kept = jnp.where(invests, 0, retained)[:, None]
    return jnp.where(invests, worth, population.stock), kept, worth


def shuffled(ids: Array, survives: Array, capital: Array, around: Surroundings) -> Array:
    """Deal the survivors' capital out among them, independently of slots."""
    high, low = randomness.words(around.key, around.clock, Stream.SHUFFLE, ids)
    lot = (high.astype(jnp.uint64) << 32) | low.astype(jnp.uint64)
    source = by_id(ids, survives)
    goal = by_id(lot, survives)
    return capital.at[goal].set(capital[source])
