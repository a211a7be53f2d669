"""Wright-Fisher: all are replaced at once; parents are drawn in proportion to gain."""

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
    """Traced numbers of the Wright-Fisher model."""

    stock: Array  # what a newborn starts with; constant, since nothing is stored
    window: Array  # int64 steps over which gains add up; read only where kinds.window


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's Wright-Fisher model."""
    return Parameters(
        stock=traced(scenario.population.stock, scenario.run.precision),
        window=traced(scenario.selection.window, "int64"),
    )


def decide(
    kinds: Kinds, parameters: Parameters, population: Population, around: Surroundings
) -> Turnover:
    """Return a whole new generation of the same size (Fisher 1930; Wright 1931).

    With a window the stock is the sum of gains since its first step, and parents are drawn in
    proportion to it at its last: fitness is the arithmetic mean over the window (Levins 1968).
    """
    alive, weights = population.alive, around.exchange.gain
    replaced = alive
    if kinds.window:
        first = around.clock % parameters.window == 0
        weights = jnp.where(first, weights, population.stock + weights)
        population = population._replace(stock=weights)
        replaced = alive & ((around.clock + 1) % parameters.window == 0)
    order = by_id(population.id, alive)

    def newborns(_: Population, rank: Array) -> Rows:
        unit = randomness.fine_uniform(
            around.key, around.clock, Stream.PARENT, rank.astype(jnp.uint64)
        )
        slots = draw_by_weight(order, weights, alive, unit)
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

    births = jnp.sum(replaced).astype(jnp.int64)
    none = jnp.zeros((), jnp.int64)
    after = population._replace(age=population.age + 1)
    return Turnover(after, replaced, births, none, replaced, newborns)
