"""Runs grouped into batches: one shape, small enough for the memory, named by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ecosim.scenario.measured import searched
from ecosim.sweeps.points import Run

MOST = 64  # runs of a batch: what a crash can cost, and what one file holds
_TABLES = 2**28  # bytes that the recordings of one batch may take while it runs
_METRICS = 100  # numbers in a recording, about: with the histogram of breadth


@dataclass(frozen=True)
class Batch:
    """Runs that are computed together, and whose results are one file."""

    runs: tuple[Run, ...]

    @property
    def digest(self) -> str:
        """Return what names the batch: a hash of its runs."""
        text = " ".join(run.id for run in self.runs)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def parts(self) -> list[Batch]:
        """Return the batch cut in four, or in single runs; one run alone cannot be cut."""
        size = -(-len(self.runs) // 4)
        return [Batch(self.runs[i : i + size]) for i in range(0, len(self.runs), size)]


def batches(runs: Sequence[Run], most: int = 0) -> list[Batch]:
    """Return batches of runs of one shape, runs in their order.

    Args:
        runs: what is to be computed.
        most: runs of a batch; 0: as many as fit the memory, at most 64.

    """
    groups: dict[object, list[Run]] = {}
    kinds: dict[str, object] = {}  # of a point, whatever the replicate
    for run in runs:
        name = run.point.digest
        if name not in kinds:
            kinds[name] = likeness(run)
        groups.setdefault(kinds[name], []).append(run)
    found = []
    for group in groups.values():
        size = most or _fitting(group[0])
        found += [Batch(tuple(group[i : i + size])) for i in range(0, len(group), size)]
    return found


def likeness(run: Run) -> object:
    """Return a key that runs of one compiled program share; computed without JAX.

    It may split what one program could run. The kinds are the words of a scenario, its counts, and
    whether there is a floor; runs of one batch that are unlike after all cost a program more.
    """
    from ecosim.scenario import to_dict

    assert run.point.scenario is not None
    s = run.point.scenario
    return (_words(to_dict(s)), s.most_recordings, s.tradeoff.floor > 0)


def _words(value: object, path: str = "") -> tuple[object, ...]:
    """Return all that is not a real number, with its place: words, switches, counts, lengths."""
    if isinstance(value, dict):
        inner = (_words(item, f"{path}.{key}") for key, item in sorted(value.items()))
        return tuple(x for part in inner for x in part) + ((path, "table"),)
    if isinstance(value, list):
        inner = (_words(item, f"{path}[]") for item in value)
        return tuple(x for part in inner for x in part) + ((path, len(value)),)
    if isinstance(value, float) or path in _TRACED:
        return ((path, "number"),)
    return ((path, value),)


# Whole numbers that are traced: they may differ within a batch.
_TRACED = frozenset({".run.seed", ".run.steps", ".record.every"})


def _fitting(run: Run) -> int:
    scenario = run.point.scenario
    assert scenario is not None
    per_run = 2 * scenario.most_recordings * (_METRICS + 6 * scenario.niches.count) * 8
    founders = scenario.population.size * 40
    searches = searched(scenario) * 4
    return int(min(max(_TABLES // (per_run + founders + searches), 1), MOST))
