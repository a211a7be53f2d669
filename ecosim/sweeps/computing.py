"""A batch computed and written: what a worker does. It returns a name, never data."""

from __future__ import annotations

import json
import os
import traceback
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ecosim.sweeps import heartbeat
from ecosim.sweeps.batching import Batch
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.tables import BREADTH, RUNS, write_table

if TYPE_CHECKING:
    from ecosim.sweeps.points import Run


def compute(path: str | os.PathLike[str], batch: Batch) -> str:
    """Compute a batch, write its results and failures, and return its digest.

    A batch whose file is there returns at once. A run that fails is written as a failure, with
    its parameters, error and traceback; the others are not touched by it.

    Raises:
        OSError: the results cannot be written.

    """
    folder = SweepFolder(path)
    target = folder.results_of(batch)
    if target.exists():
        return batch.digest
    with (
        folder.attempt(batch),
        heartbeat.beating(folder.path, batch.digest, len(batch.runs)) as counted,
    ):
        results = _results(batch)
        good = [(run, columns) for run, columns in results if isinstance(columns, dict)]
        for run, error in results:
            if not isinstance(error, dict):
                folder.write_failure(run.id, failure(run, error))
        if good:
            write_table(target, _table(good))
        counted |= {"done": len(good), "failed": len(results) - len(good)}
    return batch.digest


def _results(batch: Batch) -> list[tuple[Run, dict[str, np.ndarray] | BaseException]]:
    from ecosim.batch import run_batch

    scenarios = [run.point.scenario for run in batch.runs if run.point.scenario is not None]
    try:
        found = run_batch(scenarios, [run.seed for run in batch.runs])
    except Exception as error:
        if len(batch.runs) == 1:
            return [(batch.runs[0], error)]
        # What goes wrong for all may be the fault of one: each is tried by itself.
        return [pair for run in batch.runs for pair in _results(Batch((run,)))]
    return list(zip(batch.runs, found, strict=True))


def failure(run: Run, error: BaseException) -> dict[str, Any]:
    """Return what is kept of a failed run."""
    lines = traceback.format_exception(error)
    return {
        "point": run.point.digest,
        "replicate": run.replicate,
        "seed": run.seed,
        "values": run.point.values,
        "error": str(error),
        "kind": type(error).__name__,
        "traceback": "".join(lines),
    }


def _table(results: list[tuple[Run, dict[str, np.ndarray]]]) -> pa.Table:
    """Return results as one long table: point, replicate, seed, then a row a recording."""
    from ecosim.batch import Recorded

    lengths = [len(columns["step"]) for _, columns in results]
    names = list(results[0][1]) if results else []

    def repeated(values: list[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(np.repeat(values, lengths), kind)

    arrays: dict[str, Any] = {
        "point": repeated([run.point.digest for run, _ in results], pa.string()),
        "replicate": repeated([run.replicate for run, _ in results], pa.int32()),
        "seed": repeated([run.seed for run, _ in results], pa.int64()),
    }
    for name in names:
        column = np.concatenate([columns[name] for _, columns in results])
        arrays[name] = pa.array(column, pa.int64() if name == "step" else pa.float64())
    ids = [run.id for run, _ in results]
    breadth = {
        run.id: columns.breadth.tolist()
        for run, columns in results
        if isinstance(columns, Recorded)
    }
    footer = {RUNS: json.dumps(ids).encode(), BREADTH: json.dumps(breadth).encode()}
    return pa.table(arrays).replace_schema_metadata(footer)
