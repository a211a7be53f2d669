"""Energy budget: organisms store what they gain, pay upkeep, starve, die and divide."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import inheritance, randomness
from ecosim.model.births import Parents, Turnover
from ecosim.model.population import Population, Rows
from ecosim.model.randomness import Stream
from ecosim.model.slots import marked
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Scenario

_FOREVER = 2.0**31 - 1  # steps
_DIVIDES, _DIES = 1, 2


class Parameters(NamedTuple):
    """Traced numbers of the energy budget."""

    upkeep: Array
    mortality: Array
    division: Array
    limit: Array  # int64; read only where kinds.limited


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's energy budget."""
    s, dtype = scenario.selection, scenario.run.precision
    return Parameters(
        upkeep=traced(s.upkeep, dtype),
        mortality=traced(s.mortality, dtype),
        division=traced(s.division, dtype),
        limit=traced(scenario.population.limit or 0, "int64"),
    )


def decide(
    kinds: Kinds, parameters: Parameters, population: Population, around: Surroundings
) -> Turnover:
    """Return deaths and divisions: stock + gain - upkeep, halved at division."""
    clock, key, alive = around.clock, around.key, population.alive
    stock = population.stock + around.exchange.gain - parameters.upkeep
    ends = (stock <= 0) | (population.age >= population.lifespan[:, 0])
    fate = jnp.where(ends, jnp.int8(_DIES), (stock >= parameters.division).astype(jnp.int8))
    # Looked at once, in one pass over all that it follows from.
    fate = jax.lax.optimization_barrier(fate & -alive.astype(jnp.int8))
    dies, divides = fate == _DIES, fate == _DIVIDES
    refused = jnp.zeros((), jnp.int64)
    if kinds.limited:
        divides, refused = _within_limit(parameters, population, dies, divides, around)
    after = population._replace(stock=jnp.where(divides, stock / 2, stock), age=population.age + 1)

    def children(now: Population, slots: Array) -> Rows:
        ids = randomness.child_id(now.id[slots], clock, jnp.zeros_like(slots))
        rows = inheritance.offspring(
            kinds,
            around.mutation,
            now,
            slots=slots,
            ids=ids,
            stock=now.stock[slots],
            step=clock,
            key=key,
            dispersal=around.dispersal,
            positions=around.positions,
        )
        return rows._replace(lifespan=_lifespans(parameters.mortality, ids, step=clock, key=key))

    parents = Parents(marked(divides), children)
    return Turnover(
        after, dies, parents.who.number, refused, ~alive | dies, parents.newborns, parents=parents
    )


def fated(parameters: Parameters, founders: Population, *, step: Array, key: Array) -> Population:
    """Return founders with the lifespans that chance leaves them."""
    drawn = _lifespans(parameters.mortality, founders.id, step=step, key=key)
    return founders._replace(lifespan=drawn)


def _lifespans(mortality: Array, ids: Array, *, step: Array, key: Array) -> Array:
    """Return for each id the age at which chance strikes, int32[N, 1].

    A hazard that is the same in each step leaves a geometric number of steps, which is drawn once
    for life by inversion in place of a draw for each agent and step (Devroye 1986, Non-Uniform
    Random Variate Generation, X.2).
    """
    unit = randomness.fine_uniform(key, step, Stream.DEATH, ids)
    hazard = -jnp.log1p(-mortality.astype(jnp.float64))
    steps = jnp.where(hazard > 0, -jnp.log(unit) / jnp.where(hazard > 0, hazard, 1), jnp.inf)
    return jnp.minimum(steps, _FOREVER).astype(jnp.int32)[:, None]


def _within_limit(
    parameters: Parameters,
    population: Population,
    dies: Array,
    divides: Array,
    around: Surroundings,
) -> tuple[Array, Array]:
    """Let only as many divide as the limit leaves room for, drawn without regard to slots."""
    room = parameters.limit - jnp.sum(population.alive & ~dies)
    wanted = jnp.sum(divides)

    def drawn(_: None) -> Array:
        high, low = randomness.words(around.key, around.clock, Stream.TURNED_AWAY, population.id)
        lot = (high.astype(jnp.uint64) << 32) | low.astype(jnp.uint64)
        order = jnp.argsort(jnp.where(divides, lot, jnp.uint64(2**64 - 1)), stable=True)
        rank = jnp.zeros_like(order).at[order].set(jnp.arange(order.shape[0]))
        return divides & (rank < room)

    kept = jax.lax.cond(wanted > room, drawn, lambda _: divides, None)
    return kept, jnp.maximum(wanted - jnp.maximum(room, 0), 0).astype(jnp.int64)
