"""Individuals in continuous time: against a plain simulation, and what must not matter."""

from __future__ import annotations

import math

import jax
import numpy as np
import pytest
from test_invariance import finished, permuted, same
from test_replication import BIRTH_DEATH

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.errors import ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import Simulation, replicates, simulate

STEPS = BIRTH_DEATH["run"]["steps"]


def plainly(rng, *, width, capacity, spread, size, start, rate, step, until):
    """Simulate one run event by event with nothing kept between events; return the positions."""
    place = [start] * size
    time = 0.0
    while place:
        x = np.array(place)
        alpha = np.exp(-((x[:, None] - x[None, :]) ** 2) / (2 * width**2))
        death = alpha.sum(axis=1) / (capacity * np.exp(-(x**2) / (2 * spread**2)))
        total = len(place) + death.sum()
        time += rng.exponential(1 / total)
        if time > until:
            break
        if rng.random() * total < len(place):
            parent = place[rng.integers(len(place))]
            place.append(parent + (rng.normal(0, step) if rng.random() < rate else 0.0))
        else:
            del place[rng.choice(len(place), p=death / death.sum())]
    return np.array(place)


def test_it_agrees_with_a_plain_simulation():
    # Far from rest: growth from few, in a place of low capacity, with strong mutation.
    rng = np.random.default_rng(5)
    plain = [
        plainly(rng, width=0.4, capacity=30.0, spread=1.0, size=8, start=0.8, rate=0.3, step=0.3,
                until=4)
        for _ in range(150)
    ]  # fmt: skip
    raw = BIRTH_DEATH | {
        "population": {"size": 8, "position": 0.8, "width": 1.0},
        "mutation": {"rate": 0.3, "step": 0.3}, "run": {"steps": 4, "precision": "float64"},
    }  # fmt: skip
    scenario = validate(raw)
    ours = [simulate(scenario, seed=s).population["position"].to_numpy() for s in range(150)]
    measures = {
        "number": len,
        "mean position": lambda x: x.mean() if x.size else math.nan,
        "spread": lambda x: x.std() if x.size else math.nan,
        "kinds": lambda x: len(np.unique(x)),
        "at the start": lambda x: np.sum(x == 0.8),
    }
    for name, measure in measures.items():
        one, other = (np.array([measure(x) for x in runs], float) for runs in (plain, ours))
        one, other = one[~np.isnan(one)], other[~np.isnan(other)]
        error = math.sqrt(one.var() / one.size + other.var() / other.size)
        assert abs(one.mean() - other.mean()) < 4 * error, (name, one.mean(), other.mean(), error)


def test_births_and_deaths_are_counted():
    metrics = simulate(validate(BIRTH_DEATH)).metrics
    change = metrics["births"][1:] - metrics["deaths"][1:]
    assert (20 + change.cumsum() == metrics["population"][1:]).all()
    assert metrics["births"][1:].min() > 0


def test_slots_do_not_matter():
    scenario = validate(BIRTH_DEATH)
    plain, moved = Simulation(scenario), Simulation(scenario)
    permuted(moved, 1)
    moved.advance(5)
    permuted(moved, 2)
    same(finished(plain, STEPS), finished(moved, STEPS))


def test_capacity_does_not_matter():
    scenario = validate(BIRTH_DEATH)
    plain, padded = Simulation(scenario), Simulation(scenario)
    with prepared():
        padded.state = engine.enlarged(padded.kinds, padded.state, 512)
    same(finished(plain, STEPS), finished(padded, STEPS))


def test_growth_in_the_middle_of_a_step_does_not_matter(monkeypatch):
    raw = BIRTH_DEATH | {
        "competition": {"kind": "lotka-volterra", "kernel": {"width": 0.4, "capacity": 200.0}}
    }
    scenario = validate(raw)
    monkeypatch.setattr(engine, "capacity_for", lambda kinds, size: 512)
    large = finished(Simulation(scenario), STEPS)
    monkeypatch.setattr(engine, "capacity_for", lambda kinds, size: 64)
    small = Simulation(scenario)
    same(large, finished(small, STEPS))
    assert small.state.population.alive.shape[0] > 64


def test_children_have_their_own_ids_and_true_parents():
    first = simulate(validate(BIRTH_DEATH).replace(record__snapshots=1))
    seen = set(first.founders["id"])
    for step in range(1, STEPS + 1):
        table = first.snapshots[step]
        assert table["id"].is_unique
        born = table[table["age"] == 0]
        assert not set(born["id"]) & seen
        assert set(born["lineage"]) <= set(first.founders["id"])
        seen |= set(table["id"])
        clones = table[["position", "lineage"]].drop_duplicates()
        assert len(clones) > 1


def test_where_nobody_lives_nothing_happens():
    raw = BIRTH_DEATH | {
        "competition": {"kind": "lotka-volterra", "kernel": {"width": 1.0, "capacity": 0.02}}
    }
    last = replicates(validate(raw), [0]).iloc[0]
    assert last["population"] == 0 and last["step"] == STEPS


def test_a_place_without_capacity_is_deadly_and_breaks_nothing():
    raw = BIRTH_DEATH | {"population": {"size": 20, "position": 1e4, "width": 1.0}}
    assert replicates(validate(raw), [0])["population"][0] == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"record": {"events": True}}, "record.events"),
        ({"competition": {}}, "competition.kind"),
        ({"mutation": {"width_step": 0.3}}, "mutation.width_step"),
        ({"selection": {"kind": "birth-death", "mortality": 0.2}}, "selection.mortality"),
        ({"population": {"size": 20, "limit": 40}}, "population.limit"),
        ({"patches": {"count": 2}}, "selection.kind"),
    ],
)
def test_words_without_effect_are_refused(change, word):
    with pytest.raises(ScenarioError, match=word.replace(".", r"\.")):
        validate(BIRTH_DEATH | change)


def test_numbers_compile_nothing_anew():
    scenario = validate(BIRTH_DEATH)
    simulate(scenario)
    before = engine.advance._cache_size()
    simulate(scenario.replace(selection__growth_rate=1.5, competition__kernel__width=0.7))
    assert engine.advance._cache_size() == before
    assert jax.config.jax_enable_x64 is False
