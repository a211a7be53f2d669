"""When a run is to stop early: a time limit, SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self


class Stopping:
    """Callable that says whether to stop; while entered it takes SIGTERM and SIGINT.

    The first signal asks the run to stop at the next chunk of steps, which saves a checkpoint; a
    second SIGINT ends it at once. Where the engine cannot stop gracefully both end it at once.
    """

    def __init__(self, limit_s: float | None, *, graceful: bool) -> None:
        """Start the clock.

        Args:
            limit_s: seconds after which to stop; None: no limit.
            graceful: the engine polls this object.

        """
        self.interrupted = False
        self._asked = False
        self._graceful = graceful
        self._deadline = None if limit_s is None else time.monotonic() + limit_s
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Say whether the run is to stop."""
        return self._asked or self._deadline is not None and time.monotonic() >= self._deadline

    def __enter__(self) -> Self:
        """Take the signals, where this is the main thread."""
        if self._graceful and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            if self._asked:
                raise KeyboardInterrupt
            self.interrupted = True
        self._asked = True
