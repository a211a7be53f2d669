"""The log of births and deaths, filled inside the compiled loop and emptied by the host."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model.population import Population


class Kind(IntEnum):
    """What happened to an agent."""

    END = 0  # death or exit
    START = 1  # birth or entry
    MERGER = 2  # exit by merger; the parent logged is the acquirer


class Log(NamedTuple):
    """E rows, of which the first `used` hold events."""

    used: Array  # int64 scalar
    step: Array  # int64[E] the step that the event ends
    kind: Array  # int8[E] Kind
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
    kinds = (jnp.int64, jnp.int8, u, u, u, i, dtype, dtype, i)
    return Log(jnp.zeros((), jnp.int64), *(jnp.zeros(rows, kind) for kind in kinds))


def noted(log: Log, population: Population, who: Array, *, step: Array, kind: Kind) -> Log:
    """Return the log with one event for each agent of the mask `who` `[C]`."""
    room = log.step.shape[0]
    row = jnp.where(who, log.used + jnp.cumsum(who) - 1, room)
    values = (
        jnp.broadcast_to(step, who.shape), jnp.full(who.shape, kind, jnp.int8), population.id,
        population.parent, population.lineage, population.niche, population.breadth,
        population.stock, population.age,
    )  # fmt: skip
    columns = (
        column.at[row].set(value, mode="drop")
        for column, value in zip(log[1:], values, strict=True)
    )
    return Log(log.used + jnp.sum(who), *columns)


def ended(
    log: Log, population: Population, who: Array, acquirer: Array | None, *, step: Array
) -> Log:
    """Return the log with the ends of the agents of the mask `who` `[C]`.

    Args:
        log: the log.
        population: the agents before they left.
        who: which of them leave.
        acquirer: id of the firm that acquired each, uint64[C], 0: none; None: there are no mergers.
        step: the step that the events end.

    """
    if acquirer is None:
        return noted(log, population, who, step=step, kind=Kind.END)
    sold = who & (acquirer > 0)
    log = noted(log, population, who & ~sold, step=step, kind=Kind.END)
    return noted(log, population._replace(parent=acquirer), sold, step=step, kind=Kind.MERGER)
