"""What a step is spent on, and the roofline: `python benchmarks/spent.py [AGENTS ...]`.

The reference workload, each step recorded, under JAX's profiler; operations of the compiled program
by what they are for, as shares of the time of all. And the least time that memory allows: the
bytes that a step cannot do without (every claim read; stock and age read and written; who lives,
and until which age) at the bandwidth of a plain sum over as many bytes as the state has, both
cores at work, in turns with the step. Of fewer agents than about 13,000 a step is one function,
whose operations the profiler does not tell apart.
"""

from __future__ import annotations

import glob
import gzip
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from turns import Row, machine, parser, tell, turns

STEPS = 20
# Bytes of a slot besides its claims: alive 1; stock, age and gain 4 each way; lifespan 4.
_BESIDES = 1 + 3 * 8 + 4
_LINE = re.compile(r"\s*(?:ROOT )?%([\w.\-]+) = (.*?) ([\w\-]+)\(")
_FUSED = re.compile(r"^%([\w.\-]+) \((.*)\) -> ")
_CALLS = re.compile(r"calls=%([\w.\-]+)")
KINDS = ("reading_all_claims", "other_passes", "dead_and_newborn", "written", "rest")


def measure(agents: int, rounds: int = 7, seconds: float = 0.5) -> Row:
    """Return shares of a step's time and what fraction of the roofline it reaches."""
    import jax
    import jax.numpy as jnp

    from ecosim import engine
    from ecosim.compilation import prepared
    from ecosim.model.births import chunk
    from ecosim.scenario import read
    from ecosim.simulate import Simulation

    scenario = read("reference-workload").replace(population__size=agents, run__steps=10**6)
    run = Simulation(scenario)
    run.advance(STEPS)
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(run.state))
    plain, add = jnp.ones(size // 4, jnp.float32), jax.jit(jnp.sum)
    spent = turns(
        {
            "step": lambda count: run.advance(run.clock + count),
            "sum": lambda count: [add(plain).block_until_ready() for _ in range(count)],
        },
        rounds,
        seconds,
    )
    capacity = run.state.population.alive.shape[0]
    least = capacity * (4 * scenario.niches.count + _BESIDES)
    bandwidth = size / spent["sum"].clock
    with prepared():
        schedule = engine.schedule_of(scenario)
        lowered = engine.advance.lower(run.kinds, run.parameters, run.state, schedule)
        text = lowered.compile().as_text()
    return {
        "agents": agents,
        "ms_a_step": 1e3 * spent["step"].clock,
        "GB_per_s_of_a_sum": bandwidth / 1e9,
        "least_bytes_an_agent": least / run.recorder.latest["population"],
        "least_ms": 1e3 * least / bandwidth,
        "fraction_of_the_roofline": least / bandwidth / spent["step"].clock,
        **shares(_traced(run), text, capacity, chunk(run.kinds, capacity)),
    }


def _traced(run: object) -> dict[str, float]:
    """Return the microseconds of each operation in some steps more of a Simulation."""
    import jax

    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            run.advance(run.clock + STEPS)  # type: ignore[attr-defined]
        (path,) = glob.glob(f"{folder}/**/*.trace.json.gz", recursive=True)
        events = json.loads(gzip.decompress(Path(path).read_bytes()))["traceEvents"]
    found: dict[str, float] = {}
    for event in events:
        name = event.get("args", {}).get("hlo_op")
        if name is not None and event.get("ph") == "X":
            found[name] = found.get(name, 0.0) + event["dur"]
    return found


def shares(times: Mapping[str, float], text: str, capacity: int, rows: int) -> dict[str, float]:
    """Return the share of the time of each kind of operation.

    Args:
        times: of each operation, in any unit.
        text: of the compiled program.
        capacity: slots.
        rows: how many dead or newborn are handled at once.

    """
    lines = {match[1]: (match[2], match[3], line)
             for line in text.splitlines() if (match := _LINE.match(line))}  # fmt: skip
    taken = {match[1]: match[2] for line in text.splitlines() if (match := _FUSED.match(line))}
    slots = {str(capacity // parts) for parts in (1, 8, 64)}
    few = {str(rows), str(rows // 8)}
    found = dict.fromkeys(KINDS, 0.0)
    for name, time in times.items():
        result, operation, line = lines.get(name, ("", "", ""))
        if operation in ("while", "conditional", "call"):
            continue  # what is in them is counted by itself
        calls = _CALLS.search(line)
        operands = taken.get(calls[1], "") if calls else ""
        sizes = set(",".join(re.findall(r"\[([\d,]*)\]", result)).split(","))
        if "scatter" in name:
            kind = "written"
        elif sizes & slots:
            wide = re.search(rf"f(32|64)\[\d+,{capacity}\]", operands)
            kind = "reading_all_claims" if wide else "other_passes"
        else:
            kind = "dead_and_newborn" if sizes & few else "rest"
        found[kind] += time
    whole = sum(found.values())
    return {f"share_{kind}": time / whole for kind, time in found.items()}


def main() -> None:
    """Measure and print a JSON row for each size."""
    arguments = parser(__doc__)
    arguments.add_argument("agents", nargs="*", type=int, default=[20_000, 1_000_000])
    given = arguments.parse_args()
    tell([{"machine": machine(), "rounds": given.rounds}])
    for size in [100] if given.tiny else given.agents:
        tell([measure(size, given.rounds, 0.0 if given.tiny else 0.5)])


if __name__ == "__main__":
    main()
