"""Points that a method chooses as it goes, run as a sweep: searches and calibrations use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import RunError
from ecosim.sweeps.definition import Sweep
from ecosim.sweeps.execution import Engine, carry_out
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.points import expand, name_of
from ecosim.sweeps.results import SweepResults
from ecosim.sweeps.target import shares

if TYPE_CHECKING:
    from ecosim.sweeps.target import Target


_LATER = "stopped early; what is done is kept, and the same command goes on"


class Paused(RunError):
    """Stopped before all runs were done; what is done is kept."""


class Simulator:
    """Runs settings of a sweep that are not known beforehand, each once."""

    def __init__(
        self, base: Sweep, folder: Path, engine: Engine, should_stop: Callable[[], bool]
    ) -> None:
        """Take what does not vary: scenario, replicates and seed."""
        self._base = base
        self._folder = SweepFolder(folder)
        self._engine = engine
        self._should_stop = should_stop
        self._asked: dict[str, dict[str, Any]] = {}
        self._digests: dict[str, str] = {}

    def points(self, settings: Sequence[dict[str, Any]]) -> list[str]:
        """Run what is missing of settings and return the digest of each one's point.

        Raises:
            Paused: asked to stop; what is done is kept.

        """
        if self._should_stop():
            raise Paused(_LATER)
        # The sweep grows, so that its folder tells of all that this process asked for.
        self._asked |= {name_of(row): row for row in settings}
        sweep = dataclasses.replace(self._base, points=tuple(self._asked.values()))
        after = carry_out(sweep, self._folder, self._engine, should_stop=self._should_stop)
        if after.missing:
            raise Paused(_LATER)
        # Settings that mean the same point, as 2 and 2.0 do, stand for it once.
        self._digests |= {name_of(point.values): point.digest for point in after.points}
        return [self._digest(row) for row in settings]

    def _digest(self, row: dict[str, Any]) -> str:
        name = name_of(row)
        if name not in self._digests:
            (point,) = expand(dataclasses.replace(self._base, points=(row,)))
            self._digests[name] = point.digest
        return self._digests[name]

    def means(self, settings: Sequence[dict[str, Any]], names: Sequence[str]) -> np.ndarray:
        """Return metrics at the end, `[n, names]`: means over replicates; NaN: all failed."""
        digests = self.points(settings)
        results = SweepResults(self._folder.path)
        if not len(results):
            return np.full((len(digests), len(names)), np.nan)
        final = results.final(*names, points=digests)
        table = final.groupby("point", observed=True)[list(names)].mean()
        return table.reindex(digests).to_numpy(float)

    def statistics(self, settings: Sequence[dict[str, Any]], target: Target) -> np.ndarray:
        """Return the statistics that a target asks for, `[n, S]`; NaN: all replicates failed."""
        if not target.distribution:
            return self.means(settings, target.names)
        digests = self.points(settings)
        niches = len(target.names)
        table = SweepResults(self._folder.path).breadth(points=digests)
        counts = table.groupby(level="point").sum().reindex(digests).fillna(0)
        return shares(counts.to_numpy(float), niches)
