"""What a person sees of a run in progress: a live bar on a terminal, else a line; on stderr."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator

import click

from ecosim.commands.output import bars_wanted, console

type Report = Callable[[int, int, dict[str, float]], None]


@contextlib.contextmanager
def following(name: str, steps: int, *, quiet: bool) -> Iterator[Report | None]:
    """Yield a callable to call with step, steps and the latest metrics; None: nobody looks.

    Messages of ecosim's log go to stderr meanwhile; when quiet, only warnings do.
    """
    with _messages(logging.WARNING if quiet else logging.INFO):
        if quiet or not bars_wanted():
            yield None
        else:
            with _bar(name, steps) as report:
                yield report


@contextlib.contextmanager
def _messages(level: int) -> Iterator[None]:
    log = logging.getLogger("ecosim")
    handler = _Echo()
    before = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.level, log.propagate = before


class _Echo(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


@contextlib.contextmanager
def _bar(name: str, steps: int) -> Iterator[Report]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=24),
        TextColumn("step {task.completed}/{task.total}  {task.fields[seen]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console(sys.stderr), transient=True) as progress:
        task = progress.add_task(name, total=steps, seen="compiling")

        def report(step: int, steps: int, latest: dict[str, float]) -> None:
            progress.update(task, completed=step, total=steps, seen=_seen(latest))

        yield report


def _seen(latest: dict[str, float]) -> str:
    shown = {"population": "N {:,.0f}", "abundance": "n {:,.4g}", "breadth_mean": "breadth {:.2f}"}
    shown["coverage"] = "coverage {:.2f}"
    return "  ".join(text.format(latest[name]) for name, text in shown.items() if name in latest)
