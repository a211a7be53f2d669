"""The host's side of a population: NumPy views of the columns, and what is to change in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecosim.agents import weights
from ecosim.compilation import prepared
from ecosim.errors import AgentError
from ecosim.model import sparse
from ecosim.model.intervention import Intervention, intervene
from ecosim.simulate import Simulation
from ecosim.worlds.vocabulary import NOUNS

_FROM_ALLOCATION = ["places", "allocation", "breadth", "depth", "niche"]
_MARKS = ("leaving", "_restocked", "_reallocated")


class Columns:
    """The columns of a simulation's population between two steps, `[C]` or `[C, K]`.

    Where agents use at most m niches, `allocation` is `[C, m]` and `places` `[m, C]` tells of which
    niches; `shares` gives all K.
    Columns are views of the device's memory where that is the host's (no copy on a CPU), taken
    when first read. While somebody holds a view, JAX does not give its memory to the next step:
    it stays as it was, and that step copies instead. A column that is written is copied, and read
    back as written; the device gets it before the next step. A living agent never changes its slot.

    Attributes:
        simulation: what the columns belong to.
        stamp: differs from step to step.
        leaving: bool[C] who was told to leave at the next step, or None.

    """

    def __init__(self, simulation: Simulation) -> None:
        """Look at a simulation."""
        self.simulation = simulation
        self.stamp = 0
        self._forget()

    def _forget(self) -> None:
        self._seen: dict[str, np.ndarray] = {}
        self._living: np.ndarray | None = None
        self._restocked: np.ndarray | None = None
        self._reallocated: np.ndarray | None = None
        self.leaving: np.ndarray | None = None

    def renew(self) -> None:
        """Forget what was seen: the simulation has moved on."""
        self.stamp += 1
        self._forget()

    @property
    def noun(self) -> str:
        """Return what an agent is called in this world."""
        return NOUNS[self.simulation.kinds.world]

    @property
    def capacity(self) -> int:
        """Return the number of slots C."""
        return int(self.simulation.state.population.alive.shape[0])

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column by its name in the population; it must not be written to."""
        column = self._seen.get(name)
        if column is None:
            column = np.asarray(getattr(self.simulation.state.population, name))
            self._seen[name] = column
        return column

    @property
    def niches(self) -> int:
        """Return the number of niches K."""
        return self.simulation.kinds.niches

    def shares(self, slots: Any) -> np.ndarray:
        """Return the allocations `[n, K]` of the agents in slots `[n]`, or `[K]` of one."""
        held = self["allocation"][slots]
        if not self.simulation.kinds.used:
            return held
        return sparse.rows_unpacked(self["places"][:, slots].T, held, self.niches)

    @property
    def living(self) -> np.ndarray:
        """Return the slots of the living, int64[N], in ascending order."""
        if self._living is None:
            self._living = np.flatnonzero(self["alive"])
            self._living.flags.writeable = False
        return self._living

    @property
    def number(self) -> int:
        """Return how many live: ten times as fast as to find them."""
        if self._living is not None:
            return len(self._living)
        return int(np.count_nonzero(self["alive"]))

    @property
    def staying(self) -> np.ndarray:
        """Return the slots of the living who were not told to leave, int64[n]."""
        return self.living if self.leaving is None else self.living[~self.leaving[self.living]]

    def holds(self, slot: int, identity: int) -> bool:
        """Return whether the agent of this id lives in this slot."""
        return bool(self["alive"].item(slot)) and int(self["id"].item(slot)) == identity

    def leave(self, slots: Any) -> None:
        """Have the agents in these slots leave at the next step."""
        if self.leaving is None:
            self.leaving = np.zeros(self.capacity, bool)
        self.leaving[slots] = True

    def set_stock(self, slots: np.ndarray, values: Any) -> None:
        """Set the stock of the agents in slots `[n]` to a number, or to values `[n]`."""
        column = self["stock"]
        noun = "capital" if self.noun == "firm" else "stock"
        try:
            given = np.broadcast_to(np.asarray(values, np.float64), slots.shape)
        except (TypeError, ValueError):
            count = f" for {len(slots)} agents" if len(slots) != 1 else ""
            raise AgentError(
                f"{noun} is one number an agent (given: {weights.short(values)}{count})"
            ) from None
        # Checked as it will be stored: float32 overflows where float64 does not.
        with np.errstate(over="ignore"):
            new = given.astype(column.dtype)
        wrong = ~(np.isfinite(new) & (new >= 0))
        if wrong.any():
            raise AgentError(
                f"{noun} must be finite and not negative (given: {float(given[wrong][0])}); "
                "remove() takes an agent out"
            )
        if self._restocked is None:
            self._restocked = np.zeros(self.capacity, bool)
            column = self._seen["stock"] = column.copy()
        column[slots] = new
        self._restocked[slots] = True

    def set_allocation(self, slots: np.ndarray, shares: Any) -> None:
        """Set the allocation of the agents in slots `[n]` to shares `[K]` or `[n, K]`."""
        self.check_free()
        rows = weights.checked(shares, self.niches, len(slots), lambda _: "an allocation")
        weights.check_sum(rows)
        self.put_weights(slots, rows)

    def check_free(self) -> None:
        """Raise AgentError where allocations follow from traits and cannot be set."""
        if self.simulation.kinds.space == "axis":
            raise AgentError(
                "on an axis the allocation follows from position and width and cannot be set "
                "(niches.space = 'axis'); use niches.space = 'set' or 'graph'"
            )

    def put_weights(self, slots: np.ndarray, rows: np.ndarray) -> None:
        """Make valid weights `[n, K]` allocations; agents whose shares stay keep every bit."""
        most = self.simulation.kinds.used
        shares = weights.normalised(rows, self["allocation"].dtype)
        changed = (shares != self.shares(slots)).any(axis=1)
        if not changed.any():
            return
        if most:
            weights.check_used(shares, most)
        slots, shares = slots[changed], shares[changed]
        if self._reallocated is None:
            self._reallocated = np.zeros(self.capacity, bool)
            for name in _FROM_ALLOCATION:
                self._seen[name] = self[name].copy()
        if most:
            places, held = sparse.rows_packed(shares, most)
            self["places"][:, slots], self["allocation"][slots] = places.T, held
        else:
            self["allocation"][slots] = shares
        self["breadth"][slots] = weights.breadth(shares)
        self["depth"][slots] = shares.max(axis=1)
        self["niche"][slots] = shares.argmax(axis=1)
        self._reallocated[slots] = True

    def apply(self) -> None:
        """Hand to the device what was written; where nothing was, nothing is done."""
        leaving, restocked, moved = self.leaving, self._restocked, self._reallocated
        if leaving is None and restocked is None and moved is None:
            return
        nobody = np.zeros(self.capacity, bool)
        change: dict[str, Any] = {
            "leaves": nobody if leaving is None else leaving,
            "restocked": nobody if restocked is None else restocked,
            "stock": self["stock"],
            "reallocated": moved,
            "allocation": None if moved is None else self["allocation"],
            "places": None if moved is None else self["places"],
        }
        run = self.simulation
        with prepared():
            run.state = intervene(
                run.kinds, run.parameters.agents, run.state, Intervention(**change)
            )
        self.renew()

    def pending(self) -> dict[str, Any]:
        """Return what was set or removed and the device does not know yet, and the stamp."""
        written = [] if self._restocked is None else ["stock"]
        if self._reallocated is not None:
            written += _FROM_ALLOCATION
        marks = {name: getattr(self, name) for name in ("stamp", *_MARKS)}
        return marks | {"_seen": {name: self[name] for name in written}}

    def resume(self, pending: dict[str, Any]) -> None:
        """Take over what `pending` returned, for the same state."""
        for name, value in pending.items():
            setattr(self, name, value)
