"""Many small files of results made into few large ones, without a moment at which one is lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.tables import BREADTH, RUNS, breadth_of, only, runs_of, write_table

_LARGE = 2**28  # bytes of the files that make one large one


@dataclass
class _Group:
    """Files that become one: each with the runs to take from it, None: all."""

    files: list[tuple[Path, set[str] | None]] = field(default_factory=list)
    size: int = 0


def compact(folder: SweepFolder) -> tuple[int, int]:
    """Merge a sweep's files of results; return how many there were and how many there are.

    A large file is written whole before the files in it are removed. After a crash in between,
    readers take each run once and the next compaction removes the rest. Several may compact at
    once: one that finds a file gone leaves its group to the other.
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
        if len(group.files) > 1:
            try:
                _merge(folder, group)
            except FileNotFoundError:
                continue
            for path, _ in group.files:
                path.unlink(missing_ok=True)
    return len(before), len(folder.batch_files())


def _groups(files: list[Path], covered: set[str]) -> Iterator[_Group]:
    """Yield files of equal columns, up to a size; of a run that is there twice one is taken."""
    groups: dict[tuple[str, ...], list[_Group]] = {}
    seen = set(covered)
    for path in files:
        try:
            runs, size = set(runs_of(path)), path.stat().st_size
            names = tuple(pq.read_schema(path).names)
        except FileNotFoundError:
            continue
        new = runs - seen
        seen |= runs
        lists = groups.setdefault(names, [_Group()])
        if lists[-1].files and lists[-1].size + size > _LARGE:
            lists.append(_Group())
        lists[-1].files.append((path, None if new == runs else new))
        lists[-1].size += size
    for lists in groups.values():
        yield from lists


def _merge(folder: SweepFolder, group: _Group) -> None:
    tables: list[pa.Table] = []
    ids: list[str] = []
    breadth: dict[str, list[int]] = {}
    for path, wanted in group.files:
        table = pq.read_table(path)
        of_file = json.loads((table.schema.metadata or {}).get(RUNS, b"[]"))
        counts = breadth_of(table.schema.metadata)
        if wanted is not None:
            table = only(table, wanted)
            of_file = [run for run in of_file if run in wanted]
        tables.append(table)
        ids += of_file
        breadth |= {run: counts[run] for run in of_file if run in counts}
    name = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
    footer = {RUNS: json.dumps(ids).encode(), BREADTH: json.dumps(breadth).encode()}
    # The footers of the files differ: a table has but one.
    joined = pa.concat_tables([table.replace_schema_metadata(footer) for table in tables])
    write_table(folder.path / "batches" / f"all-{name}.parquet", joined)
