"""The market's selection: exit, investment, mergers and entry, in this order, once a period.

No inheritance and no mutation. The parts are modules of their own: `exit`, `capital`, `mergers`,
`founding`.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact
from ecosim.model.births import Turnover
from ecosim.model.population import Population, Rows
from ecosim.model.selection import capital, exit, founding, mergers
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the market's selection."""

    exit: exit.Parameters
    capital: capital.Parameters
    mergers: mergers.Parameters
    founding: founding.Parameters
    scale: Array  # output goes with capital^scale
    limit: Array  # int64; read only where kinds.limited
    period: Array  # int64 steps from one investment to the next; read only where kinds.retains


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's market."""
    return Parameters(
        exit=exit.parameters(scenario),
        capital=capital.parameters(scenario),
        mergers=mergers.parameters(scenario),
        founding=founding.parameters(scenario),
        scale=traced(scenario.market.costs.scale, scenario.run.precision),
        limit=traced(scenario.population.limit or 0, "int64"),
        period=traced(scenario.market.investment.period, "int64"),
    )


def decide(
    kinds: Kinds, parameters: Parameters, population: Population, around: Surroundings
) -> Turnover:
    """Return exits, new capital, mergers and foundings of one period."""
    p, alive, gain = parameters, population.alive, around.exchange.gain
    own = capital.performance(population, gain)
    mean = capital.mean_performance(population, gain).astype(own.dtype)
    below = exit.below_standard(p.exit, population, own, mean, around)
    strikes = jnp.where(below, population.strikes + 1, 0)
    stock = capital.moved(
        kinds, p.capital, population, own=own, mean=mean, below=below, around=around
    )
    worth, retained = stock, population.retained
    if kinds.retains:
        stock, retained, worth = capital.waiting(population, stock, p.period, around.clock)
    dies = exit.leaves(kinds, p.exit, population, strikes=strikes, capital=worth, around=around)
    if kinds.shuffle_capital:
        stock = capital.shuffled(population.id, alive & ~dies, stock, around)
    after = population._replace(
        stock=stock, retained=retained, strikes=strikes, age=population.age + 1
    )
    acquirer = None
    if kinds.mergers != "none":
        after, acquirer = mergers.merge(kinds, p.mergers, after, alive & ~dies, around)
        dies |= acquirer > 0
    entrants = founding.foundings(p.founding, exact.count(alive), around)
    entrants += jnp.where(p.founding.replacement > 0, exact.count(dies), 0)
    refused = jnp.zeros((), jnp.int64)
    if kinds.limited:
        room = jnp.maximum(p.limit - exact.count(alive & ~dies), 0)
        refused = jnp.maximum(entrants - room, 0)
        entrants = jnp.minimum(entrants, room)

    def newborns(_: Population, rank: Array) -> Rows:
        return founding.entrants(kinds, p.founding, population, rank, around)

    return Turnover(after, dies, entrants, refused, ~alive | dies, newborns, acquirer)
