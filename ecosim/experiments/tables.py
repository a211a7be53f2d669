"""The tables of a run as Parquet files: same table, same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index; the bytes depend on the table alone.

    The metadata that pandas adds (its version, among others) is left out, and so the columns must
    be numbers, flags or text. Floats get no dictionary: most would fill it, and it would be given
    up.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    repeated = [field.name for field in arrow.schema if not pa.types.is_floating(field.type)]
    pq.write_table(
        arrow, path, compression="zstd", compression_level=3, use_dictionary=repeated
    )  # fmt: skip


def write_tables(folder: Path, recording: Any) -> None:
    """Write all tables of a Recording into a folder that is there."""
    write_table(folder / "metrics.parquet", recording.metrics)
    write_table(folder / "breadth.parquet", breadth_table(recording))
    write_table(folder / "population.parquet", recording.population)
    write_table(folder / "founders.parquet", recording.founders)
    if recording.events is not None:
        write_table(folder / "events.parquet", recording.events)
    if recording.snapshots:
        (folder / "snapshots").mkdir()
        for step, population in recording.snapshots.items():
            write_table(folder / "snapshots" / f"step-{step:08d}.parquet", population)


def breadth_table(recording: Any) -> pd.DataFrame:
    """Return the histogram of breadth as a table: `step`, then `bin_0`, `bin_1` ..."""
    import pandas as pd

    counts = recording.breadth
    table = pd.DataFrame(counts, columns=[f"bin_{i}" for i in range(counts.shape[1])])
    table.insert(0, "step", recording.metrics["step"].to_numpy())
    return table
