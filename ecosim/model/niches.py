"""Niche spaces: how an agent's traits become shares of its budget.

A set or a graph of niches: the allocation itself is the trait. An axis: an agent has a position z
and a width w, and its shares follow a Gaussian utilisation curve (MacArthur & Levins 1967).
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact

_COMPARED = 32  # columns


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
    few = points.shape[1] <= _COMPARED
    clipped = jnp.maximum(points - (_shift if few else _shift_of_many)(points)[:, None], 0)
    return clipped / exact.across(clipped)[:, None]


def _shift(points: Array) -> Array:
    """Return what is taken off each point of rows `[N, K]`, by comparing all pairs.

    That is the largest excess, (sum of the n largest - 1) / n, over n: it grows with n as long as
    the n-th is above it. The n largest are those that are not below one of them.
    """
    columns = [points[:, k : k + 1] for k in range(points.shape[1])]
    above = [column >= points for column in columns]
    pairs = zip(columns, above, strict=True)
    sums = functools.reduce(jnp.add, (jnp.where(is_, column, 0) for column, is_ in pairs))
    number = functools.reduce(jnp.add, (is_.astype(points.dtype) for is_ in above))
    excess = jax.lax.optimization_barrier((sums - 1) / number)
    largest = functools.reduce(jnp.maximum, (excess[:, k] for k in range(points.shape[1])))
    return jax.lax.optimization_barrier(largest)


def _shift_of_many(points: Array) -> Array:
    falling = _sorted_as_integers(points)
    rank = jnp.arange(1, points.shape[1] + 1, dtype=points.dtype)
    excess = (jnp.cumsum(falling, axis=1) - 1) / rank[None, :]
    kept = jnp.sum(falling > excess, axis=1, keepdims=True)
    return jnp.take_along_axis(excess, jnp.maximum(kept - 1, 0), axis=1)[:, 0]


def _sorted_as_integers(points: Array) -> Array:
    """Return rows from the largest down: their bits, as integers, sort five times as fast."""
    whole = jnp.int32 if points.dtype == jnp.float32 else jnp.int64
    bits, most = jax.lax.bitcast_convert_type(points, whole), jnp.iinfo(whole).max
    # Of negative numbers the bits beside the sign count the other way round.
    order = ~jnp.sort(~jnp.where(bits < 0, bits ^ most, bits), axis=1)
    return jax.lax.bitcast_convert_type(jnp.where(order < 0, order ^ most, order), points.dtype)


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
