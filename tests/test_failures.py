"""Runs that must stop: broken numbers, supply that is not conserved, implicit promotion."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KINDS, scenarios

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.errors import EcosimError, RunError, ScenarioError
from ecosim.model import randomness
from ecosim.model.start import start_of
from ecosim.model.structure import capacity_for, kinds_of
from ecosim.recording import Recorder, check_conservation
from ecosim.scenario import Scenario, validate
from ecosim.simulate import Simulation, simulate

CYCLES = {
    "energy": {},
    "moran": {"selection": {"kind": "moran"}},
    "wright-fisher": {"selection": {"kind": "wright-fisher"}},
    "market": {"world": "market"},
}


def scenario(name: str) -> Scenario:
    raw = {
        "world": "ecology",
        "niches": {"count": 4},
        "population": {"size": 40, "variation": 0.2},
        "run": {"steps": 20},
    }
    return validate(raw | CYCLES[name])


def spoiled(run: Simulation, column: str, value: float, agent: int = 4) -> None:
    """Put a value in a column of one agent of a running simulation."""
    population = run.state.population
    slot = int(np.flatnonzero(np.asarray(population.id) == agent)[0])
    with prepared():
        column_now = getattr(population, column)
        at = (..., slot) if column == "claims" else slot
        new = column_now.at[at].set(jnp.asarray(value, column_now.dtype))
        changed = population._replace(**{column: new})
        run.state = run.state._replace(population=changed)


@pytest.mark.parametrize("value", [np.nan, np.inf, -5.0])
@pytest.mark.parametrize("name", CYCLES)
def test_a_broken_stock_stops_the_run(name, value):
    run = Simulation(scenario(name))
    spoiled(run, "stock", value)
    noun, quantity = ("firm", "capital") if name == "market" else ("organism", "stock")
    with pytest.raises(RunError, match=rf"step \d+.*{quantity} of {noun} 4 is {value}"):
        run.advance(3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -5.0])
@pytest.mark.parametrize("name", CYCLES)
def test_a_broken_competence_stops_the_run(name, value):
    run = Simulation(scenario(name))
    spoiled(run, "claims", value)
    with pytest.raises(RunError, match=r"step \d+.*of (organism|firm) 4"):
        run.advance(3)


def test_the_error_says_what_to_look_at():
    run = Simulation(scenario("energy"))
    run.advance(7)
    spoiled(run, "stock", np.nan, agent=int(run.finished().population["id"].iloc[0]))
    with pytest.raises(RunError) as caught:
        run.advance(9)
    text = str(caught.value)
    assert "step 8" in text and "nan" in text and "rule" in text
    assert isinstance(caught.value, EcosimError)


@pytest.mark.parametrize("budget", [1e3, 1e-3])
def test_competence_beyond_float32_is_refused(budget):
    raw = {"world": "ecology", "population": {"size": 40, "budget": budget},
           "tradeoff": {"exponent": 64.0}, "run": {"steps": 3}}  # fmt: skip
    with pytest.raises(ScenarioError, match="claims would range"):
        simulate(validate(raw))


# --- Conservation --------------------------------------------------------------------------------


def flows(emitted: float, received: float, unclaimed: float) -> dict[str, np.ndarray]:
    names = ("step", "emitted", "received", "unclaimed")
    return {n: np.array([v]) for n, v in zip(names, (3, emitted, received, unclaimed), strict=True)}


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_conservation_within_rounding_passes(precision):
    small = {"float32": 1e-6, "float64": 1e-13}[precision]
    check_conservation(flows(4.0, 3.0 * (1 + small), 1.0), precision)
    check_conservation(flows(0.0, 0.0, 0.0), precision)


@pytest.mark.parametrize("received", [3.001, 2.999, np.nan, np.inf])
def test_a_leak_is_found_and_named(received):
    with pytest.raises(RunError, match="step 3: supply is not conserved: emitted 4"):
        check_conservation(flows(4.0, received, 1.0), "float32")


def test_a_leak_in_a_run_stops_it(monkeypatch):
    whole = Recorder.add

    def leaking(self, step, metrics, breadth):
        whole(self, step, metrics | {"received": np.asarray(metrics["received"]) * 0.999}, breadth)

    monkeypatch.setattr(Recorder, "add", leaking)
    with pytest.raises(RunError, match="step 1: supply is not conserved"):
        simulate(scenario("energy"))


# --- Promotion -----------------------------------------------------------------------------------


def traced(scenario: Scenario) -> None:
    """Trace founders, steps and metrics of a scenario, without compiling them."""
    kinds, parameters = kinds_of(scenario), engine.parameters_of(scenario, seed=0)
    start_kind, start = start_of(scenario)
    capacity = capacity_for(kinds, scenario.population.size)
    key = randomness.run_key(3)
    state = jax.eval_shape(
        lambda p, s: engine.begun.__wrapped__(
            kinds, start_kind, capacity, parameters=p, start=s, key=key
        ),
        parameters, start,
    )  # fmt: skip
    schedule = engine.Schedule(*(np.asarray(3, np.int64) for _ in range(3)))
    jax.eval_shape(
        lambda p, s, n: engine.advance.__wrapped__(kinds, p, s, n), parameters, state, schedule
    )
    jax.eval_shape(lambda p, s: engine.measure.__wrapped__(kinds, p, s), parameters, state)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=1)
@given(data=st.data())
def test_no_type_is_promoted_implicitly(name, precision, data):
    drawn = data.draw(scenarios(name, precision=precision))
    with prepared(), jax.numpy_dtype_promotion("strict"):
        traced(drawn)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=1)
@given(data=st.data())
def test_no_rank_is_promoted_implicitly(name, data):
    drawn = data.draw(scenarios(name))
    with prepared(), jax.numpy_rank_promotion("raise"):
        traced(drawn)
