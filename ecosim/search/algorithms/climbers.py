"""Hill climbers on bit strings: neighbours differ in one bit."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.search.algorithms.algorithm import Algorithm, anywhere, no_value
from ecosim.search.space import Space


class Place(NamedTuple):
    """Where a climber stands."""

    point: Array  # int32
    value: Array  # float32; -inf before the first evaluation


def _stand(space: Space, key: Array) -> Place:
    return Place(anywhere(space, key), no_value())


def _known(value: Array) -> Array:
    return jnp.isfinite(value)


def _neighbour(space: Space, state: Place, key: Array) -> Array:
    bit = jax.random.randint(key, (), 0, space.length)
    return jnp.where(_known(state.value), space.flipped(state.point, bit), state.point)


def _no_worse(space: Space, state: Place, point: Array, value: Array) -> Place:
    better = value >= state.value
    return Place(jnp.where(better, point, state.point), jnp.where(better, value, state.value))


# Random local search: a random neighbour, kept unless it is worse
# (Droste, Jansen & Wegener 2002, Theor Comput Sci 276:51-81).
FIRST = Algorithm(_stand, _neighbour, _no_worse)


class Round(NamedTuple):
    """A climber that looks at all n neighbours before it moves."""

    here: Place
    best: Place  # of the neighbours so far in this round
    looked: Array  # int32, at how many neighbours
    start: Array  # int32, where to begin again


def _first_round(space: Space, key: Array) -> Round:
    here = _stand(space, key)
    return Round(here, Place(here.point, no_value()), jnp.int32(0), here.point)


def _look(space: Space, state: Round, key: Array) -> Array:
    beside = space.flipped(state.here.point, state.looked)
    return jnp.where(_known(state.here.value), beside, state.here.point)


def _moves(space: Space, state: Round, point: Array, value: Array, *, uphill: bool) -> Round:
    first = ~_known(state.here.value)
    best = _no_worse(space, state.best, point, value)
    looked = state.looked + 1
    ends = ~first & (looked == space.length)
    better = best.value > state.here.value if uphill else jnp.bool_(True)
    # A local optimum: on to a place at a fixed, far stride from the last start.
    again = ((state.start + (5 * space.size) // 13) % space.size).astype(jnp.int32)
    restart = ends & ~better
    point_on = jnp.where(ends, jnp.where(better, best.point, again), state.here.point)
    value_on = jnp.where(ends, jnp.where(better, best.value, no_value()), state.here.value)
    here = Place(jnp.where(first, point, point_on), jnp.where(first, value, value_on))
    fresh = first | ends
    return Round(
        here,
        Place(jnp.where(fresh, here.point, best.point), jnp.where(fresh, no_value(), best.value)),
        jnp.where(fresh, 0, looked).astype(jnp.int32),
        jnp.where(restart, again, state.start),
    )


def _steepest(space: Space, state: Round, point: Array, value: Array) -> Round:
    return _moves(space, state, point, value, uphill=True)


def _onwards(space: Space, state: Round, point: Array, value: Array) -> Round:
    return _moves(space, state, point, value, uphill=False)


# The best of all neighbours, or a new start at a local optimum.
STEEPEST = Algorithm(_first_round, _look, _steepest)
# The best of all untried neighbours, also where it is worse: what was tried is tabu, since no point
# is tried twice (Glover 1989, ORSA J Comput 1:190-206).
TABU = Algorithm(_first_round, _look, _onwards)


class Pair(NamedTuple):
    """A climber, and whether the opposite of its last point is due."""

    here: Place
    last: Array  # int32 point
    due: Array  # bool


def _pair(space: Space, key: Array) -> Pair:
    here = _stand(space, key)
    return Pair(here, here.point, jnp.bool_(False))


def _turn(space: Space, state: Pair, key: Array) -> Array:
    beside = _neighbour(space, state.here, key)
    return jnp.where(state.due, space.opposite(state.last), beside)


def _turned(space: Space, state: Pair, point: Array, value: Array) -> Pair:
    return Pair(_no_worse(space, state.here, point, value), point, ~state.due)


# Each new point together with its opposite (Tizhoosh 2005, CIMCA 1:695-701).
OPPOSITION = Algorithm(_pair, _turn, _turned)
