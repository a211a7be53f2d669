"""A sweep carried out: what is missing is run, by whatever engine, and nothing is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ecosim.errors import RunError
from ecosim.sweeps import experiment, heartbeat
from ecosim.sweeps.batching import MOST, Batch, batches
from ecosim.sweeps.computing import compute
from ecosim.sweeps.definition import Sweep, definition, named
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.points import Point, Run, expand, runs

_ROUNDS = 4  # batches for each process, at least, so that all end at about the same time
TRIES = 3  # times that a run may end its process before it counts as failed
_DEADLY = (
    f"ended its process {TRIES} times (out of memory, or killed?); --retry-failed tries it again"
)
TOGETHER = 2  # times that a batch of several runs may, before it is divided


class WorkerDied(Exception):  # noqa: N818  (an event that the engine reports, not an error of ours)
    """The process that computed a batch ended without a result."""

    def __init__(self, text: str = "", *, begun: bool = True) -> None:
        """Say what is known, and whether the batch had begun: otherwise it is not to blame."""
        self.begun = begun
        super().__init__(text)


class ClusterLost(RunError):
    """The scheduler that the batches were handed to is gone; nothing that is done is lost."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "the scheduler of the cluster was lost; what is done is kept, and the same command "
            "continues"
        )


class Work(Protocol):
    """Batches to be computed, as an engine sees them."""

    def __iter__(self) -> Iterator[Batch]:
        """Yield the next batch as long as there is one; more may come."""
        ...

    def closed(self) -> bool:
        """Say whether nothing more is to be begun."""
        ...


class Engine(Protocol):
    """Where batches are computed."""

    width: int  # processes that compute at the same time

    def compute(self, folder: Path, queue: Work) -> Iterator[tuple[Batch, BaseException | None]]:
        """Yield each batch when it is done, with None, or with what prevented it.

        The queue may grow while it is read; an engine asks for the next batch when it has room.
        """
        ...


@dataclass(frozen=True)
class Todo:
    """What a sweep asks for and what of it is missing."""

    points: list[Point]
    runs: list[Run]
    missing: list[Run]
    failed: dict[str, dict[str, Any]]  # failures that belong to this sweep, by run or point

    @property
    def counts(self) -> dict[str, int]:
        """Return total, done, missing and failed runs.

        A point that the scenario's rules refuse counts as one failed run for each replicate.
        """
        failed = sum(told.get("runs", 1) for told in self.failed.values())
        total = len(self.runs) + sum(told.get("runs", 0) for told in self.failed.values())
        done = total - len(self.missing) - failed
        return {"total": total, "done": done, "missing": len(self.missing), "failed": failed}


def todo(sweep: Sweep, folder: SweepFolder, part: tuple[int, int] = (1, 1)) -> Todo:
    """Return what a sweep asks for, and what of it the folder lacks.

    Args:
        sweep: what is asked for.
        folder: what is there.
        part: (I, N): only the I-th of N parts of the runs, I from 1 (job arrays).

    """
    points = expand(sweep)
    index, count = part
    every = runs(sweep, points)
    # Whole replicates of a point stay together, so that parts share few shapes.
    every = every[len(every) * (index - 1) // count : len(every) * index // count]
    done, failures = folder.done(), folder.failures()
    # Where one client failed at a run and another did it, it is done.
    failed = {run.id: failures[run.id] for run in every if run.id in failures.keys() - done}
    for point in points:
        if point.scenario is None and index == 1:
            failed[point.digest] = {
                "point": point.digest, "values": point.values, "error": point.error,
                "kind": "ScenarioError", "runs": sweep.replicates, "traceback": "",
            }  # fmt: skip
    missing = [run for run in every if run.id not in done and run.id not in failed]
    return Todo(points, every, missing, failed)


@dataclass
class Progress:
    """How far a sweep is; `told` is called whenever that changes."""

    total: int
    done: int
    failed: int
    told: Callable[[Progress], None] | None = None
    before: int = field(init=False)  # runs that had ended when the sweep was begun

    def __post_init__(self) -> None:
        """Keep how many had ended, and tell."""
        self.before = self.done + self.failed
        if self.told is not None:
            self.told(self)

    def add(self, done: int, failed: int) -> None:
        """Count runs that ended."""
        self.done += done
        self.failed += failed
        if self.told is not None:
            self.told(self)


def prepare(sweep: Sweep, folder: SweepFolder, *, mixed: bool = False) -> None:
    """Make the folder, and write what the sweep is.

    Raises:
        StoreError: the folder cannot be written, or holds a sweep of another scenario, or (unless
            `mixed`) of other numbers of it, another seed or other random numbers.

    """
    from ecosim.experiments import manifest as manifests

    base = experiment.of(sweep)
    experiment.check(folder, sweep, base, mixed=mixed)
    folder.make()
    folder.write_manifest(
        {"name": named(sweep), "scenario": Path(sweep.scenario).stem,
         "definition": definition(sweep), **({} if mixed else {"base": base}),
         "versions": manifests.computing_versions()}
    )  # fmt: skip


def carry_out(
    sweep: Sweep,
    folder: SweepFolder,
    engine: Engine,
    *,
    part: tuple[int, int] = (1, 1),
    retry_failed: bool = False,
    fail_fast: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    told: Callable[[Progress], None] | None = None,
    began: Callable[[Todo], None] | None = None,
    mixed: bool = False,
) -> Todo:
    """Run what is missing of a sweep, and return what is missing and failed after it.

    Args:
        sweep: what is asked for.
        folder: where the results are and go.
        engine: what computes.
        part: see `todo`.
        retry_failed: run again what failed before.
        fail_fast: end at the first failure.
        should_stop: asked often; from True on nothing is begun, and the sweep ends early.
        told: called as runs end.
        began: called once with what is missing, before the first run.
        mixed: the folder may hold points of another base, for who tells them apart by digest.

    Raises:
        StoreError: the folder cannot be written, or holds something else.

    """
    prepare(sweep, folder, mixed=mixed)
    if retry_failed:
        _forget(sweep, folder, part)
    found = todo(sweep, folder, part)
    folder.write_points(found.points)
    folder.write_asked(_asked(sweep, found))
    for name, failed in found.failed.items():
        if "runs" in failed:
            folder.write_failure(name, failed)
    if began is not None:
        began(found)
    counts = found.counts
    progress = Progress(counts["total"], counts["done"], counts["failed"], told=told)
    waiting = batches(found.missing, sweep.batch or shared(len(found.missing), engine.width))
    queue = Queue(folder, waiting, progress, should_stop)
    if not (fail_fast and counts["failed"]):
        for batch, error in engine.compute(folder.path, queue):
            queue.ended(batch, error)
            if fail_fast and progress.failed:
                queue.close()
    heartbeat.ended(folder.path)
    folder.write_failure_table()
    folder.merge_points()  # also those that other clients asked for since
    return todo(sweep, folder, part)


def _asked(sweep: Sweep, found: Todo) -> dict[str, int]:
    """Return each run of the whole sweep; a refused point counts for all its replicates."""
    refused = {p.digest: sweep.replicates for p in found.points if p.scenario is None}
    return {run.id: 1 for run in runs(sweep, found.points)} | refused


def shared(missing: int, width: int) -> int:
    """Return the most runs of a batch that leave work for all processes; 0: no such limit."""
    return 0 if width == 1 else min(max(missing // (_ROUNDS * width), 1), MOST)


def _forget(sweep: Sweep, folder: SweepFolder, part: tuple[int, int]) -> None:
    """Forget failures of the sweep's runs."""
    failed = [name for name, told in todo(sweep, folder, part).failed.items() if "runs" not in told]
    folder.forget_failures(failed)


class Queue:
    """Batches still to be computed; those that end their process are tried again, in parts."""

    def __init__(
        self,
        folder: SweepFolder,
        waiting: Sequence[Batch],
        progress: Progress,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the batches; what earlier processes died of is cut up beforehand."""
        self._folder, self._progress, self._should_stop = folder, progress, should_stop
        self._waiting: deque[Batch] = deque()
        self._tries: dict[str, int] = folder.attempts()
        self._ended = False
        for batch in waiting:
            self._put(batch)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the next batch as long as there is one; more may come."""
        while self._waiting and not self.closed():
            yield self._waiting.popleft()

    def close(self) -> None:
        """Hand out no more batches."""
        self._ended = True

    def closed(self) -> bool:
        """Say whether nothing more is to be begun: the sweep is to stop, or ended early."""
        self._ended = self._ended or self._should_stop()
        return self._ended

    def _put(self, batch: Batch) -> None:
        """Queue a batch, in parts if it was tried too often, or fail a run that was."""
        alone = len(batch.runs) == 1
        if self._tries.get(batch.digest, 0) < (TRIES if alone else TOGETHER):
            self._waiting.append(batch)
            return
        if not alone:
            for part in batch.parts():
                self._put(part)
        else:
            self._fail(batch.runs[0], WorkerDied(_DEADLY))
        self._folder.forget_attempts(batch.digest)

    def _fail(self, run: Run, error: BaseException) -> None:
        from ecosim.sweeps.computing import failure

        self._folder.write_failure(run.id, failure(run, error))
        self._progress.add(0, 1)

    def ended(self, batch: Batch, error: BaseException | None) -> None:
        """Take note of a batch that is done, or of what prevented it."""
        if error is None:
            failed = self._folder.failed_of(batch)
            self._progress.add(len(batch.runs) - failed, failed)
        elif isinstance(error, WorkerDied):
            self._tries[batch.digest] = self._tries.get(batch.digest, 0) + error.begun
            self._put(batch)
        else:
            raise error


class Here:
    """The default engine: batches one after the other in this process, no server."""

    width = 1

    def compute(self, folder: Path, queue: Work) -> Iterator[tuple[Batch, BaseException | None]]:
        """Yield each batch when it is done."""
        for batch in queue:
            compute(folder, batch)
            yield batch, None
