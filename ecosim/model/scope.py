"""Random scope: how a founder or an entrant without a model divides its budget."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, randomness
from ecosim.model.randomness import Stream


def random_scope(ids: Array, step: Array, key: Array, weights: Array) -> Array:
    """Return random allocations `[B, K]` over m of the K niches, m uniform on 1..K.

    The m niches are drawn without replacement in proportion to weights (exponential keys,
    Efraimidis & Spirakis 2006) and share the budget uniformly on the simplex (normalised
    exponentials). A niche of weight 0 is entered only when the others are taken.

    Args:
        ids: uint64[B], the counters of the draws.
        step: step number.
        key: run key.
        weights: attraction of each niche, `[K]`.

    """
    count, dtype = weights.shape[0], weights.dtype
    scope = randomness.uniform(key, step, Stream.SCOPE, ids, dtype=dtype)
    many = jnp.floor(scope * count).astype(jnp.int64)[:, None]
    first, second = randomness.words(key, step, Stream.SEGMENTS, ids[:, None], jnp.arange(count))
    floor = jnp.asarray(jnp.finfo(dtype).tiny, dtype)
    keys = -jnp.log(randomness.open_unit(first, dtype)) / jnp.maximum(weights, floor)[None, :]
    rank = jnp.argsort(jnp.argsort(keys, axis=1), axis=1)
    amount = jnp.where(rank <= many, -jnp.log(randomness.open_unit(second, dtype)), 0)
    return amount / exact.across(amount)[:, None]
