"""Masks of slots as bits: an eighth of the bytes, and counted a word at a time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

WORD = 64  # slots of a word


def packed(mask: Array) -> Array:
    """Return a mask `[C]`, C in whole words, as uint64[C / 64], its first slots in low bits."""
    eights = jax.lax.bitcast_convert_type(mask.astype(jnp.uint8).reshape(-1, 8), jnp.uint64)
    # Eight bytes that are 0 or 1 meet in the highest byte, each at a bit of its own.
    bits = (eights * jnp.uint64(0x0102040810204080)) >> 56
    places = jnp.arange(0, WORD, 8, dtype=jnp.uint64)
    return jnp.sum(bits.reshape(-1, 8) << places[None, :], axis=1)


def counts(words: Array) -> Array:
    """Return how many bits of each word are set, int32."""
    return jax.lax.population_count(words).astype(jnp.int32)


def nth(bits: Array, rank: Array) -> Array:
    """Return the place (int64) of the set bit of a rank counted from 0, which must be there."""
    left, place = rank.astype(jnp.uint64), jnp.zeros(bits.shape, jnp.uint64)
    for width in (32, 16, 8, 4, 2, 1):
        here = (bits >> place) & jnp.uint64((1 << width) - 1)
        lower = jax.lax.population_count(here)
        passed = left >= lower
        left = jnp.where(passed, left - lower, left)
        place = place + passed.astype(jnp.uint64) * jnp.uint64(width)
    return place.astype(jnp.int64)
