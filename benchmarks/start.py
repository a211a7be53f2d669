"""What it costs to begin: `python benchmarks/start.py`.

Each command in a process of its own, in turn; the least time over the rounds, by the clock and of
the processor (all threads and children, user and system), which other work changes less.

    python              an interpreter that does nothing
    help                `ecosim --help`
    import of jax       what every run needs, whatever it does; it ends at once, nothing is freed
    run                 a small `ecosim run`, with its pictures, compiled programs in the cache
    run, no pictures    the same without figure and report (`--no-pictures`)
    run again           the same command, which reports the finished run
    simulate            the same run from Python, nothing written; unlike the command, Python looks
                        for garbage among what it loads

Printed as JSON: a row a command, with the seconds and those beyond the import of jax.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from turns import Row, Spent, machine, parser, tell

ROUNDS = 5
SMALL = ["soft-selection", "population.size=1000", "run.steps=50"]
_SIMULATE = """
import sys
from ecosim.scenario import read
from ecosim.simulate import simulate
simulate(read(sys.argv[1], sys.argv[2:]))
"""


def commands(out: Path) -> dict[str, list[str]]:
    """Return the command line of each way; runs are stored under `out`."""
    run = ["-m", "ecosim", "run", *SMALL, "--out", str(out)]
    return {
        "python": ["-c", "pass"],
        "help": ["-m", "ecosim", "--help"],
        "import of jax": ["-c", "import os, jax; os._exit(0)"],
        "run": [*run, "--force"],
        "run again": run,  # what stands complete: after the next way the figure would be drawn
        "run, no pictures": [*run, "--force", "--no-pictures"],
        "simulate": ["-c", _SIMULATE, *SMALL],
    }


def spent(words: list[str], environment: Mapping[str, str] | None = None) -> Spent:
    """Return the seconds of a Python process, and of what it started and awaited.

    Args:
        words: of its command line.
        environment: its own; None: that of this process.

    Raises:
        SystemExit: it failed; with what it said.

    """
    with tempfile.TemporaryFile() as told:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *words], stdout=told, stderr=told, env=environment
        )
        _, status, used = os.wait4(process.pid, 0)
        clock = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            sys.exit(f"{' '.join(words)}: {told.read().decode()}")
    return Spent(clock, used.ru_utime + used.ru_stime)


def measure(rounds: int = ROUNDS) -> list[Row]:
    """Return a row for each way."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"ECOSIM_CACHE": str(Path(folder, "cache"))} | os.environ
        own["ECOSIM_PROGRAMS"] = "1"  # as the command line sets it
        ways = commands(Path(folder, "runs"))
        for name in ("run", "simulate"):  # compiles, and writes byte code
            spent(ways[name], own)
        times: dict[str, list[Spent]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, words in ways.items():
                times[name].append(spent(words, own))
    least = {name: Spent(*map(min, zip(*those, strict=True))) for name, those in times.items()}
    jax = least["import of jax"]
    rows: list[Row] = []
    for name, one in least.items():
        row: Row = {"command": name, "clock_s": one.clock, "processor_s": one.processor}
        if list(least).index(name) > list(least).index("import of jax"):
            row["beyond_jax_by_the_clock_s"] = one.clock - jax.clock
            row["beyond_jax_of_the_processor_s"] = one.processor - jax.processor
        rows.append(row)
    return rows


def main() -> None:
    """Measure and print."""
    given = parser(__doc__, rounds=ROUNDS).parse_args()
    tell([{"machine": machine(), "rounds": given.rounds}])
    tell(measure(1 if given.tiny else given.rounds))


if __name__ == "__main__":
    main()
