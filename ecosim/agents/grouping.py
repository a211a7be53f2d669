"""Groups of agents by a value they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from mesa.agentset import GroupBy


class ColumnGroupBy(GroupBy):
    """Mesa's groups, aggregated by columns."""

    def agg(self, attr_name: str, func: Callable[..., Any]) -> dict[Any, Any]:
        """Return a function of the array of an attribute, for each group."""
        return {key: group.agg(attr_name, func) for key, group in self.groups.items()}


def groups_of(values: np.ndarray | list[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield each value, in order of first appearance, with its places in the set."""
    if isinstance(values, np.ndarray) and values.ndim > 1:
        raise TypeError("agents are grouped by one value each, not by a row of them")
    if isinstance(values, np.ndarray) and values.dtype != object:
        keys, first, which = np.unique(values, return_index=True, return_inverse=True)
        places = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
        for key in np.argsort(first):
            yield keys[key].item(), places[key]
        return
    found: dict[Any, list[int]] = {}
    for place, value in enumerate(values):
        found.setdefault(value, []).append(place)
    for value, where in found.items():
        yield value, np.array(where, np.int64)
