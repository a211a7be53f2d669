"""How far a sweep is, told from its folder by any process, without reading a result."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from typing import Any

from ecosim.sweeps import dashboards, heartbeat
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.tables import runs_in

_WINDOWS = (120.0, 600.0, 3600.0)  # seconds back in which runs are counted for the rate


@dataclass(frozen=True)
class Status:
    """What a sweep's folder tells; all counts are of runs.

    Attributes:
        path: the folder.
        name: of the sweep.
        total: runs that the sweep asks for.
        done: runs whose results are there.
        failed: runs that failed, or whose point the scenario's rules refuse.
        missing: runs that are neither.
        others: runs that are there of earlier requests, which the last one did not ask for.
        running: runs of batches that a process computes now.
        lost: batches whose process ended without a result and that are tried again; 0 when
            nothing is missing.
        rate: runs a second over the last minutes; None where nothing ended in the last hour.
        left_s: seconds left at that rate; None where there is no rate.
        workers: one table each: host, pid, state, done, failed, batches, busy_s, seen.
        dashboards: links of the clusters that compute now.

    """

    path: str
    name: str
    total: int
    done: int
    failed: int
    missing: int
    others: int
    running: int
    lost: int
    rate: float | None
    left_s: float | None
    workers: list[dict[str, Any]]
    dashboards: list[str]

    def as_table(self) -> dict[str, Any]:
        """Return the status as plain data."""
        return asdict(self)


def status(path: str | os.PathLike[str]) -> Status:
    """Return how far a sweep is; only names and footers are read.

    Raises:
        StoreError: there is no sweep.

    """
    folder = SweepFolder.opened(path)
    asked = folder.asked()
    of_file = {file: runs_in(footer) for file, footer in folder.footers().items()}
    there = {run for runs in of_file.values() for run in runs}
    failures = set(folder.failed())
    done = sum(count for run, count in asked.items() if run in there)
    failed = sum(count for run, count in asked.items() if run in failures and run not in there)
    total = sum(asked.values())
    missing = total - done - failed
    marks = folder.marks()
    alive = [mark for mark in marks if mark["alive"]]
    dead = {mark["batch"] for mark in marks} - {mark["batch"] for mark in alive}
    rate = _rate(folder, {file: len(runs) for file, runs in of_file.items()})
    return Status(
        path=str(folder.path),
        name=str(folder.manifest().get("name", "")),
        total=total,
        done=done,
        failed=failed,
        missing=missing,
        others=len(there) - done,
        running=sum(mark.get("runs", 0) for mark in alive),
        lost=len(dead) if missing else 0,
        rate=rate,
        left_s=missing / rate if rate else None,
        workers=_workers(folder, ended=not missing),
        dashboards=dashboards.links(folder.path),
    )


def _workers(folder: SweepFolder, *, ended: bool) -> list[dict[str, Any]]:
    """Return what the workers tell; where nothing is missing, one that died has simply ended."""
    found = heartbeat.workers(folder.path)
    return [told | {"state": "ended"} if ended and told["state"] == "lost" else told
            for told in found]  # fmt: skip


def _rate(folder: SweepFolder, runs: dict[Any, int]) -> float | None:
    """Return runs a second over the last minutes, from when the files of results appeared."""
    now = time.time()
    try:
        began = (folder.path / "manifest.json").stat().st_mtime
    except OSError:
        return None
    ages = []
    for file, count in runs.items():
        if file.name.startswith("all-"):  # compacted: when its runs ended is forgotten
            continue
        try:
            ages.append((now - file.stat().st_mtime, count))
        except OSError:
            continue
    for window in _WINDOWS:
        span = min(window, now - began)
        counted = sum(count for age, count in ages if age <= span)
        if counted and span > 0:
            return counted / span
    return None
