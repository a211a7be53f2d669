"""Mergers: one firm acquires another; capital adds up, allocations are averaged by capital.

Firms that seek a partner do so one after another, in the order of random lots, so that no firm
takes part in two mergers in a period and no slot comes before another.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, randomness
from ecosim.model.population import Population
from ecosim.model.randomness import Stream
from ecosim.model.slots import by_id, draw_by_weight
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Mergers, Scenario


class Parameters(NamedTuple):
    """Traced numbers of mergers."""

    probability: Array  # that a firm seeks a partner in a period


class _Course(NamedTuple):
    """A period's mergers while they go on."""

    rank: Array  # int64 seekers that had their turn
    free: Array  # bool[C] survives and took part in no merger yet
    population: Population
    acquirer: Array  # uint64[C] id of the firm that acquired it; 0: none


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's mergers."""
    spec = scenario.market.mergers or Mergers(rate=0.0)
    return Parameters(traced(-math.expm1(-spec.rate), "float64"))


def merge(
    kinds: Kinds, p: Parameters, population: Population, survives: Array, around: Surroundings
) -> tuple[Population, Array]:
    """Return the firms after this period's mergers, and who acquired each that left, uint64[C].

    Acquirers have new stock, allocation and budget here; what follows from an allocation is
    computed where deaths and births are settled.

    Args:
        kinds: static structure; kinds.mergers says how a partner is drawn.
        p: traced numbers.
        population: the firms after this period's investment.
        survives: which of them do not leave otherwise, bool `[C]`.
        around: the step and the draws' key.

    """
    ids, key, clock = population.id, around.key, around.clock
    seeks = survives & randomness.happens(key, clock, Stream.MERGER, ids, p.probability)
    high, low = randomness.words(key, clock, Stream.PARTNER, ids, 1)
    turn = by_id((high.astype(jnp.uint64) << 32) | low.astype(jnp.uint64), seeks)
    order = by_id(ids, survives)
    units = randomness.fine_uniform(key, clock, Stream.PARTNER, ids)

    def one(course: _Course) -> _Course:
        seeker = turn[course.rank]
        others = course.free.at[seeker].set(False)
        others &= population.patch == population.patch[seeker]
        weights = jnp.where(others, _attraction(kinds, course.population, seeker), 0)
        partner = draw_by_weight(order, weights, others, units[seeker])
        merges = course.free[seeker] & jnp.any(weights > 0)
        return _joined(course, seeker, partner, merges)

    course = _Course(jnp.zeros((), jnp.int64), survives, population, jnp.zeros_like(ids))
    count = jnp.sum(seeks)
    course = jax.lax.while_loop(lambda course: course.rank < count, one, course)
    return course.population, course.acquirer


def _attraction(kinds: Kinds, population: Population, seeker: Array) -> Array:
    """Return the weight of each firm as a partner `[C]`: capital, or Pianka's overlap."""
    if kinds.mergers == "capital":
        return population.stock
    x = population.allocation
    norm = jnp.sqrt(exact.across(x * x))
    product = exact.across(x * x[seeker][None, :])
    scale = norm * norm[seeker]
    return jnp.where(scale > 0, product / jnp.where(scale > 0, scale, 1), 0)


def _joined(course: _Course, seeker: Array, partner: Array, merges: Array) -> _Course:
    """Let the larger of two firms acquire the smaller; alike, the one of the smaller id."""
    p = course.population
    larger = p.stock[partner] > p.stock[seeker]
    larger |= (p.stock[partner] == p.stock[seeker]) & (p.id[partner] < p.id[seeker])
    buyer, target = jnp.where(larger, partner, seeker), jnp.where(larger, seeker, partner)
    whole = p.stock[buyer] + p.stock[target]
    weight = p.stock[target] / whole
    nowhere = p.stock.shape[0]
    at = jnp.where(merges, buyer, nowhere)

    def averaged(column: Array) -> Array:
        # In this form what is alike stays alike to the last bit.
        value = column[buyer] + weight * (column[target] - column[buyer])
        return column.at[at].set(value, mode="drop")

    merged = p._replace(
        stock=p.stock.at[at].set(whole, mode="drop"),
        # What waits to be invested goes with the firm; an empty column where nothing waits.
        retained=p.retained.at[at].add(p.retained[target], mode="drop"),
        allocation=averaged(p.allocation),
        budget=averaged(p.budget),
    )
    gone = jnp.where(merges, target, nowhere)
    free = course.free.at[at].set(False, mode="drop").at[gone].set(False, mode="drop")
    acquirer = course.acquirer.at[gone].set(p.id[buyer], mode="drop")
    return _Course(course.rank + 1, free, merged, acquirer)
