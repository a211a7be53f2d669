"""Attributes of agents that are read from, and some written to, columns of the population."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ecosim.agents.columns import Columns
    from ecosim.agents.row import RowAgent


class Column:
    """An attribute of an agent that is read from a column of the population."""

    def __init__(
        self,
        column: str,
        doc: str,
        *,
        why_fixed: str = "",
        write: Callable[[Columns, np.ndarray, Any], None] | None = None,
        part: Callable[[np.ndarray], np.ndarray] | None = None,
        read: Callable[[Columns, Any], np.ndarray] | None = None,
    ) -> None:
        """Describe the attribute.

        Args:
            column: its name in the population.
            doc: what it is.
            why_fixed: why it cannot be set; read where `write` is missing.
            write: sets it for the agents in slots `[n]`.
            part: takes the attribute out of rows `[n, ...]` of the column.
            read: gives rows `[n, K]` of slots `[n]`, or `[K]` of one, instead of the column.

        """
        self.column = column
        self.write = write
        self.part = part
        self.read = read
        self.why_fixed = why_fixed
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the attribute's name."""
        self.name = name

    def __get__(self, agent: RowAgent | None, owner: type | None = None) -> Any:
        """Return a Python number, or for an allocation a read-only row `[K]`."""
        if agent is None:
            return self
        slot = agent.slot()
        if self.read is not None:
            row = self.read(agent.model.columns, slot)
            row.flags.writeable = False
            return row
        column = agent.model.columns[self.column]
        if self.part is not None:
            return self.part(column[slot : slot + 1]).item()
        return column.item(slot)

    def __set__(self, agent: RowAgent, value: Any) -> None:
        """Set the attribute before the next step, or say why it cannot be set."""
        if self.write is None:
            raise AttributeError(f"{self.name} cannot be set: {self.why_fixed}")
        self.write(agent.model.columns, np.array([agent.slot()]), value)

    def of(self, columns: Columns, slots: np.ndarray) -> np.ndarray:
        """Return the attribute of the agents in slots, a new array `[n]` or `[n, K]`."""
        rows = columns[self.column][slots] if self.read is None else self.read(columns, slots)
        return rows if self.part is None else self.part(rows)


class AxisColumn(Column):
    """An attribute that only agents on an axis of niches have."""

    def __get__(self, agent: RowAgent | None, owner: type | None = None) -> Any:
        """Return a Python number."""
        if agent is not None:
            self._need_axis(agent.model.columns)
        return super().__get__(agent, owner)

    def of(self, columns: Columns, slots: np.ndarray) -> np.ndarray:
        """Return the attribute of the agents in slots, a new array `[n]`."""
        self._need_axis(columns)
        return super().of(columns, slots)

    def _need_axis(self, columns: Columns) -> None:
        if columns.simulation.kinds.space != "axis":
            raise AttributeError(
                f"only agents on an axis have a {self.name} (niches.space = 'axis'; here "
                f"'{columns.simulation.kinds.space}')"
            )
