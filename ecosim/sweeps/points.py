"""The points of a sweep and its runs: content-addressed, so that nothing is run twice."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ecosim.errors import ScenarioError
from ecosim.scenario import Scenario, digest, override, read
from ecosim.sweeps.definition import Sweep
from ecosim.sweeps.sampling import sampled


@dataclass(frozen=True)
class Point:
    """One setting of the numbers that vary; `scenario` is None where `error` says why."""

    digest: str
    values: dict[str, Any] = field(hash=False)
    scenario: Scenario | None = None
    error: str = ""


@dataclass(frozen=True)
class Run:
    """One replicate of a point."""

    point: Point
    replicate: int
    seed: int

    @property
    def id(self) -> str:
        """Return what names the run's result: what is computed, and its seed."""
        return f"{self.point.digest}-{self.seed}"


def name_of(values: dict[str, Any]) -> str:
    """Return what names the values of a setting, in whatever order they are given."""
    return json.dumps(values, sort_keys=True)


def expand(sweep: Sweep) -> list[Point]:
    """Return the points of a sweep, in the order in which they are written, each once.

    A combination that the scenario's rules refuse is a point with an error; the others stand.

    Raises:
        ScenarioError: the scenario itself, or what is set for all points, is not valid.

    """
    base = base_of(sweep)
    points: dict[str, Point] = {}
    for values in settings(sweep):
        point = point_of(base, values)
        points.setdefault(point.digest, point)
    return list(points.values())


def base_of(sweep: Sweep) -> Scenario:
    """Return what all points are changes of: the scenario with what is set, without snapshots.

    Raises:
        ScenarioError: it is not valid.

    """
    base = read(sweep.scenario, sweep.set)
    return override(base, {"record.events": False, "record.snapshots": 0})


def settings(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """Yield the values of each point: all combinations of grid, zip, list and sample."""
    axes, strands = sweep.axes, sweep.strands
    grid = [dict(zip(axes, row, strict=True)) for row in itertools.product(*axes.values())]
    together = [dict(zip(strands, row, strict=True)) for row in zip(*strands.values(), strict=True)]
    listed = [dict(point) for point in sweep.points]
    parts = [grid or [{}], together or [{}], listed or [{}], sampled(sweep)]
    for combination in itertools.product(*parts):
        values: dict[str, Any] = {}
        for part in combination:
            values |= part
        yield values


def point_of(base: Scenario, values: dict[str, Any]) -> Point:
    """Return the point of some values; one that the scenario's rules refuse has an error."""
    try:
        scenario = override(base, values) if values else base
    except ScenarioError as error:
        text = repr(sorted(values.items(), key=lambda item: item[0]))
        name = hashlib.sha256(f"{digest(base)} {text}".encode()).hexdigest()[:16]
        return Point(name, values, error=str(error))
    return Point(digest(scenario), values, scenario)


def runs(sweep: Sweep, points: list[Point]) -> list[Run]:
    """Return every run of the valid points: replicates of a point stand together."""
    return [
        Run(point, replicate, seed_of(sweep, point, replicate))
        for point in points
        if point.scenario is not None
        for replicate in range(sweep.replicates)
    ]


def seed_of(sweep: Sweep, point: Point, replicate: int) -> int:
    """Return the seed of a replicate: a hash of the sweep's seed, the point and its number.

    With common random numbers the point is left out, so that replicate r of all points shares
    its draws (Law 2015, Simulation Modeling and Analysis, ch. 11).
    """
    where = "" if sweep.common_random_numbers else point.digest
    text = f"ecosim run {sweep.seed} {where} {replicate}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
