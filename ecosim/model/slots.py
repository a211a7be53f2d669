"""Finding slots and drawing agents without letting the order of slots matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import bits, division, exact, scattering

_EIGHTHS = 8
_LEAST = 8  # rows that are looked at once, at least
_COMPARED = 32  # words up to which all are compared: faster than a search


class Marked(NamedTuple):
    """Some of the slots, counted in words of 64, so that any of them is found by its rank."""

    mask: Array  # bool[C]
    number: Array  # int64 scalar: how many
    words: Array | None  # uint64[C / 64]; None: not in whole words, or divided
    ends: Array | None  # int32[C / 64] marked up to the end of each word, or `[C]` up to each
    # slot; None: divided over devices, each of which counts its own

    def none_if(self, held: Array) -> Marked:
        """Return nobody where a bool scalar is true; then no rank may be asked for."""
        number = jnp.where(held, 0, self.number)
        return self._replace(mask=self.mask & ~held, number=number)

    def nth(self, which: Array) -> Array:
        """Return the slots (int64) of these ranks, counted from 0, any shape; beyond all: C."""
        if self.ends is None:
            return _nth_anywhere(self.mask, which)
        return _nth_here(self.mask.shape[0], self.words, self.ends, which)


def marked(mask: Array) -> Marked:
    """Return the slots of a mask `[C]`.

    The mask is computed once: what reads it eight slots at a time would compute it eight times.
    """
    if division.parts() > 1:
        return Marked(mask, exact.count(mask), None, None)
    return _marked_here(mask)


def _marked_here(mask: Array) -> Marked:
    mask = jax.lax.optimization_barrier(mask)
    words = None if mask.shape[0] % bits.WORD else bits.packed(mask)
    ends = jnp.cumsum(mask, dtype=jnp.int32) if words is None else jnp.cumsum(bits.counts(words))
    return Marked(mask, ends[-1].astype(jnp.int64), words, ends)


def _nth_anywhere(mask: Array, which: Array) -> Array:
    """Return slots by rank of a mask that is divided: only counts leave a device, and slots."""

    def local(mask: Array, which: Array) -> Array:
        own = marked(mask)
        place, first, total = division.before(own.number)
        rank = which - first.astype(which.dtype)
        here = (rank >= 0) & (rank < own.number.astype(which.dtype))
        slot = own.nth(jnp.where(here, rank, 0)) + place * mask.shape[0]
        found = division.summed(jnp.where(here, slot, 0))
        return jnp.where(which < total.astype(which.dtype), found, capacity)

    capacity = mask.shape[0]
    everywhere = division.EVERYWHERE
    specs = (division.along(0), everywhere)
    slots: Array = division.on_each(local, mask, which, specs=specs, out=everywhere)
    return slots


def _nth_here(capacity: int, words: Array | None, ends: Array, which: Array) -> Array:
    rank = which.astype(jnp.int32)
    if words is None:
        return jnp.searchsorted(ends, rank, side="right").astype(jnp.int64)
    method = "compare_all" if len(ends) <= _COMPARED else "scan"
    word = jnp.searchsorted(ends, rank, side="right", method=method)
    inside = jnp.minimum(word, words.shape[0] - 1)
    before = jnp.where(word > 0, ends[jnp.maximum(word - 1, 0)], 0)
    offset = bits.nth(words[inside], which - before.astype(which.dtype))
    slot = inside.astype(jnp.int64) * bits.WORD + offset
    return jnp.where(which < ends[-1].astype(which.dtype), slot, capacity)


def replaced(who: Array, rows: Array, new: Callable[[Array], Array]) -> Array:
    """Return rows `[B, K]` in which those of a mask are new; what the others cost is a look.

    Args:
        who: bool[B], few of them.
        rows: values `[B, K]`.
        new: from places `[M]` among the rows to new rows `[M, K]`; called for an eighth at once.

    """
    those, whole = _marked_here(who), rows.shape[0]  # rows are on every device
    size = max(whole // _EIGHTHS, min(whole, _LEAST))

    def put(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        start, rows = carry
        rank = start + jnp.arange(size)
        place = those.nth(rank)
        written = jnp.where(rank < those.number, place, whole + rank)
        drawn = new(jnp.minimum(place, whole - 1))
        few = scattering.few(whole)
        return start + size, scattering.put(rows, 0, written, drawn, one_by_one=few)

    start = (jnp.zeros((), jnp.int64), rows)
    return jax.lax.while_loop(lambda carry: carry[0] < those.number, put, start)[1]


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
    unit = exact.quantum(jnp.max(kept), jnp.sum(alive), kept.dtype)
    ends = jnp.cumsum(exact.rounded(kept[order], unit))
    target = jnp.floor(units * ends[-1].astype(jnp.float64)).astype(jnp.int64)
    rank = jnp.searchsorted(ends, jnp.minimum(target, ends[-1] - 1), side="right")
    return order[rank]
