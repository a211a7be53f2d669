"""The compiled step against the per-agent reference: the same decisions, the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import Agent, Outcome, Reference, breadth
from strategies import KINDS, scenarios

from ecosim.simulate import Simulation

EDGE = {"float64": 1e-9, "float32": 1e-4}  # decisions closer than this are left alone
RELATIVE = {"float64": 1e-12, "float32": 1e-5}


def living(state) -> dict[str, np.ndarray]:
    """Columns of the living in order of their ids."""
    population = state.population
    alive = np.asarray(population.alive)
    order = np.argsort(np.asarray(population.id)[alive])
    return {
        name: np.asarray(column)[alive][order]
        for name, column in (population._asdict() | {"strength": population.strength}).items()
        if name not in ("claims", "places")  # their agents run along the second axis
    }


def columns(agents: list[Agent]) -> dict[str, np.ndarray]:
    ordered = sorted(agents, key=lambda a: a.id)
    names = list(Agent.__dataclass_fields__)
    kinds = dict.fromkeys(("id", "parent", "lineage"), np.uint64)
    return {
        name: np.array([getattr(a, name) for a in ordered], kinds.get(name)) for name in names
    }


def near(actual, expected, relative, scale=1.0):
    """Assert closeness relative to the numbers that the result was added up from."""
    np.testing.assert_allclose(
        np.asarray(actual, float), expected, rtol=relative, atol=relative * scale
    )


def same_agents(state, reference: Reference, relative: float) -> None:
    found, wanted = living(state), columns(reference.agents)
    for name in ("id", "parent", "lineage", "group", "patch", "age", "strikes"):
        assert found[name].tolist() == wanted[name].tolist(), name
    if not len(wanted["id"]):
        return
    near(found["budget"], wanted["budget"], relative)
    near(found["stock"], wanted["stock"], relative)
    retained = wanted["retained"].reshape(found["retained"].shape)
    near(found["retained"], retained, relative, wanted["stock"].max())
    lifespan = wanted["lifespan"].reshape(found["lifespan"].shape)
    assert found["lifespan"].tolist() == lifespan.tolist()
    near(found["trait"], wanted["trait"].reshape(found["trait"].shape), relative)
    near(found["allocation"], wanted["allocation"], relative)
    strength = np.array([
        reference.strength(a) for a in sorted(reference.agents, key=lambda a: a.id)
    ])
    # A share close to 0 to a power below 1 has any relative error: claims count by their size.
    power = max(1.0, 1 / min(1.0, exponent(reference.scenario)))
    near(found["strength"], strength, relative ** (1 / power), strength.max())
    spread = np.array([breadth(x) for x in wanted["allocation"]])
    near(found["breadth"], spread, relative, 10)
    near(found["depth"], wanted["allocation"].max(axis=1), relative)
    top = np.sort(wanted["allocation"], axis=1)[:, -2:]
    clear = top[:, 1] - top[:, 0] > 1e-5
    main = wanted["allocation"].argmax(axis=1)
    assert found["niche"][clear].tolist() == main[clear].tolist()


def exponent(scenario) -> float:
    return scenario.tradeoff.exponent * scenario.competition.exponent


def same_exchange(simulation: Simulation, outcome: Outcome, relative: float) -> None:
    state = simulation.state
    near(state.supply, outcome.supply, relative, np.max(outcome.supply))
    dearest = np.max(outcome.price, where=np.isfinite(outcome.price), initial=0)
    near(state.price, outcome.price, 10 * relative, dearest)
    emitted = np.sum(outcome.supply)
    if simulation.scenario.competition.kind == "independent":
        emitted = sum(outcome.gain.values())  # a niche emits what it pays
    row = simulation.recorder.rows[-1]
    near(row["emitted"][-1], emitted, relative)
    near(row["received"][-1], sum(outcome.gain.values()), relative, emitted)
    near(row["unclaimed"][-1], np.sum(outcome.unclaimed), relative, emitted)
    born, died = ("births", "deaths")
    if simulation.scenario.world == "market":
        born, died = ("entries", "exits")
    assert row[born][-1] == len(outcome.born)
    assert row[died][-1] == len(outcome.dead)
    assert row["births_refused"][-1] == outcome.refused


def compare(scenario, *, adopt: bool) -> int:
    """Step both side by side; return how many steps were compared."""
    precision = scenario.run.precision
    simulation, reference = Simulation(scenario), Reference.begin(scenario)
    if reference.closest < EDGE[precision]:
        return 0
    same_agents(simulation.state, reference, RELATIVE[precision])
    for step in range(scenario.run.steps):
        if adopt:
            reference.adopt(simulation.state)
        simulation.advance(step + 1)
        outcome = reference.step()
        if outcome.closest < EDGE[precision]:
            if not adopt:
                return step
            continue
        same_exchange(simulation, outcome, RELATIVE[precision])
        same_agents(simulation.state, reference, RELATIVE[precision])
    return scenario.run.steps


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_float64_run_follows_the_reference(name, data):
    compare(data.draw(scenarios(name)), adopt=False)


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_float32_steps_follow_the_reference(name, data):
    compare(data.draw(scenarios(name, precision="float32", steps=5)), adopt=True)
