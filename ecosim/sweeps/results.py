"""The results of a sweep, read back as tables: by metric and by point, never all at once."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import StoreError
from ecosim.machine import cores
from ecosim.sweeps.columns import (
    KEYS,
    File,
    check_window,
    ends,
    files_of,
    frame_of,
    joined,
    wanted_points,
)
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.tables import BINS, breadth_of, footer_of, only

if TYPE_CHECKING:
    import polars
    import xarray

    from ecosim.sweeps.sensitivity import Sensitivity


# Point and seed of a run, and its histogram of breadth.
type _Breadth = tuple[tuple[str, int], list[int]]

_AT_ONCE = 8  # files that are read side by side, at most


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

    def __repr__(self) -> str:
        """Return folder, points and runs."""
        runs = sum(len(file.runs) for file in self._files)
        return f"<sweep {self.path}: {len(self.points)} points, {runs} runs; varied: {self.keys}>"

    @cached_property
    def definition(self) -> dict[str, Any]:
        """What the sweep asked for when it was last run, as in its file."""
        return dict(self._folder.manifest()["definition"])

    @cached_property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The values that vary, of each point by its digest, as they were given."""
        return {row["point"]: json.loads(row["values"]) for row in self._folder.points()}

    @cached_property
    def points(self) -> pd.DataFrame:
        """One row a point, indexed by its digest: the values that vary, and `error`."""
        rows = self._folder.points()
        values = [json.loads(row["values"]) for row in rows]
        names = list(dict.fromkeys(key for row in values for key in row))
        # Where a point was asked for by other keys, a key has the value of the sweep's scenario.
        base = self._folder.manifest().get("base", {}).get("scenario", {})
        # A list (niches.supply) is shown as text, so that a point can be grouped by it.
        table = {n: [_plain(row.get(n, base.get(n))) for row in values] for n in names}
        index = pd.Index([row["point"] for row in rows], name="point")
        return pd.DataFrame(table | {"error": [row["error"] for row in rows]}, index=index)

    @property
    def keys(self) -> list[str]:
        """The names of the values that vary."""
        return [name for name in self.points.columns if name != "error"]

    @cached_property
    def failures(self) -> pd.DataFrame:
        """One row a failed run or refused point: parameters, error and traceback."""
        done = {run for file in self._files for run in file.runs}
        failures = self._folder.failures().items()
        rows = [{"run": name} | told for name, told in failures if name not in done]
        columns = ["run", "point", "replicate", "seed", "values", "error", "kind", "traceback"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def _files(self) -> list[File]:
        return files_of(self._folder.footers())

    @cached_property
    def metrics(self) -> list[str]:
        """The names of all metrics recorded at any point, in the glossary's order."""
        from ecosim.analysis import glossary

        names = {name for file in self._files for name in file.names}
        return glossary.ordered(names - set(KEYS))

    def __len__(self) -> int:
        """Return the number of runs that are done."""
        return sum(len(file.runs) for file in self._files)

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
            StoreError: a metric that no run recorded, or a point that the sweep has not.

        """
        self._known(names)
        parts = self._all(names, self._wanted(points))
        table = joined([part for part in parts if part.num_rows], names)
        frame = frame_of(table)
        return self._with_values(frame) if values else frame

    def final(
        self, *names: str, window: float = 0.0, points: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Return one row a run: point, replicate, seed, steps, values, and metrics at the end.

        Args:
            names: of metrics; none: all.
            window: 0: the last record; otherwise the mean over this last share of the records.
            points: digests of the points wanted; None: all.

        Raises:
            StoreError: a metric that no run recorded, a point that the sweep has not, or a window
                that is not from 0 to 1.

        """
        chosen = names or tuple(self.metrics)
        self._known(chosen)
        check_window(window)
        parts = self._all(chosen, self._wanted(points))
        frames = [ends(part, chosen, window) for part in parts if part.num_rows]
        frame = pd.concat(frames, ignore_index=True) if frames else frame_of(joined([], chosen))
        frame = frame.reindex(columns=[*KEYS, *chosen]).rename(columns={"step": "steps"})
        return self._with_values(frame).sort_values(["point", "replicate"], ignore_index=True)

    def breadth(self, points: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the distribution of breadth at the end, one row a run.

        Args:
            points: digests of the points wanted; None: all.

        Returns:
            Indexed by point and seed; columns 0 to 63: agents in 64 equal bins of breadth on
            [1, K], K the niches that an agent of the point may use.

        """
        wanted = self._wanted(points)
        found = dict(row for rows in self._of_each(self._breadth, wanted) for row in rows)
        index = pd.MultiIndex.from_tuples(list(found), names=["point", "seed"])
        return pd.DataFrame(list(found.values()), index, range(BINS)).sort_index()

    def _breadth(self, file: File, points: set[str] | None) -> list[_Breadth]:
        if points is not None and not points & file.points:
            return []
        footer = footer_of(file.path)
        if footer is None:
            raise FileNotFoundError(file.path)
        counts = breadth_of(footer.metadata)
        keys = {run: run.rsplit("-", 1) for run in file.runs & counts.keys()}
        return [
            ((point, int(seed)), counts[run])
            for run, (point, seed) in keys.items()
            if points is None or point in points
        ]

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
        for table in self._of_each(lambda file, points: self._read(file, names, points), None):
            yield self._with_values(frame_of(joined([table], names)))

    def sensitivity(self, metric: str, *, window: float = 0.0) -> Sensitivity:
        """Return Sobol or Morris indices of a metric; see `ecosim.sweeps.sensitivity`."""
        from ecosim.sweeps.sensitivity import sensitivity

        return sensitivity(self, metric, window=window)

    def to_polars(self, *names: str) -> polars.DataFrame:
        """Return `metric(*names)` as a polars table (polars must be installed)."""
        import polars

        return polars.from_pandas(self.metric(*names))

    def to_xarray(self, *names: str) -> xarray.Dataset:
        """Return `metric(*names)` on axes of values, replicate and step (needs xarray).

        A point off the grid of all values leaves undefined cells.

        Raises:
            StoreError: two points have the same values, as in a sweep whose `set` was changed.

        """
        import xarray

        frame = self.metric(*names).drop(columns=["point", "seed"])
        frame = frame.set_index([*self.keys, "replicate", "step"])
        if not frame.index.is_unique:
            rule = "several points have the same values, and differ in what the sweep sets"
            raise StoreError(f"{self.path}: {rule}; use .metric(), whose column `point` tells them")
        return xarray.Dataset.from_dataframe(frame)

    def _known(self, names: Sequence[str]) -> None:
        import difflib

        for name in names:
            if name not in self.metrics:
                close = difflib.get_close_matches(name, self.metrics, n=1)
                fix = f"did you mean {close[0]}?" if close else "`.metrics` lists what there is"
                raise StoreError(f"{self.path}: no run recorded {name!r}; {fix}")

    def _wanted(self, points: Iterable[str] | None) -> set[str] | None:
        return wanted_points(points, self.points.index, self.path)

    def _all(self, names: Sequence[str], points: set[str] | None) -> list[pa.Table]:
        with ThreadPoolExecutor(min(cores(), _AT_ONCE)) as pool:
            while True:
                try:
                    read = pool.map(lambda file: self._read(file, names, points), self._files)
                    return list(read)
                except FileNotFoundError:
                    self._list_again()

    def _of_each[T](
        self, read: Callable[[File, set[str] | None], T], points: set[str] | None
    ) -> Iterator[T]:
        """Yield what is read of one file after the other: each run once, whatever happens."""
        seen: set[str] = set()
        left = deque(self._files)
        while left:
            file = left.popleft()
            new = file.runs - seen
            if not new:
                continue
            whole = file.whole and new == file.runs
            try:
                found = read(file._replace(runs=new, whole=whole), points)
            except FileNotFoundError:
                self._list_again()
                left = deque(self._files)
                continue
            seen |= new
            yield found

    def _list_again(self) -> None:
        """Forget the files: one was compacted away, and what is there now holds the same runs."""
        self.__dict__.pop("_files", None)

    def _read(self, file: File, names: Sequence[str], points: set[str] | None) -> pa.Table:
        columns = [*KEYS, *(name for name in names if name in file.names)]
        if points is not None and not points & file.points:
            return joined([], columns[len(KEYS) :])
        opened = pq.ParquetFile(file.path, read_dictionary=["point"], memory_map=True)
        table = opened.read(columns=columns, use_threads=False)
        if points is not None:
            table = table.filter(pa.compute.is_in(table["point"], pa.array(sorted(points))))
        return table if file.whole else only(table, set(file.runs))

    def _with_values(self, frame: pd.DataFrame) -> pd.DataFrame:
        points = frame["point"].astype("category")
        codes = points.cat.codes.to_numpy()
        table = self.points.reindex(points.cat.categories)
        # Columns as they are: a frame that is assigned to copies all of its own.
        columns = {name: frame[name] for name in frame} | {"point": points}
        for key in self.keys:
            values = table[key].to_numpy()[codes]
            columns[key] = pd.Series(values, index=frame.index, copy=False)
        return pd.DataFrame(columns, copy=False)


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value
