"""The Parquet files of a sweep: written whole, and what their footers tell of the runs in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import StoreError
from ecosim.experiments.folders import sync, temporary_name

# Keys of a batch file's footer, both JSON: the ids of its runs; by run, the histogram of breadth
# (agents in 64 equal bins of [1, K]) at the end.
RUNS, BREADTH = b"ecosim.runs", b"ecosim.breadth"
BINS = 64  # of a histogram of breadth


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file: a temporary file, flushed to the disk, then renamed."""
    temporary = temporary_name(path)
    try:
        _write(table, temporary)
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def table_bytes(table: pa.Table) -> int:
    """Return how many bytes a table takes as a file."""
    sink = pa.BufferOutputStream()
    _write(table, sink)
    return int(sink.getvalue().size)


def _write(table: pa.Table, target: Any) -> None:
    # Numbers of one metric are alike in their high bytes: split by byte they shrink well.
    floats = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    words = [f.name for f in table.schema if pa.types.is_string(f.type)]
    pq.write_table(
        table, target, compression="zstd", use_dictionary=words or False,
        use_byte_stream_split=floats or False, write_statistics=False,
    )  # fmt: skip


def footer_of(path: Path) -> pq.FileMetaData | None:
    """Return the footer of a file of results; None where it was compacted away meanwhile.

    Raises:
        StoreError: the file is damaged.

    """
    try:
        return pq.read_metadata(path)
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowInvalid) as error:
        rule = f"{path}: damaged ({error}); remove the file and run the sweep again"
        raise StoreError(rule) from error


def runs_of(path: Path) -> list[str]:
    """Return the ids of the runs in a file of results; none where it is gone or not one.

    Raises:
        StoreError: the file is damaged.

    """
    footer = footer_of(path)
    return [] if footer is None else runs_in(footer)


def runs_in(footer: pq.FileMetaData) -> list[str]:
    """Return the ids of the runs in the file of a footer; none where it holds no results."""
    ids: list[str] = json.loads((footer.metadata or {}).get(RUNS, b"[]"))
    return ids


def breadth_of(footer: dict[bytes, bytes] | None) -> dict[str, list[int]]:
    """Return the histogram of breadth at the end of each run that a file's footer tells of."""
    found: dict[str, list[int]] = json.loads((footer or {}).get(BREADTH, b"{}"))
    return found


def only(table: pa.Table, runs: set[str]) -> pa.Table:
    """Return the rows of some runs of a table of results."""
    frame = table.select(["point", "seed"]).to_pandas()
    ids = frame["point"].astype(str) + "-" + frame["seed"].astype(str)
    return table.filter(pa.array(ids.isin(runs).to_numpy()))
