"""The market's selection: exit below a standard, investment, defunding and entry.

No inheritance and no mutation: entrants draw their allocation at random, follow unmet demand, or
(a switch) imitate. Sources: exit and selection by performance, Nelson & Winter 1982; reinvestment
1 + g pi, Blume & Easley 1992; density-dependent founding, Hannan & Carroll 1992.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, niches, randomness
from ecosim.model.births import Turnover
from ecosim.model.population import Population, Rows
from ecosim.model.randomness import Stream
from ecosim.model.scope import random_scope
from ecosim.model.slots import by_id, draw_by_weight
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Scenario

MOST_FOUNDINGS = 2.0**31  # in one period


class Parameters(NamedTuple):
    """Traced numbers of the market's selection."""

    standard: Array
    relative: Array  # 1 when the standard is a share of the mean performance
    patience: Array
    noise: Array
    reinvestment: Array
    flow: Array
    defunding: Array
    fixed: Array
    upkeep: Array
    scale: Array  # output goes with capital^scale
    rate: Array
    density: Array
    density_squared: Array
    unmet_demand: Array
    copying_error: Array
    entry_capital: Array
    budget: Array
    width: Array  # width of an entrant's niche on an axis
    limit: Array  # int64; read only where kinds.limited
    period: Array  # int64 steps from one investment to the next; read only where kinds.retains


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's market."""
    m, dtype = scenario.market, scenario.run.precision
    population = scenario.population
    numbers = {
        "standard": m.exit.standard,
        "relative": m.exit.basis == "relative",
        "patience": m.exit.patience,
        "noise": m.exit.noise,
        "reinvestment": m.investment.reinvestment,
        "flow": m.investment.flow,
        "defunding": m.investment.defunding,
        "fixed": m.costs.fixed,
        "upkeep": m.costs.upkeep,
        "scale": m.costs.scale,
        "rate": m.entry.rate,
        "density": m.entry.density,
        "density_squared": m.entry.density_squared,
        "unmet_demand": m.entry.unmet_demand,
        "copying_error": m.entry.copying_error,
        "entry_capital": m.entry.capital,
        "budget": population.budget,
        "width": population.width or scenario.niches.length,
    }
    values = {name: traced(float(value), dtype) for name, value in numbers.items()}
    return Parameters(
        **values,
        limit=traced(population.limit or 0, "int64"),
        period=traced(m.investment.period, "int64"),
    )


def performance(population: Population, gain: Array) -> Array:
    """Return revenue per unit of capital `[C]`; 0 for the dead."""
    alive = population.alive & (population.stock > 0)
    return jnp.where(alive, gain / jnp.where(alive, population.stock, 1), 0)


def mean_performance(population: Population, gain: Array) -> Array:
    """Return the market's revenue per unit of capital, float64 scalar."""
    capital = exact.total(population.stock, population.alive)
    revenue = exact.total(gain, population.alive)
    return jnp.where(capital > 0, revenue / jnp.where(capital > 0, capital, 1), 0)


def decide(
    kinds: Kinds, parameters: Parameters, population: Population, around: Surroundings
) -> Turnover:
    """Return exits, new capital and foundings of one period."""
    p, alive, gain = parameters, population.alive, around.exchange.gain
    own = performance(population, gain)
    mean = mean_performance(population, gain).astype(own.dtype)
    below = alive & (_observed(p, population, own, around) < _standard(p, mean))
    strikes = jnp.where(below, population.strikes + 1, 0)
    capital = _capital(p, population, own, mean, below)
    insolvent = alive & (capital <= 0)  # what is not a number stays, and stops the run
    retained = population.retained
    if kinds.retains:
        capital, retained, insolvent = _waiting(p, population, capital, around.clock)
    dies = insolvent | (alive & (strikes.astype(p.patience.dtype) >= p.patience) & kinds.exit)
    survives = alive & ~dies
    if kinds.shuffle_capital:
        capital = _shuffled(population.id, survives, capital, around)
    after = population._replace(
        stock=capital, retained=retained, strikes=strikes, age=population.age + 1
    )
    entrants = foundings(p, jnp.sum(alive), around)
    refused = jnp.zeros((), jnp.int64)
    if kinds.limited:
        room = jnp.maximum(p.limit - jnp.sum(survives), 0)
        refused = jnp.maximum(entrants - room, 0)
        entrants = jnp.minimum(entrants, room)

    def newborns(_: Population, rank: Array) -> Rows:
        return _entrants(kinds, p, population, rank, around)

    return Turnover(after, dies, entrants, refused, ~alive | dies, newborns)


def _observed(p: Parameters, population: Population, own: Array, around: Surroundings) -> Array:
    noise = randomness.normals(
        around.key, around.clock, Stream.STANDARD, population.id, count=1, dtype=own.dtype
    )
    return own + p.noise * noise[:, 0]


def _standard(p: Parameters, mean: Array) -> Array:
    return jnp.where(p.relative > 0, p.standard * mean, p.standard)


def _capital(p: Parameters, population: Population, own: Array, mean: Array, below: Array) -> Array:
    """Return capital after costs, reinvestment, investors' flow and defunding."""
    capital = population.stock
    profit = own * capital - p.fixed - p.upkeep * capital
    relative = jnp.where(mean > 0, own / jnp.where(mean > 0, mean, 1) - 1, 0)
    kept = jnp.where(profit > 0, p.reinvestment * profit, profit)
    moved = capital + kept + p.flow * capital * relative
    return jnp.where(below, moved * (1 - p.defunding), moved)


def _waiting(
    p: Parameters, population: Population, capital: Array, clock: Array
) -> tuple[Array, Array, Array]:
    """Return capital `[C]`, what is retained `[C, 1]` and who is insolvent `[C]`.

    What would have moved capital is retained until the period ends, and moves it then.
    """
    retained = population.retained[:, 0] + (capital - population.stock)
    worth = population.stock + retained
    invests = (clock + 1) % p.period == 0
    capital = jnp.where(invests, worth, population.stock)
    retained = jnp.where(invests, 0, retained)[:, None]
    return capital, retained, population.alive & (worth <= 0)


def _shuffled(ids: Array, survives: Array, capital: Array, around: Surroundings) -> Array:
    """Deal the survivors' capital out among them, independently of slots."""
    high, low = randomness.words(around.key, around.clock, Stream.SHUFFLE, ids)
    lot = (high.astype(jnp.uint64) << 32) | low.astype(jnp.uint64)
    source = by_id(ids, survives)
    goal = by_id(lot, survives)
    return capital.at[goal].set(capital[source])


def foundings(p: Parameters, count: Array, around: Surroundings) -> Array:
    """Return the number of entrants (int64), Poisson with the founding rate of this period."""
    exchange = around.exchange
    emitted = jnp.sum(exchange.supply.astype(jnp.float64))
    unmet = jnp.sum(exchange.unclaimed) / jnp.where(emitted > 0, emitted, 1)
    n = count.astype(jnp.float64)
    log_density = p.density.astype(jnp.float64) * n + p.density_squared.astype(jnp.float64) * n * n
    mean = p.rate.astype(jnp.float64) * jnp.exp(log_density)
    mean = mean * (1 + p.unmet_demand.astype(jnp.float64) * unmet)
    # No memory holds this many: a rate beyond it, even infinite, stops the run for want of room.
    mean = jnp.where(mean < MOST_FOUNDINGS, mean, MOST_FOUNDINGS)
    return randomness.poisson(around.key, around.clock, mean)


def _entrants(
    kinds: Kinds, p: Parameters, population: Population, rank: Array, around: Surroundings
) -> Rows:
    clock, key = around.clock, around.key
    ids = randomness.child_id(jnp.zeros(rank.shape, jnp.uint64), clock, rank)
    lot = randomness.uniform(key, clock, Stream.DISPERSAL, ids, dtype=kinds.dtype)
    patch = jnp.minimum(jnp.floor(lot * kinds.patches), kinds.patches - 1).astype(jnp.int32)
    trait = jnp.zeros((rank.shape[0], population.trait.shape[1]), kinds.dtype)
    parents = jnp.zeros(rank.shape, jnp.uint64)
    group = jnp.full(rank.shape, -1, jnp.int32)
    if kinds.space == "axis":
        trait = _random_trait(kinds, p, ids, around)
        allocation = niches.utilisation(trait, around.positions)
    else:
        weights = jnp.ones(kinds.niches, kinds.dtype)
        if kinds.entry == "unmet":
            weights = jnp.sum(around.exchange.unclaimed, axis=0).astype(kinds.dtype)
        allocation = random_scope(ids, clock, key, weights)
    if kinds.entry == "imitation":
        order = by_id(population.id, population.alive)
        unit = randomness.fine_uniform(key, clock, Stream.PARENT, ids)
        model = draw_by_weight(order, around.exchange.gain, population.alive, unit)
        copied = _imitated(kinds, p, population, model, ids, around)
        # In an empty market there is nobody to imitate: entrants come as at random.
        some = jnp.any(population.alive)
        allocation, trait = (
            jnp.where(some, new, old) for new, old in zip(copied, (allocation, trait), strict=True)
        )
        parents = jnp.where(some, population.id[model], parents)
    return Rows(
        id=ids, parent=parents, lineage=ids, group=group, patch=patch,
        budget=jnp.full(rank.shape, p.budget), stock=jnp.full(rank.shape, p.entry_capital),
        trait=trait, allocation=allocation,
    )  # fmt: skip


def _imitated(
    kinds: Kinds,
    p: Parameters,
    population: Population,
    model: Array,
    ids: Array,
    around: Surroundings,
) -> tuple[Array, Array]:
    count = 2 if kinds.space == "axis" else kinds.niches
    noise = randomness.normals(
        around.key, around.clock, Stream.STEP, ids, count=count, dtype=kinds.dtype
    )
    trait = population.trait[model]
    if kinds.space == "axis":
        trait = trait + p.copying_error * noise
        return niches.utilisation(trait, around.positions), trait
    return niches.step_on_simplex(population.allocation[model], noise, p.copying_error), trait


def _random_trait(kinds: Kinds, p: Parameters, ids: Array, around: Surroundings) -> Array:
    """Return a position uniform over the niches' range and a width uniform up to `width`."""
    first, second = randomness.words(around.key, around.clock, Stream.SCOPE, ids)
    low, high = jnp.min(around.positions), jnp.max(around.positions)
    position = low + (high - low) * randomness.open_unit(first, kinds.dtype)
    width = jnp.log(p.width * randomness.open_unit(second, kinds.dtype))
    return jnp.stack([position, width], axis=1)
