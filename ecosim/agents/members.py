"""Who is in a set of agents: slots with the ids that were in them when they were chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.agents.columns import Columns
from ecosim.agents.row import RowAgent

if TYPE_CHECKING:
    from ecosim.agents.agent_set import ColumnAgentSet


@dataclass
class Chosen:
    """Agents that were chosen; those that die drop out."""

    _slots: np.ndarray  # int64[N]
    _ids: np.ndarray  # uint64[N]
    _stamp: int  # of the columns that the two were last compared with

    @classmethod
    def of(cls, columns: Columns, slots: np.ndarray) -> Chosen:
        """Choose the living agents in these slots."""
        return cls(slots, columns["id"][slots], columns.stamp)

    def slots(self, columns: Columns) -> np.ndarray:
        """Return the slots of those who still live."""
        if self._stamp != columns.stamp:
            slots, ids = self._slots, self._ids
            kept = columns["alive"][slots] & (columns["id"][slots] == ids)
            self._slots, self._ids, self._stamp = slots[kept], ids[kept], columns.stamp
        return self._slots


def contains(agents: ColumnAgentSet, agent: object) -> bool:
    """Return whether an agent is in a set, whatever it is."""
    if not isinstance(agent, RowAgent) or agent.model is not agents.model or not agent.alive:
        return False
    return agents.is_live or bool((agents.slots == agent.slot()).any())


def check_agent(agent: object, model: Any) -> None:
    """Raise TypeError unless something is an agent of a model."""
    if not isinstance(agent, RowAgent) or agent.model is not model:
        raise TypeError(f"only agents of this model go into its sets (given: {agent!r})")


def slots_of(agents: Iterable[Any], model: Any) -> np.ndarray:
    """Return the slots of agents, each once, in their order."""
    slots: dict[int, None] = {}
    for agent in agents:
        check_agent(agent, model)
        slots[agent.slot()] = None
    return np.fromiter(slots, np.int64, len(slots))


def checked_mask(mask: Any, count: int) -> np.ndarray:
    """Return a mask as bool[N], or raise with the rule that it breaks."""
    array = np.asarray(mask)
    if array.dtype != bool or array.shape != (count,):
        raise ValueError(
            f"a mask is one boolean for each of the {count} agents, in their order (given: "
            f"{array.dtype}, shape {array.shape}); a function of an agent is accepted too"
        )
    return array


def order_of(values: np.ndarray | list[Any], ascending: bool) -> np.ndarray:
    """Return the places `[N]` of values in order; equals keep theirs, as in Python's sort."""
    count = len(values)
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype != object:
        if ascending:
            return np.argsort(values, kind="stable")
        return count - 1 - np.argsort(values[::-1], kind="stable")[::-1]
    # Python's own sort compares what NumPy cannot.
    places = sorted(range(count), key=lambda place: values[place], reverse=not ascending)
    return np.array(places, np.int64)
