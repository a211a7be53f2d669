"""Batches on a Dask cluster: processes of this machine, a scheduler that runs, or a job queue."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.errors import RunError, StoreError
from ecosim.sweeps.batching import Batch
from ecosim.sweeps.computing import compute
from ecosim.sweeps.execution import WorkerDied

if TYPE_CHECKING:
    from distributed import Client, Future

_AHEAD = 2  # batches handed out for each thread of the workers: none waits for the next
_WAIT = 1.0  # seconds between two looks at new workers and at requests to stop


class Cluster:
    """An engine that hands batches to the workers of a Dask cluster.

    A worker returns a batch's name; results go to the sweep's folder, which all workers see.
    """

    def __init__(
        self, started: Callable[[Path], contextlib.AbstractContextManager[Client]]
    ) -> None:
        """Take what starts a cluster for a sweep's folder and yields its client."""
        self._started = started

    def compute(
        self, folder: Path, queue: Iterable[Batch]
    ) -> Iterator[tuple[Batch, BaseException | None]]:
        """Yield each batch when it is done, or with WorkerDied where its worker ended.

        Raises:
            RunError: the scheduler was lost; the same command continues.

        """
        with self._started(folder.absolute()) as client:
            yield from _all(client, str(folder.absolute()), queue)


def _all(
    client: Client, folder: str, queue: Iterable[Batch]
) -> Iterator[tuple[Batch, BaseException | None]]:
    from distributed import wait

    flying: dict[Future, Batch] = {}
    number = 0
    while True:
        room = _AHEAD * max(sum(client.nthreads().values()), 1)
        while len(flying) < room and (batch := next(iter(queue), None)) is not None:
            number += 1
            # Never the same key twice: a batch that is tried again must not find the old outcome.
            key = f"ecosim-{batch.digest}-{os.getpid()}-{number}"
            flying[client.submit(compute, folder, batch, key=key, pure=False)] = batch
        if not flying:
            return
        try:
            done = wait(list(flying), timeout=_WAIT, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            if client.status != "running":
                raise RunError(
                    "the scheduler of the cluster was lost; what is done is kept, and the same "
                    "command continues"
                ) from None
            continue
        for future in done:
            yield flying.pop(future), _outcome(future)


def _outcome(future: Future) -> BaseException | None:
    from distributed import KilledWorker

    if future.status == "finished":
        return None
    if future.status in ("cancelled", "lost"):
        raise RunError(
            "the scheduler of the cluster was lost; what is done is kept, and the same command "
            "continues"
        )
    error = future.exception()
    return WorkerDied(str(error)) if isinstance(error, KilledWorker) else error


# Where workers come from


def worker_environment() -> dict[str, str]:
    """Return the variables that each worker is started with.

    One thread of XLA each, no memory taken in advance, and one cache of compiled programs for all.
    """
    from ecosim.compilation import cache_folder

    cache = cache_folder()
    flags = os.environ.get("ECOSIM_WORKER_XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    return {
        "XLA_FLAGS": flags,
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "OMP_NUM_THREADS": "1",
        "DASK_LOGGING__DISTRIBUTED": "error",
        "ECOSIM_CACHE": "" if cache is None else str(cache.absolute()),
    }


def gpus() -> list[str]:
    """Return the identifiers of the GPUs that this process may use; none where there are none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name and name != "-1"]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = listed.stdout.splitlines() if listed.returncode == 0 else []
    return [str(index) for index, line in enumerate(lines) if line.startswith("GPU ")]


def local(workers: int) -> Cluster:
    """Return an engine of so many processes on this machine; with GPUs, one of them each."""

    @contextlib.contextmanager
    def started(folder: Path) -> Iterator[Client]:
        from distributed import Client, Nanny, Scheduler, SpecCluster

        cards = gpus()
        spec = {}
        for index in range(workers):
            env = worker_environment()
            if cards:
                env["CUDA_VISIBLE_DEVICES"] = cards[index % len(cards)]
            spec[index] = {"cls": Nanny, "options": {"nthreads": 1, "env": env, "name": index}}
        with _settings():
            scheduler = {
                "cls": Scheduler,
                "options": {"host": "127.0.0.1", "dashboard_address": ":0"},
            }
            with (
                SpecCluster(workers=spec, scheduler=scheduler, silence_logs=40) as cluster,
                Client(cluster) as client,
            ):
                yield client

    return Cluster(started)


def existing(address: str) -> Cluster:
    """Return an engine of a cluster whose scheduler listens at an address (tcp://HOST:PORT)."""

    @contextlib.contextmanager
    def started(folder: Path) -> Iterator[Client]:
        from distributed import Client

        with _settings():
            try:
                client = Client(address, timeout=20)
            except (OSError, ValueError) as error:
                rule = f"{address}: no scheduler answers there ({error})"
                raise StoreError(f"{rule}; start one with `dask scheduler`") from error
            with client:
                if not client.nthreads():
                    client.wait_for_workers(1, timeout=60)
                yield client

    return Cluster(started)


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    import dask

    chosen: dict[str, Any] = {
        # The sweep itself tries again, in halves: the first death of a worker is reported.
        "distributed.scheduler.allowed-failures": 0,
        "distributed.scheduler.work-stealing": True,
        "distributed.comm.retry.count": 3,
        "distributed.worker.memory.terminate": 0.98,
        "logging.distributed": "error",
    }
    if "TMPDIR" in os.environ:
        chosen["temporary-directory"] = os.environ["TMPDIR"]
    with dask.config.set(chosen):
        yield
