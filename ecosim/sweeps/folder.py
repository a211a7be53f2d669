"""The folder of a sweep: what is done, what failed, what is missing. No lock, no database.

    manifest.json      what the sweep is, and what computed it
    points.parquet     one row a point: digest, values, error
    batches/           one Parquet file a batch, named by its digest; a footer lists its runs
    failures/          one JSON file a failed run or refused point
    attempts/          one file a batch that a process has begun and not ended
    workers/           one JSON file a process: what it did
    asked.parquet      the ids of all runs asked for

Every file appears whole by a rename: any number of processes may write at once, also on a network
file system; two that compute the same batch write the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import StoreError
from ecosim.experiments.folders import alive, host, lives, sync, temporary_name, write_atomically
from ecosim.sweeps.batching import Batch
from ecosim.sweeps.points import Point

FORMAT = 1
# Keys of a batch file's footer, both JSON: the ids of its runs; by run, the histogram of breadth
# (agents in 64 equal bins of [1, K]) at the end.
RUNS, BREADTH = b"ecosim.runs", b"ecosim.breadth"
BINS = 64  # of a histogram of breadth


class SweepFolder:
    """A sweep's folder.

    Attributes:
        path: where it lies.

    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name a folder; nothing is read or made."""
        self.path = Path(path)

    @classmethod
    def opened(cls, path: str | os.PathLike[str]) -> SweepFolder:
        """Return the folder of a sweep that exists.

        Raises:
            StoreError: there is none.

        """
        folder = cls(path)
        if not folder.is_sweep:
            raise StoreError(f"{path}: not the folder of a sweep (it has no manifest.json of one)")
        return folder

    @property
    def is_sweep(self) -> bool:
        """Return whether the manifest of a sweep is there."""
        return self.manifest().get("kind") == "sweep"

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; empty where there is none."""
        try:
            found = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def make(self) -> None:
        """Make the folder and its parts.

        Raises:
            StoreError: it cannot be made or written.

        """
        try:
            for part in ("batches", "failures", "attempts"):
                (self.path / part).mkdir(parents=True, exist_ok=True)
            probe = temporary_name(self.path / "probe")
            probe.touch()
            probe.unlink()
        except OSError as error:
            rule = f"{self.path}: cannot hold a sweep ({error.strerror or error})"
            raise StoreError(f"{rule}; choose another folder with --out") from error

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, whole."""
        from ecosim.experiments.manifest import to_json

        text = to_json({"kind": "sweep", "format": FORMAT, **manifest}) + "\n"
        write_atomically(self.path / "manifest.json", text.encode())

    def write_points(self, points: Iterable[Point]) -> None:
        """Write the points of the sweep as it is asked for now, and of what was asked before."""
        rows = {row["point"]: row for row in self.points()}
        rows |= {
            p.digest: {"point": p.digest, "values": json.dumps(p.values), "error": p.error}
            for p in points
        }
        schema = pa.schema([(name, pa.string()) for name in ("point", "values", "error")])
        write_table(self.path / "points.parquet", pa.Table.from_pylist(list(rows.values()), schema))

    def points(self) -> list[dict[str, Any]]:
        """Return the points written so far: digest, values (JSON) and error."""
        path = self.path / "points.parquet"
        return pq.ParquetFile(path).read().to_pylist() if path.exists() else []

    def write_asked(self, asked: dict[str, int]) -> None:
        """Write the ids of all runs that the sweep asks for; a refused point stands for several."""
        if asked == self.asked():
            return
        table = {"run": pa.array(asked, pa.string()), "runs": pa.array(asked.values(), pa.int32())}
        write_table(self.path / "asked.parquet", pa.table(table))

    def asked(self) -> dict[str, int]:
        """Return each run asked for, or refused point, and for how many it counts; empty before."""
        try:
            table = pq.ParquetFile(self.path / "asked.parquet").read()
        except FileNotFoundError:
            return {}
        return dict(zip(table["run"].to_pylist(), table["runs"].to_pylist(), strict=True))

    # What is done and what failed

    def batch_files(self) -> list[Path]:
        """Return the files of results, by name."""
        return sorted((self.path / "batches").glob("[!.]*.parquet"))

    def done(self) -> set[str]:
        """Return the ids of all runs whose results are there."""
        return {run for path in self.batch_files() for run in runs_of(path)}

    def failed(self) -> list[str]:
        """Return the ids of failed runs and refused points, without reading why."""
        return [path.stem for path in sorted((self.path / "failures").glob("[!.]*.json"))]

    def failures(self) -> dict[str, dict[str, Any]]:
        """Return what is known of each failed run, by its id."""
        found = {}
        for path in sorted((self.path / "failures").glob("[!.]*.json")):
            with contextlib.suppress(OSError, ValueError):
                found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def write_failure(self, name: str, told: dict[str, Any]) -> None:
        """Keep what is known of a failed run."""
        text = json.dumps(told, indent=1, default=str) + "\n"
        write_atomically(self.path / "failures" / f"{name}.json", text.encode())

    def forget_failures(self, names: Iterable[str]) -> None:
        """Remove what is known of failed runs, so that they are run again."""
        for name in names:
            (self.path / "failures" / f"{name}.json").unlink(missing_ok=True)

    def write_failure_table(self) -> None:
        """Write failures.parquet: one row a failure."""
        rows = [
            {"run": name, **{key: _text(told.get(key)) for key in _FAILURE}}
            for name, told in self.failures().items()
        ]
        path = self.path / "failures.parquet"
        schema = pa.schema([(name, pa.string()) for name in ("run", *_FAILURE)])
        if rows:
            write_table(path, pa.Table.from_pylist(rows, schema))
        else:
            path.unlink(missing_ok=True)

    # Attempts

    @contextlib.contextmanager
    def attempt(self, batch: Batch) -> Iterator[None]:
        """Leave a mark while a batch is computed; one that stays tells of a process that died."""
        unique = f"{host()}.{os.getpid()}-{secrets.token_hex(4)}"
        mark = self.path / "attempts" / f"{batch.digest}.{unique}"
        told = {"host": socket.gethostname(), "pid": os.getpid(), "runs": len(batch.runs)}
        mark.write_text(json.dumps(told), encoding="utf-8")
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)

    def attempts(self) -> dict[str, int]:
        """Return for each batch's digest how many attempts at it died.

        An attempt of a process of this machine that lives is not counted.
        """
        counts: dict[str, int] = {}
        for mark in (self.path / "attempts").glob("[!.]*"):
            if not _goes_on(mark):
                digest = mark.name.split(".")[0]
                counts[digest] = counts.get(digest, 0) + 1
        return counts

    def marks(self) -> list[dict[str, Any]]:
        """Return what the marks of attempts tell: batch, and host, pid and runs where known."""
        found = []
        for mark in sorted((self.path / "attempts").glob("[!.]*")):
            told: dict[str, Any] = {}
            with contextlib.suppress(OSError, ValueError):  # just being written, or just removed
                told = json.loads(mark.read_text(encoding="utf-8"))
            found.append({**told, "batch": mark.name.split(".")[0]})
        return found

    def dead_marks(self) -> list[Path]:
        """Return marks of attempts that died; those of other machines from a week on."""
        return [
            mark
            for mark in sorted((self.path / "attempts").glob("[!.]*"))
            if (maker := _maker(mark)) is None or not alive(mark, *maker)
        ]

    def attempts_at(self, digest: str) -> int:
        """Return how many attempts at a batch are marked, going on or dead."""
        return sum(1 for _ in (self.path / "attempts").glob(f"{digest}.*"))

    def forget_attempts(self, digest: str) -> None:
        """Remove the marks of a batch."""
        for mark in (self.path / "attempts").glob(f"{digest}.*"):
            mark.unlink(missing_ok=True)


def _maker(mark: Path) -> tuple[str, int] | None:
    """Return machine and process of a mark: DIGEST.HOST.PID-RANDOM."""
    parts = mark.name.split(".")
    pid = parts[-1].split("-")[0]
    return (parts[1], int(pid)) if len(parts) == 3 and pid.isdigit() else None


def _goes_on(mark: Path) -> bool:
    maker = _maker(mark)
    return maker is not None and maker[0] == host() and lives(maker[1])


_FAILURE = ("point", "replicate", "seed", "values", "error", "kind", "traceback")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


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
    """Return the ids of the runs in a file of results; none where it is not one.

    Raises:
        StoreError: the file is damaged.

    """
    footer = footer_of(path)
    ids: list[str] = json.loads(((footer and footer.metadata) or {}).get(RUNS, b"[]"))
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
