"""Files that a process touches as long as it lives, so that other machines see when it died."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ecosim.experiments.folders import host, lives

BEAT_S = 60.0  # seconds between two touches
SILENT_S = 900.0  # a file of another machine, not touched for so long: its process is taken as dead


@contextlib.contextmanager
def beating(path: Path) -> Iterator[None]:
    """Touch a file every minute while the body runs, from a thread; a missing file is let be."""
    ends = threading.Event()

    def beat() -> None:
        while not ends.wait(BEAT_S):
            with contextlib.suppress(OSError):
                os.utime(path)

    thread = threading.Thread(target=beat, name="pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def alive(path: Path, machine: str, pid: int) -> bool:
    """Return whether the process that keeps a file lives.

    Args:
        path: of the file.
        machine: on which the process runs, as `ecosim.experiments.folders.host` names it.
        pid: of the process. On another machine it cannot be asked for: there it lives as long as
            its file was touched within 15 minutes, which clocks may differ by less.

    """
    return lives(pid) if machine == host() else not silent(path)


def silent(path: Path) -> bool:
    """Return whether a file was not touched for 15 minutes; not where it is gone."""
    try:
        return time.time() - path.stat().st_mtime >= SILENT_S
    except OSError:
        return False
