"""Rows put at places of arrays: by a loop where they are few, by a scatter where they are many.

On a processor XLA compiles a loop into one function, on one thread, unless something in it cannot
stand in a function; a scatter is such a thing. So a step of a small population without one is a
single function, where it was three hundred operations begun one by one; and the step of a large
population, which needs its threads, keeps its scatters. On an accelerator a loop would be taken row
by row: there rows are always scattered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

FEW = 256  # rows at once
SLOTS = 64 * FEW  # of a population that is changed by so few rows at once

type Combine = Literal["add", "max"]


def few(rows: int, *, all_slots: bool = False) -> bool:
    """Return whether rows, or all slots of a population, are few."""
    return rows <= (SLOTS if all_slots else FEW)


def put[T](columns: T, axes: Any, slots: Array, rows: T, *, one_by_one: bool) -> T:
    """Return columns with rows in slots; slots >= C are left out.

    Args:
        columns: a tree of arrays with C slots along an axis each.
        axes: that axis, a tree like it.
        slots: int64[B], all different; those that are left out stand last.
        rows: a tree of arrays with B rows along the axis.
        one_by_one: whether both are `few`.

    """
    (axis, column), *_ = zip(jax.tree.leaves(axes), jax.tree.leaves(columns), strict=True)
    capacity = column.shape[axis]

    def scattered() -> T:
        def one(axis: int, column: Array, values: Array) -> Array:
            place = column.at[(slice(None),) * axis + (slots,)]
            return place.set(values, mode="drop", unique_indices=True)

        result: T = jax.tree.map(one, axes, columns, rows)
        return result

    def row_by_row() -> T:
        def next_row(number: Array, columns: T) -> T:
            def one(axis: int, column: Array, values: Array) -> Array:
                own = jax.lax.dynamic_slice_in_dim(values, number, 1, axis)
                return jax.lax.dynamic_update_slice_in_dim(column, own, slots[number], axis)

            result: T = jax.tree.map(one, axes, columns, rows)
            return result

        result: T = jax.lax.fori_loop(0, jnp.sum(slots < capacity), next_row, columns)
        return result

    return _either(one_by_one, row_by_row, scattered)


def combined(
    start: Array, places: Array, values: Array, combine: Combine, *, one_by_one: bool
) -> Array:
    """Return an array with values added at places, or with the larger of both there.

    Args:
        start: `[n, ...]`; integers where they are added, so that the order is free.
        places: int[B], each from 0 to n - 1.
        values: `[B, ...]`.
        combine: what is done with a value and what is there.
        one_by_one: whether these are `few`.

    """

    def scattered() -> Array:
        at = start.at[places]
        return at.add(values) if combine == "add" else at.max(values)

    def row_by_row() -> Array:
        def next_row(number: Array, total: Array) -> Array:
            place = places[number]
            there = jax.lax.dynamic_slice_in_dim(total, place, 1)
            own = jax.lax.dynamic_slice_in_dim(values, number, 1)
            new = there + own if combine == "add" else jnp.maximum(there, own)
            return jax.lax.dynamic_update_slice_in_dim(total, new, place, 0)

        result: Array = jax.lax.fori_loop(0, places.shape[0], next_row, start)
        return result

    return _either(one_by_one, row_by_row, scattered)


def _either[T](one_by_one: bool, row_by_row: Callable[[], T], scattered: Callable[[], T]) -> T:
    if not one_by_one:
        return scattered()
    result: T = jax.lax.platform_dependent(cpu=row_by_row, default=scattered)
    return result
