"""Cost of a step by the number of agents: `python benchmarks/step.py [AGENTS ...] [--large]`.

Each size in a process of its own, with as many threads as `ecosim run` gives it. In turns: headless
with metrics every step, headless without, through the Mesa model, and a plain sum over an array of
the same bytes as the state, so that the machine's drift cancels. A turn takes two seconds: what a
call costs beside its steps (room for what a step computes, tens of megabytes an array) is a part of
each step of the largest in shorter ones.
`--large` adds ten million agents (some 2.5 GB each for the three ways that hold a state).
"""

from __future__ import annotations

from turns import Row, apart, machine, parser, tell, turns

LARGE = 10_000_000
SECONDS = 2.0
STEPS_IN_ALL = 10**6


def measure(agents: int, rounds: int = 7, seconds: float = SECONDS) -> Row:
    """Return the figures of one population size."""
    import jax
    import numpy as np

    import ecosim
    from ecosim.devices import suit
    from ecosim.scenario import Scenario, read
    from ecosim.simulate import Simulation

    def scenario(every: int) -> Scenario:
        return read("reference-workload").replace(
            population__size=agents, run__steps=STEPS_IN_ALL, record__every=every
        )

    suit(scenario(1))
    recording, silent = Simulation(scenario(1)), Simulation(scenario(STEPS_IN_ALL))
    model = ecosim.EcologyModel(scenario(1))
    state = sum(leaf.nbytes for leaf in jax.tree.leaves(silent.state))
    plain = np.ones(state // 8)
    spent = turns(
        {
            "recording": lambda count: recording.advance(recording.clock + count),
            "silent": lambda count: silent.advance(silent.clock + count),
            "mesa": lambda count: model.run_for(count),
            "sum": lambda count: [plain.sum() for _ in range(count)],
        },
        rounds,
        seconds,
    )
    living = recording.recorder.latest["population"]
    return {
        "agents": agents,
        "niches": recording.scenario.niches.count,
        "state_MiB": state / 2**20,
        "agent_steps_per_s": living / spent["recording"].clock,
        "ns_per_agent_step": 1e9 * spent["recording"].clock / living,
        "cpu_ns_per_agent_step": 1e9 * spent["recording"].processor / living,
        "recording_over_silent": spent["recording"].clock / spent["silent"].clock,
        "mesa_over_headless": spent["mesa"].clock / spent["recording"].clock,
        "fraction_of_one_pass_bandwidth": spent["sum"].clock / spent["silent"].clock,
    }


def main() -> None:
    """Measure and print a JSON row for each size, smallest first."""
    arguments = parser(__doc__)
    arguments.add_argument("agents", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    arguments.add_argument("--large", action="store_true", help=f"{LARGE:,} agents too")
    arguments.add_argument("--one", action="store_true", help="(used by itself)")
    given = arguments.parse_args()
    if given.one:
        tell([measure(given.agents[0], given.rounds, 0.0 if given.tiny else SECONDS)])
        return
    sizes = [50, 100] if given.tiny else given.agents + [LARGE] * given.large
    tell([{"machine": machine(), "rounds": given.rounds}])
    first = None
    for size in sizes:
        (row,) = apart(__file__, size, given)
        first = first or row["ns_per_agent_step"]
        tell([row | {"over_the_first": row["ns_per_agent_step"] / first}])  # type: ignore[operator]


if __name__ == "__main__":
    main()
