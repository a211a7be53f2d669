"""Handing jobs to a cluster's queue: what it refuses is told, what it may take later retried."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any

_PAUSE = 2.0  # seconds between two tries to hand in a job
_TRIES = 2  # refusals, none ever accepted, after which the request itself is at fault
_PATIENCE = 600.0  # seconds of refusals without any worker, as when a queue's controller is down


@dataclass
class Submissions:
    """What became of the jobs that one client handed in.

    Attributes:
        accepted: the queue took at least one.
        words: the queue's own when it refused last; empty where it did not.
        refused: refusals since one was accepted.
        since: when the first of those was, on the monotonic clock.
        closing: nothing more is handed in.

    """

    accepted: bool = False
    words: str = ""
    refused: int = 0
    since: float = 0.0
    closing: bool = False

    def took(self) -> None:
        """Take note of a job that was accepted."""
        self.accepted, self.words, self.refused = True, "", 0

    def refuse(self, words: str, tries: int = 1) -> None:
        """Take note of a refusal; `tries`: for how many it counts."""
        self.since = self.since if self.refused else time.monotonic()
        self.words, self.refused = words, self.refused + tries

    def trouble(self) -> str | None:
        """Return the queue's words where there is no use in waiting for workers, else None."""
        if not self.refused:
            return None
        hopeless = (
            time.monotonic() - self.since > _PATIENCE if self.accepted else self.refused >= _TRIES
        )
        return self.words if hopeless else None


def job_class(kind: type[Any], submissions: Submissions) -> type[Any]:
    """Return a job class of dask-jobqueue that keeps account of what the queue says.

    Left alone, dask-jobqueue never asks again for a job that was refused, and waits for it.
    """

    class Job(kind):
        async def _submit_job(self, script_filename: str) -> str:
            while not submissions.closing:
                try:
                    told: str = await super()._submit_job(script_filename)
                except (RuntimeError, OSError) as error:
                    submissions.refuse(spoken(error))
                    await _pause(submissions)
                    continue
                try:
                    self._job_id_from_submit_output(told)
                except ValueError:  # handed in again, there might be two of it
                    submissions.refuse(f"an answer without a job's number: {told}", _TRIES)
                    raise
                submissions.took()
                return told
            raise asyncio.CancelledError  # of the whole request: the cluster closes

    Job.__name__ = kind.__name__
    return Job


async def _pause(submissions: Submissions) -> None:
    end = time.monotonic() + _PAUSE
    while time.monotonic() < end and not submissions.closing:
        await asyncio.sleep(0.1)


def spoken(error: Exception) -> str:
    """Return what the command that hands in a job wrote, out of dask-jobqueue's error."""
    found = re.search(r"stdout:\n(?P<out>.*)\nstderr:\n(?P<err>.*)", str(error), re.DOTALL)
    words = f"{found['err']}\n{found['out']}" if found else str(error)
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return " / ".join(lines) or "it gave no reason"
