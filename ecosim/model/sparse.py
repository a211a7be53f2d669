"""Allocations over few of many niches: an agent's row holds the niches that it uses, not all K.

With `niches.used` = m a row has m places, the niches in use in ascending order, and a share and a
claim for each. A place that is not used is K, which is no niche, with share and claim 0. Ascending,
so that a sum over an agent's niches adds what a row of all K would add in the same order: zeros
change no sum. Newborns are described on all K in small batches, cut to their m largest, and packed;
nothing as long as the population is K wide.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model import exact
from ecosim.model.slots import marked

BATCH = 16  # agents that are described on all niches at once


def packed(allocation: Array, most: int) -> tuple[Array, Array]:
    """Return places `[B, m]` and shares `[B, m]` of allocations `[B, K]`, m = `most` <= K.

    Of more than m shares above 0 the m largest are kept, of equal ones those of the lower niches,
    and divided by their sum; m or fewer stay as they are.
    """
    count = allocation.shape[1]
    largest, niche = jax.lax.top_k(allocation, most)
    niche = jnp.where(largest > 0, niche.astype(jnp.int32), count)
    order = jnp.argsort(niche, axis=1)
    places, shares = (jnp.take_along_axis(x, order, axis=1) for x in (niche, largest))
    binds = jnp.sum(allocation > 0, axis=1, keepdims=True) > most
    return places, jnp.where(binds, shares / exact.across(shares)[:, None], shares)


def unpacked(places: Array, shares: Array, count: int) -> Array:
    """Return allocations `[B, K]`, K = `count`, of places `[B, m]` and their shares `[B, m]`."""
    rows = jnp.arange(places.shape[0])[:, None]
    return (
        jnp.zeros((places.shape[0], count), shares.dtype).at[rows, places].set(shares, mode="drop")
    )


def at_places(values: Array, patch: Array | None, places: Array, none: float) -> Array:
    """Return values `[m, C]` of each patch and niche `[P, K]` at places `[m, C]`.

    Args:
        values: `[P, K]`.
        patch: of each agent, `[C]`; None: all live in the first.
        places: niches, K for none.
        none: the value of no niche.

    """
    wide = jnp.pad(values, ((0, 0), (0, 1)), constant_values=none)
    return wide[0][places] if patch is None else wide[patch[None, :], places]


def aligned(columns: Array, places: Array, count: int) -> Array:
    """Return columns `[W, C]`, W = min(m + 2, K), whose first two are those of niches 0 and 1.

    Where an agent does not use these, 0 stands there. A sum of products is compiled with fused
    multiply-adds, a b + c d + e f + ... to (a b + [c d]) + ... with [c d] rounded first: which
    product is rounded depends on which come first. So aligned, a sum over the niches in use ends
    in the last bit of that over all K <= 64.

    Args:
        columns: a number for each place, `[m, C]`.
        places: niches, `[m, C]`.
        count: K.

    """
    most = places.shape[0]
    width = min(most + 2, count)
    first = places[0] == 0
    second = (places[0] == 1) | (places[min(1, most - 1)] == 1)
    ahead = first.astype(jnp.int32) + second
    later = jnp.pad(columns, ((2, 2), (0, 0)))  # later[j + 2 - s] is column j - s
    own = [jnp.where(first, columns[0], 0)]
    if width > 1:
        behind = columns[min(1, most - 1)]
        own.append(jnp.where(second, jnp.where(first, behind, columns[0]), 0))
    for j in range(2, width):
        own.append(
            jnp.where(ahead == 2, later[j + 2], jnp.where(ahead == 1, later[j + 1], later[j]))
        )
    return jnp.stack(own)


def aligned_places(places: Array, count: int) -> Array:
    """Return the niches `[W, C]` of what `aligned` returns; those of 0 are any."""
    return aligned(places, places, count).at[1:2].set(1)


def totals(whole: Array, patch: Array | None, places: Array, shape: tuple[int, int]) -> Array:
    """Return totals `[P, K]` of integers `[m, B]` over patches and places; the order is free."""
    where = 0 if patch is None else patch[None, :]
    return jnp.zeros(shape, whole.dtype).at[where, places].add(whole, mode="drop")


def largest(claims: Array, patch: Array | None, places: Array, shape: tuple[int, int]) -> Array:
    """Return the largest `[P, K]` of claims `[m, B]` over patches and places; 0 without any."""
    where = 0 if patch is None else patch[None, :]
    return jnp.zeros(shape, claims.dtype).at[where, places].max(claims, mode="drop")


def described(count: int, most: int, draw: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Return places and shares `[B, m]` of B = `count` agents, described a few at a time.

    Args:
        count: B.
        most: m.
        draw: gives the allocations `[S, K]` of the agents of these rows, int64[S].

    """
    size = min(count, BATCH)
    rows = jnp.minimum(jnp.arange(-(-count // size) * size), count - 1).reshape(-1, size)
    parts = jax.lax.map(lambda some: packed(draw(some), most), rows)
    places, shares = (part.reshape(-1, most)[:count] for part in parts)
    return places, shares


def redrawn(
    places: Array, shares: Array, who: Array, draw: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """Return places and shares `[B, m]` with those of the mask `who` `[B]` drawn anew.

    Args:
        places: `[B, m]` of those who keep theirs.
        shares: likewise.
        who: bool[B].
        draw: as in `described`.

    """
    number, most = shares.shape
    size, those = min(number, BATCH), marked(who)

    def some(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        start, places, shares = carry
        rank = start + jnp.arange(size)
        rows = those.nth(rank)
        new = packed(draw(jnp.minimum(rows, number - 1)), most)
        rows = jnp.where(rank < those.number, rows, number)
        places, shares = (
            old.at[rows].set(own, mode="drop")
            for old, own in zip((places, shares), new, strict=True)
        )
        return start + size, places, shares

    begun = (jnp.zeros((), jnp.int64), places, shares)
    return jax.lax.while_loop(lambda carry: carry[0] < those.number, some, begun)[1:]


def rows_packed(shares: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return on the host what `packed` returns of rows that use at most `most` niches."""
    places = np.where(shares > 0, np.arange(shares.shape[1]), shares.shape[1])
    places = np.sort(places, axis=1)[:, :most].astype(np.int32)
    wide = np.pad(shares, ((0, 0), (0, 1)))
    return places, np.take_along_axis(wide, places, axis=1)


def rows_unpacked(places: np.ndarray, shares: np.ndarray, count: int) -> np.ndarray:
    """Return on the host what `unpacked` returns, of rows `[n, m]` or of one `[m]`."""
    wide = np.zeros((*shares.shape[:-1], count + 1), shares.dtype)
    np.put_along_axis(wide, places.astype(np.int64), shares, axis=-1)
    return wide[..., :count]
