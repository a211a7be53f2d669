"""What a search algorithm is: it asks for a point and is told its value, again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.search.space import Space


class Algorithm(NamedTuple):
    """Pure functions; state is any pytree of fixed shapes. Values are maximised."""

    begin: Callable[[Space, Array], Any]  # (space, key) -> state
    ask: Callable[[Space, Any, Array], Array]  # (space, state, key) -> point, int32 scalar
    tell: Callable[[Space, Any, Array, Array], Any]  # (space, state, point, value) -> state


def anywhere(space: Space, key: Array) -> Array:
    """Return a point drawn evenly."""
    return jax.random.randint(key, (), 0, space.size, jnp.int32)


def no_value() -> Array:
    """Return the value of what is not yet known."""
    return jnp.float32(-jnp.inf)
