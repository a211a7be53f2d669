"""What a population over several devices holds and moves: counted, not timed.

`python benchmarks/crossing.py` prints the numbers of docs/devices.md: the bytes of an agent, from
the columns of the population, and the bytes that devices exchange, from the compiled program. A
program for several devices needs as many: XLA_FLAGS=--xla_force_host_platform_device_count=2.
Arguments choose among the kinds of selection.
"""

from __future__ import annotations

import math
import re
import sys
from typing import Any, NamedTuple

COLLECTIVES = ("all-reduce", "all-gather", "all-to-all", "collective-permute", "reduce-scatter")
_BITS = re.compile(r"(pred|[a-z]+(\d+)(?:e\d+m\d+\w*)?)\[([\d,]*)\]")
_HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) .*\{$")
_CALLED = re.compile(r"(body|condition|branch_computations|true_computation|false_computation|"
                     r"to_apply|calls)=\{?((?:%[\w.\-]+(?:, )?)+)\}?")  # fmt: skip


class Crossing(NamedTuple):
    """Bytes of the operands that collectives of a compiled run combine, by when they do so."""

    step: int  # in every step
    round: int  # in every round of a loop of a step: a chunk of newborns that are written elsewhere
    branch: int  # in branches of a step: sums counted anew, records
    collectives: int  # how many there are in every step


def agent_bytes(population: Any) -> dict[str, float]:
    """Return the bytes a slot of each column of a Population (arrays, or their shapes)."""
    slots = population.alive.shape[0]
    return {
        name: math.prod(column.shape) * column.dtype.itemsize / slots
        for name, column in population._asdict().items()
    }


def crossing(text: str) -> Crossing:
    """Return what collectives of `engine.advance` combine, from its compiled program's text."""
    lines, entry = _computations(text)
    outer = _called(lines[entry], "body")
    assert len(outer) == 1, f"one loop over steps, not {outer}"
    found = {"step": 0, "round": 0, "branch": 0, "collectives": 0}

    def count(name: str, kind: str) -> None:
        for line in lines[name]:
            size = _bytes(line)
            found[kind] += size
            found["collectives"] += size > 0 and kind == "step"
            for word, names in _CALLED.findall(line):
                inner = kind
                if word in ("body", "condition") and kind == "step":
                    inner = "round"
                elif "computation" in word and kind == "step":
                    inner = "branch"
                for called in re.findall(r"%([\w.\-]+)", names):
                    count(called, inner)

    count(outer[0], "step")
    return Crossing(**found)


def _computations(text: str) -> tuple[dict[str, list[str]], str]:
    """Return the lines of each computation of a program, and the name of the first to run."""
    lines: dict[str, list[str]] = {}
    entry = name = ""
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head and "->" in line:
            name = head[2]
            lines[name] = []
            entry = name if head[1] else entry
        elif name:
            lines[name].append(line)
    return lines, entry


def _called(lines: list[str], word: str) -> list[str]:
    return [called for line in lines for called in re.findall(rf"{word}=%([\w.\-]+)", line)]


def _bytes(line: str) -> int:
    """Return the bytes of the result of a collective; 0 of any other line."""
    made = re.match(r"\s*(?:ROOT )?%[\w.\-]+ = (.*?) ([\w\-]+)\(", line)
    if made is None or made[2].removesuffix("-start") not in COLLECTIVES:
        return 0
    total = 0
    for kind, bits, shape in _BITS.findall(made[1]):
        size = 1 if kind == "pred" else int(bits) // 8
        total += size * math.prod(int(n) for n in shape.split(",") if n)
    return total


def compiled(scenario: Any, devices: int) -> tuple[Any, str]:
    """Return the shapes of a run's state and the text of its program over so many devices."""
    import jax

    from ecosim import devices as placing
    from ecosim import engine
    from ecosim.compilation import prepared
    from ecosim.model import randomness
    from ecosim.model.start import start_of
    from ecosim.model.structure import capacity_for, kinds_of

    mesh = placing.mesh_for(scenario, devices)
    with prepared(), placing.over(mesh):
        kinds, parameters = kinds_of(scenario), engine.parameters_of(scenario, seed=0)
        kind, start = start_of(scenario)
        capacity = capacity_for(kinds, scenario.population.size)
        state = jax.eval_shape(
            lambda: engine.begun(
                kinds, kind, capacity,
                parameters=parameters, start=start, key=randomness.run_key(1),
            )
        )  # fmt: skip
        lowered = engine.advance.lower(kinds, parameters, state, engine.schedule_of(scenario))
        return state, lowered.compile().as_text()


def main() -> None:
    """Print the tables."""
    import jax

    from ecosim.scenario import Scenario

    devices, agents, niches = jax.device_count(), 100_000, 16
    base = Scenario(world="ecology").replace(niches__count=niches, population__size=agents)
    kinds = {
        "ecology, energy": base,
        "Wright-Fisher": base.replace(selection__kind="wright-fisher"),
        "Moran": base.replace(selection__kind="moran"),
        "market": Scenario(world="market").replace(niches__count=niches, population__size=agents),
    }
    for name, scenario in kinds.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        state, text = compiled(scenario, devices)
        slots = state.population.alive.shape[0]
        if name == "ecology, energy":
            each = agent_bytes(state.population)
            print({column: size for column, size in each.items() if size})
            print(f"a slot: {sum(each.values()):g} bytes\n")
            heads = "selection", "devices", "slots", "step", "round", "branches", "collectives"
            print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        moved = " | ".join(f"{number:,}" for number in crossing(text))
        print(f"| {name} | {devices} | {slots:,} | {moved} |", flush=True)


if __name__ == "__main__":
    main()
