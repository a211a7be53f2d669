"""What a calibration fits: observed metrics, or an observed distribution of breadth."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecosim.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

BREADTH = "breadth"  # the name that stands for the whole distribution
_SHARED = "ECOSIM_SHARED_DATA"


@dataclass(frozen=True)
class Target:
    """Summary statistics as they were observed.

    Attributes:
        names: of the statistics: metrics, or `breadth 1`, `breadth 2` ... as shares of agents.
        values: `[S]`.
        distribution: the values are a distribution: distances between two are Hellinger's.

    """

    names: tuple[str, ...]
    values: np.ndarray
    distribution: bool

    def scales(self, simulated: np.ndarray) -> np.ndarray:
        """Return what one unit of each statistic is: its median absolute deviation in `[n, S]`."""
        if self.distribution:
            return np.ones(len(self.values))
        middle = np.nanmedian(simulated, axis=0)
        spread = np.nanmedian(np.abs(simulated - middle), axis=0)
        plain = np.nanstd(simulated, axis=0)
        spread = np.where(spread > 0, spread, plain)
        return np.where(spread > 0, spread, 1.0)

    def distances(self, simulated: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """Return the distance of each row of statistics `[n, S]`; NaN where one is missing."""
        if self.distribution:
            overlap = np.sqrt(simulated * self.values).sum(axis=1)
            return np.sqrt(np.clip(1 - overlap, 0, None))
        return np.sqrt(np.mean(((simulated - self.values) / scales) ** 2, axis=1))


def located(path: str | os.PathLike[str]) -> Path:
    """Return a file of data, looked for also in the folder that ECOSIM_SHARED_DATA names.

    Raises:
        StoreError: it is in neither.

    """
    given = Path(path)
    if given.is_file():
        return given
    shared = os.environ.get(_SHARED)
    if shared and (Path(shared) / given.name).is_file():
        return Path(shared) / given.name
    raise StoreError(f"{path}: no such file; give its path, or its folder in {_SHARED}")


def read(path: str | os.PathLike[str], metrics: Sequence[str], niches: int) -> Target:
    """Return the target in a CSV file.

    For metrics the file has a column for each; with several rows their means are fitted. For
    `breadth` it has two columns: breadth in whole niches, and the number of agents (or species)
    that have it.

    Args:
        path: of the file.
        metrics: names of metrics, or `breadth` alone.
        niches: K of the scenario, the broadest that an agent can be.

    Raises:
        StoreError: no such file, a column that is not there, or numbers that are none.

    """
    import pandas as pd

    found = located(path)
    _rectangular(found)
    try:
        # Blank lines count, so that errors name lines as an editor does.
        table = pd.read_csv(found, skip_blank_lines=False).dropna(how="all")
    except (ValueError, UnicodeDecodeError) as error:
        raise StoreError(f"{found}: not a table of comma-separated values ({error})") from error
    if not len(table):
        raise StoreError(f"{found}: no rows below the line that names the columns")
    _named(found, [str(name) for name in table.columns])
    if BREADTH not in metrics:
        return _means(found, table, metrics)
    if len(metrics) > 1:
        raise StoreError("breadth is a whole distribution and is fitted alone, without metrics")
    return _distribution(found, table, niches)


def _rectangular(path: Path) -> None:
    """Refuse a line of more cells than there are names: pandas would shift or drop them."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = csv.reader(file)
        names = next(lines, [])
        for cells in lines:
            if len(cells) > len(names):
                told = f"line {lines.line_num}: {','.join(cells)!r} has {len(cells)} cells"
                raise StoreError(
                    f"{path}: {told}, and the first line names {len(names)}; decimals have a "
                    "point, not a comma"
                )


def _named(path: Path, columns: Sequence[str]) -> None:
    """Refuse a first line of numbers, which would be taken for names and lost."""
    try:
        [float(name) for name in columns]
    except ValueError:
        return
    rule = "the first line names the columns, and this one holds the numbers"
    raise StoreError(f"{path}: {rule} {', '.join(columns)}; put a line of names above it")


def _means(path: Path, table: pd.DataFrame, metrics: Sequence[str]) -> Target:
    lacking = [name for name in metrics if name not in table.columns]
    if lacking:
        there = ", ".join(map(str, table.columns))
        raise StoreError(f"{path}: no column {lacking[0]!r}; its columns are {there}")
    numbers = [_numbers(path, table[name]) for name in metrics]
    empty = [name for name, row in zip(metrics, numbers, strict=True) if np.isnan(row).all()]
    if empty:
        raise StoreError(f"{path}: the column {empty[0]!r} holds no number")
    means = np.array([np.nanmean(row) for row in numbers])
    return Target(tuple(metrics), means, distribution=False)


def _numbers(path: Path, column: pd.Series) -> np.ndarray:
    """Return a column as numbers, NaN where a cell is empty."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(float)
    wrong = np.flatnonzero((np.isnan(numbers) & column.notna().to_numpy()) | np.isinf(numbers))
    if len(wrong):
        place = f"line {column.index[wrong[0]] + 2}, column {column.name!r}"
        given = str(column.iloc[wrong[0]])
        raise StoreError(
            f"{path}: {place}: {given!r} is not a number (a cell holds one number with a "
            "decimal point, or nothing)"
        )
    return numbers


def _distribution(path: Path, table: pd.DataFrame, niches: int) -> Target:
    columns = ", ".join(map(str, table.columns))
    if table.shape[1] != 2:
        rule = "needs two columns: breadth in whole niches from 1, and how many have it"
        raise StoreError(f"{path}: {rule}; it has {table.shape[1]}: {columns}")
    classes, counts = (_numbers(path, table[name]) for name in table.columns)
    rules = (
        (np.isnan(classes) | np.isnan(counts), "an empty cell; give 0 for none, or no line"),
        ((classes != np.rint(classes)) | (classes < 1), "breadth is a whole number from 1"),
        (counts < 0, "a count is 0 or more"),
        (np.isin(classes, _twice(classes)), "this breadth stands in several lines; add them up"),
    )
    for wrong, rule in rules:
        if wrong.any():
            line = int(np.flatnonzero(wrong)[0])
            given = f"{classes[line]:g}, {counts[line]:g}"
            raise StoreError(f"{path}: line {table.index[line] + 2} ({given}): {rule}")
    if not counts.sum() > 0:
        raise StoreError(f"{path}: all counts are 0; there is nothing to fit")
    if classes.max() > niches:
        rule = f"its broadest class is {classes.max():g}, and the scenario has {niches} niches"
        raise StoreError(f"{path}: {rule}; raise niches.count, or niches.used")
    shares = np.zeros(niches)
    np.add.at(shares, classes.astype(int) - 1, counts / counts.sum())
    return Target(tuple(f"breadth {n + 1}" for n in range(niches)), shares, distribution=True)


def _twice(values: np.ndarray) -> np.ndarray:
    found, counts = np.unique(values, return_counts=True)
    return np.asarray(found[counts > 1])


def shares(histogram: np.ndarray, niches: int) -> np.ndarray:
    """Return the shares of agents whose breadth is nearest to 1, 2 ... K.

    Args:
        histogram: counts `[n, 64]` in equal bins of [1, K]; a bin across two classes is divided.
        niches: K, 64 at most for classes that a bin can tell apart.

    Returns:
        `[n, K]`; NaN where nobody lives.

    """
    bins = histogram.shape[1]
    edges = 1 + np.arange(bins + 1) / bins * max(niches - 1, 1)
    centre = np.arange(1, niches + 1)
    low = np.maximum(edges[:-1, None], centre - 0.5)
    high = np.minimum(edges[1:, None], centre + 0.5)
    parts = np.clip(high - low, 0, None) / (edges[1] - edges[0])
    parts[:, -1] += np.clip(1 - parts.sum(axis=1), 0, None)
    counts = histogram @ parts
    total = histogram.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
