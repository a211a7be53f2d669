"""Sums over agents that do not depend on their order, on padding or on threads.

Addends are rounded to a common quantum, a power of two set by a bound on them and by the number
of addends, and added as 64-bit integers: integer addition is associative, so the sum is exact.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import division

_BITS = 61
_COLUMNS = 64
_FOLDED = 8  # parts that are put on top of each other before they are reduced
_LARGE = 4096  # values from which on that is done once
_FEW = 32  # agents below which fewer values are not folded again


def quantum(bound: Array, count: Array) -> Array:
    """Return the largest power of two with which `count` addends below `bound` cannot overflow.

    Args:
        bound: largest absolute addend, any shape (zero allowed).
        count: number of addends, int scalar.

    Returns:
        float64, shape of bound. Addends keep 61 - log2(count) bits below the bound.

    """
    bits = _BITS - _exponent(jnp.maximum(count, 1))
    exponent = jnp.clip(_exponent(jnp.where(bound > 0, bound, 1)) - bits, -1022, 1022)
    # jnp.exp2 misses powers of two by rounding errors: the bits of the number are written instead.
    return jax.lax.bitcast_convert_type((exponent + 1023) << 52, jnp.float64)


def _exponent(number: Array) -> Array:
    """Return the smallest n, int64, with number <= 2^n."""
    fraction, exponent = jnp.frexp(number.astype(jnp.float64))
    return exponent.astype(jnp.int64) - (fraction == 0.5).astype(jnp.int64)


def rounded(values: Array, unit: Array) -> Array:
    """Return values / unit rounded to integers, int64, same shape."""
    # In float64, as a unit may lie below the range of float32; the reciprocal of a unit is exact.
    scaled = values.astype(jnp.float64) * jnp.broadcast_to(1 / unit, values.shape)
    return jnp.rint(scaled).astype(jnp.int64)


def those(mask: Array, values: Array) -> Array:
    """Return values where a mask is true and 0 elsewhere, numbers of 32 or 64 bits.

    By their bits: to choose by a mask takes twice as long as to read and add up.

    Args:
        mask: bool, of the rank of values, each length theirs or 1.
        values: any shape.

    """
    whole = f"int{8 * values.dtype.itemsize}"
    kept = jax.lax.bitcast_convert_type(values, whole) & -mask.astype(whole)
    return jax.lax.bitcast_convert_type(kept, values.dtype)


def total(values: Array, alive: Array, most: Array | None = None) -> Array:
    """Return the float64 sum over the living of values `[C]`, finite and not negative.

    Args:
        values: `[C]`.
        alive: bool[C].
        most: the largest of the living's; None: it is looked for.

    """
    kept = those(alive, values)
    return added_up(kept, largest(kept) if most is None else most, count(alive))


def added_up(values: Array, most: Array, number: Array) -> Array:
    """Return the float64 sum of values `[C]`, of which no more than `number` are not 0.

    None is negative or larger than `most`.
    """
    unit = quantum(most, number)
    return jnp.sum(_folded(jnp.add, rounded(values, unit))).astype(jnp.float64) * unit


def count(mask: Array) -> Array:
    """Return how many of a mask `[C]` are true, int64 scalar."""
    return jnp.sum(_folded(jnp.add, mask.astype(jnp.int32)).astype(jnp.int64))


def whole(values: Array, alive: Array) -> Array:
    """Return the float64 sum over the living of values `[C]`, int32 and below 2^28."""
    sums = _folded(jnp.add, those(alive, values))
    return jnp.sum(sums, dtype=jnp.int64).astype(jnp.float64)


def summed(values: Array, axis: int = 0) -> Array:
    """Return the sums of integers, `[B]`, `[B, K]` or `[K, B]`, over the axis of agents."""
    folded = _folded(jnp.add, values, axis)
    return jnp.sum(folded, axis=tuple(range(axis, axis + folded.ndim - values.ndim + 1)))


def largest(values: Array) -> Array:
    """Return the largest of values `[C]`, finite and none negative."""
    return _number(jnp.max(_folded(jnp.maximum, _ranked(values))), values)


def largest_sound(values: Array, alive: Array | None = None) -> tuple[Array, Array]:
    """Return the largest of the living's values `[C]`, and whether all are finite, none negative.

    In one pass: as whole numbers without a sign, the bits of what is negative or not finite are
    above those of all else. Where not all are sound the first result means nothing.

    Args:
        values: `[C]`.
        alive: bool[C]; None: those of the dead are 0.

    """

    def bits(number: Array) -> Array:
        return jax.lax.bitcast_convert_type(number, f"uint{8 * values.dtype.itemsize}")

    def constant(number: float) -> Array:
        return bits(jnp.asarray(number, values.dtype))

    ranks = bits(values if alive is None else those(alive, values))
    ranks = jnp.where(ranks == constant(-0.0), constant(0.0), ranks)
    top = jnp.max(_folded(jnp.maximum, ranks))
    return _number(top, values), top < constant(float("inf"))


def largest_along(values: Array) -> Array:
    """Return the largest `[K]` of values `[K, C]`, finite and none negative, for each niche."""
    folded = _folded(jnp.maximum, _ranked(values), 1)
    return _number(jnp.max(folded, axis=tuple(range(1, folded.ndim))), values)


def _ranked(values: Array) -> Array:
    """Return whole numbers in the order of values, none negative.

    XLA folds whole numbers in one pass, but hands maxima of fractions to a library that reads all
    of them from memory.
    """
    return jax.lax.bitcast_convert_type(values, f"int{8 * values.dtype.itemsize}")


def _number(rank: Array, like: Array) -> Array:
    return jax.lax.bitcast_convert_type(rank, like.dtype)


def _folded(operation: Callable[[Array, Array], Array], values: Array, axis: int = 0) -> Array:
    """Return values with their eighths along the axis of agents combined, if that can be done.

    A reduction reads its operand from memory. What is folded first is computed on the way, so
    that an eighth of it is written; few values are folded again and again, since each reduction of
    more than some thirty is compiled to several. For operations whose result no order changes. On
    several devices the axis becomes two, devices and slots of each.
    """
    size, rest = divmod(values.shape[axis], division.parts())
    many = values.size >= _LARGE * division.parts()
    if division.parts() > 1:
        if not many or size % _FOLDED or rest:
            return values
        # Eighths of what each device holds, so that nothing is moved for it.
        return _eighths(operation, division.split(values, axis), axis + 1)
    least = size if many else _FEW
    while size % _FOLDED == 0 and size >= least:
        values, size = _eighths(operation, values, axis), size // _FOLDED
    return values


def _eighths(operation: Callable[[Array, Array], Array], values: Array, axis: int) -> Array:
    part = values.shape[axis] // _FOLDED
    parts = (jax.lax.slice_in_dim(values, i * part, (i + 1) * part, axis=axis)
             for i in range(_FOLDED))  # fmt: skip
    return functools.reduce(operation, parts)


def top(values: Array, count: int) -> Array:
    """Return the `count` largest, a few, of fractions `[C]`, descending (C >= count)."""
    return values[_top_places(values, count)]


def _top_places(values: Array, count: int) -> Array:
    """Return where they are.

    They lie in the `count` groups of 64 whose largest are the largest: no others are looked at.
    """
    if values.shape[0] < _LARGE:
        return _one_by_one(values, count)
    padding = (0, -values.shape[0] % _COLUMNS)
    apart = jnp.pad(values, padding, constant_values=-jnp.inf).reshape(_COLUMNS, -1)
    groups = _top_places(jnp.max(apart, axis=0), count)
    row, group = jnp.divmod(_one_by_one(apart[:, groups].ravel(), count), count)
    return row * apart.shape[1] + groups[group]


def _one_by_one(values: Array, count: int) -> Array:
    """Return where a few largest of values are, of equal ones the first.

    A step in which something is sorted is not compiled into one function, see `scattering`.
    """
    left, found = jnp.maximum(values, jnp.finfo(values.dtype).min), []
    for _ in range(count):
        found.append(jnp.argmax(left))
        left = jnp.where(jnp.arange(left.shape[0]) == found[-1], -jnp.inf, left)
    return jnp.stack(found)


def column_totals(values: Array, alive: Array, bound: Array) -> Array:
    """Return the float64 sums `[K]` over the living of values `[C, K]` below a bound."""
    unit = quantum(bound, count(alive))
    kept = jnp.where(alive[:, None], values, 0)
    return jnp.sum(rounded(kept, unit), axis=0).astype(jnp.float64) * unit


def product(one: Array, other: Array) -> Array:
    """Return one x other, rounded before anything is added to it.

    A product and a sum that reads it may be compiled to one operation that rounds once. That is
    done in the last rows of a loop and not in the others, so that a row's last bit would tell its
    place in a batch. A bound between them, which only minus infinity is below, keeps them apart.
    """
    whole = one * other
    return jnp.maximum(whole, jnp.finfo(whole.dtype).min)


def across(values: Array) -> Array:
    """Return the sums `[N]` of rows `[N, K]`, added from left to right in blocks of 64 columns.

    jnp.sum is compiled with or without fused multiply-adds depending on N, so that its last bit
    would tell the capacity; this is not, and is faster for few columns. Blocks keep the rounding
    error of many columns below 128 units in the last place.
    """
    whole, rest = divmod(values.shape[1], _COLUMNS)
    sums = _in_order(values[:, whole * _COLUMNS :]) if rest else jnp.zeros_like(values[:, 0])

    def add(block: Array, sums: Array) -> Array:
        columns = jax.lax.dynamic_slice_in_dim(values, block * _COLUMNS, _COLUMNS, axis=1)
        return sums + _in_order(columns)

    return jax.lax.fori_loop(0, whole, add, sums) if whole else sums


def weighted(claims: Array, weight: Callable[[Array | int], Array], alive: Array) -> Array:
    """Return sum_k claims_k weight(k) `[C]`, added in the order of k in blocks of 64.

    The dead's are 0. Each niche's claims lie side by side, so that it is one pass over them.

    Args:
        claims: `[K, C]`.
        weight: from k to `[C]`, or `[]` where it is the same for all.
        alive: bool[C].

    """
    whole, rest = divmod(claims.shape[0], _COLUMNS)

    def block(start: Array | int, size: int) -> Array:
        some = jax.lax.dynamic_slice_in_dim(claims, start, size, axis=0)
        return functools.reduce(jnp.add, (some[k] * weight(start + k) for k in range(size)))

    def add(number: Array, sums: Array) -> Array:
        return sums + block(number * _COLUMNS, _COLUMNS)

    sums = block(whole * _COLUMNS, rest) if rest else jnp.zeros_like(claims[0])
    sums = jax.lax.fori_loop(0, whole, add, sums) if whole else sums
    # Otherwise each reader of the sums is compiled to add them up again.
    done: Array = jax.lax.optimization_barrier(those(alive, sums))
    return done


def _in_order(values: Array) -> Array:
    return functools.reduce(jnp.add, (values[:, k] for k in range(values.shape[1])))
