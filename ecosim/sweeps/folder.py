"""The folder of a sweep: what is done, what failed, what is missing. No lock, no database.

    manifest.json      what the sweep is, and what computed it
    points.parquet     one row a point: digest, values, error
    points/            what points.parquet is made of: one file for the points of each request
    batches/           one Parquet file a batch, named by its digest; a footer lists its runs
    failures/          one JSON file a failed run or refused point
    attempts/          one file a batch that a process has begun and not ended
    workers/           one JSON file a process: what it did
    asked.parquet      the ids of all runs asked for
    dashboard.*.txt    where to watch a cluster that runs now, one file a client

Every file appears whole by a rename: any number of processes may write at once, also on a network
file system; two that compute the same batch write the same bytes. Nothing that a process must not
lose is in a file that another one rewrites.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import socket
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import StoreError
from ecosim.experiments.folders import host, temporary_name, write_atomically
from ecosim.sweeps import pulse
from ecosim.sweeps.batching import Batch
from ecosim.sweeps.points import Point
from ecosim.sweeps.tables import footer_of, runs_in, runs_of, write_table

FORMAT = 1
PARTS = ("batches", "failures", "attempts", "points")
_POINT = pa.schema([(name, pa.string()) for name in ("point", "values", "error")])


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
            for part in PARTS:
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
        """Write the points of the sweep as it is asked for now, beside those asked for before.

        What is new of them is a file of its own, named by its content: clients that ask for
        different points at once lose none.
        """
        asked = [
            {"point": p.digest, "values": json.dumps(p.values), "error": p.error} for p in points
        ]
        known = {row["point"]: row for row in self.points()}
        new = [row for row in asked if known.get(row["point"]) != row]
        if new:
            name = hashlib.sha256(json.dumps(new).encode()).hexdigest()[:16]
            target = self.path / "points" / f"{name}.parquet"
            write_table(target, pa.Table.from_pylist(new, _POINT))
        self.merge_points()

    def merge_points(self) -> None:
        """Write points.parquet, all points in one file for whoever reads the folder."""
        path, rows = self.path / "points.parquet", self.points()
        if not path.exists() or _rows(path) != rows:
            write_table(path, pa.Table.from_pylist(rows, _POINT))

    def points(self) -> list[dict[str, Any]]:
        """Return the points written so far: digest, values (JSON) and error.

        A point that was asked for in several words, set or varied, is told in the latest.
        """
        parts = (self.path / "points").glob("[!.]*.parquet")
        files = sorted(parts, key=lambda path: (path.stat().st_mtime_ns, path.name))
        merged = self.path / "points.parquet"
        if merged.exists():  # it may lack what another client wrote, and is never ahead
            files.insert(0, merged)
        return list({row["point"]: row for path in files for row in _rows(path)}.values())

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

    def results_of(self, batch: Batch) -> Path:
        """Return where the results of a batch go."""
        return self.path / "batches" / f"{batch.digest}.parquet"

    def batch_files(self) -> list[Path]:
        """Return the files of results, by name."""
        return sorted((self.path / "batches").glob("[!.]*.parquet"))

    def footers(self) -> dict[Path, pq.FileMetaData]:
        """Return the footer of each file of results, by name.

        Raises:
            StoreError: a file is damaged.

        """
        while True:
            found = {path: footer_of(path) for path in self.batch_files()}
            there = {path: footer for path, footer in found.items() if footer is not None}
            # Where one was compacted away meanwhile, the one that holds its runs was not listed.
            if len(there) == len(found):
                return there

    def done(self) -> set[str]:
        """Return the ids of all runs whose results are there."""
        return {run for footer in self.footers().values() for run in runs_in(footer)}

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

    def failed_of(self, batch: Batch) -> int:
        """Return how many runs of a batch that was computed failed."""
        failures = self.path / "failures"
        failed = {run.id for run in batch.runs if (failures / f"{run.id}.json").exists()}
        return len(failed - set(runs_of(self.results_of(batch)))) if failed else 0

    def write_failure(self, name: str, told: dict[str, Any]) -> None:
        """Keep what is known of a failed run."""
        text = json.dumps(told, indent=1, default=str) + "\n"
        write_atomically(self.path / "failures" / f"{name}.json", text.encode())

    def forget_failures(self, names: Iterable[str]) -> None:
        """Remove what is known of failed runs, so that they are run again."""
        for name in names:
            (self.path / "failures" / f"{name}.json").unlink(missing_ok=True)

    def write_failure_table(self) -> None:
        """Write failures.parquet: one row a failure of a run that has no result."""
        failures = self.failures()
        done = self.done() if failures else set()
        rows = [
            {"run": name, **{key: _text(told.get(key)) for key in _FAILURE}}
            for name, told in failures.items()
            if name not in done
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
            with pulse.beating(mark):
                yield
        finally:
            mark.unlink(missing_ok=True)

    def attempts(self) -> dict[str, int]:
        """Return for each batch's digest how many attempts at it died; see `dead_marks`."""
        return dict(Counter(mark.name.split(".")[0] for mark in self.dead_marks()))

    def marks(self) -> list[dict[str, Any]]:
        """Return what the marks of attempts tell: batch, alive; host, pid and runs where known."""
        found = []
        for mark in sorted((self.path / "attempts").glob("[!.]*")):
            told: dict[str, Any] = {}
            with contextlib.suppress(OSError, ValueError):  # just being written, or just removed
                told = json.loads(mark.read_text(encoding="utf-8"))
            found.append({**told, "batch": mark.name.split(".")[0], "alive": _alive(mark)})
        return found

    def dead_marks(self) -> list[Path]:
        """Return marks of attempts that died; of other machines those silent for 15 minutes."""
        marks = sorted((self.path / "attempts").glob("[!.]*"))
        return [mark for mark in marks if not _alive(mark)]

    def attempts_at(self, digest: str) -> int:
        """Return how many attempts at a batch are marked, going on or dead."""
        return sum(1 for _ in (self.path / "attempts").glob(f"{digest}.*"))

    def forget_attempts(self, digest: str) -> None:
        """Remove the marks of a batch."""
        for mark in (self.path / "attempts").glob(f"{digest}.*"):
            mark.unlink(missing_ok=True)


def _alive(mark: Path) -> bool:
    """Say whether the process that made a mark, DIGEST.HOST.PID-RANDOM, may live."""
    parts = mark.name.split(".")
    pid = parts[-1].split("-")[0]
    return len(parts) == 3 and pid.isdigit() and pulse.alive(mark, parts[1], int(pid))


def _rows(path: Path) -> list[dict[str, Any]]:
    return pq.ParquetFile(path).read().to_pylist()


_FAILURE = ("point", "replicate", "seed", "values", "error", "kind", "traceback")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
