"""Ricker: discrete generations whose offspring depend on crowding in the habitat chosen.

Wilson & Yoshimura 1994 (Am Nat 144:692); Ricker 1954. Densities follow the deterministic map
N_i' = sum_j N_ij exp(r (1 - N_j / K_ij)); individuals have a Poisson number of offspring of that
mean and die, so that they follow the map as capacities grow.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ecosim.model import habitats, inheritance, randomness
from ecosim.model.births import Turnover
from ecosim.model.habitats import Parameters
from ecosim.model.population import Population, Rows
from ecosim.model.randomness import Stream
from ecosim.model.slots import by_id
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.scenario import Scenario


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's habitats."""
    return habitats.parameters(scenario)


def decide(
    kinds: Kinds, parameters: Parameters, population: Population, around: Surroundings
) -> Turnover:
    """Return the next generation."""
    mean = around.exchange.offspring
    assert mean is not None
    after = population._replace(age=population.age + 1)
    if kinds.demography == "densities":
        return _densities(after, mean)
    return _individuals(kinds, parameters, after, mean, around)


def _densities(population: Population, mean: Array) -> Turnover:
    nobody, zero = jnp.zeros_like(population.alive), jnp.zeros((), jnp.int64)
    after = population._replace(stock=mean.astype(population.stock.dtype))
    return Turnover(after, nobody, zero, zero, nobody, _no_rows)


def _no_rows(population: Population, rank: Array) -> Rows:
    """Return rows that are never written, of the right shapes."""
    return Rows(*(getattr(population, name)[: rank.shape[0]] for name in Rows._fields))


def _individuals(
    kinds: Kinds, parameters: Parameters, population: Population, mean: Array, around: Surroundings
) -> Turnover:
    alive = population.alive
    unit = randomness.fine_uniform(around.key, around.clock, Stream.OFFSPRING, population.id)
    count = jnp.where(alive, randomness.poisson_numbers(mean, unit), 0)
    # Newborns are ranked by their parents' ids, so that slots do not matter.
    order = by_id(population.id, alive)
    ends = jnp.cumsum(count[order])

    def newborns(_: Population, rank: Array) -> Rows:
        place = jnp.minimum(jnp.searchsorted(ends, rank, side="right"), order.shape[0] - 1)
        slots = order[place]
        return inheritance.offspring(
            kinds,
            around.mutation,
            population,
            slots=slots,
            ids=randomness.generation_id(around.clock, rank),
            stock=jnp.full(rank.shape, parameters.stock),
            step=around.clock,
            key=around.key,
            dispersal=around.dispersal,
            positions=around.positions,
        )

    none = jnp.zeros((), jnp.int64)
    return Turnover(population, alive, ends[-1], none, jnp.ones_like(alive), newborns)
