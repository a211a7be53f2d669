"""Search by a model of what was seen: of the bits of good points, or of the whole function."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.search.algorithms.algorithm import Algorithm, no_value
from ecosim.search.space import Space

SAMPLE, SELECTED = 10, 4  # of a generation
WIDTH, BOLDNESS = 0.12, 0.3  # of the kernel, and what not knowing is worth


class Marginals(NamedTuple):
    """Probabilities of ones, and the sample so far."""

    ones: Array  # float32[n]
    points: Array  # int32[S]
    values: Array  # float32[S]
    drawn: Array  # int32


def _even(space: Space, key: Array) -> Marginals:
    half = jnp.full(space.length, 0.5, jnp.float32)
    return Marginals(half, jnp.zeros(SAMPLE, jnp.int32), jnp.full(SAMPLE, no_value()), jnp.int32(0))


def _sample(space: Space, state: Marginals, key: Array) -> Array:
    return space.point(jax.random.uniform(key, (space.length,), jnp.float32) < state.ones)


def _estimate(space: Space, state: Marginals, point: Array, value: Array) -> Marginals:
    points, values = (
        state.points.at[state.drawn].set(point),
        state.values.at[state.drawn].set(value),
    )
    good = space.bits[points[jnp.argsort(-values)[:SELECTED]]]
    share = jnp.mean(good.astype(jnp.float32), axis=0)
    least = 1 / space.length  # no bit is ever settled
    ones = jnp.clip((state.ones + 2 * share) / 3, least, 1 - least)
    full = state.drawn + 1 == SAMPLE
    return Marginals(
        jnp.where(full, ones, state.ones).astype(jnp.float32), points, values,
        jnp.where(full, 0, state.drawn + 1).astype(jnp.int32),
    )  # fmt: skip


# Univariate marginal distributions (Muehlenbein & Paass 1996, PPSN IV:178-187), with the memory of
# population-based incremental learning (Baluja 1994).
UNIVARIATE = Algorithm(_even, _sample, _estimate)


class Field(NamedTuple):
    """Kernel sums over what was tried, at every point."""

    weighted: Array  # float32[X]
    weights: Array  # float32[X]
    tried: Array  # bool[X]


def _empty(space: Space, key: Array) -> Field:
    zero = jnp.zeros(space.size, jnp.float32)
    return Field(zero, zero, jnp.zeros(space.size, bool))


def _boldest(space: Space, state: Field, key: Array) -> Array:
    mean = state.weighted / (state.weights + 1e-6)
    hope = mean + BOLDNESS / jnp.sqrt(1 + 4 * state.weights)
    # Ties, as at the start, are broken at random.
    noise = 1e-4 * jax.random.uniform(key, (space.size,), jnp.float32)
    return jnp.argmax(jnp.where(state.tried, -jnp.inf, hope + noise)).astype(jnp.int32)


def _learn(space: Space, state: Field, point: Array, value: Array) -> Field:
    away = jnp.sum((space.coordinates - space.coordinates[point]) ** 2, axis=1)
    weight = jnp.exp(-away / (2 * WIDTH**2)).astype(jnp.float32)
    return Field(
        state.weighted + weight * value, state.weights + weight, state.tried.at[point].set(True)
    )


# Kernel regression (Nadaraya 1964; Watson 1964) with an upper confidence bound (Auer 2002).
KERNEL = Algorithm(_empty, _boldest, _learn)
