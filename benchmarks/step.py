"""Speed of one step, as ratios measured in one run: `python benchmarks/step.py [AGENTS ...]`.

Interleaved rounds of the same number of steps: headless with metrics every step, headless without,
and through the Mesa model; medians. The bandwidth is that of a plain sum over an array of the same
bytes as the state, in the same process, so the machine's drift cancels.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import jax
import numpy as np

import ecosim
from ecosim.scenario import Scenario, read
from ecosim.simulate import Simulation

ROUNDS, STEPS = 7, 10


def _scenario(agents: int, every: int) -> Scenario:
    return read("reference-workload").replace(
        population__size=agents, run__steps=10**6, record__every=every
    )


def _rounds(tasks: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the median seconds of each task over interleaved rounds, after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(ROUNDS + 1):
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            if number:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def measure(agents: int) -> dict[str, float]:
    """Return the figures of one population size."""
    recording = Simulation(_scenario(agents, 1))
    silent = Simulation(_scenario(agents, 10**5))
    model = ecosim.EcologyModel(_scenario(agents, 1))
    state = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(silent.state))
    plain = np.ones(state // 8)
    median = _rounds(
        {
            "recording": lambda: recording.advance(recording.clock + STEPS),
            "silent": lambda: silent.advance(silent.clock + STEPS),
            "mesa": lambda: model.run_for(STEPS),
            "sum": lambda: float(plain.sum()) and None,
        }
    )
    living = recording.recorder.latest["population"]
    return {
        "agents": agents,
        "niches": recording.scenario.niches.count,
        "state_MiB": state / 2**20,
        "agent_steps_per_s": living * STEPS / median["recording"],
        "recording_over_silent": median["recording"] / median["silent"],
        "mesa_over_headless": median["mesa"] / median["recording"],
        "fraction_of_one_pass_bandwidth": median["sum"] * STEPS / median["silent"],
    }


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or (10_000, 100_000, 1_000_000)):
        print(json.dumps({k: float(f"{v:.4g}") for k, v in measure(size).items()}))
