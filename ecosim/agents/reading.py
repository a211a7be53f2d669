"""Reading and writing an attribute of all agents of a set: by column where there is one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.agents.attribute import Column
from ecosim.agents.row import RowAgent

if TYPE_CHECKING:
    from ecosim.agents.agent_set import ColumnAgentSet


def values_of(agents: ColumnAgentSet, name: str, *default: Any) -> np.ndarray | list[Any]:
    """Return an attribute of every agent: an array for a column, else a list.

    Args:
        agents: the set.
        name: the attribute.
        default: given, it stands in for what an agent lacks.

    """
    model, slots = agents.model, agents.slots
    attribute = inspect.getattr_static(model.agent_class, name, None)
    if isinstance(attribute, Column):
        try:
            return attribute.of(model.columns, slots)
        except AttributeError:
            if not default:
                raise
            return [default[0]] * len(slots)
    if attribute is RowAgent.unique_id:
        return np.asarray(model.columns["id"][slots])
    if attribute is RowAgent.alive:
        return np.ones(len(slots), bool)
    if attribute is None and name in model.extra.values:
        return np.asarray(model.extra.values[name][slots])
    return [getattr(agent, name, *default) for agent in agents]


def listed(values: np.ndarray | list[Any]) -> list[Any]:
    """Return values as Python's own; rows of an allocation stay arrays."""
    if isinstance(values, np.ndarray):
        return list(values) if values.ndim > 1 else values.tolist()
    return values


def write(agents: ColumnAgentSet, name: str, value: Any) -> None:
    """Set an attribute of every agent, by column where there is one."""
    model, slots = agents.model, agents.slots
    attribute = inspect.getattr_static(model.agent_class, name, None)
    if isinstance(attribute, Column) and attribute.write is not None:
        attribute.write(model.columns, slots, value)
    elif attribute is None and name in model.extra.values:
        model.extra.set(name, slots, value)
    else:
        for agent in agents:
            setattr(agent, name, value)
