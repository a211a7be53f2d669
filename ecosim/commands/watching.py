"""What a person sees of a sweep in progress: a table that renews itself, or plain lines; stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands.output import bars_wanted, console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ecosim.sweeps.execution import Progress

type Told = Callable[["Progress"], None]

_EVERY_S = 5.0  # between two plain lines
_BACK_S = 120.0  # how far back the rate looks
_SHOWN = 12  # workers in the table


class Pace:
    """How fast runs end, over the last two minutes, and how long the rest will take at that."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Start the clock."""
        self._clock = clock
        self._ends: deque[tuple[float, int]] = deque([(clock(), 0)])
        self._base: int | None = None

    def seen(self, ended: int, before: int) -> None:
        """Take note that `ended` runs have ended, of which `before` had at the start."""
        now = self._clock()
        if self._base is None:
            self._base = before
        self._ends.append((now, ended - self._base))
        while len(self._ends) > 2 and now - self._ends[0][0] > _BACK_S:
            self._ends.popleft()

    @property
    def rate(self) -> float | None:
        """Runs a second; None before the first has ended."""
        (first, fewer), (_, more) = self._ends[0], self._ends[-1]
        span = self._clock() - first
        return (more - fewer) / span if span > 0 and more > fewer else None


def duration(seconds: float | None) -> str:
    """Return a span of time for a person; a dash where it is unknown."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def line(counts: dict[str, int], rate: float | None) -> str:
    """Return the state of a sweep on one line; counts: total, done, failed."""
    left = counts["total"] - counts["done"] - counts["failed"]
    parts = [f"{counts['done']:,} of {counts['total']:,} runs done", f"{counts['failed']:,} failed"]
    if rate:
        parts.append(f"{rate:.3g} a second")
        if left:
            parts.append(f"{duration(left / rate)} left")
    return ", ".join(parts)


@contextlib.contextmanager
def watching(folder: Path, *, quiet: bool) -> Iterator[Told | None]:
    """Yield what is to be called as runs end; None: nobody looks."""
    if quiet:
        yield None
    elif bars_wanted():
        with _live(folder) as told:
            yield told
    else:
        yield _lines()


def _counts(progress: Progress) -> dict[str, int]:
    return {"total": progress.total, "done": progress.done, "failed": progress.failed}


def _lines() -> Told:
    pace = Pace()
    latest = time.perf_counter()

    def told(progress: Progress) -> None:
        nonlocal latest
        pace.seen(progress.done + progress.failed, progress.before)
        now = time.perf_counter()
        if now - latest >= _EVERY_S:
            latest = now
            click.echo(line(_counts(progress), pace.rate), err=True)

    return told


@contextlib.contextmanager
def _live(folder: Path) -> Iterator[Told]:
    from rich.live import Live

    from ecosim.sweeps.heartbeat import workers

    pace = Pace()
    counts: dict[str, int] = {}

    def view() -> RenderableType:
        return table(counts, pace.rate, workers(folder))

    with Live(
        get_renderable=view, console=console(sys.stderr), refresh_per_second=2, transient=True
    ):

        def told(progress: Progress) -> None:
            pace.seen(progress.done + progress.failed, progress.before)
            counts.update(_counts(progress))

        yield told


def table(
    counts: dict[str, int], rate: float | None, workers: list[dict[str, Any]]
) -> RenderableType:
    """Return bar, counts and a row a worker, as rich shows them."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    if not counts:
        return Text("compiling the first batch")
    ended = counts["done"] + counts["failed"]
    bar = Table.grid()  # which, other than the bar alone, ends its line
    bar.add_row(ProgressBar(total=max(counts["total"], 1), completed=ended, width=40))
    present = [told for told in workers if told["state"] not in ("ended", "lost")]
    gone = len(workers) - len(present)
    if not present:
        return Group(bar, Text(line(counts, rate)))
    grid = Table(box=None, pad_edge=False)
    for head, side in (("worker", "left"), ("state", "left"), ("done", "right"),
                       ("failed", "right"), ("runs a second", "right")):  # fmt: skip
        grid.add_column(head, justify=side)  # type: ignore[arg-type]
    for told in present[:_SHOWN]:
        grid.add_row(*row_of(told))
    notes = []
    if len(present) > _SHOWN:
        notes.append(f"{len(present) - _SHOWN} more workers")
    if gone:
        notes.append(f"{gone} ended")
    return Group(bar, Text(line(counts, rate)), grid, *(Text(note) for note in notes))


def row_of(told: dict[str, Any]) -> list[str]:
    """Return a worker's row: name, state, done, failed, runs a second of work."""
    ended = told["done"] + told["failed"]
    speed = f"{ended / told['busy_s']:.3g}" if told["busy_s"] > 0 and ended else "–"
    state = told["state"]
    if state == "computing":
        state = f"computing {told['runs']} for {duration(max(time.time() - told['since'], 0))}"
    return [f"{told['host']}-{told['pid']}", state, str(told["done"]), str(told["failed"]), speed]
