"""Finding slots and drawing agents without letting the order of slots matter."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import division, exact

BLOCK = 64
_EIGHTHS = 8
_SEARCHED = 8192  # slots up to which one running count is faster than counts by blocks


def nth_true(mask: Array, which: Array) -> Array:
    """Return the slots (int64) of the n-th true entries of mask `[C]`, C a multiple of 64.

    Args:
        mask: bool[C].
        which: ranks counted from 0, any shape; those beyond the last true entry give C.

    """
    if division.parts() == 1:
        return _nth_here(mask, which)

    def local(mask: Array, which: Array) -> Array:
        # Of the mask only counts leave a device, and of the slots those that were asked for.
        own = exact.count(mask)
        place, first, total = division.before(own)
        rank = which - first.astype(which.dtype)
        here = (rank >= 0) & (rank < own.astype(which.dtype))
        slot = _nth_here(mask, jnp.where(here, rank, 0)) + place * mask.shape[0]
        found = division.summed(jnp.where(here, slot, 0))
        return jnp.where(which < total.astype(which.dtype), found, capacity)

    capacity = mask.shape[0]
    everywhere = division.EVERYWHERE
    specs = (division.along(0), everywhere)
    slots: Array = division.on_each(local, mask, which, specs=specs, out=everywhere)
    return slots


def _nth_here(mask: Array, which: Array) -> Array:
    if mask.shape[0] <= _SEARCHED:
        ends = jnp.cumsum(mask, dtype=jnp.int32)
        return jnp.searchsorted(ends, which.astype(jnp.int32), side="right").astype(jnp.int64)
    blocks = _packed(mask)
    ends = jnp.cumsum(jax.lax.population_count(blocks).astype(jnp.int32))
    block = jnp.searchsorted(ends, which.astype(jnp.int32), side="right")
    inside = jnp.minimum(block, blocks.shape[0] - 1)
    before = jnp.where(block > 0, ends[jnp.maximum(block - 1, 0)], 0)
    offset = _nth_bit(blocks[inside], which - before.astype(which.dtype))
    slot = inside.astype(jnp.int64) * BLOCK + offset
    return jnp.where(which < ends[-1].astype(which.dtype), slot, mask.shape[0])


def _packed(mask: Array) -> Array:
    """Return a mask `[C]` as bits, uint64[C / 64], the first slot of a block in the lowest bit."""
    eights = jax.lax.bitcast_convert_type(mask.astype(jnp.uint8).reshape(-1, 8), jnp.uint64)
    # Eight bytes that are 0 or 1 meet in the highest byte, each at a bit of its own.
    bits = (eights * jnp.uint64(0x0102040810204080)) >> 56
    places = jnp.arange(0, BLOCK, 8, dtype=jnp.uint64)
    return jnp.sum(bits.reshape(-1, 8) << places, axis=1)


def _nth_bit(bits: Array, rank: Array) -> Array:
    """Return the place (int64) of the set bit of a rank counted from 0, which must be there."""
    left, place = rank.astype(jnp.uint64), jnp.zeros(bits.shape, jnp.uint64)
    for width in (32, 16, 8, 4, 2, 1):
        here = (bits >> place) & jnp.uint64((1 << width) - 1)
        lower = jax.lax.population_count(here)
        passed = left >= lower
        left, place = jnp.where(passed, left - lower, left), place + passed * jnp.uint64(width)
    return place.astype(jnp.int64)


def replaced(who: Array, rows: Array, new: Callable[[Array], Array]) -> Array:
    """Return rows `[B, K]` in which those of a mask are new; what the others cost is a look.

    Args:
        who: bool[B], few of them.
        rows: values `[B, K]`.
        new: from places `[M]` among the rows to new rows `[M, K]`; called for an eighth at once.

    """
    count, whole = exact.count(who), rows.shape[0]
    size = max(whole // _EIGHTHS, min(whole, BLOCK))

    def put(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        start, rows = carry
        rank = start + jnp.arange(size)
        place = _nth_here(who, rank)  # rows are on every device
        written = jnp.where(rank < count, place, whole + rank)
        drawn = new(jnp.minimum(place, whole - 1))
        return start + size, rows.at[written].set(drawn, mode="drop", unique_indices=True)

    start = (jnp.zeros((), jnp.int64), rows)
    return jax.lax.while_loop(lambda carry: carry[0] < count, put, start)[1]


def by_id(ids: Array, alive: Array) -> Array:
    """Return slots `[C]` in ascending order of id, the dead last."""
    key = jnp.where(alive, ids, jnp.uint64(2**64 - 1))
    sorted_ = jnp.all(key[1:] >= key[:-1])
    # Generations that replace everybody are written in this order: sorting was a fourth of a step.
    return jax.lax.cond(
        sorted_, lambda: jnp.arange(key.shape[0]), lambda: jnp.argsort(key, stable=True)
    )


def draw_by_weight(order: Array, weights: Array, alive: Array, units: Array) -> Array:
    """Return slots drawn in proportion to weights, agents laid end to end in the order of ids.

    Args:
        order: slots in order of id, from `by_id`.
        weights: non-negative weights `[C]`; when all are zero the living are drawn evenly.
        alive: bool[C].
        units: uniform (0, 1) numbers in float64, any shape.

    """
    kept = jnp.where(alive, weights, 0).astype(jnp.float64)
    kept = jnp.where(jnp.max(kept) > 0, kept, alive.astype(jnp.float64))
    unit = exact.quantum(jnp.max(kept), jnp.sum(alive))
    ends = jnp.cumsum(exact.rounded(kept[order], unit))
    target = jnp.floor(units * ends[-1].astype(jnp.float64)).astype(jnp.int64)
    rank = jnp.searchsorted(ends, jnp.minimum(target, ends[-1] - 1), side="right")
    return order[rank]
