"""Direct search in the box [0, 1]^2: the simplex of Nelder and Mead, and pattern search."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.search.algorithms.algorithm import Algorithm, no_value
from ecosim.search.space import Space

# Phases of the simplex: what the point asked for is.
_FILL, _REFLECT, _EXPAND, _CONTRACT = 0, 1, 2, 3


class Simplex(NamedTuple):
    """Three corners, the phase, and the reflected point while an expansion is tried."""

    corners: Array  # float32[3, 2]
    values: Array  # float32[3]; -inf: to be evaluated
    phase: Array  # int32
    held: Array  # float32[2]
    held_value: Array  # float32


def _triangle(space: Space, key: Array) -> Simplex:
    first = jax.random.uniform(key, (2,), jnp.float32, 0.1, 0.9)
    inwards = jnp.where(first < 0.5, 0.3, -0.3).astype(jnp.float32)
    corners = jnp.stack([first, first + inwards * jnp.array([1.0, 0.0], jnp.float32),
                         first + inwards * jnp.array([0.0, 1.0], jnp.float32)])  # fmt: skip
    return Simplex(corners, jnp.full(3, no_value()), jnp.int32(_FILL), first, no_value())


def _proposal(space: Space, state: Simplex, key: Array) -> Array:
    low = jnp.argmin(state.values)  # the worst corner, or the next to fill
    worst = state.corners[low]
    rest = (jnp.sum(state.corners, axis=0) - worst) / 2
    along = jnp.array([0.0, 1.0, 2.0, -0.5], jnp.float32)[state.phase]
    moved = rest + along * (rest - worst)
    return space.nearest(jnp.where(state.phase == _FILL, worst, moved))


def _simplex(space: Space, state: Simplex, point: Array, value: Array) -> Simplex:
    place = space.coordinates[point]
    low, high = jnp.argmin(state.values), jnp.max(state.values)
    second = jnp.sort(state.values)[1]
    phase = state.phase
    # A reflection better than all is held while an expansion is tried; the better of both stays.
    expands = (phase == _REFLECT) & (value > high)
    contracts = (phase == _REFLECT) & (value <= second)
    won = (phase == _EXPAND) & (state.held_value > value)
    place = jnp.where(won, state.held, place)
    value = jnp.where(won, state.held_value, value)
    shrinks = (phase == _CONTRACT) & (value <= state.values[low])
    takes = ~(expands | contracts | shrinks)
    corners = jnp.where(takes, state.corners.at[low].set(place), state.corners)
    values = jnp.where(takes, state.values.at[low].set(value), state.values)
    best = jnp.argmax(state.values)
    halved = (state.corners + state.corners[best]) / 2
    kept = jnp.where(jnp.arange(3) == best, state.values, no_value())
    corners, values = jnp.where(shrinks, halved, corners), jnp.where(shrinks, kept, values)
    filling = jnp.any(~jnp.isfinite(values))
    after = jnp.where(filling, _FILL, _REFLECT)
    after = jnp.where(expands, _EXPAND, jnp.where(contracts, _CONTRACT, after))
    return Simplex(corners, values, after.astype(jnp.int32), place, value)


# Nelder & Mead 1965, Comput J 7:308-313, with inner contractions only; shrunk corners are
# evaluated one by one.
NELDER_MEAD = Algorithm(_triangle, _proposal, _simplex)


class Pattern(NamedTuple):
    """A place, the width of the pattern, and which of its four arms is next."""

    place: Array  # float32[2]
    value: Array  # float32
    width: Array  # float32
    arm: Array  # int32


def _cross(space: Space, key: Array) -> Pattern:
    return Pattern(
        jax.random.uniform(key, (2,), jnp.float32), no_value(), jnp.float32(0.25), jnp.int32(0)
    )


def _arm(space: Space, state: Pattern, key: Array) -> Array:
    arms = jnp.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], jnp.float32)
    moved = state.place + state.width * arms[state.arm]
    return space.nearest(jnp.where(jnp.isfinite(state.value), moved, state.place))


def _poll(space: Space, state: Pattern, point: Array, value: Array) -> Pattern:
    better = value > state.value
    round_done = ~better & (state.arm == 3)
    width = jnp.where(round_done, state.width / 2, state.width)
    # At the width of a cell the pattern opens again.
    width = jnp.where(width < 1 / jnp.sqrt(jnp.float32(space.size)), 0.25, width)
    return Pattern(
        jnp.where(better, space.coordinates[point], state.place),
        jnp.where(better, value, state.value),
        width.astype(jnp.float32),
        jnp.where(better, state.arm, (state.arm + 1) % 4).astype(jnp.int32),
    )


# Compass search (Hooke & Jeeves 1961; Kolda, Lewis & Torczon 2003, SIAM Rev 45:385-482); an arm
# that succeeded is tried again.
PATTERN = Algorithm(_cross, _arm, _poll)
