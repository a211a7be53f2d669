"""A finished run: a frozen view of its folder, read when asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ecosim.scenario import Scenario


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One finished run.

    Tables are pandas DataFrames, read once, when first asked for: `metrics` (one row a record),
    `breadth` (one row a record, counts of agents in 64 bins of breadth between 1 and K),
    `population` and `founders` (one row an agent, at the end and at step 0), `snapshots`
    ({step: population}), `events` (None unless the scenario kept them).
    """

    path: Path
    manifest: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as it was run, every default spelled out."""
        from ecosim.scenario import read

        return read(self.path / "scenario.toml")

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """One row a record: `step`, then a column a metric."""
        return self._table("metrics")

    @cached_property
    def breadth(self) -> pd.DataFrame:
        """One row a record: `step`, then `bin_0`..`bin_63`, counts of agents by breadth."""
        return self._table("breadth")

    @cached_property
    def population(self) -> pd.DataFrame:
        """The living at the end, one row an agent, in the order of their ids."""
        return self._table("population")

    @cached_property
    def founders(self) -> pd.DataFrame:
        """The agents at step 0, columns as in `population`."""
        return self._table("founders")

    @cached_property
    def events(self) -> pd.DataFrame | None:
        """Births, deaths, entries and exits; None where the scenario did not keep them."""
        return self._table("events") if (self.path / "events.parquet").exists() else None

    @cached_property
    def snapshots(self) -> dict[int, pd.DataFrame]:
        """Whole populations by step, columns as in `population`."""
        paths = sorted((self.path / "snapshots").glob("step-*.parquet"))
        return {int(path.stem.removeprefix("step-")): _read(path) for path in paths}

    @property
    def final(self) -> dict[str, float]:
        """The last recorded metrics by name; an undefined one is NaN."""
        return {
            name: math.nan if value is None else float(value)
            for name, value in self.manifest["final"].items()
        }

    @property
    def seed(self) -> int:
        """The seed."""
        return int(self.manifest["seed"])

    @property
    def steps(self) -> int:
        """Steps done."""
        return int(self.manifest["steps"])

    @property
    def result_digest(self) -> str:
        """SHA-256 over the recorded metrics."""
        return str(self.manifest["result_digest"])

    @property
    def expectation(self) -> list[dict[str, Any]]:
        """What the scenario expected and whether it was met, as `analysis.expectation.judge`."""
        return [dict(outcome) for outcome in self.manifest["expectation"]]

    def web(self, by: str = "group") -> pd.DataFrame:
        """Return the final interaction web: niches x species, sums of allocation over agents.

        Args:
            by: what counts as a species: `group` (of the founders), `lineage` (descent from one
                founder) or `strategy` (allocations that are equal to the nearest tenth).

        Raises:
            ValueError: another word for `by`.

        """
        from ecosim.experiments.species import web_of

        return web_of(self.population, by, self._group_names(), self.scenario.niches.count)

    def indices(self, by: str = "group") -> dict[str, Any]:
        """Return the indices of the final web (H2', NODF, d' ...), as `ecosim metrics` has them."""
        from ecosim.webs import measure_web

        return dict(measure_web(self.web(by)))

    def species(self, distance: float | None = None) -> pd.Series:
        """Return the species number of each agent of the final population, by the agents' ids.

        A species is a cluster in trait space: see `ecosim.analysis.species`.

        Args:
            distance: the largest gap inside a species; by default 0.1 of allocation, or on an axis
                0.05 of its length.

        """
        import pandas as pd

        from ecosim.analysis.species import clusters, traits_of

        traits, usual = traits_of(self.population, self.scenario)
        number = clusters(traits, usual if distance is None else distance)
        return pd.Series(number, index=self.population["id"], name="species")

    def richness(self, distance: float | None = None) -> int:
        """Return the number of species of the final population, as `species` tells them apart."""
        return int(self.species(distance).nunique())

    def survival(self) -> pd.DataFrame:
        """Return the Kaplan-Meier survival curve of all agents that lived during the run.

        Raises:
            StoreError: the run kept no events.

        """
        if self.events is None:
            raise StoreError(
                f"{self.path}: survival needs the run's events; set record.events = true and run"
                " the scenario again"
            )
        from ecosim.analysis.survival import event_history, kaplan_meier

        return kaplan_meier(event_history(self.events, self.founders, self.steps))

    def figure(self) -> Figure:
        """Draw the run's four-panel figure."""
        from ecosim.analysis.figure import draw

        return draw(self)

    def _group_names(self) -> list[str]:
        return [group.name for group in self.scenario.population.groups]

    def _table(self, name: str) -> pd.DataFrame:
        return _read(self.path / f"{name}.parquet")

    def __repr__(self) -> str:
        """Return scenario, seed, steps, the main metrics and the folder on one line."""
        final = self.final
        shown = [n for n in ("population", "breadth_mean", "coverage") if n in final]
        numbers = ", ".join(f"{name}={final[name]:.4g}" for name in shown)
        name = self.manifest["scenario"]
        return f"Run({name}, seed={self.seed}, steps={self.steps}, {numbers}, path={self.path})"

    def _repr_html_(self) -> str:
        from ecosim.analysis.report import card

        return card(self)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise StoreError(f"{path}: missing; `ecosim run --force` makes the run again") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error
