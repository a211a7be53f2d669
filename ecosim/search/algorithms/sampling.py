"""Search that learns nothing: random and systematic sampling."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ecosim.search.algorithms.algorithm import Algorithm, anywhere
from ecosim.search.space import Space


def _next(space: Space, state: Array, key: Array) -> Array:
    return state


def _onwards(space: Space, state: Array, point: Array, value: Array) -> Array:
    return ((state + 1) % space.size).astype(jnp.int32)


RANDOM = Algorithm(
    begin=lambda space, key: jnp.int32(0),
    ask=lambda space, state, key: anywhere(space, key),
    tell=lambda space, state, point, value: state,
)
# Row by row through the grid, from a random cell on.
SWEEP = Algorithm(begin=anywhere, ask=_next, tell=_onwards)
