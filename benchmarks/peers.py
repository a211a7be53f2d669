"""Agent-steps per second of one workload in six ways: `python benchmarks/peers.py [AGENTS ...]`.

    mesa objects      idiomatic Mesa, an object an organism
    mesa columns      a Mesa model whose agents are rows of NumPy arrays
    numpy             a step written by hand, in place
    numba             one fused parallel pass (left out, and said so, where Numba is not installed)
    ecosim            headless, about thirty metrics every step
    ecosim in mesa    `model.step()` of ecosim's Mesa model

The scenario is `reference-workload`. All begin with the same population, taken from ecosim after it
has settled (about 1.5 % of births and of deaths a step), and take turns in one process; medians.
The time is of the clock; where other work shares the machine, compare the time of the processor,
which is given as well.
`--write`: also the table docs/speed.md and the picture docs/images/speed.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from peer_models import Columns, ObjectModel, VectorisedModel, Workload

import ecosim
from ecosim.scenario import read
from ecosim.simulate import Simulation

try:
    from peer_numba import Fused
except ImportError as error:
    Fused = None
    WITHOUT_NUMBA = f"numba left out: {error}"

SETTLED, OBJECTS = 60, 100_000
DOCS = Path(__file__).parent.parent / "docs"
Row = dict[str, object]


def workload(simulation: Simulation) -> Workload:
    """Return the living of a simulation and the numbers of its scenario, for the peers."""
    population, s = simulation.state.population, simulation.scenario
    alive = np.asarray(population.alive)
    return Workload(
        allocation=np.asarray(population.allocation)[alive],
        stock=np.asarray(population.stock)[alive],
        supply=np.asarray(simulation.state.supply)[0],
        exponent=s.tradeoff.exponent * s.competition.exponent,
        upkeep=s.selection.upkeep,
        mortality=s.selection.mortality,
        division=s.selection.division,
        mutation_rate=s.mutation.rate,
        mutation_step=s.mutation.step,
    )


def contenders(agents: int) -> tuple[dict[str, Callable[[int], None]], int]:
    """Return for each way what does a number of steps, and the population they begin with."""
    scenario = read("reference-workload").replace(population__size=agents, run__steps=10**6)
    simulation, model = Simulation(scenario), ecosim.EcologyModel(scenario)
    simulation.advance(SETTLED)
    model.run_for(SETTLED)
    w = workload(simulation)

    def stepping(step: Callable[[], object]) -> Callable[[int], None]:
        def steps(count: int) -> None:
            for _ in range(count):
                step()

        return steps

    def headless(count: int) -> None:
        simulation.advance(simulation.clock + count)
        jax.block_until_ready(simulation.state)

    ways = {"ecosim": headless, "ecosim in mesa": stepping(model.step)}
    ways |= {"numpy": stepping(Columns(w).step), "mesa columns": stepping(VectorisedModel(w).step)}
    if Fused is not None:
        ways["numba"] = stepping(Fused(w).step)
    if agents <= OBJECTS:
        ways["mesa objects"] = stepping(ObjectModel(w).step)
    return ways, len(w.stock)


def measure(agents: int, rounds: int, seconds: float) -> list[Row]:
    """Return a row for each way, medians over rounds in which the ways take turns."""
    ways, living = contenders(agents)
    count: dict[str, int] = {}
    clock: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for name, steps in ways.items():
        steps(2)  # compiled and warm
        began = time.perf_counter()
        steps(1)
        count[name] = max(1, round(seconds / (time.perf_counter() - began)))
    for _ in range(rounds):
        for name, steps in ways.items():
            began, used = time.perf_counter(), time.process_time()
            steps(count[name])
            clock[name].append((time.perf_counter() - began) / count[name])
            processor[name].append((time.process_time() - used) / count[name])
    mine = statistics.median(clock["ecosim"])
    spent = statistics.median(processor["ecosim"])
    return [
        {
            "agents": agents,
            "way": name,
            "agent_steps_per_s": living / statistics.median(clock[name]),
            "agent_steps_per_cpu_s": living / statistics.median(processor[name]),
            "ecosim_is_faster_by": statistics.median(clock[name]) / mine,
            "ecosim_by_cpu_time": statistics.median(processor[name]) / spent,
        }
        for name in ways
    ]


def machine() -> str:
    """Return what this was measured on, in a line."""
    import importlib.metadata as packages

    names = ("jax", "numpy", "mesa", "numba")
    have = {d.metadata["Name"].lower(): d.version for d in packages.distributions()}
    versions = ", ".join(f"{name} {have[name]}" for name in names if name in have)
    return (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}, {versions}"
    )


def write(rows: list[Row], notes: list[str]) -> None:
    """Write the table and the picture into the documentation."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    lines = [
        "# Speed", "",
        "Written by `python benchmarks/peers.py --write`; the workload and the peers are described "
        "in `benchmarks/peer_models.py`.", "",
        *(f"- {note}" for note in notes), "",
        "| agents | way | million agent-steps/s | ... per second of processor | "
        "ecosim is faster by | ... by time of the processor |",
        "|---|---|---|---|---|---|",
        *(
            f"| {r['agents']:,} | {r['way']} | {r['agent_steps_per_s'] / 1e6:.3g} | "
            f"{r['agent_steps_per_cpu_s'] / 1e6:.3g} | {r['ecosim_is_faster_by']:.3g} | "
            f"{r['ecosim_by_cpu_time']:.3g} |"
            for r in rows
        ), "",
        "![agents against agent-steps per second of processor](images/speed.svg)", "",
    ]  # fmt: skip
    (DOCS / "speed.md").write_text("\n".join(lines))
    plt.rcParams["svg.hashsalt"] = "ecosim"
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name in dict.fromkeys(r["way"] for r in rows):
        own = [r for r in rows if r["way"] == name]
        axes.loglog(
            [r["agents"] for r in own], [r["agent_steps_per_cpu_s"] for r in own],
            marker="o", label=name,
        )  # fmt: skip
    axes.set(xlabel="agents", ylabel="agent-steps per second of processor")
    axes.legend(fontsize="small")
    figure.savefig(DOCS / "images" / "speed.svg", metadata={"Date": None})


def main() -> None:
    """Measure, print a JSON row for each way, and write the documentation if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("agents", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a turn, at least one step")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    rows: list[Row] = []
    for agents in given.agents:
        rows += measure(agents, given.rounds, given.seconds)
        for row in rows:
            if row["agents"] == agents:
                print(json.dumps({k: float(f"{v:.4g}") if isinstance(v, float) else v
                                  for k, v in row.items()}), flush=True)  # fmt: skip
    notes = [machine(), f"{given.rounds} rounds, ways in turn, medians; 16 niches"]
    if Fused is None:
        notes.append(WITHOUT_NUMBA)
    notes.append(f"objects up to {OBJECTS:,} agents only")
    print("\n".join(notes), file=sys.stderr)
    if given.write:
        write(rows, notes)


if __name__ == "__main__":
    main()
