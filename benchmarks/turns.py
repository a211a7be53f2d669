"""How everything here is measured: ways take turns in one process tree; medians; ratios.

A way is a function that does so many steps. Where other work shares the machine the time of the
processor (all threads, and children that have ended) is steadier than that of the clock; both are
kept. Rows are plain dictionaries; `tell` prints them, one line of JSON each.
"""

from __future__ import annotations

import argparse
import importlib.metadata as packages
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

Way = Callable[[int], object]
Row = dict[str, object]
_NAMED = ("jax", "numpy", "mesa", "numba", "agentpy", "abmax")


class Spent(NamedTuple):
    """Seconds of one step, or of one command."""

    clock: float
    processor: float


def processor() -> float:
    """Return the processor's seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(task: Callable[[], object]) -> Spent:
    """Do a task and return what it took."""
    began, used = time.perf_counter(), processor()
    task()
    return Spent(time.perf_counter() - began, processor() - used)


def turns(ways: Mapping[str, Way], rounds: int, seconds: float) -> dict[str, Spent]:
    """Return what a step of each way takes: medians over rounds in which the ways take turns.

    Args:
        ways: by name; each is first called for two steps, so that it is compiled and warm.
        rounds: how often each has its turn.
        seconds: of a turn, about; at least one step.

    """
    count: dict[str, int] = {}
    for name, steps in ways.items():
        steps(2)
        count[name] = max(1, round(seconds / timed(lambda steps=steps: steps(1)).clock))
    spent: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, steps in ways.items():
            one = timed(lambda steps=steps, name=name: steps(count[name]))
            spent[name].append(Spent(*(value / count[name] for value in one)))
    return {name: median(values) for name, values in spent.items()}


def median(spent: Iterable[Spent]) -> Spent:
    """Return the medians of the clock's and of the processor's seconds."""
    clock, used = zip(*spent, strict=True)
    return Spent(statistics.median(clock), statistics.median(used))


def each(step: Callable[[], object]) -> Way:
    """Return the way that does one step after the other."""

    def steps(count: int) -> None:
        for _ in range(count):
            step()

    return steps


def machine() -> str:
    """Return what is measured on, in a line."""
    have = {d.metadata["Name"].lower(): d.version for d in packages.distributions()}
    versions = ", ".join(f"{name} {have[name]}" for name in _NAMED if name in have)
    return (
        f"{_model()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, {versions}"
    )


def _model() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def rounded(row: Row) -> Row:
    """Return a row with four digits of each number that is not whole."""
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in row.items()}


def tell(rows: Iterable[Row]) -> None:
    """Print rows, a line of JSON each."""
    for row in rows:
        print(json.dumps(rounded(row)), flush=True)


def apart(script: str, size: int, given: argparse.Namespace, *more: str) -> list[Row]:
    """Return the rows of a benchmark of one size and more words, measured in a process of its own.

    How many threads JAX has is settled when it starts, and a command suits them to the size.
    """
    words = [sys.executable, script, str(size), "--one", "--rounds", str(given.rounds)]
    words += [*more, *(["--tiny"] if given.tiny else [])]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def parser(doc: str | None, *, rounds: int = 7) -> argparse.ArgumentParser:
    """Return the arguments that all benchmarks here have; `--tiny` is for trying them out."""
    found = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    found.add_argument("--rounds", type=int, default=rounds)
    found.add_argument("--tiny", action="store_true", help="as small as can be; means nothing")
    return found
