"""Moran: one birth and one death a step; the birth in proportion to gain (Moran 1958)."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import inheritance, randomness
from ecosim.model.births import Turnover
from ecosim.model.population import Population, Rows
from ecosim.model.randomness import Stream
from ecosim.model.slots import by_id, draw_by_weight
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the Moran process."""

    stock: Array


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's Moran process."""
    return Parameters(traced(scenario.population.stock, scenario.run.precision))


def decide(
    kinds: Kinds, parameters: Parameters, population: Population, around: Surroundings
) -> Turnover:
    """Return one birth and one death.

    Birth then death: the newborn replaces an agent drawn evenly among all, its parent included.
    Death then birth: the dead is drawn first and cannot be the parent.
    """
    alive = population.alive
    order = by_id(population.id, alive)
    unit = _unit(around, Stream.PARENT)
    victim = draw_by_weight(
        order, jnp.ones_like(population.stock), alive, _unit(around, Stream.VICTIM)
    )
    dies = jnp.zeros_like(alive).at[victim].set(True)
    candidates = alive & ~dies if kinds.order == "death-birth" else alive
    last = jnp.sum(alive) == 1
    parent = draw_by_weight(order, around.exchange.gain, jnp.where(last, alive, candidates), unit)

    def newborns(now: Population, rank: Array) -> Rows:
        slots = jnp.broadcast_to(parent, rank.shape)
        return inheritance.offspring(
            kinds,
            around.mutation,
            now,
            slots=slots,
            ids=randomness.child_id(now.id[slots], around.clock, rank),
            stock=jnp.full(rank.shape, parameters.stock),
            step=around.clock,
            key=around.key,
            dispersal=around.dispersal,
            positions=around.positions,
        )

    after = population._replace(age=population.age + 1)
    # Where nobody lives, nobody is born.
    one, none = jnp.any(alive).astype(jnp.int64), jnp.zeros((), jnp.int64)
    return Turnover(after, dies & alive, one, none, dies, newborns)


def _unit(around: Surroundings, stream: Stream) -> Array:
    return randomness.fine_uniform(around.key, around.clock, stream, jnp.zeros((), jnp.uint64))
