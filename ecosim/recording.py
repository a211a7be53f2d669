"""What a run yields: recorded metrics, populations and events as NumPy and pandas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ecosim.analysis import glossary
from ecosim.errors import RunError
from ecosim.model.population import Population
from ecosim.scenario import Scenario

_EVENTS = ("step", "kind", "id", "parent", "lineage", "niche", "breadth", "stock", "age")
_MANY = 100  # columns of a table


@dataclass
class Recording:
    """The results of one run in memory.

    `metrics` has one row a recorded step; `breadth` counts agents on 64 equal bins of breadth on
    [1, K], K the niches that an agent may use, `[rows, 64]`; populations are tables of the living,
    sorted by id.
    """

    metrics: pd.DataFrame
    breadth: np.ndarray
    population: pd.DataFrame
    founders: pd.DataFrame
    snapshots: dict[int, pd.DataFrame]
    events: pd.DataFrame | None
    steps: int
    complete: bool


@dataclass
class Recorder:
    """Collects recordings, snapshots and events while a run goes on."""

    scenario: Scenario
    rows: list[dict[str, np.ndarray]] = field(default_factory=list)
    breadth: list[np.ndarray] = field(default_factory=list)
    snapshots: dict[int, pd.DataFrame] = field(default_factory=dict)
    events: list[pd.DataFrame] = field(default_factory=list)
    latest: dict[str, float] = field(default_factory=dict)

    def add(
        self, step: Sequence[int] | np.ndarray, metrics: dict[str, np.ndarray], breadth: np.ndarray
    ) -> None:
        """Append recorded rows and check that what was emitted is accounted for."""
        if len(step) == 0:
            return
        columns = {"step": np.asarray(step, np.int64)}
        columns |= {name: np.asarray(values, np.float64) for name, values in metrics.items()}
        check_conservation(columns, self.scenario.run.precision)
        self.rows.append(columns)
        self.breadth.append(np.asarray(breadth, np.int64))
        self.latest = {name: float(values[-1]) for name, values in columns.items()}

    def finished(
        self, population: pd.DataFrame, founders: pd.DataFrame, *, steps: int, complete: bool
    ) -> Recording:
        """Return the whole recording."""
        names = list(self.rows[0])
        joined = {name: np.concatenate([row[name] for row in self.rows]) for name in names}
        breadth = np.concatenate(self.breadth)
        return Recording(
            metrics=pd.DataFrame({name: joined[name] for name in glossary.ordered(joined)}),
            breadth=breadth,
            population=population,
            founders=founders,
            snapshots=self.snapshots,
            events=self._events(),
            steps=steps,
            complete=complete,
        )

    def _events(self) -> pd.DataFrame | None:
        if not self.scenario.record.events:
            return None
        if not self.events:
            return pd.DataFrame(columns=list(_EVENTS))
        table = pd.concat(self.events, ignore_index=True)
        # Slots must not show: within a step deaths come first, each kind in order of ids.
        order = np.lexsort((table["id"], table["kind"].isin(["birth", "entry"]), table["step"]))
        return table.iloc[order].reset_index(drop=True)


def check_conservation(columns: dict[str, np.ndarray], precision: str) -> None:
    """Raise RunError where emitted differs from received + unclaimed beyond rounding."""
    tolerance = 1e-5 if precision == "float32" else 1e-11
    emitted = columns["emitted"]
    error = np.abs(emitted - columns["received"] - columns["unclaimed"])
    # More than was emitted can be received, out of stocks.
    moved = np.maximum(np.maximum(emitted, columns["received"]), 1e-30)
    # Nothing flows before step 1; after it, what is not a number is not accounted for.
    sound = np.isfinite(moved) & (error <= tolerance * moved) | (columns["step"] == 0)
    wrong = np.flatnonzero(~sound)
    if wrong.size:
        i = wrong[0]
        raise RunError(
            f"step {columns['step'][i]}: supply is not conserved: emitted {emitted[i]:.9g}, "
            f"received {columns['received'][i]:.9g}, unclaimed {columns['unclaimed'][i]:.9g} "
            f"(tolerance {tolerance:g} of what is emitted)"
        )


def table_of(population: Population) -> pd.DataFrame:
    """Return the living as a table sorted by id: one column an attribute, one a niche.

    Of agents that use at most m niches, `place_0` ... `place_m-1` hold these in ascending order
    (-1: none) and `share_0` ... `share_m-1` the shares; `ecosim.scenario.sparse.allocations` reads
    either form.
    """
    slots = np.flatnonzero(population.alive)
    slots = slots[np.argsort(np.asarray(population.id)[slots])]

    def column(values: object) -> np.ndarray:
        return np.asarray(values)[slots]

    names = (
        "id",
        "parent",
        "lineage",
        "group",
        "patch",
        "age",
        "budget",
        "stock",
        "strikes",
        "breadth",
        "depth",
        "niche",
    )
    columns = {name: column(getattr(population, name)) for name in names}
    method = column(population.method)
    if method.shape[1]:
        columns["method"] = method[:, 0]
    trait = column(population.trait)
    if trait.shape[1]:
        columns |= {"position": trait[:, 0], "width": np.exp(trait[:, 1])}
    allocation = column(population.allocation)
    places = column(np.asarray(population.places).T)
    if places.shape[1]:
        places = np.where(allocation > 0, places, -1)
        columns |= {f"place_{j}": places[:, j] for j in range(places.shape[1])}
    name = "share" if places.shape[1] else "allocation"
    # Of a niche side by side, as columns are read.
    columns |= {f"{name}_{k}": each for k, each in enumerate(np.ascontiguousarray(allocation.T))}
    conduct = column(population.conduct)
    columns |= {
        name: conduct[:, w] for w, name in enumerate(("conduct", "site")[: conduct.shape[1]])
    }
    # They were copied out of the population; but many are read together, out of one block.
    return pd.DataFrame(columns, copy=len(columns) > _MANY)


def events_of(log: object, world: str) -> pd.DataFrame:
    """Return the used rows of a device log as a table."""
    used = int(log.used)  # type: ignore[attr-defined]
    birth, death = ("entry", "exit") if world == "market" else ("birth", "death")
    columns = {name: np.asarray(getattr(log, name))[:used] for name in _EVENTS if name != "kind"}
    names = np.array([death, birth, "merger"])  # in the order of ecosim.model.events.Kind
    kind = names[np.asarray(log.kind)[:used]]  # type: ignore[attr-defined]
    return pd.DataFrame({"step": columns.pop("step"), "kind": kind} | columns)[list(_EVENTS)]
