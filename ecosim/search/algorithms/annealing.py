"""Simulated annealing (Kirkpatrick, Gelatt & Vecchi 1983, Science 220:671-680)."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.search.algorithms.algorithm import Algorithm, anywhere, no_value
from ecosim.search.space import Space

START = 0.2  # temperature, in units of the range of values
COOLING = 0.95  # factor an evaluation: it needs no horizon


class State(NamedTuple):
    """A place, its temperature and the draw that decides about the next."""

    point: Array  # int32
    value: Array  # float32
    temperature: Array  # float32
    key: Array


def _begin(space: Space, key: Array) -> State:
    own, other = jax.random.split(key)
    return State(anywhere(space, own), no_value(), jnp.float32(START), other)


def _ask(space: Space, state: State, key: Array) -> Array:
    bit = jax.random.randint(key, (), 0, space.length)
    return jnp.where(jnp.isfinite(state.value), space.flipped(state.point, bit), state.point)


def _tell(space: Space, state: State, point: Array, value: Array) -> State:
    key, own = jax.random.split(state.key)
    risk = state.temperature * jnp.log(jax.random.uniform(own, (), jnp.float32, 1e-7))
    moves = value >= state.value + risk  # probability exp((new - old)/T)
    return State(
        jnp.where(moves, point, state.point), jnp.where(moves, value, state.value),
        state.temperature * jnp.float32(COOLING), key,
    )  # fmt: skip


ANNEALING = Algorithm(_begin, _ask, _tell)
