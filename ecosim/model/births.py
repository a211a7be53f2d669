"""Births: the one place where newborns are written, in chunks, never dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model.population import Agents, Population, Rows, place
from ecosim.model.slots import nth_true
from ecosim.model.structure import Kinds


class Turnover(NamedTuple):
    """What selection decided: columns after the step, who dies, who is born."""

    population: Population  # columns updated; `alive` still as before the deaths
    dies: Array  # bool[C]
    births: Array  # int64 scalar
    refused: Array  # int64 scalar: births that population.limit turned away
    vacant: Array  # bool[C] slots that newborns may take
    newborns: Callable[[Population, Array], Rows]  # (population so far, ranks [B]) -> rows


def chunk(capacity: int) -> int:
    """Return how many newborns are written at once: a 64th of the slots, in whole blocks."""
    return max(64, capacity // 64 // 64 * 64)


def settle(kinds: Kinds, agents: Agents, turnover: Turnover) -> Population:
    """Return the population after deaths and births; births must fit the vacant slots."""
    before = turnover.population
    capacity = before.alive.shape[0]
    size = chunk(capacity)
    population = before._replace(alive=before.alive & ~turnover.dies)
    vacant = turnover.vacant

    def more(carry: tuple[Array, Population]) -> Array:
        return carry[0] < turnover.births

    def write(carry: tuple[Array, Population]) -> tuple[Array, Population]:
        start, population = carry
        rank = start + jnp.arange(size)
        slots = jnp.where(rank < turnover.births, nth_true(vacant, rank), capacity + rank)
        rows = turnover.newborns(population, rank)
        return start + size, place(kinds, agents, population, slots, rows)

    return jax.lax.while_loop(more, write, (jnp.zeros((), jnp.int64), population))[1]
