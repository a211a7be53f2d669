"""What is compiled when: numbers are traced, only kinds and counts make a new program."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.scenario import Scenario, override, validate
from ecosim.simulate import Simulation, simulate

_COMPILE = "/jax/core/compile/backend_compile_duration"
_compiled: list[str] = []


def _note(event: str, duration: float, **_: object) -> None:
    if event == _COMPILE:
        _compiled.append(event)


@pytest.fixture(scope="module", autouse=True)
def listener() -> Iterator[None]:
    jax.monitoring.register_event_duration_secs_listener(_note)
    yield


def programs(scenario: Scenario, seed: int | None = None) -> int:
    """Return how many programs a run of a scenario compiles."""
    before = len(_compiled)
    simulate(scenario, seed=seed)
    return len(_compiled) - before


ECOLOGY = validate({
    "world": "ecology",
    "niches": {"count": 3, "supply": [1.0, 2.0, 3.0]},
    "environment": {"seasonal": {}},
    "population": {"size": 30, "variation": 0.1, "limit": 50},
    "run": {"steps": 5},
})  # fmt: skip

MARKET = validate({
    "world": "market",
    "niches": {"count": 3},
    "competition": {"unclaimed": 0.5},
    "population": {"size": 30, "variation": 0.1},
    "run": {"steps": 5},
})  # fmt: skip

AXIS = validate({
    "world": "ecology",
    "niches": {"count": 3, "space": "axis"},
    "environment": {"drift": {}, "opening": {}, "switching": {}, "shocks": {}},
    "patches": {"count": 2},
    "population": {"size": 30},
    "run": {"steps": 5},
})  # fmt: skip

HABITATS = validate({
    "world": "ecology",
    "niches": {"count": 2, "productivity": 30.0},
    "population": {"size": 30, "start": "pareto", "breadth_exponent": 1.0},
    "environment": {"fluctuation": {"range": 2.0}},
    "selection": {"kind": "ricker"},
    "habitats": {"demography": "individuals"},
    "run": {"steps": 5},
})  # fmt: skip

REPERTOIRES = validate({
    "world": "ecology",
    "niches": {"count": 3},
    "population": {"size": 30, "start": "specialists"},
    "mutation": {"kind": "repertoire"},
    "run": {"steps": 5},
})  # fmt: skip

NUMBERS = {
    "repertoires": (REPERTOIRES, {"mutation.gain": 0.3, "mutation.narrowing": 0.4}),
    "habitats": (HABITATS, {
        "habitats.growth": 0.7, "habitats.random": 0.3, "environment.fluctuation.range": 5.0,
        "environment.fluctuation.coupling": "tied", "niches.productivity": 25.0,
        "population.breadth_exponent": 2.0,
    }),
    "ecology": (ECOLOGY, {
        "niches.supply": [5.0, 1.0, 1.0], "niches.productivity": 7.5, "run.steps": 9,
        "run.seed": 2**62, "record.every": 4, "tradeoff.exponent": 0.6,
        "tradeoff.breadth_cost": 0.2, "competition.exponent": 1.7, "competition.unclaimed": 2.0,
        "mutation.rate": 0.9, "mutation.step": 0.3, "environment.seasonal.amplitude": 0.9,
        "environment.seasonal.period": 7.0, "environment.seasonal.staggered": False,
        "selection.upkeep": 0.2, "selection.mortality": 0.2, "selection.division": 1.5,
        "population.budget": 3.0, "population.stock": 1.2, "population.variation": 0.0,
        "population.stock_variation": 0.9, "population.limit": 45,
    }),
    "market": (MARKET, {
        "market.exit.standard": 0.9, "market.exit.basis": "absolute", "market.exit.patience": 1,
        "market.exit.noise": 0.3, "market.entry.rate": 4.0, "market.entry.density": -0.01,
        "market.entry.unmet_demand": 2.0, "market.entry.capital": 0.5,
        "market.investment.reinvestment": 0.4, "market.investment.flow": 0.2,
        "market.investment.defunding": 0.5, "market.costs.fixed": 0.01,
        "market.costs.upkeep": 0.2, "market.costs.scale": 1.2,
    }),
    "axis": (AXIS, {
        "niches.length": 2.0, "environment.drift.velocity": 0.1, "environment.drift.noise": 0.1,
        "environment.opening.initial": 2, "environment.opening.interval": 3,
        "environment.switching.spell": 2, "environment.switching.order": "alternating",
        "environment.shocks.probability": 0.5, "environment.shocks.recovery": 0.4,
        "patches.dispersal": 0.9, "patches.supply": [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]],
        "population.position": 0.1, "population.width": 0.2, "mutation.width_step": 0.3,
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_compile_nothing(name):
    scenario, changes = NUMBERS[name]
    assert programs(scenario) > 0  # it does count
    for key, value in changes.items():
        assert programs(override(scenario, {key: value})) == 0, key
    assert programs(override(scenario, changes)) == 0
    assert programs(scenario, seed=77) == 0


def test_a_name_and_words_compile_nothing():
    programs(ECOLOGY)
    words = {"name": "other", "about.title": "words", "about.question": "?"}
    assert programs(override(ECOLOGY, words)) == 0


@pytest.mark.parametrize("changes", [
    {"competition.kind": "additive"},
    {"niches.count": 2, "niches.supply": [1.0, 1.0]},
    {"selection.kind": "moran", "population": {"size": 30, "variation": 0.1}},  # takes no limit
], ids=lambda changes: next(iter(changes)))  # fmt: skip
def test_a_kind_or_a_count_is_compiled_anew(changes):
    programs(ECOLOGY)
    changed = override(ECOLOGY, changes)
    assert programs(changed) > 0
    assert programs(changed) == 0


def test_each_capacity_is_compiled_once(monkeypatch):
    changes = {
        "market.entry.rate": 5.0, "run.steps": 12, "market.exit.enabled": False,
        "market.costs.upkeep": 0.01,
    }  # fmt: skip
    growing = override(MARKET, changes)
    monkeypatch.setattr(engine, "capacity_for", lambda kinds, size: 64)
    before = engine.advance._cache_size()
    run = Simulation(growing)
    for step in range(1, 13):
        run.advance(step)
    assert run.state.population.alive.shape[0] == 128
    assert engine.advance._cache_size() == before + 2
    assert programs(growing) == 0
    assert programs(growing, seed=3) == 0


@pytest.mark.parametrize("scenario", [MARKET, AXIS, HABITATS, override(
    HABITATS, {"habitats.demography": "densities", "population.size": 3})])  # fmt: skip
def test_no_type_is_weak_and_later_calls_compile_nothing(scenario):
    scenario = override(scenario, {"record.events": True})
    run = Simulation(scenario)
    assert weak(run.state) == []
    run.advance(1)
    assert weak(run.state) == []
    before = len(_compiled)
    run.advance(2)  # after the first call and after the log was emptied
    run.advance(4)
    assert len(_compiled) == before
    again = Simulation.restored(run.save())
    before = len(_compiled)
    again.advance(5)
    assert len(_compiled) == before
    with prepared():
        larger = jax.eval_shape(lambda s: engine.enlarged(run.kinds, s, 4096), again.state)
    assert weak(larger) == []


def weak(state: object) -> list[str]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return [
        jax.tree_util.keystr(path) for path, leaf in leaves if getattr(leaf, "weak_type", False)
    ]


def test_two_sizes_of_one_capacity_share_the_step():
    before = engine.advance._cache_size()
    simulate(ECOLOGY)
    first = engine.advance._cache_size()
    simulate(override(ECOLOGY, {"population.size": 31}))
    assert engine.advance._cache_size() == first
    assert first >= before
