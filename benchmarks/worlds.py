"""What the parts of a scenario cost: `python benchmarks/worlds.py [AGENTS]`.

The reference workload, and the same numbers (agents, niches, turnover of 1.5 %, every step
recorded) with one part more, with all of them, and as a market; in turns. A row for each: time per
agent-step, and that over the reference workload's. The living are counted in each way, as they
differ.
"""

from __future__ import annotations

from typing import Any

from turns import Row, Way, machine, parser, tell, turns

from ecosim.scenario import Scenario, read
from ecosim.simulate import Simulation

AGENTS = 1_000_000
SETTLED = 20
STEPS_IN_ALL = 10**6
_LEAVE = {"ecology": "deaths", "market": "exits"}
_TRANSFER: dict[str, Any] = {
    "niches.space": "graph",
    "niches.graph": "cycle",
    "tradeoff.transfer": 0.2,
}
_COSTS: dict[str, Any] = {"tradeoff.breadth_cost": 0.02}
_ENVIRONMENT: dict[str, Any] = {"environment.seasonal": {}, "environment.shocks": {}}
_PATCHES: dict[str, Any] = {"patches.count": 4, "patches.graph": "cycle", "patches.dispersal": 0.05}
# Firms leave at the rate at which organisms die, and each is replaced.
_MARKET = {
    "tradeoff.exponent": 2.0,
    "population.start": "random",
    "market.exit.enabled": False,
    "market.exit.hazard": 0.015,
    "market.entry.rate": 0.0,
    "market.entry.replacement": True,
}


def scenarios(agents: int) -> dict[str, Scenario]:
    """Return the scenarios by name, the reference first."""
    numbers: dict[str, Any] = {"population.size": agents, "run.steps": STEPS_IN_ALL}
    more: dict[str, dict[str, Any]] = {
        "reference": {},
        "transfer": _TRANSFER,
        "cost of breadth": _COSTS,
        "environment": _ENVIRONMENT,
        "patches": _PATCHES,
        "all of these": _TRANSFER | _COSTS | _ENVIRONMENT | _PATCHES,
    }
    found = {name: read("reference-workload", numbers | part) for name, part in more.items()}
    numbers |= {"niches.count": found["reference"].niches.count, "record.every": 1}
    return found | {"market": read(Scenario(world="market"), numbers | _MARKET)}


def measure(agents: int, rounds: int = 7, seconds: float = 0.5) -> list[Row]:
    """Return a row for each scenario."""
    runs = {name: Simulation(scenario) for name, scenario in scenarios(agents).items()}
    for run in runs.values():
        run.advance(SETTLED)

    def way(run: Simulation) -> Way:
        return lambda count: run.advance(run.clock + count)

    spent = turns({name: way(run) for name, run in runs.items()}, rounds, seconds)
    living = {name: run.recorder.latest["population"] for name, run in runs.items()}
    clock = {name: one.clock / living[name] for name, one in spent.items()}
    cpu = {name: one.processor / living[name] for name, one in spent.items()}
    return [
        {
            "scenario": name,
            "agents": agents,
            "living": living[name],
            "turnover": run.recorder.latest[_LEAVE[run.scenario.world]] / living[name],
            "ns_per_agent_step": 1e9 * clock[name],
            "over_reference": clock[name] / clock["reference"],
            "over_reference_by_cpu_time": cpu[name] / cpu["reference"],
        }
        for name, run in runs.items()
    ]


def main() -> None:
    """Measure and print a JSON row for each scenario."""
    arguments = parser(__doc__)
    arguments.add_argument("agents", nargs="?", type=int, default=AGENTS)
    given = arguments.parse_args()
    tell([{"machine": machine(), "rounds": given.rounds}])
    tell(measure(50 if given.tiny else given.agents, given.rounds, 0.0 if given.tiny else 0.5))


if __name__ == "__main__":
    main()
