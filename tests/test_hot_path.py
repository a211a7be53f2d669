"""What the compiled step of a large population must not do: guarded by its program, not by time."""

from __future__ import annotations

import re
from typing import Any

import jax
import pytest

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.model import randomness
from ecosim.model.start import start_of
from ecosim.model.structure import capacity_for, kinds_of
from ecosim.scenario import Scenario

AGENTS, NICHES = 100_000, 16
_LINE = re.compile(r"\s*(?:ROOT )?%[\w.\-]+ = (\([^=]*\)|\S+) ([\w\-]+)\(")


def programs(world: str, agents: int, **changes: object) -> tuple[Any, Any, int, int]:
    """The compiled start and loop of a world, its capacity, and the bytes of its state."""
    scenario = Scenario(world=world).replace(
        niches__count=NICHES, population__size=agents, run__steps=10**6, **changes
    )
    with prepared():
        kinds, parameters = kinds_of(scenario), engine.parameters_of(scenario, seed=0)
        kind, start = start_of(scenario)
        capacity = capacity_for(kinds, agents)
        given = {"parameters": parameters, "start": start, "key": randomness.run_key(1)}
        state = jax.eval_shape(lambda: engine.begun(kinds, kind, capacity, **given))
        begun = engine.begun.lower(kinds, kind, capacity, **given).compile()
        schedule = engine.schedule_of(scenario)
        program = engine.advance.lower(kinds, parameters, state, schedule).compile()
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    return begun, program, capacity, size


@pytest.fixture(scope="module")
def compiled():
    """The compiled loop of the reference workload, its capacity, and the bytes of its state."""
    return programs("ecology", AGENTS)[1:]


def made(text: str, capacity: int) -> list[tuple[str, str]]:
    """Operation and result of all that writes an array of one entry a slot or more."""
    found, fused = [], False
    for line in text.splitlines():
        if line.endswith("{") and "->" in line:
            fused = "fused" in line.split("(")[0] or "wrapped" in line.split("(")[0]
        match = _LINE.match(line)
        if match and not fused and re.search(rf"\b{capacity}\b", match[1]):
            found.append((match[2], match[1]))
    return found


def wide(program: Any, capacity: int) -> list[str]:
    """Operations that write an array of one entry a slot and niche."""
    handed_on = {"parameter", "get-tuple-element", "tuple", "while", "call", "conditional"}
    return sorted(
        name
        for name, result in made(program.as_text(), capacity)
        if re.search(rf"\[({capacity},{NICHES}|{NICHES},{capacity})\]", result)
        and name not in handed_on | {"bitcast"}
    )


def test_no_wide_array_is_copied_or_made_anew_in_a_step(compiled):
    program, capacity, _ = compiled
    # Newborns are scattered into the two wide columns.
    assert wide(program, capacity) == ["fusion"] * 2


@pytest.mark.parametrize(("world", "patches"), [("ecology", 4), ("ecology", 40), ("market", 1)])
def test_nor_where_prices_differ_by_patch_or_claims_have_a_size(world, patches):
    """What each of four patches pays was written out for all claims: 2.4 times the step."""
    _, program, capacity, _ = programs(world, AGENTS, patches__count=patches)
    assert wide(program, capacity) == ["fusion"] * 2


def test_the_passes_over_all_slots_are_few(compiled):
    program, capacity, _ = compiled
    passes = [
        name
        for name, _ in made(program.as_text(), capacity)
        if name in ("fusion", "copy", "reduce")
    ]
    # 15 columns that newborns are written in, and what decides who dies and divides; it was 84.
    assert len(passes) <= 34


def test_what_a_step_needs_besides_the_state_is_less_than_an_eighth_of_it(compiled):
    program, _, state = compiled
    assert program.memory_analysis().temp_size_in_bytes < state / 8  # .047


def test_a_step_moves_no_more_bytes_than_it_did(compiled):
    program, _, state = compiled
    # As XLA counts them: 4.87 times the state, all branches included. One more pass over the claims
    # of all, which nothing else reads along with, adds a third of the state.
    assert program.cost_analysis()["bytes accessed"] < 5.0 * state


def test_a_step_has_no_more_instructions_than_it_had(compiled):
    program, _, _ = compiled
    # 8,908, fused ones included; they are what is traced, lowered and compiled at each start.
    assert sum(_LINE.match(line) is not None for line in program.as_text().splitlines()) < 9_500


def loops(text: str) -> tuple[int, list[str]]:
    """Loops that the entry of a program begins itself, and its calls of a function."""
    entry = text[text.index("\nENTRY ") :]
    called = re.findall(r" call\(.*to_apply=%([\w.\-]+).*xla_cpu_small_call", entry)
    return len(re.findall(r" while\(", entry)), called


@pytest.mark.parametrize(
    ("world", "agents", "changes"),
    [
        ("ecology", 1000, {}),
        ("ecology", 12_000, {}),
        ("ecology", 1000, {"patches__count": 4}),
        ("ecology", 1000, {"tradeoff__breadth_cost": 0.1}),
        ("market", 1000, {}),
        ("market", 1000, {"patches__count": 4}),
    ],
)
def test_a_step_of_a_small_population_is_one_function(world, agents, changes):
    """What is begun, whatever the number of agents, was most of the time of a step of a thousand.

    XLA compiles a loop into one function if nothing in it is scattered, sorted or called.
    """
    _, program, capacity, _ = programs(world, agents, **changes)
    begun, functions = loops(program.as_text())
    assert begun == 0
    loop = [
        text for text in program.as_text().split("\n\n") if text.startswith(f"%{functions[0]} ")
    ]
    assert len(loop) == 1 and str(capacity) in loop[0]


def test_a_step_of_a_large_population_keeps_its_threads(compiled):
    program, _, _ = compiled
    assert loops(program.as_text())[0] == 1  # a loop that is no function


def test_founders_are_not_held_twice():
    begun, _, _, state = programs("ecology", 10**6)
    assert begun.memory_analysis().temp_size_in_bytes < state / 4


def test_what_newborns_are_like_is_computed_once():
    """Of a million firms too, whose entrants draw their shares: it took minutes to compile."""
    _, program, _, _ = programs("market", 10**6, population__start="random")
    text = program.as_text()
    # 20 of each hash, here of agents. Entrants' draws were hashed anew in each of a dozen readers.
    assert len(re.findall(r"= u32\[\d{4,}[\d,]*\]\S* xor\(", text)) < 200  # 136
    # Nor are the shares of a million sorted, to find the largest or the threshold of a simplex.
    assert " sort(" not in text
