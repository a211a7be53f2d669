"""Evolution strategies and differential evolution in the box [0, 1]^2."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.search.algorithms.algorithm import Algorithm, no_value
from ecosim.search.space import Space

PARENTS, CHILDREN = 2, 6  # of the strategy with a population
MEMBERS = 8  # of differential evolution
SCALE, CROSSING = 0.7, 0.9  # of differential evolution


class One(NamedTuple):
    """One parent and its step."""

    place: Array  # float32[2]
    value: Array  # float32
    step: Array  # float32


def _one(space: Space, key: Array) -> One:
    return One(jax.random.uniform(key, (2,), jnp.float32), no_value(), jnp.float32(0.25))


def _step(space: Space, state: One, key: Array) -> Array:
    moved = state.place + state.step * jax.random.normal(key, (2,), jnp.float32)
    return space.nearest(jnp.where(jnp.isfinite(state.value), moved, state.place))


def _fifth(space: Space, state: One, point: Array, value: Array) -> One:
    better = value >= state.value
    factor = jnp.where(better, jnp.exp(0.4), jnp.exp(-0.1)).astype(jnp.float32)
    return One(
        jnp.where(better, space.coordinates[point], state.place),
        jnp.where(better, value, state.value),
        jnp.clip(state.step * factor, 0.01, 0.5),
    )


# (1+1) with the rule of one success in five (Rechenberg 1973; Kern et al. 2004, Nat Comput 3:77).
ONE_PLUS_ONE = Algorithm(_one, _step, _fifth)


class Brood(NamedTuple):
    """A generation under way: the parents' mean and step, and the children so far."""

    mean: Array  # float32[2]
    step: Array  # float32
    places: Array  # float32[L, 2]
    values: Array  # float32[L]
    born: Array  # int32


def _brood(space: Space, key: Array) -> Brood:
    return Brood(
        jax.random.uniform(key, (2,), jnp.float32), jnp.float32(0.25),
        jnp.zeros((CHILDREN, 2), jnp.float32), jnp.full(CHILDREN, no_value()), jnp.int32(0),
    )  # fmt: skip


def _child(space: Space, state: Brood, key: Array) -> Array:
    return space.nearest(state.mean + state.step * jax.random.normal(key, (2,), jnp.float32))


def _recombine(space: Space, state: Brood, point: Array, value: Array) -> Brood:
    places = state.places.at[state.born].set(space.coordinates[point])
    values = state.values.at[state.born].set(value)
    best = places[jnp.argsort(-values)[:PARENTS]]
    mean = jnp.mean(best, axis=0)
    # The parents' mean moved by `moved` steps; it would by 1 without selection.
    moved = jnp.sqrt(jnp.sum((mean - state.mean) ** 2) * PARENTS / 2) / state.step
    step = jnp.clip(state.step * jnp.exp(0.6 * (moved - 1)), 0.02, 0.4)
    full = state.born + 1 == CHILDREN
    return Brood(
        jnp.where(full, mean, state.mean), jnp.where(full, step, state.step).astype(jnp.float32),
        places, values, jnp.where(full, 0, state.born + 1).astype(jnp.int32),
    )  # fmt: skip


# (2/2, 6) with intermediate recombination; the step follows the length of the mean's path, of
# memory one generation (Hansen & Ostermeier 2001, Evol Comput 9:159-195).
STRATEGY = Algorithm(_brood, _child, _recombine)


class Members(NamedTuple):
    """A population, and whose turn it is."""

    places: Array  # float32[P, 2]
    values: Array  # float32[P]
    turn: Array  # int32


def _members(space: Space, key: Array) -> Members:
    places = jax.random.uniform(key, (MEMBERS, 2), jnp.float32)
    return Members(places, jnp.full(MEMBERS, no_value()), jnp.int32(0))


def _mutant(space: Space, state: Members, key: Array) -> Array:
    draw, cross = jax.random.split(key)
    turn = state.turn
    # Three others, all different, and not the one whose turn it is.
    rank = jnp.where(
        jnp.arange(MEMBERS) == turn, 2.0, jax.random.uniform(draw, (MEMBERS,), jnp.float32)
    )
    a, b, c = (state.places[other] for other in jnp.argsort(rank)[:3])
    mutant = a + SCALE * (b - c)
    crosses = jax.random.uniform(cross, (2,), jnp.float32) < CROSSING
    trial = jnp.where(crosses, mutant, state.places[turn])
    return space.nearest(jnp.where(jnp.isfinite(state.values[turn]), trial, state.places[turn]))


def _replace(space: Space, state: Members, point: Array, value: Array) -> Members:
    turn = state.turn
    better = value >= state.values[turn]
    place = jnp.where(better, space.coordinates[point], state.places[turn])
    return Members(
        state.places.at[turn].set(place),
        state.values.at[turn].set(jnp.where(better, value, state.values[turn])),
        ((turn + 1) % MEMBERS).astype(jnp.int32),
    )


# DE/rand/1/bin (Storn & Price 1997, J Glob Optim 11:341-359).
DIFFERENTIAL = Algorithm(_members, _mutant, _replace)
