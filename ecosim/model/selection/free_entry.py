"""Free entry: a firm enters if it foresees a profit, and firms that make a loss leave.

At most one candidate a step. It foresees what all firms, itself included, would choose once it
was there. Nobody enters while a firm makes a loss; of those that do, the worst leaves first, one
a step, so that the others may recover. Under a circle of prices this is sequential entry at sites
drawn at random and never left (Salop 1979); see `ecosim.theory.entry` for what it leads to.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import conduct, randomness
from ecosim.model.births import Turnover
from ecosim.model.competition import Exchange
from ecosim.model.population import Population, Rows, newborn, written
from ecosim.model.randomness import Stream
from ecosim.model.selection import exit_entry, founding
from ecosim.model.slots import marked
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings

# Of a firm's revenue: a profit of nothing but for rounding is no loss.
TIE = {"float32": 1e-5, "float64": 1e-9}


def decide(
    kinds: Kinds, parameters: exit_entry.Parameters, population: Population, around: Surroundings
) -> Turnover:
    """Return the exit and the entry of one step."""
    alive = population.alive
    earned = _slack_profit(kinds, parameters, around.exchange, alive)
    losing = alive & (earned < 0)
    if not kinds.exit:
        losing = jnp.zeros_like(alive)
    # The worst; among equals the last by id, whatever its slot.
    worst = jnp.lexsort((~population.id, jnp.where(losing, earned, jnp.inf)))[0]
    dies = jnp.zeros_like(alive).at[worst].set(jnp.any(losing))
    after = population._replace(age=population.age + 1)

    def newborns(_: Population, rank: Array) -> Rows:
        return founding.entrants(kinds, parameters.founding, population, rank, around)

    first = jnp.zeros((), jnp.uint64)
    comes = randomness.happens(
        around.key, around.clock, Stream.CANDIDATE, first, parameters.founding.rate
    ) & ~jnp.any(losing)
    enters = jax.lax.cond(
        comes,
        lambda: _foresees(kinds, parameters, population, newborns, around),
        lambda: jnp.zeros((), bool),
    )
    refused = jnp.zeros((), jnp.int64)
    if kinds.limited:
        full = jnp.sum(alive).astype(jnp.int64) >= parameters.limit
        refused = (enters & full).astype(jnp.int64)
        enters &= ~full
    return Turnover(after, dies, enters.astype(jnp.int64), refused, ~alive, newborns)


def _slack_profit(
    kinds: Kinds, p: exit_entry.Parameters, exchange: Exchange, alive: Array
) -> Array:
    """Return profits `[C]`, float64, that are negative only beyond rounding."""
    earned = conduct.profit(exchange, alive, p.capital.fixed)
    revenue = exchange.gain.astype(jnp.float64)
    return earned + TIE[kinds.dtype] * jnp.maximum(revenue, p.capital.fixed.astype(jnp.float64))


def _foresees(
    kinds: Kinds,
    p: exit_entry.Parameters,
    population: Population,
    newborns: Callable[[Population, Array], Rows],
    around: Surroundings,
) -> Array:
    """Return whether the candidate makes no loss once all firms have answered its entry."""
    assert around.compete is not None and around.agents is not None  # an oligopoly
    rows = newborns(population, jnp.zeros(1, jnp.int64))
    slot = marked(~population.alive).nth(jnp.zeros(1, jnp.int64))
    with_it = written(population, slot, newborn(kinds, around.agents, rows))
    settled, exchange = around.compete(with_it)
    earned = _slack_profit(kinds, p, exchange, settled.alive)
    full = jnp.all(population.alive)
    # Where no slot is free it asks for room, and the step is repeated with more.
    return full | (earned[jnp.minimum(slot[0], earned.shape[0] - 1)] >= 0)
