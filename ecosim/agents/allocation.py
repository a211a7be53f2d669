"""The users' hook: agents choose how to divide their budget before competition in each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.agents import weights
from ecosim.agents.row import RowAgent
from ecosim.errors import AgentError

if TYPE_CHECKING:
    from ecosim.agents.population_model import PopulationModel


def hook_of(agent_class: type[RowAgent]) -> str | None:
    """Return which hook a class of agents overrides: allocate, allocate_columns or none.

    The class nearest to the agents' own decides; where it has both, the columns do.
    """
    for owner in agent_class.__mro__:
        if owner is RowAgent:
            break
        for hook in ("allocate_columns", "allocate"):
            if hook in owner.__dict__:
                _check(agent_class, hook, owner.__dict__[hook])
                return hook
    return None


def _check(agent_class: type[RowAgent], hook: str, given: object) -> None:
    if hook == "allocate_columns" and not isinstance(given, classmethod | staticmethod):
        raise TypeError(
            f"{agent_class.__name__}.allocate_columns gets all agents at once: put @classmethod "
            "above it and take (cls, agents)"
        )


def allocate(model: PopulationModel, hook: str) -> None:
    """Ask all agents who stay for their weights, and make those their allocations.

    Raises:
        AgentError: when weights are not K finite numbers, none negative and not all zero.

    """
    columns, ask = model.columns, _columns if hook == "allocate_columns" else _one_by_one
    slots = columns.staying
    if not len(slots):
        return
    answer = ask(model, slots)
    if answer is None:
        return
    slots, given = answer
    name, ids = f"{model.agent_class.__name__}.{hook}", columns["id"]
    rows = weights.checked(
        given,
        columns.niches,
        len(slots),
        lambda row: f"{name}: the weights of {columns.noun} {ids[slots[row]]}",
    )
    columns.put_weights(slots, rows)


def _one_by_one(model: PopulationModel, slots: np.ndarray) -> tuple[np.ndarray, Any] | None:
    """Return the slots of those who return weights, and the weights."""
    answers = model.agents.among(slots).map("allocate")
    places = [place for place, answer in enumerate(answers) if answer is not None]
    return (slots[places], [answers[place] for place in places]) if places else None


def _columns(model: PopulationModel, slots: np.ndarray) -> tuple[np.ndarray, Any] | None:
    """Return all slots and the weights of their agents, or None."""
    given = model.agent_class.allocate_columns(model.agents.among(slots))
    if given is None:
        return None
    shape = (len(slots), model.columns.niches)
    if np.shape(given) != shape:
        raise AgentError(
            f"{model.agent_class.__name__}.allocate_columns returns weights [N, K], here "
            f"{shape}, or None (given: {weights.short(given)}, of shape {np.shape(given)})"
        )
    return slots, given
