"""A whole run through the Mesa model, with the same recording as the headless run."""

from __future__ import annotations

import time

from ecosim.agents.models import EcologyModel, LearningModel, MarketModel, OptimisationModel
from ecosim.agents.population_model import PopulationModel
from ecosim.recording import Recording
from ecosim.scenario import Scenario
from ecosim.simulate import Progress

_GLANCE = 0.25  # seconds between two reports of progress
_MODELS: dict[str, type[PopulationModel]] = {
    model.world: model for model in (EcologyModel, MarketModel, OptimisationModel, LearningModel)
}


def model_for(scenario: Scenario, *, seed: int | None = None) -> PopulationModel:
    """Return the Mesa model of a scenario's world, at step 0."""
    return _MODELS[scenario.world](scenario, rng=scenario.run.seed if seed is None else seed)  # type: ignore[call-arg]


def simulate_mesa(
    scenario: Scenario, *, seed: int | None = None, progress: Progress | None = None
) -> Recording:
    """Run a scenario step by step through its Mesa model and return what was recorded.

    Args:
        scenario: what to run.
        seed: overrides scenario.run.seed.
        progress: called now and then with (step, steps, latest metrics).

    Raises:
        RunError: when an invariant broke, with the step, the quantity and the agent.

    """
    model, steps = model_for(scenario, seed=seed), scenario.run.steps
    reported = time.perf_counter()
    # Not while model.running: as in the headless run, time goes on where nobody lives.
    for step in range(1, steps + 1):
        model.step()
        now = time.perf_counter()
        if progress is not None and (now - reported > _GLANCE or step == steps):
            progress(step, steps, model.metrics)
            reported = now
        if model.simulation.ended:
            break
    return model.recording()
