"""Read an interaction web from a CSV file and measure it."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecosim.errors import WebError
from ecosim.webs import indices, structure

SHOWN = 5  # bad cells or names listed in one error
RULE = "every cell must be a non-negative, finite number (0 = no interaction)"

ONE_NICHE = "one niche only: there is nothing to choose between"
D_FLAT = "dmax = dmin: the margins leave this species no choice"
H2_FLAT = "Hmax = Hmin: the margins allow one web only"
NOT_COUNTS = f"the web does not hold whole numbers with a total below {indices.LARGEST_COUNT}"


def read_web(path: str | Path) -> pd.DataFrame:
    """Read a web: rows are niches, the first column their names, the other columns species.

    Args:
        path: A comma-separated UTF-8 file with a header; blank lines are skipped.

    Returns:
        float64, shape (niches, species), indexed by the niches' names; empty rows and columns
        are still there.

    Raises:
        WebError: No such file, not CSV text, no rows or columns, ragged rows, missing or
            repeated names, a cell that breaks `RULE`, or no interactions at all.
    """
    lines = read_lines(path)
    if not lines:
        raise WebError(path, "the file is empty; give a header and one line per niche")
    (header_line, header), body = lines[0], lines[1:]
    if len(header) < 2 or not body:
        raise WebError(
            path,
            "a web needs at least one niche (line) and one species (column after the names); got "
            f"{len(body)} and {len(header) - 1}. Is the file separated by commas, with a header?",
        )
    for line, cells in body:
        if len(cells) != len(header):
            raise WebError(
                path,
                f"line {line} has {len(cells)} cells and the header (line {header_line}) "
                f"{len(header)}; every line needs one cell per column",
            )
    niches = [cells[0] for _, cells in body]
    frame = _table([cells[1:] for _, cells in body], niches, header[1:], path)
    frame.index.name = header[0] or "niche"
    return frame


def read_lines(path: str | Path) -> list[tuple[int, list[str]]]:
    """Return the lines of a CSV file that are not blank: number and stripped cells."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            stripped = ((reader.line_num, [cell.strip() for cell in row]) for row in reader)
            return [(line, cells) for line, cells in stripped if any(cells)]
    except FileNotFoundError:
        raise WebError(path, "no such file; give the path of a CSV file") from None
    except OSError as error:
        raise WebError(path, f"cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise WebError(path, f"is not UTF-8 CSV text: {error}; export it again") from error


def check_web(frame: pd.DataFrame, source: str | Path = "web") -> pd.DataFrame:
    """Return the web as float64, indexed and headed by text, or say what is wrong with it.

    Args:
        frame: Shape (niches, species), as `read_web` returns it.
        source: What errors call the table.

    Raises:
        WebError: As for `read_web`.
    """
    if not frame.size:
        raise WebError(source, f"needs at least one niche and one species; got {frame.shape}")
    rows = [list(row) for row in frame.to_numpy(dtype=object)]
    return _table(rows, [str(n) for n in frame.index], [str(n) for n in frame.columns], source)


def _table(
    cells: Sequence[Sequence[Any]], niches: list[str], species: list[str], source: str | Path
) -> pd.DataFrame:
    check_names("niche", niches, source)
    check_names("species", species, source)
    bad = list(islice(_bad_cells(cells, niches, species), SHOWN + 1))
    if bad:
        more = "; and more" if len(bad) > SHOWN else ""
        raise WebError(source, f"{RULE}; got {'; '.join(bad[:SHOWN])}{more}")
    values = np.array([[float(cell) for cell in row] for row in cells])
    if not values.any():
        raise WebError(source, "no interactions: every cell is 0; a web needs one above 0")
    _check_range(values, source)
    return pd.DataFrame(values, index=pd.Index(niches, name="niche"), columns=pd.Index(species))


def _check_range(values: indices.Floats, source: str | Path) -> None:
    smallest, largest = values[values > 0].min(), values.max()
    # Squares and ratios of cells must neither overflow nor underflow.
    if smallest < 1e-100 or largest > 1e100:
        raise WebError(
            source,
            "numbers above 0 must lie between 1e-100 and 1e100; got "
            f"{smallest} to {largest}; use another unit",
        )


def check_names(kind: str, names: list[str], source: str | Path) -> None:
    """Refuse names that are empty or repeated."""
    if "" in names:
        raise WebError(source, f"{kind} {names.index('') + 1} has no name; name each {kind}")
    repeated = [name for name, number in Counter(names).items() if number > 1]
    if repeated:
        shown = ", ".join(repr(name) for name in repeated[:SHOWN])
        raise WebError(source, f"{kind} names must differ; repeated: {shown}; rename or add up")


def _bad_cells(
    cells: Sequence[Sequence[Any]], niches: list[str], species: list[str]
) -> Iterator[str]:
    for row, (niche, values) in enumerate(zip(niches, cells, strict=True), start=1):
        for column, (name, value) in enumerate(zip(species, values, strict=True), start=1):
            fault = _fault(value)
            if fault:
                yield f"row {row} ({niche!r}), column {column} ({name!r}): {value!r} is {fault}"


def _fault(value: Any) -> str:
    if value == "":
        return "empty"
    try:
        number = float(value)
    except (TypeError, ValueError):
        return "not a number"
    if isinstance(value, str) and "_" in value:  # float() takes 1_000; no CSV writer means it
        return "not a number"
    if math.isnan(number):
        return "not a number"
    if math.isinf(number):
        return "infinite"
    return "negative" if number < 0 else ""


def drop_empty(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Return the web without empty niches and species, and the names of those dropped.

    An empty row or column has no use to describe: all indices are taken of the rest (as the R
    package bipartite does), so an unused niche does not count in n.
    """
    rows, columns = (frame > 0).any(axis=1), (frame > 0).any(axis=0)
    dropped = {
        "niches": [str(name) for name in frame.index[~rows]],
        "species": [str(name) for name in frame.columns[~columns]],
    }
    return frame.loc[rows, columns], dropped


def measure_web(web: str | Path | pd.DataFrame) -> dict[str, Any]:
    """Measure a web.

    Args:
        web: A file for `read_web`, or a table of shape (niches, species).

    Returns:
        JSON-ready numbers, None where a quantity has no value and `undefined` says why:
        `h2`, `h2_integer` (0..1), `nodf`, `nodf_rows`, `nodf_columns` (0..100), `modularity`
        (Barber's Q), `connectance` (share of cells in use), `niches`, `species` (numbers after
        dropping), `dropped` (names of empty `niches` and `species`), `per_species`: one mapping
        a species with `species`, `degree`, `d` (d'), `breadth` (exp H), `levins_b`,
        `levins_ba`, `hurlbert_b`, `ps` and `total`. The formulas and their sources
        are in `ecosim.webs.indices` and `ecosim.webs.structure`.

    Raises:
        WebError: As for `read_web`.
    """
    full = check_web(web) if isinstance(web, pd.DataFrame) else read_web(web)
    frame, dropped = drop_empty(full)
    counts = frame.to_numpy()
    nodf = structure.nodf(counts)
    numbers = {
        "h2": indices.h2_prime(counts),
        "h2_integer": (
            indices.h2_prime(counts, integer=True) if indices.are_counts(counts) else math.nan
        ),
        "nodf": nodf.total,
        "nodf_rows": nodf.rows,
        "nodf_columns": nodf.columns,
        "modularity": structure.modules(counts).q,
        "connectance": float((counts > 0).mean()),
    }
    per_species = _per_species(frame)
    return {
        **{name: _json(value) for name, value in numbers.items()},
        "niches": len(frame.index),
        "species": len(frame.columns),
        "dropped": dropped,
        "undefined": dict(_reasons(numbers, per_species, counts)),
        "per_species": per_species,
    }


def _per_species(frame: pd.DataFrame) -> list[dict[str, Any]]:
    counts = frame.to_numpy()
    breadth = indices.niche_breadth(counts)
    columns = {
        "d": indices.d_prime(counts),
        **{name: breadth[name] for name in ("breadth", "levins_b", "levins_ba")},
        **{name: breadth[name] for name in ("hurlbert_b", "ps")},
        "total": counts.sum(axis=0),
    }
    return [
        {
            "species": str(name),
            "degree": int(breadth["degree"][position]),
            **{key: _json(float(values[position])) for key, values in columns.items()},
        }
        for position, name in enumerate(frame.columns)
    ]


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _reasons(
    numbers: dict[str, float], per_species: list[dict[str, Any]], counts: indices.Floats
) -> Iterator[tuple[str, str]]:
    niches, species = counts.shape
    reasons = {
        "h2": H2_FLAT,
        "h2_integer": H2_FLAT if indices.are_counts(counts) else NOT_COUNTS,
        "nodf": "one niche and one species: there is no pair to compare",
        "nodf_rows": "one niche only: there is no pair of rows",
        "nodf_columns": "one species only: there is no pair of columns",
    }
    yield from ((name, reasons[name]) for name, value in numbers.items() if math.isnan(value))
    if niches == 1:
        yield "per_species.d", ONE_NICHE
        yield "per_species.levins_ba", f"{ONE_NICHE}; (B-1)/(n-1) divides by 0"
        return
    for entry in per_species:
        if entry["d"] is None:
            yield f"per_species.d[{entry['species']}]", D_FLAT
