"""Agent-steps per second of one workload: `python benchmarks/peers.py [AGENTS ...]`.

    mesa objects      idiomatic Mesa, an object an organism
    agentpy objects   the same in AgentPy
    mesa columns      a Mesa model whose agents are rows of NumPy arrays
    numpy             a step written by hand, in place
    numba             one fused parallel pass
    abmax             agents in a struct of arrays under JAX, many steps in one compiled call
    ecosim            headless, about thirty metrics every step
    ecosim in mesa    `model.step()` of ecosim's Mesa model

The scenario is `reference-workload`. All begin with the same population, taken from ecosim after it
has settled (about 1.5 % of births and of deaths a step), and take turns in one process a size, with
as many threads of JAX as `ecosim run` gives it; medians. Objects have done some steps more, in
which a third of them was replaced: objects that were just made lie in memory in the order in which
they are visited, and are up to twice as fast as those of a run that has gone on for a while.
Numba, AgentPy and Abmax are in requirements/benchmarks.txt; what is not installed is a row that
says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

import jax
import numpy as np
from peer_models import Columns, ObjectModel, VectorisedModel, Workload
from turns import Row, Way, apart, each, machine, parser, tell, turns

import ecosim
from ecosim.devices import suit
from ecosim.scenario import read
from ecosim.simulate import Simulation

SETTLED, OBJECTS = 60, 1_000_000
REPLACING = 24  # steps
# Ways of packages that may not be there: the module here, and what makes a way of a workload.
OTHERS: dict[str, tuple[str, Callable[..., Way]]] = {
    "numba": ("peer_numba", lambda module, w: each(module.Fused(w).step)),
    "abmax": ("peer_abmax", lambda module, w: module.Model(w).steps),
    "agentpy objects": ("peer_agentpy", lambda module, w: each(module.model_of(w).sim_step)),
}


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


def contenders(agents: int) -> tuple[dict[str, Way], dict[str, str], int]:
    """Return the ways, why some are left out, and the population that they begin with."""
    scenario = read("reference-workload").replace(population__size=agents, run__steps=10**6)
    suit(scenario)
    simulation, model = Simulation(scenario), ecosim.EcologyModel(scenario)
    simulation.advance(SETTLED)
    model.run_for(SETTLED)
    w = workload(simulation)

    def headless(count: int) -> None:
        simulation.advance(simulation.clock + count)
        jax.block_until_ready(simulation.state)

    ways = {"ecosim": headless, "ecosim in mesa": each(model.step)}
    ways |= {"numpy": each(Columns(w).step), "mesa columns": each(VectorisedModel(w).step)}
    skipped = {}
    for name, (module, way) in OTHERS.items():
        if name.endswith("objects") and agents > OBJECTS:
            continue
        try:
            ways[name] = way(importlib.import_module(module), w)
        except ImportError as error:
            skipped[name] = f"left out: {error}"
    if agents <= OBJECTS:
        ways["mesa objects"] = each(ObjectModel(w).step)
    else:
        skipped["objects"] = f"left out above {OBJECTS:,} agents: a step takes seconds"
    for name in ways:
        if name.endswith("objects"):
            ways[name](REPLACING)
    return ways, skipped, len(w.stock)


def measure(agents: int, rounds: int, seconds: float) -> list[Row]:
    """Return a row for each way, medians over rounds in which the ways take turns."""
    ways, skipped, living = contenders(agents)
    spent = turns(ways, rounds, seconds)
    mine = spent["ecosim"]
    rows: list[Row] = [
        {
            "agents": agents,
            "way": name,
            "agent_steps_per_s": living / one.clock,
            "agent_steps_per_cpu_s": living / one.processor,
            "ecosim_is_faster_by": one.clock / mine.clock,
            "ecosim_by_cpu_time": one.processor / mine.processor,
        }
        for name, one in spent.items()
    ]
    return rows + [{"agents": agents, "way": name, "skipped": why} for name, why in skipped.items()]


def main() -> None:
    """Measure and print a JSON row for each way."""
    arguments = parser(__doc__)
    arguments.add_argument("agents", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    arguments.add_argument(
        "--seconds", type=float, default=2, help="of a turn, at least one step"
    )
    arguments.add_argument("--one", action="store_true", help="(used by itself)")
    given = arguments.parse_args()
    if given.one:
        tell(measure(given.agents[0], given.rounds, 0.0 if given.tiny else given.seconds))
        return
    tell([{"machine": machine(), "rounds": given.rounds}])
    for agents in [50] if given.tiny else given.agents:
        tell(apart(__file__, agents, given, "--seconds", str(given.seconds)))


if __name__ == "__main__":
    main()
