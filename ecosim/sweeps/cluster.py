"""Batches on a Dask cluster: processes of this machine, a scheduler that runs, or a job queue."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ecosim.errors import RunError, StoreError
from ecosim.experiments.folders import temporary_name
from ecosim.sweeps import dashboards
from ecosim.sweeps.batching import Batch
from ecosim.sweeps.cleaning import SCRATCH
from ecosim.sweeps.environment import gpus, pinned, worker_environment
from ecosim.sweeps.execution import ClusterLost, Work, WorkerDied
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.worker import take, versions

if TYPE_CHECKING:
    from distributed import Client, Future

type Told = Callable[[str], None]

_AHEAD = 2  # batches handed out for each thread of the workers: none waits for the next
_WAIT = 1.0  # seconds between two looks at new workers and at requests to stop
_PATIENCE = 600.0  # seconds without any worker on this machine, of which none waits in a queue
_DEATHS = 20  # workers in a row that end before they begin anything: it is not the batches


class Cluster:
    """An engine that hands batches to the workers of a Dask cluster.

    A worker returns a batch's name; results go to the sweep's folder, which all workers see.
    """

    def __init__(
        self,
        started: Callable[[Path], contextlib.AbstractContextManager[Client]],
        width: int = 1,
        tell: Told = lambda text: None,
        patience: float = math.inf,
        trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Take how a cluster is started.

        Args:
            started: called with the sweep's folder; its context yields a client.
            width: workers that are asked for; runs are divided into at least so many batches.
            tell: takes a line for the user.
            patience: seconds to wait for a first worker, or for another when all are gone.
            trouble: says why no worker will come, or None; asked while there is none.

        """
        self._started, self.width, self._tell = started, width, tell
        self._patience, self._trouble = patience, trouble

    def compute(self, folder: Path, queue: Work) -> Iterator[tuple[Batch, BaseException | None]]:
        """Yield each batch when it is done, or with WorkerDied where its worker ended.

        When the queue is closed, what has begun is finished and what has not is taken back.

        Raises:
            ClusterLost: the scheduler was lost; the same command continues.
            RunError: workers end as soon as they start, or none will come.

        """
        with contextlib.ExitStack() as around:
            client = around.enter_context(self._started(folder.absolute()))
            if importlib.util.find_spec("bokeh") is not None:
                self._tell(f"dashboard: {client.dashboard_link}")
                around.enter_context(dashboards.shown(folder, client.dashboard_link))
            there = SweepFolder(folder.absolute())
            flight = _Flight(client, there, self._patience, self._trouble)
            while flight.fill(queue):
                yield from flight.landed()
                if queue.closed():
                    flight.take_back()


class _Flight:
    """The batches that are with the scheduler."""

    def __init__(
        self,
        client: Client,
        folder: SweepFolder,
        patience: float,
        trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._client, self._folder, self._patience = client, folder, patience
        self._trouble = trouble
        self._seen = time.monotonic()  # when there was a worker
        self._flying: dict[Future, tuple[Batch, int]] = {}  # with its marks before
        self._number = self._deaths = 0

    def fill(self, queue: Work) -> bool:
        """Hand out as many batches as there is room for; return whether any is in flight."""
        with _lost():
            threads = sum(self._client.nthreads().values())
        if threads:
            self._seen = time.monotonic()
        elif (why := self._trouble()) is not None:
            raise RunError(why)
        elif time.monotonic() - self._seen > self._patience:
            raise RunError(f"no worker could be started within {self._patience:.0f} s")
        while len(self._flying) < _AHEAD * max(threads, 1):
            batch = next(iter(queue), None)
            if batch is None:
                break
            self._number += 1
            # Never the same key twice: a batch that is tried again must not find the old outcome.
            key = f"ecosim-{batch.digest}-{os.getpid()}-{self._number}"
            before = self._marks(batch)
            with _lost():
                future = self._client.submit(
                    take, str(self._folder.path), batch, versions(), key=key, pure=False
                )
            self._flying[future] = batch, before
        return bool(self._flying)

    def landed(self) -> Iterator[tuple[Batch, BaseException | None]]:
        """Yield what ended within a moment; the futures are let go."""
        from distributed import wait

        with _lost():
            try:
                done = wait(list(self._flying), timeout=_WAIT, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                done = set()
        if self._client.status != "running":
            raise ClusterLost
        for future in done:
            batch, before = self._flying.pop(future)
            yield batch, self._outcome(future, batch, before)

    def take_back(self) -> None:
        """Cancel what no worker has begun."""
        idle = [f for f, (batch, before) in self._flying.items() if self._marks(batch) <= before]
        with _lost():
            self._client.cancel(idle)
        for future in idle:
            del self._flying[future]

    def _outcome(self, future: Future, batch: Batch, before: int) -> BaseException | None:
        from distributed import KilledWorker

        if future.status == "finished":
            self._deaths = 0
            return None
        if future.status in ("cancelled", "lost"):
            raise ClusterLost
        error: BaseException = future.exception()
        if not isinstance(error, KilledWorker):
            return error
        # A batch that waited on a worker that died is not to blame: it had left no mark yet.
        begun = self._marks(batch) > before
        self._deaths = 0 if begun else self._deaths + 1
        if self._deaths >= _DEATHS:
            raise RunError(
                f"{_DEATHS} times in a row a worker ended before it began a batch; the logs of the "
                "workers say why (not enough memory, or ecosim is not installed there?)"
            )
        return WorkerDied(str(error), begun=begun)

    def _marks(self, batch: Batch) -> int:
        return self._folder.attempts_at(batch.digest)


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    """Tell any failure to speak with the scheduler as what it is."""
    from concurrent.futures import CancelledError

    try:
        yield
    except (OSError, CancelledError) as error:
        raise ClusterLost from error


# Where workers come from


def local(workers: int, tell: Told = lambda text: None) -> Cluster:
    """Return an engine of so many processes on this machine; with GPUs, one of them each."""

    @contextlib.contextmanager
    def started(folder: Path) -> Iterator[Client]:
        import dask
        from distributed import Client, Nanny, Scheduler, SpecCluster

        cards = gpus()
        preload = [*dask.config.get("distributed.worker.preload"), "ecosim.sweeps.worker"]
        spec = {
            index: {
                "cls": Nanny,
                "options": {
                    "nthreads": 1,
                    "name": index,
                    "env": worker_environment() | pinned(index, cards),
                    "preload": preload,
                    "host": "127.0.0.1",
                    "dashboard": False,
                },
            }
            for index in range(workers)
        }
        scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", **dashboard("127.0.0.1")}}
        with (
            # A nanny replaces its worker itself, however long that takes on a busy machine.
            settings({"distributed.deploy.lost-worker-timeout": "1 day"}),
            SpecCluster(workers=spec, scheduler=scheduler) as cluster,
            Client(cluster) as client,
        ):
            yield client

    return Cluster(started, workers, tell, _PATIENCE)


def existing(address: str, tell: Told = lambda text: None) -> Cluster:
    """Return an engine of a cluster whose scheduler listens at an address (tcp://HOST:PORT)."""

    @contextlib.contextmanager
    def started(folder: Path) -> Iterator[Client]:
        from distributed import Client

        with settings():
            try:
                client = Client(address, timeout=20)
            except (OSError, ValueError) as error:
                rule = f"{address}: no scheduler answers there ({error})"
                raise StoreError(f"{rule}; start one with `dask scheduler`") from error
            with client:
                yield client

    return Cluster(started, 1, tell)


def dashboard(host: str) -> dict[str, Any]:
    """Return a scheduler's options for its dashboard: any free port, where bokeh is installed."""
    shown = importlib.util.find_spec("bokeh") is not None
    return {"dashboard_address": f"{host}:0", "dashboard": shown}


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep Dask's own log from the user: what went wrong is told as an error, in our words."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def settings(more: Mapping[str, Any] = MappingProxyType({})) -> Iterator[None]:
    """Set Dask up for sweeps, and leave nothing of it behind: neither variables nor files."""
    import dask
    import distributed  # noqa: F401  (loads its defaults, which are read below)

    before = dict(os.environ)
    environ = dask.config.get("distributed.nanny.pre-spawn-environ", {}) | worker_environment()
    chosen: dict[str, Any] = {
        # The sweep itself tries again, in parts: the first death of a worker is reported.
        "distributed.scheduler.allowed-failures": 0,
        "distributed.comm.retry.count": 3,
        "distributed.worker.memory.terminate": 0.98,
        "distributed.nanny.pre-spawn-environ": environ,
        "logging": {"distributed": "error"},
    }
    # Named so that `ecosim clean` knows it when this process is killed.
    scratch = temporary_name(Path(tempfile.gettempdir()) / SCRATCH)
    scratch.mkdir(mode=0o700)
    try:
        with _silent(), dask.config.set({**chosen, **more, "temporary-directory": str(scratch)}):
            yield
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        # Dask puts the variables of workers into this process too.
        os.environ.clear()
        os.environ.update(before)
