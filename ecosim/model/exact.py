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

from ecosim.model.folding import folded
from ecosim.model.maxima import largest

_BITS = 61  # of a sum
_KEPT = 51  # of an addend of 24 bits, at most: as many as `rounded` reads off a float64
_WHOLE = 1.5 * 2.0**52  # 2^51 more or less, and a float64 has no room for a fraction
_COLUMNS = 64


def quantum(bound: Array, count: Array, dtype: jnp.dtype | str) -> Array:
    """Return the smallest power of two with which `count` addends below `bound` cannot overflow.

    Args:
        bound: largest absolute addend, any shape (zero allowed).
        count: number of addends, int scalar.
        dtype: their type, as `rounded` is given them.

    Returns:
        float64, shape of bound. Addends keep 61 - log2(count) bits below the bound, those of
        float32, which have 24 of their own, at most 51.

    """
    bits = _BITS - _exponent(jnp.maximum(count, 1))
    if jnp.dtype(dtype) == jnp.float32:
        bits = jnp.minimum(bits, _KEPT)
    exponent = jnp.clip(_exponent(jnp.where(bound > 0, bound, 1)) - bits, -1022, 1022)
    # jnp.exp2 misses powers of two by rounding errors: the bits of the number are written instead.
    return jax.lax.bitcast_convert_type((exponent + 1023) << 52, jnp.float64)


def _exponent(number: Array) -> Array:
    """Return the smallest n, int64, with number <= 2^n."""
    fraction, exponent = jnp.frexp(number.astype(jnp.float64))
    return exponent.astype(jnp.int64) - (fraction == 0.5).astype(jnp.int64)


def rounded(values: Array, unit: Array) -> Array:
    """Return values / unit rounded to integers, half to even, int64, same shape.

    Args:
        values: of either sign, float32 or float64; of what is beyond the bound of its quantum, or
            not finite, any number is returned.
        unit: the `quantum` of values of this type; broadcasts.

    """
    # In float64, as a unit may lie below the range of float32; the reciprocal of a unit is exact.
    scaled = values.astype(jnp.float64) * jnp.broadcast_to(1 / unit, values.shape)
    if values.dtype != jnp.float32:
        return jnp.rint(scaled).astype(jnp.int64)
    # The bits of a sum that has no room for a fraction count its units: a conversion, with its
    # tests for what does not fit, takes several times as long.
    whole = jnp.asarray(_WHOLE, jnp.float64)
    number = jax.lax.bitcast_convert_type(scaled + whole, jnp.int64)
    return number - jax.lax.bitcast_convert_type(whole, jnp.int64)


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
    unit = quantum(most, number, values.dtype)
    return jnp.sum(folded(jnp.add, rounded(values, unit))).astype(jnp.float64) * unit


def count(mask: Array) -> Array:
    """Return how many of a mask `[C]` are true, int64 scalar."""
    return jnp.sum(folded(jnp.add, mask.astype(jnp.int32)).astype(jnp.int64))


def whole(values: Array, alive: Array) -> Array:
    """Return the float64 sum over the living of values `[C]`, int32 and below 2^28."""
    sums = folded(jnp.add, those(alive, values))
    return jnp.sum(sums, dtype=jnp.int64).astype(jnp.float64)


def summed(values: Array, axis: int = 0) -> Array:
    """Return the sums of integers, `[B]`, `[B, K]` or `[K, B]`, over the axis of agents."""
    parts = folded(jnp.add, values, axis)
    return jnp.sum(parts, axis=tuple(range(axis, axis + parts.ndim - values.ndim + 1)))


def column_totals(values: Array, alive: Array, bound: Array) -> Array:
    """Return the float64 sums `[K]` over the living of values `[C, K]` below a bound."""
    unit = quantum(bound, count(alive), values.dtype)
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
