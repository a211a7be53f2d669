"""What a result must not depend on: slots, capacity, chunks, checkpoints, what is recorded."""

from __future__ import annotations

import dataclasses
from functools import partial

import jax
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KINDS, scenarios

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.model import tally
from ecosim.model.births import chunk
from ecosim.model.population import taken
from ecosim.recording import Recording
from ecosim.scenario import Scenario, override
from ecosim.simulate import Simulation, simulate

STEPS = 14
few = settings(max_examples=4)
every_kind = pytest.mark.parametrize("name", KINDS)


def drawn(data, name: str, **changes) -> Scenario:
    scenario = data.draw(scenarios(name, precision="float32", steps=STEPS))
    return scenario.replace(**changes) if changes else scenario


def pieces(recording: Recording) -> dict[str, object]:
    """All that a recording holds, as bytes by name."""
    tables = {
        "metrics": recording.metrics,
        "population": recording.population,
        "founders": recording.founders,
        "events": recording.events if recording.events is not None else pd.DataFrame(),
    } | {f"snapshot {step}": table for step, table in recording.snapshots.items()}
    found: dict[str, object] = {
        f"{name}.{column}": table[column].to_numpy().tobytes()
        if table[column].dtype.kind in "biuf"
        else table[column].tolist()
        for name, table in tables.items()
        for column in table.columns
    }
    return found | {"breadth": recording.breadth.tobytes(), "steps": recording.steps}


def same(one: Recording, other: Recording) -> None:
    """Assert equality bit by bit, naming what differs."""
    first, second = pieces(one), pieces(other)
    assert [name for name in first if first[name] != second.get(name)] == []
    assert first.keys() == second.keys()


def finished(simulation: Simulation, until: int = STEPS) -> Recording:
    simulation.advance(until)
    return simulation.finished()


def permuted(simulation: Simulation, seed: int) -> None:
    """Move every agent to another slot."""
    population = simulation.state.population
    slots = np.random.default_rng(seed).permutation(population.alive.shape[0])
    with prepared():
        moved = taken(population, slots)
        simulation.state = simulation.state._replace(population=moved)


@every_kind
@few
@given(data=st.data())
def test_slots_do_not_matter(name, data):
    scenario = drawn(data, name)
    plain, moved = Simulation(scenario), Simulation(scenario)
    permuted(moved, 1)
    moved.advance(data.draw(st.integers(1, STEPS - 1)))
    permuted(moved, 2)
    same(finished(plain), finished(moved))


@pytest.mark.parametrize("name", ["moran-death-birth", "wright-fisher-axis", "market-imitation"])
@few
@given(data=st.data())
def test_empty_slots_do_not_matter(name, data):
    scenario = drawn(data, name)
    plain, padded = Simulation(scenario), Simulation(scenario)
    capacity = 2 * plain.state.population.alive.shape[0]
    with prepared():
        padded.state = engine.enlarged(padded.kinds, padded.state, capacity)
    same(finished(plain), finished(padded))


@pytest.mark.parametrize("name", ["energy-patches", "market-unmet"])
@settings(max_examples=1)  # each capacity on the way is compiled
@given(data=st.data())
def test_growth_in_the_middle_does_not_matter(name, data):
    scenario = drawn(data, name)
    changes = {
        "market": {"market.entry.rate": 12.0, "market.entry.density": 0.0},
        "ecology": {"niches.productivity": 60.0, "selection.upkeep": 0.02},
    }[scenario.world]
    scenario = override(scenario, changes)
    large = Simulation(scenario)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "capacity_for", lambda kinds, size: 64)
        small = Simulation(scenario)
        assert small.state.population.alive.shape[0] == 64
        recording = finished(small)
    same(finished(large), recording)
    if recording.metrics["population"].max() > 64:
        assert small.state.population.alive.shape[0] > 64


@few
@given(data=st.data())
def test_newborns_written_in_larger_chunks_are_the_same(data):
    scenario = drawn(data, "energy-contest")
    plain, padded = Simulation(scenario), Simulation(scenario)
    capacity = plain.state.population.alive.shape[0]
    assert chunk(plain.kinds, 64 * 128) > chunk(plain.kinds, capacity)
    with prepared():
        padded.state = engine.enlarged(padded.kinds, padded.state, 64 * 128)
    same(finished(plain), finished(padded))


@every_kind
@few
@given(data=st.data())
def test_chunks_of_steps_do_not_matter(name, data):
    scenario = drawn(data, name)
    whole, split = Simulation(scenario), Simulation(scenario)
    for until in sorted(data.draw(st.sets(st.integers(1, STEPS), min_size=1))):
        split.advance(until)
    same(finished(whole), finished(split))


@every_kind
@few
@given(data=st.data())
def test_a_checkpoint_goes_on_bit_for_bit(name, data):
    scenario = drawn(data, name, record__every=3, record__snapshots=4)
    stop = data.draw(st.integers(1, STEPS - 1))
    kept: list[bytes] = []
    asked = iter(range(1, STEPS + 1))
    part = simulate(
        scenario, should_stop=lambda: next(asked) >= stop, keep_checkpoint=kept.append,
    )  # fmt: skip
    whole = simulate(scenario)
    if part.complete:
        assert not kept
        return
    same(whole, simulate(scenario, checkpoint=kept[0]))


@every_kind
@few
@given(data=st.data())
def test_what_is_recorded_does_not_matter(name, data):
    scenario = drawn(data, name)
    every = data.draw(st.integers(2, STEPS + 3))
    often, seldom = simulate(scenario), simulate(scenario.replace(record__every=every))
    same_but = ["births", "deaths", "entries", "exits", "births_refused", "mergers",
                "specialist_entries", "specialist_exits"]  # fmt: skip
    counts = [column for column in same_but if column in often.metrics]
    steps = seldom.metrics["step"]
    assert steps.tolist() == sorted({*range(0, STEPS + 1, every), STEPS})
    common = often.metrics[often.metrics["step"].isin(steps)].reset_index(drop=True)
    left, right = common.drop(columns=counts), seldom.metrics.drop(columns=counts)
    pd.testing.assert_frame_equal(left, right, check_exact=True)
    for column in counts:
        running = often.metrics.set_index("step")[column].cumsum()
        assert running[steps].tolist() == seldom.metrics[column].cumsum().tolist()
    same_rest = {"metrics": often.metrics, "breadth": often.breadth}
    same(dataclasses.replace(often), dataclasses.replace(seldom, **same_rest))


@every_kind
@few
@given(data=st.data())
def test_a_seed_names_one_run_and_another_seed_another(name, data):
    scenario = drawn(data, name)
    first = simulate(scenario)
    same(first, simulate(scenario))
    same(first, simulate(scenario, seed=scenario.run.seed))
    other = simulate(scenario, seed=scenario.run.seed ^ 1)
    assert not first.metrics.equals(other.metrics)


@every_kind
@few
@given(data=st.data())
def test_every_recording_balances(name, data):
    table = simulate(drawn(data, name)).metrics
    emitted = table["emitted"][1:]
    accounted = table["received"] + table["unclaimed"]
    np.testing.assert_allclose(accounted[1:], emitted, rtol=1e-5)
    born, died = ("entries", "exits") if name.startswith("market") else ("births", "deaths")
    change = table["population"].diff()[1:]
    assert change.tolist() == (table[born] - table[died])[1:].tolist()
    assert table.loc[0, ["emitted", "received", "unclaimed"]].isna().all()


@every_kind
@few
@given(data=st.data())
def test_events_and_snapshots_tell_one_story(name, data):
    run = simulate(drawn(data, name, record__snapshots=1))
    market = name.startswith("market")
    born, died = ("entry", "exit") if market else ("birth", "death")
    lineage = dict(zip(run.founders["id"], run.founders["lineage"], strict=True))
    living = set(run.founders["id"])
    seen = set(living)
    ends = [died, "merger"] if market else [died]
    assert (run.events["kind"].isin([born, *ends])).all()
    for step in range(1, STEPS + 1):
        events = run.events[run.events["step"] == step]
        dead = set(events.loc[events["kind"].isin(ends), "id"])
        births = events[events["kind"] == born]
        assert dead <= living
        assert not seen & set(births["id"])
        assert births["id"].is_unique
        for row in births.itertuples():
            if market:
                assert row.lineage == row.id
                assert row.parent in living | {0}
            else:
                assert row.parent in living
                assert row.lineage == lineage[row.parent]
                if name.startswith("energy"):
                    assert row.parent not in dead
        lineage |= dict(zip(births["id"], births["lineage"], strict=True))
        living = (living - dead) | set(births["id"])
        seen |= living
        snapshot = run.snapshots[step]
        assert set(snapshot["id"]) == living
        assert snapshot["id"].is_monotonic_increasing
        recorded = run.metrics.loc[run.metrics["step"] == step]
        assert recorded["population"].item() == len(living)
        assert recorded[died_column(market)].item() == len(dead)
    assert run.snapshots[STEPS].equals(run.population)


def died_column(market: bool) -> str:
    return "exits" if market else "deaths"


@pytest.mark.parametrize("name", ["energy-additive-limit", "market-imitation"])
@few
@given(data=st.data())
def test_a_limit_holds_and_counts_those_turned_away(name, data):
    scenario = drawn(data, name)
    if scenario.world == "ecology":
        scenario = scenario.replace(niches__productivity=60.0)
    else:
        scenario = scenario.replace(market__entry__rate=9.0, market__entry__density=0.0)
    free = scenario.replace(population__limit=2**20)
    limited, unlimited = Simulation(scenario), Simulation(free)
    limit = scenario.population.limit
    for step in range(1, STEPS + 1):
        limited.advance(step)
        row = limited.finished().metrics.iloc[-1]
        assert row["population"] <= limit
        if row["births_refused"] > 0:
            assert row["population"] == limit
        # The same step without the limit lets all of them in.
        unlimited.advance(step)
        other = unlimited.finished().metrics.iloc[-1]
        born = "births" if scenario.world == "ecology" else "entries"
        assert row[born] + row["births_refused"] == other[born]
        if row["births_refused"] > 0:
            return


def sums_equal_a_new_count(run):
    with prepared():
        kept, population = run.state.tally, run.state.population
        # Compiled, as the run's own sums are: one operation at a time rounds differently.
        count = jax.jit(partial(tally.added, run.kinds, sign=1))
        fresh = count(tally.emptied(run.kinds, kept), population, population.alive).sums
        for field, one, other in zip(fresh._fields, kept.sums, fresh, strict=True):
            assert np.array_equal(one, other), field


@every_kind
@few
@given(data=st.data())
def test_running_sums_equal_a_new_count(name, data):
    run = Simulation(drawn(data, name))
    run.advance(STEPS)
    sums_equal_a_new_count(run)
