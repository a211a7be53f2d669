"""Columns that users add: one value an agent, inherited by newborns or set to a default."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecosim.agents.columns import Columns


class ExtraColumns:
    """Host columns `[C]` beside those of the population, kept in step with births and deaths.

    Numbers are kept as numbers; a column turns to a wider type when a value needs it.
    """

    def __init__(self) -> None:
        """Begin without a column."""
        self.values: dict[str, np.ndarray] = {}
        self._defaults: dict[str, Any] = {}
        self._inherited: set[str] = set()

    def add(self, columns: Columns, name: str, default: Any, *, inherit: bool) -> None:
        """Add a column that holds the default for everybody."""
        self.values[name] = _full(columns.capacity, default)
        self._defaults[name] = default
        if inherit:
            self._inherited.add(name)

    def set(self, name: str, slots: np.ndarray, values: Any) -> None:
        """Set a column in slots `[n]` to one value, or to an array, or list of numbers, `[n]`."""
        column = self.values[name]
        per_agent = hasattr(values, "__array__") and np.shape(values) == slots.shape
        if not per_agent and isinstance(values, list) and column.dtype != object:
            per_agent = len(values) == len(slots)
        new = np.asarray(values) if per_agent else _full(len(slots), values)
        if new.dtype != column.dtype:
            column = self.values[name] = column.astype(_common(column.dtype, new.dtype))
        column[slots] = new

    def follow(self, columns: Columns, ids: np.ndarray, alive: np.ndarray) -> None:
        """Give newborns their values.

        Args:
            columns: the population after a step.
            ids: the ids before that step, uint64[C].
            alive: who lived before that step, bool[C].

        """
        if not self.values:
            return
        grown = columns.capacity - len(ids)
        slots = columns.living
        before_ids, before_alive = (np.pad(column, (0, grown)) for column in (ids, alive))
        new = slots[(columns["id"][slots] != before_ids[slots]) | ~before_alive[slots]]
        parents = _slots_of(columns["parent"][new], ids, alive) if self._inherited else None
        for name, column in self.values.items():
            wide = np.concatenate([column, _full(grown, self._defaults[name])])
            fresh = _full(len(new), self._defaults[name]).astype(wide.dtype)
            if name in self._inherited and parents is not None:
                fresh[parents >= 0] = column[parents[parents >= 0]]
            wide[new] = fresh
            self.values[name] = wide


def _slots_of(wanted: np.ndarray, ids: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Return the slots of the agents of given ids, -1 for those who are not there."""
    living = np.flatnonzero(alive)
    if not len(living):
        return np.full(len(wanted), -1)
    order = living[np.argsort(ids[living])]
    place = np.minimum(np.searchsorted(ids[order], wanted), len(order) - 1)
    return np.where(ids[order[place]] == wanted, order[place], -1)


def _full(count: int, value: Any) -> np.ndarray:
    """Return `count` times a value: bool, int64 or float64 where that holds it, else objects."""
    if isinstance(value, bool | np.bool_):
        return np.full(count, value, bool)
    if isinstance(value, int | np.integer) and -(2**63) <= value < 2**63:
        return np.full(count, value, np.int64)
    if isinstance(value, float | np.floating):
        return np.full(count, value, np.float64)
    column = np.empty(count, object)
    for row in range(count):
        column[row] = value
    return column


def _common(first: np.dtype, second: np.dtype) -> np.dtype:
    """Return a type that holds both; kinds that are not both numbers are kept as objects."""
    numbers = "iuf"
    if first.kind in numbers and second.kind in numbers:
        return np.result_type(first, second)
    return first if first == second else np.dtype(object)
