"""The largest of many numbers, found by passes over their bits: nothing is sorted."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model.folding import folded

_GROUP = 64  # values of which only the largest is looked at first
_MANY = 4096  # values from which on that is done


def largest(values: Array) -> Array:
    """Return the largest of values `[C]`, finite and none negative."""
    return _number(jnp.max(folded(jnp.maximum, _ranked(values))), values)


def largest_sound(values: Array) -> tuple[Array, Array]:
    """Return the largest of values `[C]`, and whether all are finite and none is negative.

    In one pass: as whole numbers without a sign, the bits of what is negative or not finite are
    above those of all else. Where not all are sound the first result means nothing.
    """

    def bits(number: Array) -> Array:
        return jax.lax.bitcast_convert_type(number, f"uint{8 * values.dtype.itemsize}")

    def constant(number: float) -> Array:
        return bits(jnp.asarray(number, values.dtype))

    ranks = bits(values)
    ranks = jnp.where(ranks == constant(-0.0), constant(0.0), ranks)
    top = jnp.max(folded(jnp.maximum, ranks))
    return _number(top, values), top < constant(float("inf"))


def largest_along(values: Array) -> Array:
    """Return the largest `[K]` of values `[K, C]`, finite and none negative, for each niche."""
    parts = folded(jnp.maximum, _ranked(values), 1)
    return _number(jnp.max(parts, axis=tuple(range(1, parts.ndim))), values)


def top(values: Array, count: int) -> Array:
    """Return the `count` largest, a few, of fractions `[C >= count]`, none negative, descending.

    They lie in the `count` groups of 64 whose largest are the largest: no others are looked at.
    """
    if values.shape[0] < _MANY:
        return _few_largest(values, count)
    apart = _groups(values)
    chosen = apart[:, _top_places(jnp.max(apart, axis=0), count)]
    return _few_largest(chosen.ravel(), count)


def _few_largest(values: Array, count: int) -> Array:
    """Return a few largest: the largest of all, how many are equal to it, and so on below it.

    A step in which something is sorted is not compiled into one function, see `scattering`.
    """
    left = jnp.maximum(_ranked(values), 0)  # the rank of -0.0 is below all
    found, number = [], []
    for _ in range(count):
        found.append(jnp.max(folded(jnp.maximum, left)))
        equal = left == found[-1]
        number.append(jnp.sum(folded(jnp.add, equal.astype(jnp.int32))))
        left = jnp.where(equal, -1, left)
    reached = jnp.searchsorted(
        jnp.cumsum(jnp.stack(number)), jnp.arange(count), side="right", method="compare_all"
    )
    return _number(jnp.stack(found)[reached], values)


def _groups(values: Array) -> Array:
    """Return values in columns of 64, the last ones filled up by what is below all."""
    padding = (0, -values.shape[0] % _GROUP)
    return jnp.pad(values, padding, constant_values=-jnp.inf).reshape(_GROUP, -1)


def _top_places(values: Array, count: int) -> Array:
    """Return where the `count` largest of values are."""
    if values.shape[0] < _MANY:
        return _one_by_one(values, count)
    apart = _groups(values)
    groups = _top_places(jnp.max(apart, axis=0), count)
    row, group = jnp.divmod(_one_by_one(apart[:, groups].ravel(), count), count)
    return row * apart.shape[1] + groups[group]


def _one_by_one(values: Array, count: int) -> Array:
    """Return where a few largest of values are, of equal ones the first."""
    left, found = jnp.maximum(values, jnp.finfo(values.dtype).min), []
    for _ in range(count):
        found.append(jnp.argmax(left))
        left = jnp.where(jnp.arange(left.shape[0]) == found[-1], -jnp.inf, left)
    return jnp.stack(found)


def _ranked(values: Array) -> Array:
    """Return whole numbers in the order of values, none negative.

    XLA folds whole numbers in one pass, but hands maxima of fractions to a library that reads all
    of them from memory.
    """
    return jax.lax.bitcast_convert_type(values, f"int{8 * values.dtype.itemsize}")


def _number(rank: Array, like: Array) -> Array:
    return jax.lax.bitcast_convert_type(rank, like.dtype)
