"""Rows put at places one by one and scattered: the same arrays, and the same runs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.model import randomness, scattering
from ecosim.model.births import chunk
from ecosim.model.start import start_of
from ecosim.model.structure import capacity_for, kinds_of
from ecosim.scenario import Scenario
from ecosim.simulate import Simulation


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("rows", [1, 16, 300])
@given(seed=st.integers(0, 2**32 - 1), extra=st.integers(0, 40), share=st.floats(0, 1))
@settings(max_examples=10, deadline=None)
def test_rows_are_put_in_their_slots_and_nowhere_else(few, rows, seed, extra, share):
    rng = np.random.default_rng(seed)
    capacity, real = rows + extra, round(rows * share)
    slots = rng.permutation(capacity)[:rows]
    slots[real:] = capacity + np.arange(real, rows)  # left out: last
    columns = {"x": rng.random((capacity, 3)), "y": rng.integers(0, 9, (2, capacity))}
    new = {"x": rng.random((rows, 3)), "y": rng.integers(10, 19, (2, rows))}
    with prepared():
        axes = {"x": 0, "y": 1}
        found = jax.jit(lambda *x: scattering.put(x[0], axes, *x[1:], one_by_one=few))(
            columns, slots, new
        )
    for row, slot in enumerate(slots[:real]):
        columns["x"][slot], columns["y"][:, slot] = new["x"][row], new["y"][:, row]
    assert np.array_equal(found["x"], columns["x"]) and np.array_equal(found["y"], columns["y"])


@pytest.mark.parametrize("few", [True, False])
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 70), count=st.integers(1, 9))
@settings(max_examples=10, deadline=None)
def test_values_are_combined_at_their_places(few, seed, rows, count):
    rng = np.random.default_rng(seed)
    places = rng.integers(0, count, rows)
    whole, claims = rng.integers(-(2**40), 2**40, (rows, 2)), rng.random(rows)
    with prepared():
        total = scattering.combined(
            jnp.ones((count, 2), jnp.int64),
            jnp.asarray(places),
            jnp.asarray(whole),
            "add",
            one_by_one=few,
        )
        most = scattering.combined(
            jnp.zeros(count), jnp.asarray(places), jnp.asarray(claims), "max", one_by_one=few
        )
    expected = np.ones((count, 2), np.int64)
    np.add.at(expected, places, whole)
    largest = np.zeros(count)
    np.maximum.at(largest, places, claims)
    assert np.array_equal(total, expected) and np.array_equal(most, largest)


def test_many_slots_are_never_changed_by_few_rows():
    """Else a part of a step were one function, and the rest not: slower than either."""
    kinds = kinds_of(Scenario(world="ecology"))
    for capacity in [*range(64, 40_000, 64), 10**6, 10**7]:
        size = chunk(kinds, capacity)
        assert (size <= scattering.FEW) == (capacity <= scattering.SLOTS), capacity
        assert size % 16 == 0 and size > min(capacity // 64, 1024) - 16, capacity


def scatters(scenario: Scenario) -> int:
    """How many operations of the compiled loop of a run are scatters."""
    with prepared():
        kinds, parameters = kinds_of(scenario), engine.parameters_of(scenario, seed=0)
        kind, start = start_of(scenario)
        given = {"parameters": parameters, "start": start, "key": randomness.run_key(1)}
        capacity = capacity_for(kinds, scenario.population.size)
        state = jax.eval_shape(lambda: engine.begun(kinds, kind, capacity, **given))
        loop = engine.advance.lower(kinds, parameters, state, engine.schedule_of(scenario))
    return loop.as_text().count("stablehlo.scatter")


@pytest.mark.parametrize(
    ("world", "changes"),
    [
        ("ecology", {}),
        ("ecology", {"run__precision": "float64"}),
        ("ecology", {"population__size": 8000, "run__steps": 40}),
        ("ecology", {"patches__count": 4, "patches__dispersal": 0.1}),
        ("ecology", {"niches__count": 40, "niches__used": 5, "population__start": "random"}),
        ("ecology", {"tradeoff__breadth_cost": 0.1, "tradeoff__exponent": 1.3}),
        ("market", {}),
        ("market", {"population__start": "random", "niches__count": 5, "patches__count": 3}),
    ],
)
def test_a_run_in_one_function_is_the_run_on_threads(world, changes, monkeypatch):
    """Small populations are compiled by another part of XLA: its last bits are the same."""
    monkeypatch.delenv("ECOSIM_PROGRAMS", raising=False)  # these are not told apart by constants
    scenario = Scenario(world=world).replace(
        **{"population__size": 400, "niches__count": 16, "run__steps": 300} | changes
    )
    states, found = [], []
    for few in (scattering.FEW, 0):
        monkeypatch.setattr(scattering, "FEW", few)
        monkeypatch.setattr(scattering, "SLOTS", 64 * few)
        jax.clear_caches()
        found.append(scatters(scenario))
        run = Simulation(scenario, 3)
        run.advance(scenario.run.steps)
        states.append(run.state)
    jax.clear_caches()
    assert found[0] < found[1]
    one, other = states
    for name, column in one.population._asdict().items():
        assert np.array_equal(column, getattr(other.population, name)), name
    assert np.array_equal(one.tally.numbers, other.tally.numbers)
