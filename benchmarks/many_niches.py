"""What few niches an agent cost among many: `python benchmarks/many_niches.py [AGENTS ...]`.

Seconds of a step of specialists with mutation at 1.5 % births and deaths, nothing recorded: on
sixteen niches, every agent with a share in each; on a thousand, with eight at most an agent
(niches.used); and on a thousand, with a share in each. Medians of interleaved rounds in one
process, so that their ratios hold where the machine's speed does not.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import numpy as np
from turns import machine, tell

from ecosim.scenario import Scenario
from ecosim.simulate import Simulation

ROUNDS, STEPS, FEW, MANY, USED = 7, 10, 16, 1000, 8


def _begun(agents: int, niches: int, used: int | None) -> Simulation:
    scenario = Scenario(world="ecology").replace(
        niches__count=niches, niches__used=used, population__size=agents,
        population__start="random-specialists", selection__mortality=0.015,
        run__steps=10**6, record__every=10**6,
    )  # fmt: skip
    return Simulation(scenario)


def measure(agents: int) -> dict[str, Any]:
    """Return the seconds of a step of each, and their ratios, at one number of agents."""
    runs = {
        "few, dense": _begun(agents, FEW, None),
        "many, sparse": _begun(agents, MANY, USED),
        "many, dense": _begun(agents, MANY, None),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run.advance(run.clock + STEPS)
            np.asarray(run.state.clock)
            if turn:
                times[name].append((time.perf_counter() - began) / STEPS)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    sparse = seconds["many, sparse"]
    return {
        "agents": agents,
        **seconds,
        "sparse over few": sparse / seconds["few, dense"],
        "dense over sparse": seconds["many, dense"] / sparse,
    }


if __name__ == "__main__":
    tell([{"machine": machine(), "rounds": ROUNDS}])
    for size in map(int, sys.argv[1:] or ("10_000", "50_000")):
        tell([measure(size)])
