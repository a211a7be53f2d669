"""Conduct: what firms of an oligopoly choose before they compete, and what it costs them.

In each step firms answer one another until none moves; then the exchange takes place at these
choices. `effort` is a contest, `price` a circle, `quality` Cournot competition; each has its
module. Arithmetic is in float64 whatever the precision of the run.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import competition, exact, randomness
from ecosim.model.competition import Exchange
from ecosim.model.conduct import effort, price, quality, replies
from ecosim.model.population import Population
from ecosim.model.randomness import Stream
from ecosim.model.structure import Kinds
from ecosim.model.tally import Tally
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of conduct, float64 but for `rounds`."""

    exponent: Array  # of effort in a claim: returns times contest
    unclaimed: Array  # rival mass in the contest
    damping: Array
    rounds: Array  # int64
    start: Array  # a newcomer's first choice
    cost: Array  # of a unit of effort or output
    cost_exponent: Array  # of quality
    transport: Array
    length: Array  # of the circle
    even: Array  # 1 where the founders' sites are evenly spread


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's conduct."""
    c = scenario.market.conduct
    numbers = {
        "exponent": scenario.tradeoff.exponent * scenario.competition.exponent,
        "unclaimed": scenario.competition.unclaimed,
        "damping": c.damping,
        "start": c.start,
        "cost": c.cost,
        "cost_exponent": c.cost_exponent,
        "transport": c.transport,
        "length": scenario.niches.length,
        "even": float(c.sites == "even"),
    }
    values = {name: traced(number, "float64") for name, number in numbers.items()}
    return Parameters(**values, rounds=traced(c.rounds, "int64"))


def founded(kinds: Kinds, p: Parameters, ids: Array, count: int, key: Array) -> Array | None:
    """Return the conduct `[B, W]` of founders of ids `[B]` out of 1..count; None: no choice."""
    if not kinds.oligopoly:
        return None
    columns = newcomers(kinds, p, ids, jnp.zeros((), jnp.int64), key)
    if columns is not None and kinds.conduct == "price":
        spread = p.length * (ids - 1).astype(jnp.float64) / count
        site = jnp.where(p.even > 0, spread.astype(kinds.dtype), columns[:, 1])
        columns = columns.at[:, 1].set(site)
    return columns


def newcomers(kinds: Kinds, p: Parameters, ids: Array, clock: Array, key: Array) -> Array | None:
    """Return the conduct `[B, W]` that entrants come with: a first choice, a site at random."""
    if not kinds.oligopoly:
        return None
    first = jnp.full(ids.shape, p.start, kinds.dtype)
    if kinds.conduct != "price":
        return first[:, None]
    unit = randomness.uniform(key, clock, Stream.SITE, ids, dtype="float64")
    return jnp.stack([first, (p.length * unit).astype(kinds.dtype)], axis=1)


def compete(
    kinds: Kinds,
    p: Parameters,
    crowd: competition.Parameters,
    population: Population,
    *,
    tally: Tally,
    size: Array,
    supply: Array,
) -> tuple[Population, Exchange]:
    """Return the firms at the choices they settle on, and their exchange at these choices.

    Args:
        kinds: static structure.
        p: traced numbers of conduct.
        crowd: traced numbers of the competition.
        population: the firms.
        tally: running sums over them.
        size: output of each firm's capital `[C]`.
        supply: emitted, `[1, K]`: prizes, consumers on the circle or their spending.

    """
    alive, wide = population.alive, supply[0].astype(jnp.float64)
    choice = jnp.where(alive, population.conduct[:, 0].astype(jnp.float64), 0)
    order, count = _turns(population), jnp.sum(alive)
    rules = {"damping": p.damping, "rounds": p.rounds}
    if kinds.conduct == "effort":
        impact = population.strength.astype(jnp.float64) * size[:, None].astype(jnp.float64)
        impact = jnp.where(alive[:, None], impact, 0)

        def effort_of(choice: Array, slot: Array) -> Array:
            return effort.reply(
                impact, choice, slot,
                supply=wide, unclaimed=p.unclaimed, exponent=p.exponent, cost=p.cost,
            )  # fmt: skip

        choice = replies.settled(kinds.reply, choice, order, count, reply=effort_of, **rules)
        population = _chosen(population, choice)
        factor = (choice**p.exponent).astype(size.dtype)
        exchange = competition.exchange(
            kinds, crowd, population, tally=tally, size=size * factor, supply=supply
        )
        return population, exchange._replace(cost=jnp.where(alive, p.cost * choice, 0))
    if kinds.conduct == "price":
        return _on_a_circle(kinds, p, population, choice, wide[0])
    if kinds.conduct == "quality":

        def quality_of(choice: Array, slot: Array) -> Array:
            return quality.reply(
                choice, slot, alive, revenue=wide[0], cost_exponent=p.cost_exponent
            )

        common = quality.alike(alive, revenue=wide[0], cost_exponent=p.cost_exponent)
        choice = jnp.where(alive, common, 0)
        choice = replies.settled(kinds.reply, choice, order, count, reply=quality_of, **rules)
        population = _chosen(population, choice)
    share = quality.shares(choice, alive)
    # Revenue less the cost of the quantity is the margin, which equals the share, times revenue.
    cost = wide[0] * share * (1 - share)
    if kinds.conduct == "quality":
        cost = cost + jnp.where(alive, choice**p.cost_exponent, 0)
    return population, _sold(kinds, wide[0] * share, cost, alive, spent=wide[0], unserved=0.0)


def _turns(population: Population) -> Array:
    """Return slots `[C]` in the order of moves: the youngest first, then by id; the dead last.

    A newcomer finds its place among firms that stand; were it to move last, one of them might
    make room for it and be the one that loses.
    """
    oldest = jnp.iinfo(population.age.dtype).max
    return jnp.lexsort((population.id, jnp.where(population.alive, population.age, oldest)))


def _on_a_circle(
    kinds: Kinds, p: Parameters, population: Population, choice: Array, mass: Array
) -> tuple[Population, Exchange]:
    alive = population.alive
    around = price.ring(population.conduct[:, 1], population.id, alive, p.length)
    choice = price.settled(
        choice, around, alive, transport=p.transport, cost=p.cost, rounds=p.rounds
    )
    made = price.sales(
        choice, around, alive, transport=p.transport, length=p.length, mass=mass
    )  # fmt: skip
    exchange = _sold(
        kinds, choice * made.units, p.cost * made.units, alive, spent=made.spending, unserved=0.0
    )
    return _chosen(population, choice), exchange


def _chosen(population: Population, choice: Array) -> Population:
    column = choice.astype(population.conduct.dtype)
    return population._replace(conduct=population.conduct.at[:, 0].set(column))


def _sold(
    kinds: Kinds, revenue: Array, cost: Array, alive: Array, *, spent: Array, unserved: float
) -> Exchange:
    """Return the exchange of a market whose consumers spend, as they count it, `spent`.

    Consumers on a circle decide by price what they spend, so that what is emitted is their
    spending; where no firm lives, spending that does not depend on price stays unclaimed.
    """
    some = jnp.any(alive)
    left = jnp.where(some, unserved, spent)[None, None]
    each = jnp.where(some, spent / jnp.maximum(jnp.sum(alive), 1), 0)
    return Exchange(
        gain=jnp.where(alive, revenue, 0).astype(kinds.dtype),
        price=each[None, None].astype(kinds.dtype),
        supply=spent[None, None].astype(kinds.dtype),
        unclaimed=left.astype(jnp.float64),
        cost=jnp.where(alive, cost, 0),
    )


def profit(exchange: Exchange, alive: Array, fixed: Array) -> Array:
    """Return each firm's profit of a step after its conduct and fixed cost, float64[C]."""
    assert exchange.cost is not None  # of an oligopoly
    earned = exchange.gain.astype(jnp.float64) - exchange.cost - fixed.astype(jnp.float64)
    return jnp.where(alive, earned, 0)


def flows(population: Population, exchange: Exchange, fixed: Array) -> dict[str, Array]:
    """Return what is recorded of conduct, float64 scalars; nothing without an oligopoly."""
    if exchange.cost is None:
        return {}
    alive = population.alive
    count = jnp.sum(alive).astype(jnp.float64)
    number = jnp.where(count > 0, count, jnp.nan)
    earned = profit(exchange, alive, fixed)
    gains = exact.total(jnp.maximum(earned, 0), alive)
    losses = exact.total(jnp.maximum(-earned, 0), alive)
    return {
        "conduct_mean": exact.total(population.conduct[:, 0], alive) / number,
        "profit_mean": (gains - losses) / number,
        "active_firms": jnp.sum(alive & (exchange.gain > 0)).astype(jnp.float64),
    }
