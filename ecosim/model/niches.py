"""Niche spaces: how an agent's traits become shares of its budget.

A set or a graph of niches: the allocation itself is the trait. An axis: an agent has a position z
and a width w, and its shares follow a Gaussian utilisation curve (MacArthur & Levins 1967).
"""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact

_EXCHANGED = 32  # columns


def utilisation(trait: Array, positions: Array) -> Array:
    """Return shares `[N, K]` proportional to exp(-(position - z)^2 / (2 w^2)).

    Args:
        trait: position z and log width ln w, `[N, 2]`.
        positions: niche positions `[K]`.

    """
    distance = (positions[None, :] - trait[:, :1]) / jnp.exp(trait[:, 1:])
    exponent = -0.5 * distance**2
    raised = jnp.exp(exponent - jnp.max(exponent, axis=1, keepdims=True))
    return raised / exact.across(raised)[:, None]


def to_simplex(points: Array) -> Array:
    """Return the Euclidean projection of points `[N, K]` on the simplex (Duchi et al. 2008).

    Two niches: clipping the first share to [0, 1].
    """
    falling = _falling(points)
    rank = jnp.arange(1, points.shape[1] + 1, dtype=points.dtype)
    excess = (jnp.cumsum(falling, axis=1) - 1) / rank[None, :]
    kept = jnp.sum(falling > excess, axis=1, keepdims=True)
    shift = jnp.take_along_axis(excess, jnp.maximum(kept - 1, 0), axis=1)
    clipped = jnp.maximum(points - shift, 0)
    return clipped / exact.across(clipped)[:, None]


def _falling(points: Array) -> Array:
    """Return rows `[N, K]` sorted from the largest; few columns by exchanges, which is faster."""
    count = points.shape[1]
    if count > _EXCHANGED:
        return _sorted_as_integers(points)
    columns = [points[:, k] for k in range(count)]
    for i, j in _exchanges(count):
        columns[i], columns[j] = (
            jnp.maximum(columns[i], columns[j]), jnp.minimum(columns[i], columns[j]),
        )  # fmt: skip
    return jnp.stack(columns, axis=1)


def _sorted_as_integers(points: Array) -> Array:
    """Return rows of numbers from the largest: their bits, as integers, sort five times as fast."""
    whole = jnp.int32 if points.dtype == jnp.float32 else jnp.int64
    bits, most = jax.lax.bitcast_convert_type(points, whole), jnp.iinfo(whole).max
    # Of negative numbers the bits beside the sign count the other way round.
    order = ~jnp.sort(~jnp.where(bits < 0, bits ^ most, bits), axis=1)
    return jax.lax.bitcast_convert_type(jnp.where(order < 0, order ^ most, order), points.dtype)


def _exchanges(count: int) -> Iterator[tuple[int, int]]:
    """Yield the places to compare that sort any `count` numbers (Batcher 1968; Knuth 5.2.2 M)."""
    top = 1 << (count - 1).bit_length() >> 1
    size = top
    while size:
        reach, offset, distance = top, 0, size
        while distance:
            for i in range(count - distance):
                if i & size == offset:
                    yield i, i + distance
            distance, offset, reach = reach - size, size, reach >> 1
        size >>= 1


def step_on_simplex(allocation: Array, noise: Array, size: Array) -> Array:
    """Return allocations `[N, K]` after a Gaussian step of standard deviation `size` per niche.

    Args:
        allocation: shares `[N, K]`.
        noise: independent standard normals `[N, K]`.
        size: standard deviation of each share's change; the changes sum to zero.

    """
    count = allocation.shape[1]
    if count == 1:
        return allocation
    centred = noise - (exact.across(noise) / count)[:, None]
    scale = jnp.asarray((count / (count - 1)) ** 0.5, allocation.dtype)
    return to_simplex(allocation + exact.product(size * scale, centred))
