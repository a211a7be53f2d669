"""Mesa's set of agents over columns: names of columns are worked on as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from mesa.agentset import AbstractAgentSet, GroupBy

from ecosim.agents import members, reading
from ecosim.agents.grouping import ColumnGroupBy, groups_of

if TYPE_CHECKING:
    from random import Random
    from typing import Self

type Method = str | Callable[..., Any]


class ColumnAgentSet(AbstractAgentSet):
    """Agents of one model: all the living (`model.agents`), or some that were selected.

    It has Mesa's methods with Mesa's meaning. Where a name is that of a column, a whole column is
    read or written as a NumPy array, in the order of the set. The living are ordered by slot, which
    means nothing but is reproducible; sort or shuffle for another order. The dead drop out of a
    selection.

    Only a selection can be changed in place (add, discard, remove, inplace=True): what lives is
    up to selection, and to `remove()` of the agents.
    """

    def __init__(self, model: Any, chosen: members.Chosen | None = None) -> None:
        """Make the set of all the living, or of the chosen."""
        self.model = model
        self._chosen = chosen

    @property
    def random(self) -> Random:
        """The model's random numbers."""
        random: Random = self.model.random
        return random

    @property
    def is_live(self) -> bool:
        """Whether this is the set of all the living rather than a selection."""
        return self._chosen is None

    @property
    def slots(self) -> np.ndarray:
        """Slots of the agents in the order of the set, int64[N]; read-only."""
        columns = self.model.columns
        return columns.living if self._chosen is None else self._chosen.slots(columns)

    def among(self, slots: np.ndarray) -> Self:
        """Return the selection of the agents in these slots, in their order."""
        return type(self)(self.model, members.Chosen.of(self.model.columns, slots))

    def _inplace(self, slots: np.ndarray, method: str) -> Self:
        if self._chosen is None:
            raise TypeError(
                f"the set of the living cannot be changed in place by {method}: it follows the "
                f"population; take the set that {method} returns, or work on .copy()"
            )
        self._chosen = members.Chosen.of(self.model.columns, slots)
        return self

    def _result(self, slots: np.ndarray, inplace: bool, method: str) -> Self:
        return self._inplace(slots, method) if inplace else self.among(slots)

    def _update(self, agents: Iterable[Any]) -> Self:
        return self._inplace(members.slots_of(agents, self.model), "_update")

    def _from_iterable(self, agents: Iterable[Any]) -> Self:
        return self.among(members.slots_of(agents, self.model))

    def __len__(self) -> int:
        """Return the number of agents."""
        return self.model.columns.number if self._chosen is None else len(self.slots)

    def __iter__(self) -> Iterator[Any]:
        """Yield handles in the order of the set, made one at a time."""
        view, model, slots = self.model.agent_class.view, self.model, self.slots
        ids = model.columns["id"][slots]
        # Plain numbers in blocks: a million at once would be a hundred megabytes.
        for start in range(0, len(slots), 4096):
            part = slice(start, start + 4096)
            for slot, identity in zip(slots[part].tolist(), ids[part].tolist(), strict=True):
                yield view(model, slot, identity)

    def __contains__(self, agent: object) -> bool:
        """Return whether an agent is in the set."""
        return members.contains(self, agent)

    def __getitem__(self, item: int | slice) -> Any:
        """Return the handle at a place in the set, or a list of them."""
        if isinstance(item, slice):
            return list(self.among(self.slots[item]))
        slot = int(self.slots[item])
        identity = self.model.columns["id"].item(slot)
        return self.model.agent_class.view(self.model, slot, identity)

    def to_list(self) -> list[Any]:
        """Return all handles."""
        return list(self)

    def copy(self) -> Self:
        """Return a selection of the agents that are now in this set."""
        return self.among(self.slots)

    __copy__ = copy

    def __repr__(self) -> str:
        """Return class, number and kind."""
        kind = "all living" if self.is_live else "selected"
        return f"<{type(self).__name__} of {len(self)} {kind} {self.model.agent_class.__name__}s>"

    def select(
        self,
        filter_func: Callable[[Any], bool] | np.ndarray | None = None,
        at_most: int | float = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
        *,
        mask: np.ndarray | None = None,
    ) -> Self:
        """Return the agents that pass, the first `at_most` of them.

        Args:
            filter_func: a function of an agent, or a mask bool[N] in the order of the set, such as
                `agents.get("breadth") < 2`.
            at_most: a number, or a fraction (float up to 1) of the set's size.
            inplace: change this set, a selection, instead of making another.
            agent_type: a class; all agents of a model are of one class.
            mask: a mask, as filter_func.

        """
        nothing = filter_func is None and mask is None and agent_type is None
        if nothing and at_most == float("inf"):
            return self if inplace else self.copy()
        if filter_func is not None and not callable(filter_func):
            if mask is not None:
                raise TypeError("give one mask, as filter_func or as mask")
            filter_func, mask = None, filter_func
        slots = self.slots
        if isinstance(at_most, float) and at_most <= 1.0:
            at_most = int(len(slots) * at_most)
        most = None if at_most == float("inf") else max(ceil(at_most), 0)
        if mask is not None:
            slots = slots[members.checked_mask(mask, len(slots))]
        if agent_type is not None and not issubclass(self.model.agent_class, agent_type):
            slots = slots[:0]
        if callable(filter_func):
            passing = (agent.slot() for agent in self.among(slots) if filter_func(agent))
            slots = np.fromiter(islice(passing, most), np.int64)
        return self._result(slots[:most], inplace, "select")

    def shuffle(self, inplace: bool = False) -> Self:
        """Return the agents in random order, drawn from the model's random numbers."""
        order = np.random.default_rng(self.random.getrandbits(64)).permutation(len(self))
        return self._result(self.slots[order], inplace, "shuffle")

    def sort(self, key: Method, ascending: bool = False, inplace: bool = False) -> Self:
        """Return the agents in order of an attribute or a function; equals keep their order."""
        if isinstance(key, str):
            values = reading.values_of(self, key)
        else:
            values = [key(agent) for agent in self]
        order = members.order_of(values, ascending)
        return self._result(self.slots[order], inplace, "sort")

    def do(self, method: Method, *args: Any, **kwargs: Any) -> Self:
        """Call a method, or a function of an agent, for each agent in turn."""
        if method == "remove" and not args and not kwargs and self.model.removes_by_mark:
            self.model.columns.leave(self.slots)
            return self
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: Method, *args: Any, **kwargs: Any) -> Self:
        """Call a method, or a function of an agent, for each agent in random order."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def map(self, method: Method, *args: Any, **kwargs: Any) -> list[Any]:
        """Return what a method, or a function of an agent, returns for each agent."""
        if isinstance(method, str):
            return [getattr(agent, method)(*args, **kwargs) for agent in self]
        return [method(agent, *args, **kwargs) for agent in self]

    def get(
        self,
        attr_names: str | list[str],
        handle_missing: Literal["error", "default"] = "error",
        default_value: Any = None,
    ) -> Any:
        """Return an attribute of every agent.

        Args:
            attr_names: a name, or a list of names.
            handle_missing: `error`, or `default` to put default_value where there is none.
            default_value: see handle_missing.

        Returns:
            For the name of a column a new array `[N]` (an allocation: `[N, K]`), for another
            attribute a list; for a list of names, as in Mesa, a list of a list for each agent.

        """
        if handle_missing not in ("error", "default"):
            raise ValueError(f"handle_missing is 'error' or 'default' (given: {handle_missing!r})")
        missing = (default_value,) if handle_missing == "default" else ()
        if isinstance(attr_names, str):
            return reading.values_of(self, attr_names, *missing)
        columns = (reading.listed(reading.values_of(self, n, *missing)) for n in attr_names)
        rows = list(map(list, zip(*columns, strict=True)))
        return rows or [[] for _ in range(len(self))]

    def set(self, attr_name: str, value: Any) -> Self:
        """Set an attribute of every agent to one value, or to an array `[N]` of values.

        An allocation takes `[K]` or `[N, K]`.
        """
        reading.write(self, attr_name, value)
        return self

    def agg(self, attribute: str, func: Callable[..., Any] | Iterable[Callable[..., Any]]) -> Any:
        """Return a function of the array of an attribute, or a list of several functions'."""
        values = self.get(attribute)
        return func(values) if callable(func) else [one(values) for one in func]

    def groupby(self, by: Method, result_type: Literal["agentset", "list"] = "agentset") -> GroupBy:
        """Group the agents by an attribute or a function, in order of first appearance."""
        if isinstance(by, str):
            values = reading.values_of(self, by)
        else:
            values = [by(agent) for agent in self]
        slots = self.slots
        groups = {key: self.among(slots[rows]) for key, rows in groups_of(values)}
        if result_type == "list":
            return GroupBy({key: list(group) for key, group in groups.items()})
        return ColumnGroupBy(groups)

    def add(self, agent: Any) -> None:
        """Put an agent into a selection."""
        if self._chosen is not None and agent in self:
            return
        self._inplace(np.append(self.slots, members.slots_of([agent], self.model)), "add")

    def discard(self, agent: Any) -> None:
        """Take an agent out of a selection, if it is there."""
        members.check_agent(agent, self.model)
        slots = self.slots
        kept = self.model.columns["id"][slots] != np.uint64(agent.unique_id)
        self._inplace(slots[kept], "discard")

    def remove(self, agent: Any) -> None:
        """Take an agent out of a selection; KeyError if it is not there."""
        if self._chosen is not None and agent not in self:
            raise KeyError(agent)
        self.discard(agent)
