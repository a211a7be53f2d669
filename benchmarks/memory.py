"""Memory of a large run as a multiple of its state: `python benchmarks/memory.py [AGENTS]`.

Peak resident memory of a process that runs the reference workload with a million agents on sixteen
niches, less that of one that runs it with a handful, over the bytes of the run's state (the sum of
the sizes of its arrays, free slots included). Three runs, each in a process of its own:

    empty       a handful of agents: the interpreter, JAX, the compiled program
    steady      the population stays within its slots
    growing     founders hold stock enough to divide at once, so that the arrays grow (once)

While arrays grow the old and the new exist at once. The programs are compiled beforehand and come
from the cache. Linux only (it reads /proc/self/status).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from turns import Row, machine, parser, tell

AGENTS, EMPTY, STEPS = 1_000_000, 16, 10
_RICH = 3.0  # a founder's stock, which divides at 2


def run(agents: int, stock: float, steps: int) -> dict[str, int]:
    """Run in this process; return its peak, bytes, and those of the state and its slots."""
    import jax

    from ecosim.scenario import read
    from ecosim.simulate import Simulation

    changes = {"population.size": agents, "population.stock": stock, "run.steps": steps}
    simulation = Simulation(read("reference-workload", changes))
    begun = simulation.state.population.alive.shape[0]
    while not simulation.ended:
        simulation.advance(min(simulation.clock + 1, steps))
    state = simulation.state
    jax.block_until_ready(state)
    return {
        "peak": _peak(),
        "state": sum(leaf.nbytes for leaf in jax.tree.leaves(state)),
        "slots at first": begun,
        "slots": state.population.alive.shape[0],
    }


def _peak() -> int:
    # getrusage would tell the parent's peak too.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError("/proc/self/status has no VmHWM (rule: memory is measured on Linux)")


def measure(agents: int = AGENTS, steps: int = STEPS) -> list[Row]:
    """Return a row for each kind of run."""
    kinds = {"empty": (EMPTY, 1.0), "steady": (agents, 1.0), "growing": (agents, _RICH)}
    for size, stock in kinds.values():  # compiles: the peak of a compiler is not what is asked
        _apart(size, stock, steps)
    found = {name: _apart(size, stock, steps) for name, (size, stock) in kinds.items()}
    empty = found.pop("empty")["peak"]
    return [
        {
            "run": name,
            "agents": agents,
            "slots_at_first": one["slots at first"],
            "slots": one["slots"],
            "state_MiB": one["state"] / 2**20,
            "empty_peak_MiB": empty / 2**20,
            "peak_beyond_empty_MiB": (one["peak"] - empty) / 2**20,
            "peak_beyond_empty_over_state": (one["peak"] - empty) / one["state"],
        }
        for name, one in found.items()
    ]


def _apart(*numbers: float) -> dict[str, int]:
    words = [sys.executable, __file__, "--one", *map(str, numbers)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Measure and print a JSON row for each kind of run."""
    arguments = parser(__doc__, rounds=1)
    arguments.add_argument("agents", nargs="?", type=int, default=AGENTS)
    arguments.add_argument("--one", nargs=3, help="(used by itself: agents, stock, steps)")
    given = arguments.parse_args()
    if given.one:
        agents, stock, steps = given.one
        print(json.dumps(run(int(agents), float(stock), int(steps))))
        return
    tell([{"machine": machine()}])
    tell(measure(2000 if given.tiny else given.agents, 3 if given.tiny else STEPS))


if __name__ == "__main__":
    main()
