"""Where to watch the clusters of a sweep: one file a client, there as long as its cluster is up."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ecosim.experiments.folders import host, write_atomically
from ecosim.sweeps import pulse


@contextlib.contextmanager
def shown(folder: Path, link: str) -> Iterator[None]:
    """Keep the link of a dashboard in a sweep's folder while the body runs."""
    path = folder / f"dashboard.{host()}.{os.getpid()}.txt"
    write_atomically(path, f"{link}\n".encode())
    try:
        with pulse.beating(path):
            yield
    finally:
        path.unlink(missing_ok=True)


def links(folder: Path) -> list[str]:
    """Return the links of the dashboards of a sweep whose clients live."""
    found = []
    for path in sorted(set(_files(folder)) - set(dead(folder))):
        with contextlib.suppress(FileNotFoundError):  # its cluster ended just now
            found.append(path.read_text(encoding="utf-8").strip())
    return found


def dead(folder: Path) -> list[Path]:
    """Return files of clients that are no more; of other machines those silent for 15 minutes."""
    return [path for path in _files(folder) if not _lives(path)]


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("dashboard.*.txt")) if path.name.count(".") == 3]


def _lives(path: Path) -> bool:
    _, machine, pid, _ = path.name.split(".")
    return pid.isdigit() and pulse.alive(path, machine, int(pid))
