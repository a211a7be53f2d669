"""Many small runs against one large one, and against Mesa: `python benchmarks/many.py`.

A thousand replicates of the reference workload with a thousand agents each, every step recorded:

    sweep        batches of 64 runs in one program, as `ecosim sweep` computes them in process
    single run   one run of as many agents as all replicates together, as `ecosim run` computes it
    mesa columns `mesa.batch_run` of a Mesa model in NumPy columns, a process a core
    mesa objects the same of an idiomatic one, an object an organism

Each way lives in a process of its own, which is started and warm before the clock. Recording takes
as many rows in each way; writing files is in none of them (`benchmarks/sweep.py` has that). Each
replicate counts its living. Processes that `batch_run` starts are in its time, as its users wait.
Founders and, of the single run, tables of the population are in it: with ten times as many steps
they no longer count. Mesa's ways do a part of the runs where all would take minutes: the column
`runs` says how many. Starting its processes, 2 s, is then up to a tenth of their time, in place of
1 to 2 %.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from turns import Row, Spent, machine, median, parser, tell, timed

RUNS, AGENTS, STEPS = 1000, 1000, 60
WAYS = ("sweep", "single run", "mesa columns", "mesa objects")
FEWER = {"mesa objects": 10}  # one run in so many
LONG, LONG_FEWER, LONG_ROUNDS = 600, {"mesa columns": 4, "mesa objects": 20}, 3


def sweep(runs: int, agents: int, steps: int) -> Callable[[], float]:
    """Return what computes all replicates and says how many agent-steps they were."""
    from ecosim.devices import divide_processor

    divide_processor()
    from ecosim.batch import run_batch
    from ecosim.errors import RunError
    from ecosim.scenario import read
    from ecosim.sweeps.batching import MOST

    scenario = read("reference-workload").replace(population__size=agents, run__steps=steps)

    def task() -> float:
        done = 0.0
        for first in range(0, runs, MOST):
            seeds = range(first, min(first + MOST, runs))
            for one in run_batch([scenario] * len(seeds), seeds):
                if isinstance(one, RunError):
                    raise one
                done += one["population"][1:].sum()
        return done

    return task


def single(runs: int, agents: int, steps: int) -> Callable[[], float]:
    """Return what runs one population of all the agents."""
    from ecosim.scenario import read
    from ecosim.simulate import simulate

    scenario = read("reference-workload").replace(population__size=runs * agents, run__steps=steps)
    return lambda: float(simulate(scenario).metrics["population"].iloc[1:].sum())


def mesa(model: str, runs: int, agents: int, steps: int) -> Callable[[], float]:
    """Return what `mesa.batch_run` does with one of the models of `peer_replicate`."""
    import mesa
    import peer_replicate

    from ecosim.machine import cores

    def task() -> float:
        rows = mesa.batch_run(
            getattr(peer_replicate, model), {"agents": [agents]},
            number_processes=cores(), rng=list(range(runs)),
            max_steps=steps, data_collection_period=1, display_progress=False,
        )  # fmt: skip
        return float(sum(row["population"] for row in rows if row["Step"]))

    return task


def serve(name: str, runs: int, agents: int, steps: int) -> None:
    """Do a way's work, whenever a line comes in, and answer with what it took."""
    ways: dict[str, Callable[[int, int, int], Callable[[], float]]] = {
        "sweep": sweep,
        "single run": single,
        "mesa columns": partial(mesa, "Replicate"),
        "mesa objects": partial(mesa, "Objects"),
    }
    task = ways[name](runs, agents, steps)
    task()
    print("ready", flush=True)
    for _ in sys.stdin:
        done: list[float] = []
        spent = timed(lambda done=done: done.append(task()))
        print(json.dumps([*spent, *done]), flush=True)


def measure(
    runs: int = RUNS,
    agents: int = AGENTS,
    steps: int = STEPS,
    *,
    rounds: int = 5,
    fewer: Mapping[str, int] = FEWER,
) -> list[Row]:
    """Return a row for each way; medians over rounds in which they take turns."""
    own = {name: -(-runs // fewer.get(name, 1)) for name in WAYS}
    servers = {}
    spent: dict[str, list[Spent]] = {name: [] for name in WAYS}
    done: dict[str, float] = {}
    with ExitStack() as stack:  # closes what they read and write, whereupon they end
        for name in WAYS:
            size = (own[name], agents, steps)
            servers[name] = subprocess.Popen(
                [sys.executable, __file__, "--serve", name, *map(str, size)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.enter_context(servers[name])
            _answer(servers[name])
        for _ in range(rounds):
            for name, server in servers.items():
                assert server.stdin is not None
                server.stdin.write("go\n")
                server.stdin.flush()
                clock, used, done[name] = json.loads(_answer(server))
                # A step of an agent: the ways' populations differ a little.
                spent[name].append(Spent(clock / done[name], used / done[name]))
    each = {name: median(values) for name, values in spent.items()}
    mine = each["sweep"]
    return [
        {
            "way": name, "runs": 1 if name == "single run" else own[name],
            "agents": runs * agents if name == "single run" else agents, "steps": steps,
            "agent_steps_per_s": 1 / one.clock, "agent_steps_per_cpu_s": 1 / one.processor,
            "sweep_is_faster_by": one.clock / mine.clock,
            "sweep_by_cpu_time": one.processor / mine.processor,
        }
        for name, one in each.items()
    ]  # fmt: skip


def _answer(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line:
        sys.exit(f"a way ended before its turn (exit status {server.wait()})")
    return line


def main() -> None:
    """Measure and print a JSON row for each way."""
    arguments = parser(__doc__, rounds=5)
    arguments.add_argument("--serve", nargs=4, help="(used by itself: a way and its numbers)")
    given = arguments.parse_args()
    if given.serve:
        name, *numbers = given.serve
        serve(name, *map(int, numbers))
        return
    tell([{"machine": machine(), "rounds": given.rounds}])
    if given.tiny:
        tell(measure(3, 50, 4, rounds=given.rounds))
        return
    tell(measure(rounds=given.rounds))
    tell(measure(RUNS, AGENTS, LONG, rounds=LONG_ROUNDS, fewer=LONG_FEWER))


if __name__ == "__main__":
    main()
