"""What is refused before anything runs: designs too large, and designs without a valid point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

from ecosim import machine
from ecosim.analysis import glossary
from ecosim.analysis.expectation import records
from ecosim.errors import Problem, ScenarioError
from ecosim.scenario import Scenario, override
from ecosim.sweeps.definition import Sweep
from ecosim.sweeps.points import base_of, settings
from ecosim.sweeps.ranges import Range

LIMIT = 100_000  # runs of a sweep that nobody need ask for twice
# Memory of the process that lays a sweep out, measured: a point is a scenario, a run is its name.
_POINT_BYTES, _RUN_BYTES = 8_000, 400
_CORNERS = 6  # keys of a box whose corners are all tried


def count(sweep: Sweep) -> int:
    """Return how many points a sweep asks for, those that stand twice too; none is made."""
    listed = max(len(sweep.points), 1)
    together = len(next(iter(sweep.strands.values()), [None]))
    across = math.prod(len(values) for values in sweep.axes.values())
    return across * together * listed * _sampled(sweep)


def _sampled(sweep: Sweep) -> int:
    if sweep.sample is None:
        return 1
    keys = len(sweep.sample.over)
    blocks = {"morris": keys + 1, "saltelli": keys + 2}
    return sweep.sample.samples * blocks.get(sweep.sample.method, 1)


def check_size(sweep: Sweep, limit: int = LIMIT) -> None:
    """Refuse a sweep, or a search, of more runs than the limit or than the memory holds.

    Raises:
        ScenarioError: with the number of runs, and what would help.

    """
    points = count(sweep) if sweep.search is None else sweep.search.trials
    check_runs(points, sweep.replicates, limit)


def check_runs(points: int, replicates: int, limit: int = LIMIT) -> None:
    """Refuse points and replicates of more runs than the limit or than the memory holds.

    Raises:
        ScenarioError: with the number of runs, and what would help.

    """
    runs = points * replicates
    given = f"{points:,} points x {replicates:,} replicates"
    if runs > limit:
        rule = f"a sweep has {limit:,} runs at most, unless more are asked for"
        fix = f"take fewer values or samples, or give --limit {runs}"
        raise ScenarioError([Problem("", given, rule, fix)], "sweep")
    needed, there = points * _POINT_BYTES + runs * _RUN_BYTES, machine.memory()
    if needed > there / 2:
        rule = (f"laying out {runs:,} runs takes about {needed / 2**30:.1f} GiB, more than half of "
                f"the {there / 2**30:.1f} GiB of memory that may be used here")  # fmt: skip
        fix = "divide it into several sweeps, each with its own --out"
        raise ScenarioError([Problem("", given, rule, fix)], "sweep")


def check_points(sweep: Sweep) -> None:
    """Refuse a sweep of which the scenario's rules refuse every point.

    Raises:
        ScenarioError: the scenario itself is not valid, or no point is; with the problems of the
            first.

    """
    if sweep.search is None:
        first_valid(base_of(sweep), settings(sweep), "point")
    else:
        base = base_of(sweep)
        check_metrics(base, [sweep.search.metric])
        first_valid(base, probes(sweep.search.ranges), "trial")


def probes(ranges: dict[str, Range]) -> Iterable[dict[str, Any]]:
    """Yield the middle of a box, and its corners (of many keys: two opposite ones)."""
    ends = (0.0, 1.0)
    few = len(ranges) <= _CORNERS
    corners = itertools.product(ends, repeat=len(ranges)) if few else ((e,) * len(ranges)
                                                                       for e in ends)  # fmt: skip
    for row in [(0.5,) * len(ranges), *corners]:
        yield {key: found.at(unit) for (key, found), unit in zip(ranges.items(), row, strict=True)}


def first_valid(base: Scenario, rows: Iterable[dict[str, Any]], what: str) -> None:
    """Return at the first valid setting.

    Raises:
        ScenarioError: there is none; with the problems of the first.

    """
    refused: ScenarioError | None = None
    for values in rows:
        try:
            override(base, values)
        except ScenarioError as error:
            shown = ", ".join(f"{key}={value}" for key, value in values.items())
            head = f"every {what} is refused, as the first ({shown})"
            refused = refused or ScenarioError(error.problems, head)
        else:
            return
    if refused is not None:
        raise refused


def check_metrics(base: Scenario, names: Iterable[str]) -> None:
    """Refuse metrics that no run of a scenario will have.

    Raises:
        ScenarioError: with the nearest names.

    """
    problems = []
    for name in names:
        if not records(base, name):
            close = glossary.near(name, base.world)
            fix = f"did you mean {', '.join(close)}?" if close else "`ecosim metrics` lists them"
            problems.append(
                Problem("metric", name, "a run of this scenario does not record it", fix)
            )
    if problems:
        raise ScenarioError(problems, base.name)
