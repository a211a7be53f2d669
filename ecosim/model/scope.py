"""Random scope: how a founder or an entrant without a model divides its budget."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, randomness
from ecosim.model.randomness import Stream

_COUNTED = 64  # niches up to which ranks are counted


def random_scope(
    ids: Array, step: Array, key: Array, weights: Array, most: int | None = None
) -> Array:
    """Return random allocations `[B, K]` over m of the K niches, m uniform on 1..most.

    The m niches are drawn without replacement in proportion to weights (exponential keys,
    Efraimidis & Spirakis 2006) and share the budget uniformly on the simplex (normalised
    exponentials). A niche of weight 0 is entered only when the others are taken.

    Args:
        ids: uint64[B], the counters of the draws.
        step: step number.
        key: run key.
        weights: attraction of each niche, `[K]`.
        most: None: K.

    """
    count, dtype = weights.shape[0], weights.dtype
    scope = randomness.uniform(key, step, Stream.SCOPE, ids, dtype=dtype)
    many = jnp.floor(scope * (most or count)).astype(jnp.int64)[:, None]
    drawn = randomness.words(key, step, Stream.SEGMENTS, ids[:, None], jnp.arange(count))
    first, second = jax.lax.optimization_barrier(drawn)  # both are read, and would be drawn twice
    floor = jnp.asarray(jnp.finfo(dtype).tiny, dtype)
    keys = -jnp.log(randomness.open_unit(first, dtype)) / jnp.maximum(weights, floor)[None, :]
    rank = _ranks(keys)
    amount = jnp.where(rank <= many, -jnp.log(randomness.open_unit(second, dtype)), 0)
    return amount / exact.across(amount)[:, None]


def pareto_scope(
    ids: Array, step: Array, key: Array, *, exponent: Array, count: int, most: int | None = None
) -> Array:
    """Return allocations `[B, K]` that are even over k of the K niches, all sets alike.

    k follows the discrete Pareto law cut off at m (Forister et al. 2015, PNAS 112:442):
    P(k) = [k^-a - (k+1)^-a] / [1 - (m+1)^-a], drawn as the whole part of a Pareto number below
    m + 1.

    Args:
        ids: uint64[B], the counters of the draws.
        step: step number.
        key: run key.
        exponent: a.
        count: K.
        most: m; None: K.

    """
    unit = randomness.fine_uniform(key, step, Stream.SCOPE, ids)
    most = most or count
    cut = 1 - (most + 1.0) ** -exponent
    many = jnp.clip(jnp.floor((1 - unit * cut) ** (-1 / exponent)), 1, most)[:, None]
    order = randomness.words(key, step, Stream.SEGMENTS, ids[:, None], jnp.arange(count))[0]
    rank = _ranks(order)
    return jnp.where(rank < many, 1 / many, 0)


def _ranks(values: Array) -> Array:
    """Return the ranks, from 0, of the values in each row `[B, K]`; of equals the first is first.

    Counting those before is K passes over the rows, sorting twice takes several times as long.
    """
    if values.shape[1] > _COUNTED:
        return jnp.argsort(jnp.argsort(values, axis=1), axis=1)
    columns = values.T  # agents side by side
    niches = jnp.arange(values.shape[1])[:, None]

    def count(niche: Array, rank: Array) -> Array:
        other = jax.lax.dynamic_slice_in_dim(columns, niche, 1, axis=0)
        first = niche.astype(niches.dtype) < niches
        before = (other < columns) | ((other == columns) & first)
        return rank + before.astype(rank.dtype)

    none = jnp.zeros(columns.shape, jnp.int32)
    ranks = jax.lax.fori_loop(0, values.shape[1], count, none)
    return ranks.T.astype(jnp.int64)
