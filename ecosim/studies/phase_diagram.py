"""A plane simulated: one side's share in each cell, and whether the signs agree with theory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecosim.errors import StoreError
from ecosim.studies.cells import Cells, Floats, cells, spread
from ecosim.studies.claim import Size
from ecosim.studies.planes import Plane
from ecosim.studies.trying import Stopped

_LATE = 0.2  # share of the records, at the end, over which a run's share is averaged


@dataclass(frozen=True)
class Diagram:
    """A plane's results.

    Attributes:
        plane: what was simulated.
        x: values across `[X]`.
        y: values up `[Y]`.
        share: of the plane's first side (specialists) late in the run, of each replicate
            `[Y, X, replicates]`; nan where nobody is there.
        folder: of the sweep.

    """

    plane: Plane
    x: Floats
    y: Floats
    share: Floats
    folder: Path

    @property
    def mean(self) -> Floats:
        """Mean over replicates `[Y, X]`."""
        return spread(self.share)[0]

    @property
    def stderr(self) -> Floats:
        """Standard error of the mean `[Y, X]`."""
        return spread(self.share)[1]

    @property
    def cells(self) -> Cells:
        """Who wins where, and how surely `[Y, X]`."""
        return cells(self.share)

    def boundary(self, number: int = 0) -> Floats:
        """Return one of the plane's closed forms at each y `[Y]`; nan where there is none."""
        forms = self.plane.boundaries
        form = forms[number].at if number < len(forms) else lambda _: math.nan
        return np.array([form(float(y)) for y in self.y])

    def signs(self, number: int = 0) -> list[list[tuple[str, str]]]:
        """Return what a closed form says and what was observed, for each cell `[Y][X]`.

        One of the plane's sides; or `no theory`; or `undecided`, or `no value`.
        """
        edge, seen = self.boundary(number), self.cells
        first, second = self.plane.sides
        observed = np.where(seen.above, first, second)
        observed = np.where(seen.decided, observed, np.where(seen.empty, "no value", "undecided"))
        expected = np.where(self.x[None, :] > edge[:, None], first, second)
        expected = np.where(np.isnan(edge)[:, None], "no theory", expected)
        return [
            list(zip(*row, strict=True))
            for row in zip(expected.tolist(), observed.tolist(), strict=True)
        ]

    def agreement(self, number: int = 0) -> dict[str, int]:
        """Return how many cells agree with a closed form, disagree, are undecided or empty."""
        counts: Counter[str] = Counter()
        for expected, observed in (pair for row in self.signs(number) for pair in row):
            if expected == "no theory" or observed in ("undecided", "no value"):
                counts["no theory" if expected == "no theory" else observed] += 1
            else:
                counts["agree" if observed == expected else "disagree"] += 1
        return {"cells": self.x.size * self.y.size, **counts}


def simulated(
    plane: Plane, size: Size, folder: Path, *, should_stop: Callable[[], bool] = lambda: False
) -> Diagram:
    """Run what is missing of a plane and return its results.

    Args:
        plane: what is simulated.
        size: which values and how many replicates.
        folder: takes a sweep, in a folder of the plane's name.
        should_stop: asked between batches.

    Raises:
        ScenarioError: a point that the scenario's rules refuse.
        StoreError: the folder cannot be written, or a run failed.
        Stopped: `should_stop` said so; what is done is kept.

    """
    import tomli_w

    from ecosim.experiments.folders import write_atomically
    from ecosim.sweeps.definition import validate
    from ecosim.sweeps.execution import Here, carry_out
    from ecosim.sweeps.folder import SweepFolder

    x, y = plane.across.values(size), plane.up.values(size)
    source = folder / f"{plane.name}.toml"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(source, tomli_w.dumps({"name": plane.name, **plane.scenario}).encode())
    points = [plane.point(across, up) for up in y for across in x]
    given = {"scenario": str(source), "name": plane.name, "points": points,
             "replicates": plane.replicates[size]}  # fmt: skip
    sweep = validate(given, plane.name)
    place = folder / plane.name
    after = carry_out(sweep, SweepFolder(place), Here(), should_stop=should_stop, mixed=True)
    if after.failed:
        told = next(iter(after.failed.values()))
        raise StoreError(f"{place}: {len(after.failed)} runs failed, the first: {told['error']}")
    if after.missing:
        raise Stopped
    share = _shares(plane, place, after.points, sweep.replicates)
    shape = (len(y), len(x), sweep.replicates)
    return Diagram(plane, np.array(x, float), np.array(y, float), share.reshape(shape), place)


def _shares(plane: Plane, place: Path, points: list[Any], replicates: int) -> Floats:
    """Return specialists' shares `[points, replicates]`, points in the order they were given."""
    from ecosim.sweeps.results import SweepResults

    wanted = [point.digest for point in points]
    final = SweepResults(place).final(plane.metric, window=_LATE, points=wanted)
    final = final[final["replicate"] < replicates]  # a larger study may have run before
    table = final.pivot(index="point", columns="replicate", values=plane.metric)
    found = table.loc[wanted].to_numpy(float)
    return 1 - found if plane.rest else found
