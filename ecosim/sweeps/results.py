"""The results of a sweep, read back as tables: by metric and by point, never all at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import StoreError
from ecosim.sweeps.folder import SweepFolder, runs_of

if TYPE_CHECKING:
    import polars
    import xarray

_KEYS = ("point", "replicate", "seed", "step")


class SweepResults:
    """A sweep that was run, also in part.

    Attributes:
        path: its folder.

    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the folder of a sweep; only names and footers are read.

        Raises:
            StoreError: there is none.

        """
        self.path = Path(path)
        self._folder = SweepFolder.opened(path)

    @cached_property
    def points(self) -> pd.DataFrame:
        """One row a point, indexed by its digest: the values that vary, and `error`."""
        rows = self._folder.points()
        values = [json.loads(row["values"]) for row in rows]
        names = list(dict.fromkeys(key for row in values for key in row))
        # A list (niches.supply) is shown as text, so that a point can be grouped by it.
        table = {name: [_plain(row.get(name)) for row in values] for name in names}
        index = pd.Index([row["point"] for row in rows], name="point")
        return pd.DataFrame(table | {"error": [row["error"] for row in rows]}, index=index)

    @property
    def keys(self) -> list[str]:
        """The names of the values that vary."""
        return [name for name in self.points.columns if name != "error"]

    @cached_property
    def failures(self) -> pd.DataFrame:
        """One row a failed run or refused point: parameters, error and traceback."""
        rows = [{"run": name} | told for name, told in self._folder.failures().items()]
        columns = ["run", "point", "replicate", "seed", "values", "error", "kind", "traceback"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def _files(self) -> list[tuple[Path, set[str] | None]]:
        """Files of results and, where two hold the same run, which runs to take from each.

        Files that were compacted come first; what they hold is not read again from others.
        """
        seen: set[str] = set()
        found: list[tuple[Path, set[str] | None]] = []
        files = self._folder.batch_files()
        for path in sorted(files, key=lambda path: (not path.name.startswith("all-"), path.name)):
            runs = set(runs_of(path))
            new = runs - seen
            if new:
                found.append((path, None if new == runs else new))
            seen |= new
        return found

    @cached_property
    def metrics(self) -> list[str]:
        """The names of all metrics recorded at any point, in the glossary's order."""
        from ecosim.analysis import glossary

        names = {n for path, _ in self._files for n in pq.read_schema(path).names}
        return glossary.ordered(names - {"point", "replicate", "seed", "step"})

    def __len__(self) -> int:
        """Return the number of runs that are done."""
        return sum(len(runs_of(path)) if runs is None else len(runs) for path, runs in self._files)

    def metric(
        self, *names: str, points: Iterable[str] | None = None, values: bool = True
    ) -> pd.DataFrame:
        """Return metrics over all steps of all runs, read from their columns only.

        Args:
            names: of metrics.
            points: digests of the points wanted; None: all.
            values: join the values that vary, one column each.

        Returns:
            One row a recording: point, replicate, seed, step, the metrics, the values.

        Raises:
            StoreError: a metric that no run recorded.

        """
        self._known(names)
        wanted = None if points is None else set(points)
        parts = [self._read(path, runs, names, wanted) for path, runs in self._files]
        table = _joined([part for part in parts if part.num_rows], names)
        frame = table.to_pandas()
        return self._with_values(frame) if values else frame

    def final(self, *names: str, window: float = 0.0) -> pd.DataFrame:
        """Return one row a run: point, replicate, seed, steps, values, and metrics at the end.

        Args:
            names: of metrics; none: all.
            window: 0: the last record; otherwise the mean over this last share of the records.

        Raises:
            StoreError: a metric that no run recorded.

        """
        chosen = names or tuple(self.metrics)
        self._known(chosen)
        frames = [
            _ends(self._read(path, runs, chosen, None), chosen, window)
            for path, runs in self._files
        ]
        empty = pd.DataFrame(columns=[*_KEYS, *chosen])
        frame = pd.concat(frames, ignore_index=True) if frames else empty
        frame = frame.rename(columns={"step": "steps"})
        return self._with_values(frame).sort_values(["point", "replicate"], ignore_index=True)

    def summary(self, *names: str, window: float = 0.0) -> pd.DataFrame:
        """Return one row a point: values, replicates, mean and standard error of metrics."""
        final = self.final(*names, window=window)
        chosen = names or tuple(self.metrics)
        grouped = final.groupby("point", observed=True)
        table = self.points[self.keys].copy()
        table["replicates"] = grouped.size().reindex(table.index, fill_value=0)
        for name in chosen:
            table[name] = grouped[name].mean()
            table[f"{name}_se"] = grouped[name].sem()
        return table

    def batches(self, *names: str) -> Iterator[pd.DataFrame]:
        """Yield metrics file by file, for sweeps larger than the memory."""
        self._known(names)
        for path, runs in self._files:
            frame = _joined([self._read(path, runs, names, None)], names).to_pandas()
            yield self._with_values(frame)

    def to_polars(self, *names: str) -> polars.DataFrame:
        """Return `metric(*names)` as a polars table (polars must be installed)."""
        import polars

        return polars.from_pandas(self.metric(*names))

    def to_xarray(self, *names: str) -> xarray.Dataset:
        """Return `metric(*names)` on axes of values, replicate and step (needs xarray).

        A point off the grid of all values leaves undefined cells.
        """
        import xarray

        frame = self.metric(*names).drop(columns=["point", "seed"])
        return xarray.Dataset.from_dataframe(frame.set_index([*self.keys, "replicate", "step"]))

    def _known(self, names: Sequence[str]) -> None:
        import difflib

        for name in names:
            if name not in self.metrics:
                close = difflib.get_close_matches(name, self.metrics, n=1)
                fix = f"did you mean {close[0]}?" if close else "`.metrics` lists what there is"
                raise StoreError(f"{self.path}: no run recorded {name!r}; {fix}")

    def _read(
        self, path: Path, runs: set[str] | None, names: Sequence[str], points: set[str] | None
    ) -> pa.Table:
        file = pq.ParquetFile(path, read_dictionary=["point"], memory_map=True)
        there = [name for name in names if name in file.schema_arrow.names]
        table = file.read(columns=[*_KEYS, *there])
        if points is not None:
            table = table.filter(pa.compute.is_in(table["point"], pa.array(sorted(points))))
        if runs is not None:
            frame = table.select(["point", "seed"]).to_pandas()
            ids = frame["point"].astype(str) + "-" + frame["seed"].astype(str)
            table = table.filter(pa.array(ids.isin(runs).to_numpy()))
        return table

    def _with_values(self, frame: pd.DataFrame) -> pd.DataFrame:
        points = frame["point"].astype("category")
        codes = points.cat.codes.to_numpy()
        table = self.points.reindex(points.cat.categories)
        columns = {key: table[key].to_numpy()[codes] for key in self.keys}
        return pd.concat(
            [frame.assign(point=points), pd.DataFrame(columns, index=frame.index)], axis=1
        )


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _joined(parts: list[pa.Table], names: Sequence[str]) -> pa.Table:
    """Put tables one below the other; a metric that some runs did not record is null there."""
    if not parts:
        kinds = {"point": pa.string(), "replicate": pa.int32(), "seed": pa.int64(),
                 "step": pa.int64()}  # fmt: skip
        schema = pa.schema([*kinds.items(), *((name, pa.float64()) for name in names)])
        return schema.empty_table()
    joined = pa.concat_tables(parts, promote_options="default")
    return joined.select([*_KEYS, *names]).unify_dictionaries()


def _ends(table: pa.Table, names: Sequence[str], window: float) -> pd.DataFrame:
    """Return the last row of each run, or the mean of its last rows; runs stand in one piece."""
    frame = table.to_pandas()
    if frame.empty:
        return frame
    seed, replicate = frame["seed"].to_numpy(), frame["replicate"].to_numpy()
    code = frame["point"].cat.codes.to_numpy()
    last = (np.diff(seed) != 0) | (np.diff(replicate) != 0) | (np.diff(code) != 0)
    ends = np.flatnonzero(np.append(last, True))
    starts = np.append(0, ends[:-1] + 1)
    result = frame.iloc[ends].reset_index(drop=True).astype({"point": str})
    if window > 0:
        first = ends + 1 - np.maximum(np.ceil(window * (ends + 1 - starts)), 1).astype(int)
        for name in (name for name in names if name in frame):
            values = frame[name].to_numpy()
            means = [np.nanmean(values[a : b + 1]) if np.isfinite(values[a : b + 1]).any()
                     else np.nan for a, b in zip(first, ends, strict=True)]  # fmt: skip
            result[name] = means
    return result
