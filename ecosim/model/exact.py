"""Sums over agents that do not depend on their order, on padding or on threads.

Addends are rounded to a common quantum, a power of two set by a bound on them and by the number
of addends, and added as 64-bit integers: integer addition is associative, so the sum is exact.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

_BITS = 61


def quantum(bound: Array, count: Array) -> Array:
    """Return the largest power of two with which `count` addends below `bound` cannot overflow.

    Args:
        bound: largest absolute addend, any shape (zero allowed).
        count: number of addends, int scalar.

    Returns:
        float64, shape of bound. Addends keep 61 - log2(count) bits below the bound.

    """
    bits = _BITS - jnp.ceil(jnp.log2(jnp.maximum(count, 1).astype(jnp.float64)))
    safe = jnp.where(bound > 0, bound, 1).astype(jnp.float64)
    return jnp.exp2(jnp.ceil(jnp.log2(safe)) - bits)


def rounded(values: Array, unit: Array) -> Array:
    """Return values / unit rounded to integers, int64, same shape."""
    scaled = values / unit.astype(values.dtype)
    return jnp.rint(scaled).astype(jnp.int64)


def total(values: Array, alive: Array, *, signed: bool = False) -> Array:
    """Return the float64 sum over the living of values `[C]`; finite values are required."""
    kept = jnp.where(alive, values, 0)
    bound = jnp.max(jnp.abs(kept) if signed else kept)
    unit = quantum(bound, jnp.sum(alive))
    return jnp.sum(rounded(kept.astype(jnp.float64), unit)).astype(jnp.float64) * unit


def column_totals(values: Array, alive: Array, bound: Array) -> Array:
    """Return the float64 sums `[K]` over the living of values `[C, K]` below a bound."""
    unit = quantum(bound, jnp.sum(alive))
    kept = jnp.where(alive[:, None], values, 0)
    return jnp.sum(rounded(kept, unit), axis=0).astype(jnp.float64) * unit
