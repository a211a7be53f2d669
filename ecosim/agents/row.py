"""Agents as views of one row of the population: real Mesa agents that hold no data."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from ecosim.agents.attribute import AxisColumn, Column
from ecosim.agents.columns import Columns
from ecosim.errors import DeadAgentError

if TYPE_CHECKING:
    from typing import Self

    from ecosim.agents.agent_set import ColumnAgentSet

_BORN_WITH = "an agent is born with it"
_FOLLOWS = "it follows from the allocation; set that"
_TRAIT = "traits are inherited and only mutate at birth"


class RowAgent(mesa.Agent):
    """A handle of one agent: it knows the agent's id and slot, the model holds its data.

    Handles are made on demand and cheap; two handles of one agent are equal. A handle outlives its
    agent: reading anything but `unique_id` and `alive` then raises DeadAgentError.
    """

    __slots__ = ("_id", "_slot", "model")
    _id: int
    _slot: int
    model: Any
    pos = None  # Mesa's name for a place in one of its spaces.

    allocation = Column(
        "allocation",
        "Shares of the budget, `[K]`, sum 1; read-only, set it as a whole.",
        write=Columns.set_allocation,
        read=Columns.shares,
    )
    breadth = Column(
        "breadth", "Effective number of niches, exp(H(allocation)).", why_fixed=_FOLLOWS
    )
    depth = Column("depth", "Largest share of the budget in one niche.", why_fixed=_FOLLOWS)
    niche = Column("niche", "The niche of the largest share, 0..K-1.", why_fixed=_FOLLOWS)
    stock = Column("stock", "Reserve of energy; a firm's capital.", write=Columns.set_stock)
    budget = Column("budget", "What the agent divides over niches.", why_fixed=_BORN_WITH)
    age = Column("age", "Steps since birth or entry.", why_fixed="time passes by steps")
    lineage = Column(
        "lineage", "Id of the founder or entrant it descends from.", why_fixed=_BORN_WITH
    )
    parent = Column(
        "parent", "Id of the parent or of the firm imitated; 0: none.", why_fixed=_BORN_WITH
    )
    group = Column("group", "Index of its group or species; -1: an entrant.", why_fixed=_BORN_WITH)
    patch = Column("patch", "The patch it lives in.", why_fixed="newborns disperse, adults stay")
    position = AxisColumn(
        "trait", "Position on the axis of niches.", why_fixed=_TRAIT, part=lambda t: t[:, 0]
    )
    width = AxisColumn(
        "trait",
        "Width of its utilisation on the axis.",
        why_fixed=_TRAIT,
        part=lambda t: np.exp(t[:, 1]),
    )

    def __init__(self, *_: Any, **__: Any) -> None:
        """Agents cannot be made by hand."""
        raise TypeError(
            f"a {type(self).__name__} is not made by hand: selection makes newborns and entrants, "
            "the scenario makes founders; take agents from model.agents"
        )

    @classmethod
    def view(cls, model: Any, slot: int, identity: int) -> Self:
        """Return a handle of the agent of an id, which lives in a slot."""
        agent = object.__new__(cls)
        _set_model(agent, model)
        _set_slot(agent, slot)
        _set_id(agent, identity)
        return agent

    def slot(self) -> int:
        """Return the agent's row in the columns.

        Raises:
            DeadAgentError: when the agent is dead.

        """
        columns = self.model.columns
        if not columns.holds(self._slot, self._id):
            raise DeadAgentError(
                f"{columns.noun} {self._id} is dead (step {columns.simulation.clock}): only its "
                "unique_id and alive can be read; test alive first, or keep what is needed while "
                "it lives (record.events = true keeps each death)"
            )
        return self._slot

    @property
    def unique_id(self) -> int:
        """The agent's id; it is no slot and never given to another agent."""
        return self._id

    @property
    def alive(self) -> bool:
        """Whether the agent lives; one told to leave does until the next step."""
        return bool(self.model.columns.holds(self._slot, self._id))

    def remove(self) -> None:
        """Have the agent leave at the next step, counted among its deaths (exits).

        To remove an agent twice, or one that is dead, does nothing.
        """
        if self.alive:
            self.model.columns.leave(self._slot)

    def allocate(self) -> Any:
        """Choose how to divide the budget; a subclass overrides it.

        It runs for one agent at a time before competition in every step; a newborn's turn comes
        with the next step. `allocate_columns` does the same for all at once.

        Returns:
            K weights, not negative, of any sum above zero; or None, to keep the allocation.

        """
        return None

    @classmethod
    def allocate_columns(cls, agents: ColumnAgentSet) -> Any:
        """Choose how all agents divide their budgets; a subclass overrides it.

        It agrees with `allocate` where what the two return agrees. Of both, the one in the class
        nearer to the agents' own counts; where that has both, this one does.

        Args:
            agents: the living who were not told to leave.

        Returns:
            Weights `[N, K]`, rows in the order of `agents`; or None, to keep all allocations.

        """
        return None

    def __getattr__(self, name: str) -> Any:
        """Return the agent's value in a column that the user added."""
        model = object.__getattribute__(self, "model")
        values = model.extra.values.get(name)
        if values is not None:
            return values.item(self.slot()) if values.dtype != object else values[self.slot()]
        attribute = inspect.getattr_static(type(self), name, None)
        if attribute is not None:
            # The attribute is there and failed; asked again, it gives its own reason.
            return attribute.__get__(self, type(self))
        raise AttributeError(
            f"{type(self).__name__} has no attribute '{name}'; model.add_column('{name}', default) "
            "gives it one"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a column; what is no column would be lost with the handle and is refused."""
        if hasattr(inspect.getattr_static(type(self), name, None), "__set__"):
            object.__setattr__(self, name, value)
        elif name in self.model.extra.values:
            self.model.extra.set(name, np.array([self.slot()]), _as_one(value))
        else:
            raise AttributeError(
                f"{type(self).__name__} has no column '{name}' to set: handles hold no data; "
                f"model.add_column('{name}', default) first"
            )

    def __eq__(self, other: object) -> bool:
        """Return whether both are handles of one agent of one model."""
        if not isinstance(other, RowAgent):
            return NotImplemented
        return self._id == other._id and self.model is other.model

    def __hash__(self) -> int:
        """Return the hash of the id."""
        return hash(self._id)

    def __repr__(self) -> str:
        """Return class, id and, of the living, what they do."""
        if not self.alive:
            return f"<{type(self).__name__} {self._id}, dead>"
        return f"<{type(self).__name__} {self._id}, niche {self.niche}, breadth {self.breadth:.3g}>"

    def __reduce__(self) -> Any:
        """Copy and pickle as model, slot and id."""
        return type(self).view, (self.model, self._slot, self._id)

    def __copy__(self) -> Self:
        """Return another handle of the same agent."""
        return type(self).view(self.model, self._slot, self._id)


# The slots' own setters: a handle is made a million times, and __setattr__ refuses these names.
_set_model, _set_slot, _set_id = (
    vars(RowAgent)[name].__set__ for name in ("model", "_slot", "_id")
)


def _as_one(value: Any) -> Any:
    """Return an array of one element that holds a value whole, were it a sequence itself."""
    whole = np.empty(1, object)
    whole[0] = value
    return whole if np.ndim(value) else value
