"""Many small files of results made into few large ones, without a moment at which one is lost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.sweeps.folder import RUNS, SweepFolder, runs_of, write_table

_LARGE = 2**28  # bytes of the files that make one large one


def compact(folder: SweepFolder) -> tuple[int, int]:
    """Merge a sweep's files of results; return how many there were and how many there are.

    A large file is written whole before the files in it are removed. After a crash in between,
    readers take each run once and the next compaction removes the rest.
    """
    before = folder.batch_files()
    covered: set[str] = set()
    for path in before:
        if path.name.startswith("all-"):
            covered |= set(runs_of(path))
    small = [path for path in before if not path.name.startswith("all-")]
    for path in [path for path in small if set(runs_of(path)) <= covered]:
        path.unlink(missing_ok=True)
        small.remove(path)
    for group in _groups(small, covered):
        if len(group) > 1:
            _merge(folder, group)
            for path in group:
                path.unlink(missing_ok=True)
    return len(before), len(folder.batch_files())


def _groups(files: list[Path], covered: set[str]) -> list[list[Path]]:
    """Group files of equal columns that share no run, up to a size."""
    groups: dict[tuple[str, ...], list[list[Path]]] = {}
    seen = set(covered)
    for path in files:
        runs = set(runs_of(path))
        if runs & seen:  # rare: two clients that cut the same runs differently; left to the reader
            continue
        seen |= runs
        lists = groups.setdefault(tuple(pq.read_schema(path).names), [[]])
        if lists[-1] and sum(p.stat().st_size for p in lists[-1]) + path.stat().st_size > _LARGE:
            lists.append([])
        lists[-1].append(path)
    return [group for lists in groups.values() for group in lists]


def _merge(folder: SweepFolder, files: list[Path]) -> None:
    table = pa.concat_tables([pq.read_table(path) for path in files])
    ids = [run for path in files for run in runs_of(path)]
    name = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
    table = table.replace_schema_metadata({RUNS: json.dumps(ids).encode()})
    write_table(folder.path / "batches" / f"all-{name}.parquet", table)
