"""Founding: how many firms enter in a period, and with what scope.

Entrants draw their allocation at random, follow unmet demand, or (a switch) imitate; there is no
inheritance. Density-dependent founding: Hannan & Carroll 1992.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import conduct, exact, methods, niches, randomness, sparse
from ecosim.model.population import Population, Rows, allocations
from ecosim.model.randomness import Stream
from ecosim.model.scope import random_scope
from ecosim.model.slots import by_id, draw_by_weight
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Scenario

MOST_FOUNDINGS = 2.0**31  # in one period


class Parameters(NamedTuple):
    """Traced numbers of founding."""

    rate: Array
    density: Array
    density_squared: Array
    power: Array  # 1 where the rate goes with N^density, 0 where with exp(density N)
    replacement: Array  # 1 where each firm that leaves is replaced
    unmet_demand: Array
    copying_error: Array
    capital: Array
    budget: Array
    width: Array  # width of an entrant's niche on an axis


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's founding."""
    e, population = scenario.market.entry, scenario.population
    numbers = (
        e.rate, e.density, e.density_squared, float(e.form == "power"), float(e.replacement),
        e.unmet_demand, e.copying_error, e.capital,
        population.budget, population.width or scenario.niches.length,
    )  # fmt: skip
    return Parameters(*(traced(number, scenario.run.precision) for number in numbers))


def foundings(p: Parameters, count: Array, around: Surroundings) -> Array:
    """Return the number of entrants (int64), Poisson with the founding rate of this period.

    Args:
        p: traced numbers.
        count: number of firms N at the start of the period.
        around: the step, the draws' key and what was left unclaimed.

    """
    exchange = around.exchange
    emitted = jnp.sum(exchange.supply.astype(jnp.float64))
    unmet = jnp.sum(exchange.unclaimed) / jnp.where(emitted > 0, emitted, 1)
    n = count.astype(jnp.float64)
    log_density = p.density.astype(jnp.float64) * n + p.density_squared.astype(jnp.float64) * n * n
    squared = jnp.exp(p.density_squared.astype(jnp.float64) * n * n)
    power = n ** p.density.astype(jnp.float64) * squared
    mean = p.rate.astype(jnp.float64) * jnp.where(p.power > 0, power, jnp.exp(log_density))
    mean = mean * (1 + p.unmet_demand.astype(jnp.float64) * unmet)
    # No memory holds this many: a rate beyond it, even infinite, stops the run for want of room.
    mean = jnp.where(mean < MOST_FOUNDINGS, mean, MOST_FOUNDINGS)
    return randomness.poisson(around.key, around.clock, mean)


def entrants(
    kinds: Kinds, p: Parameters, population: Population, rank: Array, around: Surroundings
) -> Rows:
    """Return the rows of entrants of these ranks `[B]` in the period's order of founding."""
    clock, key = around.clock, around.key
    ids = randomness.child_id(jnp.zeros(rank.shape, jnp.uint64), clock, rank)
    lot = randomness.uniform(key, clock, Stream.DISPERSAL, ids, dtype=kinds.dtype)
    patch = jnp.minimum(jnp.floor(lot * kinds.patches), kinds.patches - 1).astype(jnp.int32)
    trait = jnp.zeros((rank.shape[0], population.trait.shape[1]), kinds.dtype)
    parents = jnp.zeros(rank.shape, jnp.uint64)
    group = jnp.full(rank.shape, -1, jnp.int32)
    if kinds.space == "axis":
        trait = _random_trait(kinds, p, ids, around)
    method = methods.at_random(kinds, ids, clock, key)
    # In an empty market there is nobody to imitate: entrants come as at random.
    some = jnp.any(population.alive) if kinds.entry == "imitation" else None
    model = jnp.zeros(rank.shape, jnp.int64)
    if some is not None:
        order = by_id(population.id, population.alive)
        unit = randomness.fine_uniform(key, clock, Stream.PARENT, ids)
        model = draw_by_weight(order, around.exchange.gain, population.alive, unit)
        trait = jnp.where(some, _imitated_trait(kinds, p, population, model, ids, around), trait)
        parents = jnp.where(some, population.id[model], parents)
        method = jnp.where(some, population.method[model], method)
    scope = partial(_scope, kinds, p, population, around, some)
    places = None
    if kinds.used:
        places, allocation = sparse.described(
            rank.shape[0], kinds.used, lambda rows: scope(ids[rows], trait[rows], model[rows])
        )
    else:
        allocation = scope(ids, trait, model)
    return Rows(
        id=ids, parent=parents, lineage=ids, group=group, patch=patch,
        budget=jnp.full(rank.shape, p.budget), stock=jnp.full(rank.shape, p.capital),
        trait=trait, allocation=allocation, conduct=_first_conduct(kinds, ids, around),
        method=method, places=places,
    )  # fmt: skip


def _first_conduct(kinds: Kinds, ids: Array, around: Surroundings) -> Array | None:
    if around.conduct is None:
        return None
    return conduct.newcomers(kinds, around.conduct, ids, around.clock, around.key)


def _scope(
    kinds: Kinds,
    p: Parameters,
    population: Population,
    around: Surroundings,
    some: Array | None,
    ids: Array,
    trait: Array,
    model: Array,
) -> Array:
    """Return the allocations `[B, K]` of entrants; some: whether there are firms to imitate."""
    if kinds.space == "axis":
        return niches.utilisation(trait, around.positions)
    weights = jnp.ones(kinds.niches, kinds.dtype)
    if kinds.entry == "unmet":
        weights = jnp.sum(around.exchange.unclaimed, axis=0).astype(kinds.dtype)
    own = random_scope(ids, around.clock, around.key, weights, kinds.held)
    if some is None:
        return own
    noise = _noise(kinds, ids, around, kinds.niches)
    before = allocations(kinds, population, model)
    return jnp.where(some, niches.step_on_simplex(before, noise, p.copying_error), own)


def _imitated_trait(
    kinds: Kinds,
    p: Parameters,
    population: Population,
    model: Array,
    ids: Array,
    around: Surroundings,
) -> Array:
    trait = population.trait[model]
    if kinds.space != "axis":
        return trait
    return trait + exact.product(p.copying_error, _noise(kinds, ids, around, 2))


def _noise(kinds: Kinds, ids: Array, around: Surroundings, count: int) -> Array:
    return randomness.normals(
        around.key, around.clock, Stream.STEP, ids, count=count, dtype=kinds.dtype
    )


def _random_trait(kinds: Kinds, p: Parameters, ids: Array, around: Surroundings) -> Array:
    """Return a position uniform over the niches' range and a width uniform up to `width`."""
    first, second = randomness.words(around.key, around.clock, Stream.SCOPE, ids)
    low, high = jnp.min(around.positions), jnp.max(around.positions)
    position = low + (high - low) * randomness.open_unit(first, kinds.dtype)
    width = jnp.log(p.width * randomness.open_unit(second, kinds.dtype))
    return jnp.stack([position, width], axis=1)
