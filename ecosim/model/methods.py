"""Methods that measured agents search or learn with, where nobody hands them down."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ecosim.model import randomness
from ecosim.model.randomness import Stream
from ecosim.model.structure import Kinds


def at_random(kinds: Kinds, ids: Array, step: Array, key: Array) -> Array:
    """Return a method drawn evenly for each id, int32[B, 1]; none (`[B, 0]`) where none is used."""
    if not kinds.methods:
        return jnp.zeros((*ids.shape, 0), jnp.int32)
    unit = randomness.fine_uniform(key, step, Stream.METHOD, ids)
    number = jnp.floor(unit * kinds.methods).astype(jnp.int32)
    return jnp.minimum(number, kinds.methods - 1)[:, None]
