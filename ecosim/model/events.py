"""The log of births and deaths, filled inside the compiled loop and emptied by the host."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model.population import Population


class Log(NamedTuple):
    """E rows, of which the first `used` hold events."""

    used: Array  # int64 scalar
    step: Array  # int64[E] the step that the event ends
    born: Array  # bool[E] birth or entry; otherwise death or exit
    id: Array  # uint64[E]
    parent: Array  # uint64[E]
    lineage: Array  # uint64[E]
    niche: Array  # int32[E]
    breadth: Array  # float[E]
    stock: Array  # float[E]
    age: Array  # int32[E]


def empty(rows: int, dtype: str) -> Log:
    """Return a log with room for `rows` events."""
    u, i = jnp.uint64, jnp.int32
    kinds = (jnp.int64, bool, u, u, u, i, dtype, dtype, i)
    return Log(jnp.zeros((), jnp.int64), *(jnp.zeros(rows, kind) for kind in kinds))


def noted(log: Log, population: Population, who: Array, *, step: Array, born: bool) -> Log:
    """Return the log with one event for each agent of the mask `who` `[C]`."""
    room = log.step.shape[0]
    row = jnp.where(who, log.used + jnp.cumsum(who) - 1, room)
    values = (
        jnp.broadcast_to(step, who.shape), jnp.full(who.shape, born), population.id,
        population.parent, population.lineage, population.niche, population.breadth,
        population.stock, population.age,
    )  # fmt: skip
    columns = (
        column.at[row].set(value, mode="drop")
        for column, value in zip(log[1:], values, strict=True)
    )
    return Log(log.used + jnp.sum(who), *columns)
