"""Repertoires: niches that a lineage takes up one by one, and loses but one at a time.

Each niche in use leads to further ones, so that broad lineages broaden faster (host-range
expansion), until a daughter keeps a single one (specialisation): the oscillation hypothesis of Janz
& Nylin 2008 (in Tilmon, ed., Specialization, Speciation, and Radiation, 203-215). Without selection
it is Yule's process (1925, Phil Trans R Soc B 213:21-87), whose breadths have a heavy tail:
`ecosim.theory.repertoire`. Hardy & Otto 2014 (Proc R Soc B 281:20132960) find no sign that
specialisation goes with speciation in butterflies; here it goes with births, whatever they are.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ecosim.model import randomness
from ecosim.model.randomness import Stream


def inherited(
    allocation: Array,
    ids: Array,
    *,
    step: Array,
    key: Array,
    gain: Array,
    narrowing: Array,
    most: int | None = None,
) -> Array:
    """Return allocations `[B, K]` of newborns, even over the niches that each uses.

    With probability `narrowing` one niche of the parent's, drawn at random; otherwise all of them,
    and for each of them with probability `gain` one more, drawn at random from those not in use
    (while there are any, and up to `most` in all).

    Args:
        allocation: of the parents, `[B, K]`; above 0 is in use.
        ids: of the newborns, uint64[B].
        step: step number.
        key: run key.
        gain: probability for each niche in use.
        narrowing: probability for each birth.
        most: niches that an agent can use; None: all K.

    """
    used = allocation > 0
    many = jnp.sum(used, axis=1, keepdims=True)
    count = allocation.shape[1]
    first, second = randomness.words(key, step, Stream.REPERTOIRE, ids[:, None], jnp.arange(count))
    gained = jnp.sum(used & randomness.below(first, gain), axis=1, keepdims=True)
    # A random order, no two alike, in which the niches not in use come before those in use.
    place = jnp.where(used, jnp.uint64(1 << 63), jnp.uint64(0))
    place |= (second.astype(jnp.uint64) << 31) | jnp.arange(count, dtype=jnp.uint64)
    order = jnp.sort(place, axis=1)
    least = jnp.take_along_axis(order, count - many, axis=1)  # of those in use
    bound = jnp.take_along_axis(order, jnp.minimum(gained, (most or count) - many), axis=1)
    narrows = randomness.happens(key, step, Stream.NARROWS, ids, narrowing)[:, None]
    taken = jnp.where(narrows, place == least, used | (place < bound))
    return _even(taken, allocation)


def _even(taken: Array, allocation: Array) -> Array:
    each = 1 / jnp.sum(taken, axis=1, keepdims=True).astype(allocation.dtype)
    return jnp.where(taken, each, jnp.zeros((), allocation.dtype))


def kept(
    places: Array, shares: Array, ids: Array, *, step: Array, key: Array, gain: Array,
    narrowing: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Return shares `[B, m]` of newborns that use what their parents do, and who uses others.

    Whether a newborn narrows or gains is read off the niches in use, so that the few that do can
    be described on all niches by `inherited`, and the others need not be.

    Args:
        places: niches of the parents, int32[B, m].
        shares: of the parents, `[B, m]`.
        ids: of the newborns, uint64[B].
        step: step number.
        key: run key.
        gain: probability for each niche in use.
        narrowing: probability for each birth.

    """
    used = shares > 0
    first, _ = randomness.words(key, step, Stream.REPERTOIRE, ids[:, None], places)
    gains = jnp.any(used & randomness.below(first, gain), axis=1)
    narrows = randomness.happens(key, step, Stream.NARROWS, ids, narrowing)
    return _even(used, shares), gains | narrows
