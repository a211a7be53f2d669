"""What a worker of a local cluster does when it starts, and how it takes a batch."""

from __future__ import annotations

import functools
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


def take(folder: str, batch: Batch, expected: dict[str, Any]) -> str:
    """Compute a batch on a worker, and return its digest.

    Args:
        folder: of the sweep.
        batch: what to compute.
        expected: versions that the client has; results of others are not mixed with its own.

    Raises:
        StoreError: the sweep's folder is not seen from here, or versions differ.

    """
    where = f"the worker on {socket.gethostname()}"
    if not os.path.isdir(os.path.join(folder, "batches")):
        raise StoreError(
            f"{folder}: not seen by {where}; choose an --out that all machines of the cluster share"
        )
    if versions() != expected:
        other = {key: value for key, value in versions().items() if value != expected.get(key)}
        raise StoreError(
            f"{where} has {other}, other than here; start workers from the same environment"
        )
    return compute(folder, batch)


@functools.cache
def versions() -> dict[str, Any]:
    """Return what this process would compute with."""
    from ecosim.experiments.manifest import computing_versions

    return dict(computing_versions())
