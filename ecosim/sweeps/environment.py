"""What each worker process is started with: variables, and the GPUs that there are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence


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
        "PJRT_NPROC": "1",
        "OMP_NUM_THREADS": "1",
        "DASK_LOGGING__DISTRIBUTED": "error",
        "ECOSIM_CACHE": "" if cache is None else str(cache.absolute()),
    }


def pinned(index: int, cards: Sequence[str]) -> dict[str, str]:
    """Return the variables that give a worker one GPU of those there are; none without GPUs."""
    return {"CUDA_VISIBLE_DEVICES": cards[index % len(cards)]} if cards else {}


def gpus() -> list[str]:
    """Return the identifiers of the GPUs that this process may use; none where there are none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = listed.stdout.splitlines() if listed.returncode == 0 else []
    return [str(index) for index in range(sum(line.startswith("GPU ") for line in lines))]
