"""A claim tried: its conditions run as sweeps, each expectation read off them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecosim.errors import StoreError
from ecosim.studies.claim import Claim, Expected, Size
from ecosim.studies.verdict import Outcome, decided

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.sweeps.definition import Sweep

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tried:
    """A claim's outcomes, one an expectation; none where it waits for something.

    `never` counts, for each expectation, runs in which a level was not reached before the end;
    `seconds` are of processor time, of what was missing alone.
    """

    claim: Claim
    size: Size
    outcomes: tuple[Outcome, ...] = ()
    never: tuple[int, ...] = ()
    folders: tuple[Path, ...] = field(default=())
    seconds: float = 0.0


class Stopped(Exception):  # noqa: N818  (an event, not an error)
    """The study was asked to end before all runs were done."""


def attempt(
    claim: Claim, size: Size, folder: Path, *, should_stop: Callable[[], bool] = lambda: False
) -> Tried:
    """Run what is missing of a claim and judge its expectations.

    Args:
        claim: what is tried.
        size: how many replicates, and whether the keys of `full` are set.
        folder: takes a sweep for each of the claim's scenarios.
        should_stop: asked between batches.

    Raises:
        ScenarioError: a scenario or a condition that breaks rules.
        StoreError: the folder cannot be written, or a run failed.
        Stopped: `should_stop` said so.

    """
    if claim.waits_for:
        return Tried(claim, size)
    begun = process_time()
    readings: dict[str, Readings] = {}
    folders = []
    for name in claim.scenarios:
        place = folder / claim.name / name
        readings |= _carried_out(claim, name, size, place, should_stop)
        folders.append(place)
    contrasts = [contrast(expected, readings) for expected in claim.expect]
    outcomes = [
        decided(values, expected.direction, expected.target, expected.tolerance)
        for expected, (values, _) in zip(claim.expect, contrasts, strict=True)
    ]
    never = tuple(missed for _, missed in contrasts)
    spent = process_time() - begun
    return Tried(claim, size, tuple(outcomes), never, tuple(folders), spent)


type Readings = Callable[[str], pd.DataFrame]  # metric -> one row a record, by replicate and step


def contrast(expected: Expected, readings: dict[str, Readings]) -> tuple[Floats, int]:
    """Return the contrast of each replicate `[n]`, and in how many runs a level was not reached."""
    total: Any = 0.0
    never = 0
    for name, weight in expected.contrast.items():
        numbers, missed = read_off(expected, readings[name](expected.metric))
        total = total + weight * (np.log(numbers) if expected.log else numbers)
        never += missed
    return np.asarray(total, float), never


def read_off(expected: Expected, records: pd.DataFrame) -> tuple[Floats, int]:
    """Return one number of each replicate `[n]`, and how many never reached the level.

    Args:
        expected: says what is read.
        records: replicate, step and the metric, a row a record.

    """
    numbers, never = [], 0
    for _, run in records.groupby("replicate", sort=True):
        values, steps = run[expected.metric].to_numpy(), run["step"].to_numpy()
        if expected.reaches is None:
            last = max(1, int(expected.window * len(values) + 0.5))
            numbers.append(float(values[-last:].mean()))
            continue
        later = steps >= expected.since
        beyond = values >= expected.reaches if expected.rising else values <= expected.reaches
        there = np.flatnonzero(later & beyond)
        never += not there.size
        numbers.append(float(steps[there[0]] if there.size else steps[-1]) - expected.since)
    return np.array(numbers), never


def _carried_out(
    claim: Claim, name: str, size: Size, place: Path, should_stop: Callable[[], bool]
) -> dict[str, Readings]:
    """Run what is missing of one scenario's conditions, and return how their records are read."""
    from ecosim.scenario import digest, override, read
    from ecosim.sweeps.execution import Here, carry_out
    from ecosim.sweeps.folder import SweepFolder
    from ecosim.sweeps.results import SweepResults

    sweep = _sweep(claim, name, size, place)
    after = carry_out(sweep, SweepFolder(place), Here(), should_stop=should_stop, mixed=True)
    if after.failed:
        told = next(iter(after.failed.values()))
        raise StoreError(f"{place}: {len(after.failed)} runs failed, the first: {told['error']}")
    if after.missing:
        raise Stopped
    results = SweepResults(place)
    base = override(read(sweep.scenario, sweep.set), {"record.events": False})
    found: dict[str, Readings] = {}
    for condition, point in zip(_conditions(claim, name), sweep.points, strict=True):
        key = digest(override(base, {**point, "record.snapshots": 0}))
        found[condition] = _reader(results, key, sweep.replicates)
    return found


def _reader(results: Any, point: str, replicates: int) -> Readings:
    def records(metric: str) -> pd.DataFrame:
        table = results.metric(metric, points=[point], values=False)
        return table[table["replicate"] < replicates]  # a larger study may have run before

    return records


def _conditions(claim: Claim, name: str) -> list[str]:
    return [key for key in claim.conditions if claim.scenario_of(key) == name]


def _sweep(claim: Claim, name: str, size: Size, place: Path) -> Sweep:
    """Return a scenario's conditions as the points of a sweep, the scenario written beside it."""
    import tomli_w

    from ecosim.experiments.folders import write_atomically
    from ecosim.sweeps.definition import validate

    raw = {"name": f"{claim.name}-{name}", **claim.scenarios[name]}
    # A sweep keeps to its scenario's name; another number in it is another point.
    source = place.parent / f"{name}.toml"
    source.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(source, tomli_w.dumps(raw).encode())
    given = {
        "scenario": str(source), "name": f"{claim.name}-{name}", "seed": claim.seed,
        "replicates": getattr(claim.replicates, size),
        "points": [
            dict(claim.full if size == "full" else {}) | claim.conditions[condition].set
            for condition in _conditions(claim, name)
        ],
    }  # fmt: skip
    return validate(given, claim.name)
