"""Counts of agents by breadth, fine enough for quantiles: breadths to eight significant bits.

A class holds the breadths that round to one number of eight significant bits, 128 classes from
each power of two to the next (as in HdrHistogram, Tene 2012). What represents a class is then
within a share of 2^-8 of all its members at any number of niches, and whole breadths up to 256
are represented by themselves. Classes are read off the bits of a number: no logarithm rounds.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

SHARES = {"breadth_q05": 1, "breadth_q50": 10, "breadth_q95": 19}  # in twentieths of the agents
_DROPPED = 23 - 7  # bits of a float32 that do not tell classes apart
_BLOCK = 16  # classes that are counted through where a quantile lies
_HALF = 1 << (_DROPPED - 1)
_FIRST = int(np.float32(1).view(np.int32)) >> _DROPPED  # the class of breadth 1


def classes(niches: int) -> int:
    """Return the number of classes of breadth on [1, K]."""
    return ((int(np.float32(niches).view(np.int32)) + _HALF) >> _DROPPED) - _FIRST + 1


def class_of(breadth: Array, niches: int) -> Array:
    """Return the class of each breadth, int32 from 0, same shape; outside [1, K]: the nearest."""
    bits = jax.lax.bitcast_convert_type(breadth.astype(jnp.float32), jnp.int32)
    return jnp.clip(((bits + _HALF) >> _DROPPED) - _FIRST, 0, classes(niches) - 1)


def quantiles(counts: Array) -> dict[str, Array]:
    """Return quantiles of breadth, float64 scalars by name; NaN where nobody lives.

    The quantile of a share q is the breadth of the agent of rank ceil(q n) of n, to 8 significant
    bits: within a share of 2^-8 (0.4 %) of it.

    Args:
        counts: agents by class, int64.

    """
    blocks = jnp.pad(counts, (0, -counts.shape[0] % _BLOCK)).reshape(-1, _BLOCK)
    ends = jnp.cumsum(jnp.sum(blocks, axis=1))
    total = ends[-1]
    ranks = jnp.stack([(twentieths * total + 19) // 20 for twentieths in SHARES.values()])
    # Only the block that holds an agent is counted through: all together are hundreds of classes.
    block = jnp.searchsorted(ends, ranks, method="compare_all").astype(jnp.int64)
    own = blocks[block]
    up_to = ends[block][:, None] - jnp.sum(own, axis=1)[:, None] + jnp.cumsum(own, axis=1)
    places = block * _BLOCK + jnp.sum(up_to < ranks[:, None], axis=1)
    bits = (places.astype(jnp.int32) + _FIRST) << _DROPPED
    values = jax.lax.bitcast_convert_type(bits, jnp.float32).astype(jnp.float64)
    told = jnp.where(total > 0, values, jnp.nan)
    return {name: told[number] for number, name in enumerate(SHARES)}
