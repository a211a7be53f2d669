"""A plane simulated: specialists' share in each cell, the 50 % contour, agreement with theory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecosim.errors import StoreError
from ecosim.studies.claim import Size
from ecosim.studies.planes import Plane
from ecosim.studies.trying import Stopped

type Floats = NDArray[np.float64]
type Sign = Literal["specialists", "generalists", "undecided", "no theory"]

_ERRORS = 2.0  # standard errors from one half within which a cell is undecided
_LATE = 0.2  # share of the records, at the end, over which a run's share is averaged
_DRAWS = 400  # bootstrap samples of replicates


@dataclass(frozen=True)
class Contour:
    """Where the specialists' share crosses one half in each row, nan where it does not."""

    x: Floats  # [Y]
    low: Floats  # [Y] 5 % of resampled replicates cross to the left of it
    high: Floats  # [Y] 95 %


@dataclass(frozen=True)
class Diagram:
    """A plane's results.

    Attributes:
        plane: what was simulated.
        x: values across `[X]`.
        y: values up `[Y]`.
        share: specialists' share late in the run, of each replicate `[Y, X, replicates]`.
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
        return np.asarray(self.share.mean(axis=2))

    @property
    def stderr(self) -> Floats:
        """Standard error of the mean `[Y, X]`."""
        return np.asarray(self.share.std(axis=2, ddof=1) / math.sqrt(self.share.shape[2]))

    def boundary(self, number: int = 0) -> Floats:
        """Return one of the plane's closed forms at each y `[Y]`; nan where there is none."""
        forms = self.plane.boundaries
        form = forms[number].at if number < len(forms) else lambda _: math.nan
        return np.array([form(float(y)) for y in self.y])

    def signs(self, number: int = 0) -> list[list[tuple[Sign, Sign]]]:
        """Return what a closed form says and what was observed, for each cell `[Y][X]`."""
        edge = self.boundary(number)
        return [
            [
                (_expected(x, edge[row]), _observed(self.mean[row, col], self.stderr[row, col]))
                for col, x in enumerate(self.x)
            ]
            for row in range(self.y.size)
        ]

    def agreement(self, number: int = 0) -> dict[str, int]:
        """Return how many cells agree with a closed form in sign, disagree, or are undecided."""
        counts: Counter[str] = Counter()
        for expected, observed in (pair for row in self.signs(number) for pair in row):
            if "no theory" in (expected, observed):
                counts["no theory"] += 1
            elif observed == "undecided":
                counts["undecided"] += 1
            else:
                counts["agree" if observed == expected else "disagree"] += 1
        return {"cells": self.x.size * self.y.size, **counts}


def _expected(x: float, edge: float) -> Sign:
    if math.isnan(edge):
        return "no theory"
    return "specialists" if x > edge else "generalists"


def _observed(mean: float, stderr: float) -> Sign:
    if abs(mean - 0.5) <= _ERRORS * stderr:
        return "undecided"
    return "specialists" if mean > 0.5 else "generalists"


def crossing(x: Floats, share: Floats) -> float:
    """Return where a row of shares `[X]` first rises through one half, by linear interpolation.

    nan where it never does; the row's first x where it is above one half from there on.
    """
    above = np.flatnonzero(share >= 0.5)
    if not above.size:
        return math.nan
    first = int(above[0])
    if first == 0:
        return float(x[0])
    part = (0.5 - share[first - 1]) / (share[first] - share[first - 1])
    return float(x[first - 1] + part * (x[first] - x[first - 1]))


def contour(diagram: Diagram) -> Contour:
    """Return the 50 % contour, with the interval in which it lies when replicates are resampled."""
    random = np.random.default_rng(0)
    x, share = diagram.x, diagram.share
    middle = np.array([crossing(x, row) for row in diagram.mean])
    low, high = np.full(middle.shape, math.nan), np.full(middle.shape, math.nan)
    for number, row in enumerate(share):
        count = row.shape[1]
        picks = random.integers(0, count, (_DRAWS, row.shape[0], count))
        drawn = np.take_along_axis(row[None], picks, axis=2).mean(axis=2)
        found = np.array([crossing(x, values) for values in drawn])
        found = found[np.isfinite(found)]
        if found.size:
            low[number], high[number] = np.quantile(found, (0.05, 0.95))
    return Contour(middle, low, high)


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
