"""Random numbers counted by (run, step, stream, lane, agent id): no state, no order.

A draw is the Threefry-2x32 block cipher (Salmon et al. 2011, SC11) of its counters, so it is the
same whatever slot, batch, capacity or worker the agent is computed in.
"""

from __future__ import annotations

import math
from enum import IntEnum, unique

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

_WORD = 0xFFFFFFFF
_TURNS = ((13, 15, 26, 6), (17, 29, 16, 24))  # bits of rotation (Salmon et al. 2011, table 2)
_MANY = 4096  # words from which on what reads them computes them on the way


@unique
class Stream(IntEnum):
    """What a draw is for; two purposes never share a draw."""

    START = 1
    STOCK = 2
    MUTATES = 3
    STEP = 4
    DEATH = 5
    PARENT = 6
    VICTIM = 7
    DISPERSAL = 8
    SHOCK = 9
    DRIFT = 10
    SPELL = 11
    STANDARD = 12
    FOUNDINGS = 13
    SCOPE = 14
    SEGMENTS = 15
    SHUFFLE = 16
    TURNED_AWAY = 17
    GROWTH = 18
    HAZARD = 19
    MERGER = 20
    PARTNER = 21
    SITE = 22
    CANDIDATE = 23
    FLUCTUATION = 24
    HABITAT = 25
    OFFSPRING = 26
    PASSES = 27
    METHOD = 28
    SWITCHES = 29
    EVENT = 30
    EVENT_AGENT = 31
    EVENT_TIME = 32
    MEASURED = 33
    NARROWS = 34
    REPERTOIRE = 35


def run_key(seed: int) -> Array:
    """Return the key of a run, uint32[2], from a seed below 2^63."""
    # Of its type from the start: a list would be converted by a program that is compiled for it.
    return jnp.asarray(np.array([seed >> 32, seed & _WORD], np.uint32))


def _cipher(key: tuple[Array, Array], high: Array, low: Array) -> tuple[Array, Array]:
    shape = jnp.broadcast_shapes(key[0].shape, high.shape, low.shape)
    words = (jnp.broadcast_to(word, shape) for word in (*key, high, low))
    drawn = _unrolled(*words)
    # Done before the next is begun: one expression inside another takes the compiler minutes.
    return drawn if math.prod(shape) >= _MANY else jax.lax.optimization_barrier(drawn)


def _unrolled(key: Array, other: Array, first: Array, second: Array) -> tuple[Array, Array]:
    """Return the two words of the cipher, as one expression.

    JAX's own primitive is a loop on a CPU, over rounds that write their words to memory: an eighth
    as fast.
    """
    keys = (key, other, key ^ other ^ jnp.uint32(0x1BD11BDA))
    first, second = first + keys[0], second + keys[1]
    for group in range(5):
        for turn in _TURNS[group % 2]:
            first = first + second
            second = first ^ ((second << turn) | (second >> (32 - turn)))
        first = first + keys[(group + 1) % 3]
        second = second + keys[(group + 2) % 3] + jnp.uint32(group + 1)
    return first, second


def _halves(number: Array) -> tuple[Array, Array]:
    number = number.astype(jnp.uint64)
    return (number >> 32).astype(jnp.uint32), (number & _WORD).astype(jnp.uint32)


def words(
    key: Array, step: Array, stream: Stream, ids: Array, lane: int | Array = 0
) -> tuple[Array, Array]:
    """Return two uint32 words for each agent.

    Args:
        key: run key, uint32[2].
        step: step number, integer scalar.
        stream: the purpose of the draw.
        ids: agent ids (uint64) or other counters, any shape.
        lane: which pair of words of this purpose; broadcasts against ids.

    """
    purpose = (jnp.asarray(lane).astype(jnp.uint32) << 8) | jnp.uint32(stream)
    low = jnp.asarray(step).astype(jnp.uint32)
    # Done before the next is begun: one expression inside another takes the compiler minutes.
    inner = jax.lax.optimization_barrier(_unrolled(key[0], key[1], purpose, low))
    return _cipher(inner, *_halves(ids))


def open_unit(word: Array, dtype: jnp.dtype | str) -> Array:
    """Return a uniform number strictly between 0 and 1, with 23 random bits in either precision."""
    bits = (word >> 9).astype(dtype)
    half = jnp.asarray(0.5, dtype)
    return (bits + half) * jnp.asarray(2.0**-23, dtype)


def uniform(
    key: Array,
    step: Array,
    stream: Stream,
    ids: Array,
    *,
    lane: int | Array = 0,
    dtype: jnp.dtype | str = "float32",
) -> Array:
    """Return one uniform (0, 1) number for each id."""
    return open_unit(words(key, step, stream, ids, lane)[0], dtype)


def happens(key: Array, step: Array, stream: Stream, ids: Array, probability: Array) -> Array:
    """Return for each id whether an event of this probability happens (resolution 2^-32)."""
    return below(words(key, step, stream, ids)[0], probability)


def below(word: Array, probability: Array) -> Array:
    """Return whether a random word lies in the share `probability` of all words; 1: always."""
    share = jnp.floor(probability.astype(jnp.float64) * 2.0**32)
    return word.astype(jnp.uint64) < share.astype(jnp.uint64)


def fine_uniform(key: Array, step: Array, stream: Stream, ids: Array) -> Array:
    """Return one float64 uniform number in (0, 1] for each id, as fine as float64 holds."""
    high, low = words(key, step, stream, ids)
    return (high.astype(jnp.float64) + (low.astype(jnp.float64) + 0.5) * 2.0**-32) * 2.0**-32


def normals(
    key: Array, step: Array, stream: Stream, ids: Array, *, count: int, dtype: jnp.dtype | str
) -> Array:
    """Return `count` standard normals for each id, shape ids.shape + (count,) (Box-Muller)."""
    lanes = jnp.arange((count + 1) // 2)
    first, second = words(key, step, stream, ids[..., None], lanes)
    radius = jnp.sqrt(-2 * jnp.log(open_unit(first, dtype)))
    angle = jnp.asarray(2 * jnp.pi, dtype) * open_unit(second, dtype)
    # Both are read twice, and would be drawn twice.
    radius, angle = jax.lax.optimization_barrier((radius, angle))
    if count == 1:
        return radius * jnp.cos(angle)
    pairs = jnp.stack([radius * jnp.cos(angle), radius * jnp.sin(angle)], axis=-1)
    return pairs.reshape(*ids.shape, -1)[..., :count]


def child_id(parent: Array, step: Array, number: Array) -> Array:
    """Return ids (uint64) derived from parent id, step and the child's number.

    Entrants without a parent use parent 0. Ids are 64 hashed bits: with 1e9 agents in all the
    chance that any two agree is 3 %; with 1e7 it is 3e-6.
    """
    high, low = _cipher(
        _halves(parent), jnp.asarray(step).astype(jnp.uint32), number.astype(jnp.uint32)
    )
    return (high.astype(jnp.uint64) << 32) | low.astype(jnp.uint64)


def generation_id(step: Array, rank: Array) -> Array:
    """Return ids (uint64) of a generation that replaces everybody: unique, ascending with rank.

    The rank, counted from 1, is the upper word and the step the lower one; founders have ids below
    2^32.
    """
    low = jnp.asarray(step).astype(jnp.uint32).astype(jnp.uint64)
    return (rank.astype(jnp.uint64) + 1) << 32 | low


def poisson_numbers(mean: Array, unit: Array) -> Array:
    """Return Poisson numbers (int64) of means `[N]`, by inversion of uniform numbers `[N]`.

    The terms of each distribution are added, from mean - 12 sqrt(mean) - 40 or 0 upwards, until
    their sum passes the uniform number. What lies further from the mean does not occur (1e-30).
    """
    reach = 12 * jnp.sqrt(mean) + 40
    first = jnp.floor(jnp.maximum(mean - reach, 0))
    some = jnp.where(first > 0, mean, 1)
    # In logarithms: exp(-mean) underflows from 745 on.
    within = jnp.exp(first * jnp.log(some) - mean - jax.scipy.special.gammaln(first + 1))
    term = jnp.where(first > 0, within, jnp.exp(-mean))
    most = jnp.max(mean + reach - first)

    def more(carry: tuple[Array, Array, Array, Array]) -> Array:
        added, _, below, _ = carry
        return jnp.any(unit > below) & (added < most)

    def add(carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        added, term, below, count = carry
        term = term * mean / (first + added + 1)
        return added + 1, term, below + term, count + (unit > below)

    start = (jnp.zeros((), mean.dtype), term, term, first.astype(jnp.int64))
    return jax.lax.while_loop(more, add, start)[3]


def poisson(key: Array, step: Array, mean: Array) -> Array:
    """Return one Poisson number (int64) for this step."""
    high, low = words(key, step, Stream.FOUNDINGS, jnp.zeros((), jnp.uint64))
    derived = jax.random.wrap_key_data(jnp.stack([high, low]), impl="threefry2x32")
    return jax.random.poisson(derived, mean.astype(jnp.float64), dtype=jnp.int64)
