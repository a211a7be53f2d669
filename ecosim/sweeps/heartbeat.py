"""What each worker of a sweep has done: one small file a process, `workers/HOST-PID.json`.

The files are for people who look. No result depends on them, and a file that cannot be written is
left out.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecosim.experiments.folders import lives, temporary_name
from ecosim.sweeps import pulse

_known: dict[Path, dict[str, Any]] = {}  # of this process: what it did, by the sweep's folder


@contextlib.contextmanager
def beating(folder: Path, batch: str, runs: int) -> Iterator[dict[str, int]]:
    """Tell that this process computes a batch and, after it, what it did.

    Args:
        folder: of the sweep.
        batch: its digest.
        runs: of the batch.

    Yields:
        A table in which the body sets `done` and `failed`, in runs.

    """
    told = _mine(folder)
    counted = {"done": 0, "failed": 0}
    began = time.time()
    _write(folder, told | {"state": "computing", "batch": batch, "runs": runs, "since": began})
    try:
        with pulse.beating(_file(folder, told)):
            yield counted
    finally:
        told["done"] += counted["done"]
        told["failed"] += counted["failed"]
        told["batches"] += 1
        told["busy_s"] = round(told["busy_s"] + time.time() - began, 3)
        _write(folder, told | {"state": "waiting"})


def _mine(folder: Path) -> dict[str, Any]:
    folder = folder.absolute()
    # The process is part of the name: a forked child begins its own count.
    known = _known.get(folder)
    if known is None or known["pid"] != os.getpid():
        known = {
            "host": socket.gethostname(), "pid": os.getpid(), "began": time.time(),
            "batches": 0, "done": 0, "failed": 0, "busy_s": 0.0,
        }  # fmt: skip
        _known[folder] = known
        atexit.register(ended, folder)
    return known


def ended(folder: Path) -> None:
    """Mark that this process computes nothing more in a folder."""
    known = _known.pop(folder.absolute(), None)
    if known is not None and known["pid"] == os.getpid():
        _write(folder, known | {"state": "ended"})


def _write(folder: Path, told: dict[str, Any]) -> None:
    # Not flushed to the disk: after a crash of the machine the file tells nothing of use.
    path = _file(folder, told)
    temporary = temporary_name(path)
    with contextlib.suppress(OSError):
        if told["state"] == "ended" and not path.parent.is_dir():
            return  # the folder was removed meanwhile
        path.parent.mkdir(exist_ok=True)
        try:
            temporary.write_text(json.dumps(told | {"seen": time.time()}), encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _file(folder: Path, told: dict[str, Any]) -> Path:
    return folder / "workers" / f"{told['host']}-{told['pid']}.json"


def workers(folder: Path) -> list[dict[str, Any]]:
    """Return what each worker told last, `state` being computing, waiting, ended or lost.

    Sorted by machine and process. Lost: its process is no more, or, on another machine, it has
    been silent for 15 minutes: one that computes touches its file every minute.
    """
    found = []
    for path in sorted((folder / "workers").glob("[!.]*.json")):
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["state"] != "ended" and not _alive(path, told):
                told["state"] = "lost"
            found.append(told)
    return sorted(found, key=lambda told: (told["host"], told["pid"]))


def _alive(path: Path, told: dict[str, Any]) -> bool:
    if told["host"] != socket.gethostname():
        return not pulse.silent(path)
    return lives(told["pid"])
