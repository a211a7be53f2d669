"""How a model is opened: its scenario and its seed from what a user, or batch_run, gives."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario import Scenario, read


class _OwnSeed:
    """Says that a model runs with the seed of its scenario; None has Mesa's meaning."""

    def __repr__(self) -> str:
        return "OWN_SEED"


OWN_SEED = _OwnSeed()

_MODELS = {
    "ecology": "EcologyModel",
    "market": "MarketModel",
    "optimisation": "OptimisationModel",
    "learning": "LearningModel",
}


def scenario_of(
    source: str | os.PathLike[str] | Scenario | None, overrides: dict[str, Any], *, world: str
) -> Scenario:
    """Return the scenario that a model of a world runs.

    Args:
        source: Scenario, path or shipped name; None: the defaults of that world.
        overrides: values by key path with double underscores for dots.
        world: what the model runs.

    Raises:
        ScenarioError: when the scenario breaks rules or belongs to another world.

    """
    changes = {key.replace("__", "."): _plain(value) for key, value in overrides.items()}
    if "seed" in changes:
        fix = "give the seed as rng=..."
        raise ScenarioError([Problem("seed", repr(changes["seed"]), "unknown key", fix)])
    scenario = read(Scenario(world=world) if source is None else source, changes)  # type: ignore[arg-type]
    if scenario.world != world:
        fix = f"use ecosim.{_MODELS[scenario.world]}"
        rule = f"{_MODELS[world]} runs world = '{world}'"
        raise ScenarioError([Problem("world", repr(scenario.world), rule, fix)], scenario.name)
    return scenario


def _plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays, as sweeps give them, as Python's."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def seed_of(rng: Any, scenario: Scenario) -> int:
    """Return the seed of a run.

    Args:
        rng: an integer is the seed itself; OWN_SEED stands for the scenario's; from a NumPy
            Generator, a SeedSequence or whatever else `numpy.random.default_rng` takes, None
            included (fresh entropy), a seed is drawn.
        scenario: what runs.

    """
    if rng is OWN_SEED:
        return scenario.run.seed
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        if not 0 <= rng < 2**63:
            raise ScenarioError([Problem("rng", str(rng), "a seed is a number of 0..2^63-1")])
        return int(rng)
    try:
        return int(np.random.default_rng(rng).integers(2**63 - 1))
    except (TypeError, ValueError):
        rule = "a seed is an integer, a numpy Generator, or None for the scenario's own"
        raise ScenarioError([Problem("rng", repr(rng), rule)]) from None
