"""What a worker of a local cluster does when it starts, and how it takes a batch."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

from ecosim.errors import StoreError
from ecosim.sweeps.batching import Batch
from ecosim.sweeps.computing import compute


def dask_setup(worker: Any) -> None:
    """Leave signals to the client, so that a batch that has begun is finished.

    A terminal sends Ctrl-C to all processes, and a job queue SIGTERM. A worker ends with its
    client in any case.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def take(folder: str, batch: Batch) -> str:
    """Compute a batch on a worker, and return its digest.

    Raises:
        StoreError: the sweep's folder is not seen from here.

    """
    if not os.path.isdir(os.path.join(folder, "batches")):
        raise StoreError(
            f"{folder}: not seen by the worker on {socket.gethostname()}; choose an --out that all "
            "machines of the cluster share"
        )
    return compute(folder, batch)


def versions() -> dict[str, Any]:
    """Return what a worker would compute with."""
    from ecosim.experiments.manifest import computing_versions

    return dict(computing_versions())
