"""What it costs to begin: `python benchmarks/start.py`.

Each command in a process of its own, in turn; the least time of the processor over the rounds (all
threads and children, user and system), which other work on the machine changes little.

    python              an interpreter that does nothing
    help                `ecosim --help`
    import of jax       what every run needs, whatever it does
    run                 a small `ecosim run`, with its pictures, compiled programs in the cache
    run, no pictures    the same without figure and report (`--no-pictures`)
    run again           the same command, which reports the finished run
    simulate            the same run from Python, nothing written

Printed as JSON: these seconds; help over python; run over the import of jax, and the seconds
beyond it, also split: of simulating, and of storing and drawing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from turns import Row, machine, parser, tell

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
        "import of jax": ["-c", "import jax"],
        "run": [*run, "--force"],
        "run again": run,  # what stands complete: after the next way the figure would be drawn
        "run, no pictures": [*run, "--force", "--no-pictures"],
        "simulate": ["-c", _SIMULATE, *SMALL],
    }


def processor_time(words: list[str], environment: Mapping[str, str] | None = None) -> float:
    """Return the processor's seconds of a Python process, and of what it started and awaited.

    Args:
        words: of its command line.
        environment: its own; None: that of this process.

    Raises:
        SystemExit: it failed; with what it said.

    """
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [sys.executable, *words], stdout=told, stderr=told, env=environment
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            sys.exit(f"{' '.join(words)}: {told.read().decode()}")
    return used.ru_utime + used.ru_stime


def measure(rounds: int = ROUNDS) -> Row:
    """Return the seconds of each way and what they are to each other."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"ECOSIM_CACHE": str(Path(folder, "cache"))} | os.environ
        own["ECOSIM_PROGRAMS"] = "1"  # as the command line sets it
        ways = commands(Path(folder, "runs"))
        for name in ("run", "simulate"):  # compiles, and writes byte code
            processor_time(ways[name], own)
        spent: dict[str, float] = {}
        for _ in range(rounds):
            for name, words in ways.items():
                spent[name] = min(spent.get(name, float("inf")), processor_time(words, own))
    jax = spent["import of jax"]
    return {
        **{f"{name}, s": seconds for name, seconds in spent.items()},
        "help over python": spent["help"] / spent["python"],
        "run over import of jax": spent["run"] / jax,
        "run beyond import of jax, s": spent["run"] - jax,
        "without pictures beyond it, s": spent["run, no pictures"] - jax,
        "of which simulating, s": spent["simulate"] - jax,
        "of which storing and drawing, s": spent["run"] - spent["simulate"],
    }


def main() -> None:
    """Measure and print."""
    given = parser(__doc__, rounds=ROUNDS).parse_args()
    tell([{"machine": machine(), "rounds": given.rounds}])
    tell([measure(1 if given.tiny else given.rounds)])


if __name__ == "__main__":
    main()
