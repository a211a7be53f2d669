"""A run that stopped early: saved whole or not at all, checked before it is continued."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecosim.errors import EcosimError
from ecosim.experiments.folders import write_atomically

LOG = logging.getLogger("ecosim")
_MAGIC = b"ecosim checkpoint 4"  # counted on where what a run keeps has changed


class Stopped(EcosimError):
    """A run that was asked to stop; the same command continues it from `checkpoint`."""

    def __init__(self, checkpoint: Path | None, step: int, steps: int) -> None:
        """Keep where the checkpoint lies (None: nothing was kept) and how far the run came."""
        self.checkpoint = checkpoint
        self.step = step
        self.steps = steps
        super().__init__(checkpoint, step, steps)

    def __str__(self) -> str:
        """Say how far the run came and how it goes on."""
        done = f"stopped at step {self.step} of {self.steps}"
        if self.checkpoint is None:
            return f"{done}; no checkpoint was kept, so the next run starts anew"
        return f"{done}; the same command continues it (checkpoint: {self.checkpoint})"


@dataclass(frozen=True)
class Checkpoint:
    """What simulate continues from, and what was known when it was saved.

    `header` holds `step`, `wall_s` so far, `started`, `attempts`, `forced` and `versions`.
    """

    header: dict[str, Any]
    data: bytes


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint with its checksum, atomically."""
    body = json.dumps(checkpoint.header, sort_keys=True).encode() + b"\n" + checkpoint.data
    write_atomically(path, b"\n".join([_MAGIC, _checksum(body), body]))


def load(path: Path, versions: dict[str, Any]) -> Checkpoint | None:
    """Return the checkpoint at `path`, or None where there is none that can be trusted.

    One that is damaged, or saved under other `versions` of the packages that compute, is reported
    in the log and ignored: a run continued from it would not be the same bit for bit.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _warn(path, f"cannot be read ({error.strerror})")
        return None
    parts = content.split(b"\n", 2)
    if parts[0] != _MAGIC and parts[0].startswith(_MAGIC.rstrip(b"0123456789")):
        _warn(path, "was saved by another version of ecosim")
        return None
    if len(parts) != 3 or parts[0] != _MAGIC or parts[1] != _checksum(parts[2]):
        _warn(path, "is damaged")
        return None
    header, data = parts[2].split(b"\n", 1)
    checkpoint = Checkpoint(json.loads(header), data)
    if checkpoint.header.get("versions") != versions:
        _warn(path, "was saved by other versions of ecosim or of what it computes with")
        return None
    return checkpoint


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _warn(path: Path, problem: str) -> None:
    LOG.warning("%s %s and is ignored: the run starts anew", path, problem)
