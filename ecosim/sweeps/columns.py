"""Columns of a sweep's files of results, put together and cut down to the ends of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import StoreError
from ecosim.sweeps.tables import runs_in

KEYS = ("point", "replicate", "seed", "step")


class File(NamedTuple):
    """A file of results: its columns, and the runs to take from it."""

    path: Path
    names: tuple[str, ...]
    runs: frozenset[str]
    whole: bool  # no run of it is taken from another file

    @property
    def points(self) -> set[str]:
        """The digests of its points."""
        return {run.rsplit("-", 1)[0] for run in self.runs}


def files_of(footers: Mapping[Path, pq.FileMetaData]) -> list[File]:
    """Return files of results and, where two hold the same run, which runs to take from each.

    Files that were compacted come first; what they hold is not read again from others.
    """
    seen: set[str] = set()
    found: list[File] = []
    for path in sorted(footers, key=lambda path: (not path.name.startswith("all-"), path.name)):
        runs = set(runs_in(footers[path]))
        new = runs - seen
        if new:
            names = tuple(footers[path].schema.names)
            found.append(File(path, names, frozenset(new), whole=new == runs))
        seen |= new
    return found


def joined(parts: list[pa.Table], names: Sequence[str]) -> pa.Table:
    """Put tables one below the other; a metric that some runs did not record is null there."""
    if not parts:
        kinds = {"point": pa.string(), "replicate": pa.int32(), "seed": pa.int64(),
                 "step": pa.int64()}  # fmt: skip
        schema = pa.schema([*kinds.items(), *((name, pa.float64()) for name in names)])
        return schema.empty_table()
    joined = pa.concat_tables(parts, promote_options="default")
    return joined.select([*KEYS, *names]).unify_dictionaries()


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table as pandas holds it, a block a column: nothing is copied that need not be."""
    return table.to_pandas(split_blocks=True, self_destruct=True, use_threads=False)


def check_window(window: float) -> None:
    """Refuse a window that is no share of a run's records.

    Raises:
        StoreError: it is not from 0 to 1.

    """
    if not 0 <= window <= 1:  # neither is NaN
        rule = f"window is a share of a run's records, from 0 to 1 (given: {window:g})"
        raise StoreError(f"{rule}; window=0.25 takes the last quarter, 0 the last record")


def wanted_points(
    points: Iterable[str] | None, known: Iterable[str], path: Path
) -> set[str] | None:
    """Return the digests of points that are asked for; None: all.

    Raises:
        StoreError: one that the sweep in the folder `path` has not.

    """
    if points is None:
        return None
    wanted = {points} if isinstance(points, str) else set(points)
    for digest in sorted(map(str, wanted - set(known))):
        fix = "`.points` lists them, indexed by their digests"
        raise StoreError(f"{path}: the sweep has no point {digest!r}; {fix}")
    return wanted


def ends(table: pa.Table, names: Sequence[str], window: float) -> pd.DataFrame:
    """Return the last row of each run, or the mean of its last rows; runs stand in one piece."""
    frame = frame_of(table)
    seed, replicate = frame["seed"].to_numpy(), frame["replicate"].to_numpy()
    code = frame["point"].cat.codes.to_numpy()
    last = (np.diff(seed) != 0) | (np.diff(replicate) != 0) | (np.diff(code) != 0)
    ends = np.flatnonzero(np.append(last, True))
    starts = np.append(0, ends[:-1] + 1)
    result = frame.iloc[ends].reset_index(drop=True).astype({"point": str})
    if window > 0:
        wanted = np.ceil(np.round(window * (ends + 1 - starts), 6))  # 0.07 * 100 is above 7
        first = ends + 1 - np.maximum(wanted, 1).astype(int)
        for name in (name for name in names if name in frame):
            values = frame[name].to_numpy()
            means = [np.nanmean(values[a : b + 1]) if np.isfinite(values[a : b + 1]).any()
                     else np.nan for a, b in zip(first, ends, strict=True)]  # fmt: skip
            result[name] = means
    return result
