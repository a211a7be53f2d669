"""Prices on a circle (Salop 1979).

M consumers spread evenly over a circle of circumference L each buy one unit where price plus
transport t a unit of distance is least (a covered market). With its neighbours at distances
d- and d+ a firm sells D = (M/L) [(d- + d+)/2 + (p- + p+ - 2p)/(2t)], and its best reply to their
prices is p = (p- + p+)/4 + t (d- + d+)/4 + c/2, so that D = (M/L) (p - c)/t. All replies at once
halve the distance to the Nash equilibrium in every round. A firm replies to its two neighbours
only: it does not undercut one to reach the next. A single firm prices as if it met another like
itself at distance L, p = c + tL.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact
from ecosim.model.conduct.replies import STILL


class Ring(NamedTuple):
    """The firms around the circle, in the order of their sites."""

    left: Array  # int64[C] slot of the neighbour on one side; a dead firm's is itself
    right: Array  # int64[C] slot of the neighbour on the other side
    before: Array  # float64[C] distance to the left neighbour
    after: Array  # float64[C] distance to the right neighbour


def ring(site: Array, ids: Array, alive: Array, length: Array) -> Ring:
    """Return who borders on whom, for sites `[C]` in [0, L); equal sites in the order of ids."""
    place = jnp.where(alive, site.astype(jnp.float64), jnp.inf)
    order = jnp.lexsort((ids, place))
    count = jnp.sum(alive)
    rank = jnp.arange(site.shape[0])
    living = rank < count
    last = jnp.maximum(count - 1, 0)
    before = jnp.where(living, order[jnp.where(rank == 0, last, rank - 1)], order)
    after = jnp.where(living, order[jnp.where(rank >= last, 0, rank + 1)], order)
    left, right = jnp.zeros_like(order), jnp.zeros_like(order)
    left, right = left.at[order].set(before), right.at[order].set(after)
    own = jnp.where(alive, place, 0)

    def gap(lower: Array, upper: Array) -> Array:
        # Across the origin, and from a single firm round to itself, once round the circle.
        distance = upper - lower
        beyond = (distance < 0) | ((distance == 0) & (count == 1))
        return jnp.where(beyond, distance + length, distance)

    # Firms on one site, count > 1: the last of them borders on the first round the circle.
    wrap = jnp.all(~alive | (own == jnp.max(own))) & (count > 1)
    to_left, to_right = gap(own[left], own), gap(own, own[right])
    first = wrap & alive & (jnp.zeros_like(alive).at[order[0]].set(True))
    final = wrap & alive & (jnp.zeros_like(alive).at[order[last]].set(True))
    return Ring(left, right, jnp.where(first, length, to_left), jnp.where(final, length, to_right))


def settled(
    price: Array, around: Ring, alive: Array, *, transport: Array, cost: Array, rounds: Array
) -> Array:
    """Return prices `[C]`, float64, at which no firm moves, or those after so many rounds."""
    room = transport * (around.before + around.after) / 4 + cost / 2

    def more(carry: tuple[Array, Array, Array]) -> Array:
        done, _, moving = carry
        return moving & (done < rounds)

    def go(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        done, old, _ = carry
        new = jnp.where(alive, (old[around.left] + old[around.right]) / 4 + room, 0)
        moving = jnp.max(jnp.abs(new - old)) > STILL * jnp.max(new)
        return done + 1, new, moving

    start = (jnp.zeros((), rounds.dtype), jnp.where(alive, price, 0), jnp.any(alive))
    return jax.lax.while_loop(more, go, start)[1]


class Sales(NamedTuple):
    """What the firms sell, and what the consumers pay for it."""

    units: Array  # float64[C]
    spending: Array  # float64 scalar, counted consumer by consumer


def sales(
    price: Array, around: Ring, alive: Array, *, transport: Array, length: Array, mass: Array
) -> Sales:
    """Return sales at prices `[C]` to a mass of consumers around the circle."""
    density = mass / length
    # The stretch from a firm to its right neighbour: its consumers buy on either side of x.
    x = around.after / 2 + (price[around.right] - price) / (2 * transport)
    y = around.before / 2 + (price[around.left] - price) / (2 * transport)
    units = jnp.where(alive, density * (x + y), 0)
    paid = density * (x * price + (around.after - x) * price[around.right])
    low = exact.total(jnp.maximum(-paid, 0), alive)
    return Sales(units, exact.total(jnp.maximum(paid, 0), alive) - low)
