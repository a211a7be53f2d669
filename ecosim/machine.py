"""What of this machine a process may use: cores and memory of its cgroup or Slurm allocation."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
THREADS = ("PJRT_NPROC", "NPROC")  # the environment's words to XLA for how many it starts


def cores() -> int:
    """Return how many cores this process may use, at least 1.

    The least of: processors of its affinity mask, its cgroup's quota of processor time, and what
    Slurm gave it. Never the whole machine's where less was allotted.
    """
    limits = [_affinity(), _quota()]
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        text = os.environ.get(name, "")
        if text.isdigit() and int(text) > 0:
            limits.append(int(text))
            break
    return max(1, min(limits))


def threads() -> str:
    """Return how many threads the environment gives XLA; empty: it does not say."""
    return next((os.environ[name] for name in THREADS if os.environ.get(name)), "")


def pool() -> str:
    """Return how many threads XLA starts: what the environment says, or one a processor."""
    return threads() or str(_affinity())


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _own_cgroups() -> list[Path]:
    """Return this process's cgroup (v2) and those above it; a limit of each binds."""
    try:
        line = Path("/proc/self/cgroup").read_text().strip().splitlines()[-1]
    except (OSError, IndexError):
        return [_CGROUP]
    inner = _CGROUP / line.split(":", 2)[2].lstrip("/")
    return [path for path in (inner, *inner.parents) if path.is_relative_to(_CGROUP)]


def _quota() -> int:
    limits = [2**20]
    for group in _own_cgroups():
        try:
            quota, period = (group / "cpu.max").read_text().split()
            limits.append(math.ceil(int(quota) / int(period)))
        except (OSError, ValueError):  # no such file, or "max": no limit
            continue
    try:
        quota = (_CGROUP / "cpu" / "cpu.cfs_quota_us").read_text()
        period = (_CGROUP / "cpu" / "cpu.cfs_period_us").read_text()
        if int(quota) > 0:
            limits.append(math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass
    return min(limits)


def memory() -> int:
    """Return how many bytes of memory this process may use: the machine's or its cgroup's."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    files = [group / "memory.max" for group in _own_cgroups()]
    for path in [*files, _CGROUP / "memory" / "memory.limit_in_bytes"]:
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):
            continue
    text = os.environ.get("SLURM_MEM_PER_NODE", "")
    if text.isdigit() and int(text) > 0:
        limits.append(int(text) * 2**20)
    return min(limits)
