"""Runs per second of a sweep, as ratios measured in one command: `python benchmarks/sweep.py`.

One sweep of soft selection (100 points x 20 replicates, 1,000 agents, 200 steps, a record every 10
steps) in four ways, in turn, each as a user starts it, with the start of its processes:

    in process      ecosim sweep ...
    workers         ecosim sweep ... --workers 2
    mesa            mesa.batch_run of a Mesa model written for speed: all agents in NumPy columns,
                    no agent objects, in as many processes as there are cores
    one a process   ecosim run ..., two at a time; a few runs, extrapolated

Both sides record every 10 steps, ecosim about thirty metrics and the Mesa model seven, which
favours Mesa. ecosim's programs are in its cache beforehand.
`--quick`: a tenth of the points; `--rounds N`: medians of N rounds; `--memory`: instead, the peak
memory of the client of two workers at 100 and at 10,000 tiny runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mesa
import numpy as np
from turns import machine, tell

POINTS, REPLICATES, AGENTS, STEPS, EVERY = 100, 20, 1000, 200, 10
SUPPLY = np.array([0.7, 0.3])
SAMPLE = 4  # runs of one process each
LOW, HIGH = 0.5, 2.0


class SoftSelection(mesa.Model):
    """Wright-Fisher selection of budgets divided over niches, in columns `[agents, niches]`."""

    def __init__(self, exponent: float, agents: int = AGENTS, rng: int | None = None) -> None:
        """Draw the allocations of the first generation."""
        super().__init__(rng=rng)
        self.exponent, self.size = exponent, agents
        self.allocation = self.rng.dirichlet(np.ones(SUPPLY.size), agents).astype(np.float32)
        self.supply = (SUPPLY * agents).astype(np.float32)
        self.gain = np.zeros(agents, np.float32)
        metrics = {
            "breadth_mean": lambda m: float(m.breadth().mean()),
            "specialist_share": lambda m: float((m.allocation.max(1) >= 0.9).mean()),
            "allocation_0": lambda m: float(m.allocation[:, 0].mean()),
            "specialists_0": lambda m: float((m.allocation[:, 0] >= 0.9).mean()),
            "niches_used": lambda m: int((np.bincount(m.allocation.argmax(1)) > 0).sum()),
            "received": lambda m: float(m.gain.sum()),
            "gain_variance": lambda m: float(m.gain.var()),
        }
        self.datacollector = mesa.DataCollector(model_reporters=metrics)
        self.datacollector.collect(self)

    def breadth(self) -> np.ndarray:
        """Return the effective number of niches of each agent, `[agents]`."""
        x = self.allocation
        logs = np.log(x, out=np.zeros_like(x), where=x > 0)
        return np.exp(-np.einsum("ij,ij->i", x, logs))

    def step(self) -> None:
        """Divide the supply, draw the parents by what they received, mutate their children."""
        claim = self.allocation**self.exponent
        self.gain = claim @ (self.supply / claim.sum(0))
        ends = np.cumsum(self.gain, dtype=np.float64)
        parents = np.searchsorted(ends, self.rng.random(self.size) * ends[-1], side="right")
        child = self.allocation[parents]
        who = np.flatnonzero(self.rng.random(self.size) < 0.1)
        moved = child[who] + 0.02 * self.rng.standard_normal((who.size, SUPPLY.size), np.float32)
        np.abs(moved, out=moved)
        child[who] = moved / moved.sum(1, keepdims=True)
        self.allocation = child
        if self.steps % EVERY == 0:
            self.datacollector.collect(self)


def _exponents(points: int) -> list[float]:
    return [float(f"{x:.6g}") for x in np.linspace(LOW, HIGH, points)]


def _mesa(points: int) -> None:
    results = mesa.batch_run(
        SoftSelection, {"exponent": _exponents(points)}, number_processes=_cores(),
        # The period counts collections, and the model itself collects every EVERY steps only.
        rng=list(range(REPLICATES)), data_collection_period=1, max_steps=STEPS,
        display_progress=False,
    )  # fmt: skip
    expected = points * REPLICATES * (1 + STEPS // EVERY)
    assert len(results) == expected, (len(results), expected)


def _cores() -> int:
    from ecosim.machine import cores

    return cores()


_SET = {"population.size": AGENTS, "run.steps": STEPS, "record.every": EVERY}


def _ecosim(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "ecosim.cli", *words],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip


def _ended(process: subprocess.Popen[bytes]) -> None:
    _, told = process.communicate()
    if process.returncode:
        sys.exit(told.decode())


def _sweep(points: int, out: Path, *more: str, **changed: int) -> None:
    values = _SET | {key.replace("__", "."): value for key, value in changed.items()}
    sets = [f"--set={key}={value}" for key, value in values.items()]
    grid = f"tradeoff.exponent={LOW}:{HIGH}:{points}"
    words = ["sweep", "soft-selection", "--grid", grid, *sets, "--replicates", str(REPLICATES)]
    _ended(_ecosim([*words, "--out", str(out), *more]))


def _alone(out: Path) -> None:
    """Run a few runs, each in a process of its own, as many at a time as there are cores."""
    waiting = [
        _SET | {"tradeoff.exponent": exponent, "run.seed": seed}
        for seed, exponent in enumerate(_exponents(SAMPLE))
    ]
    while waiting:
        now, waiting = waiting[: _cores()], waiting[_cores() :]
        words = [[f"{key}={value}" for key, value in values.items()] for values in now]
        for process in [
            _ecosim(["run", "soft-selection", *some, "--out", str(out), "-q"]) for some in words
        ]:
            _ended(process)


def measure(points: int, rounds: int) -> dict[str, float]:
    """Return runs per second of each way, and what in process and workers are to the others."""
    runs = points * REPLICATES
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ECOSIM_CACHE"] = str(Path(folder, "cache"))
        # Same programs, a tenth of the steps: as many recordings, so that the shapes are the same.
        warm = {"run__steps": STEPS // EVERY, "record__every": 1}
        _sweep(points, Path(folder, "warm"), **warm)
        _sweep(points, Path(folder, "warm-workers"), "--workers", str(_cores()), **warm)
        _alone(Path(folder, "warm-alone"))
        fresh = (Path(folder, f"out-{number}") for number in range(10**6))
        tasks: dict[str, tuple[int, Callable[[], None]]] = {
            "in_process": (runs, lambda: _sweep(points, next(fresh))),
            "workers": (runs, lambda: _sweep(points, next(fresh), "--workers", str(_cores()))),
            "mesa": (runs, lambda: _mesa_process(points)),
            "one_a_process": (SAMPLE, lambda: _alone(next(fresh))),
        }
        times: dict[str, list[float]] = {name: [] for name in tasks}
        for _ in range(rounds):
            for name, (_, task) in tasks.items():
                began = time.perf_counter()
                task()
                times[name].append(time.perf_counter() - began)
    rate = {name: tasks[name][0] / statistics.median(spent) for name, spent in times.items()}
    return {
        "runs": runs,
        "cores": _cores(),
        **{f"{name}_runs_per_s": value for name, value in rate.items()},
        "in_process_over_mesa": rate["in_process"] / rate["mesa"],
        "workers_over_mesa": rate["workers"] / rate["mesa"],
        "workers_over_in_process": rate["workers"] / rate["in_process"],
        "in_process_over_one_a_process": rate["in_process"] / rate["one_a_process"],
        "one_a_process_is_extrapolated_from_runs": SAMPLE,
    }


def memory(runs: int) -> float:
    """Return the peak of the resident memory of a client, MiB; its workers are not counted."""
    points = runs // 100
    grid = f"tradeoff.exponent={LOW}:{HIGH}:{points}" if points > 1 else "tradeoff.exponent=1.5"
    small = ["--set=population.size=10", "--set=run.steps=1", "--replicates=100"]
    peak = 0
    with tempfile.TemporaryDirectory() as out:
        client = _ecosim(["sweep", "soft-selection", f"--grid={grid}", *small, "--out", out,
                          "--workers", "2", "--batch", "50"])  # fmt: skip
        while client.poll() is None:
            for line in Path(f"/proc/{client.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]))
            time.sleep(0.1)
        _ended(client)
    return peak / 1024


def _mesa_process(points: int) -> None:
    subprocess.run([sys.executable, __file__, "--only-mesa", str(points)], check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the points")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory", action="store_true", help="of the client, instead")
    parser.add_argument("--only-mesa", type=int, metavar="POINTS", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory:
        peaks = {f"client_MiB_at_{runs}_runs": round(memory(runs)) for runs in (100, 10_000)}
        print(json.dumps(peaks))
    elif given.only_mesa:
        _mesa(given.only_mesa)
    else:
        tell([{"machine": machine(), "rounds": given.rounds}])
        found = measure(POINTS // 10 if given.quick else POINTS, given.rounds)
        print(json.dumps({key: float(f"{value:.4g}") for key, value in found.items()}, indent=2))
