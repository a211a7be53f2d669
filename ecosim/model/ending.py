"""Conditions that end a run: `run.until`."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model.population import Population
from ecosim.model.structure import Kinds
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the conditions."""

    branch_size: Array  # int64: a branch has more agents than this
    branch_distance: Array  # float64: and lies further than this from another
    settled_steps: Array  # int64: the youngest has lived this long


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's condition."""
    run = scenario.run
    return Parameters(
        traced(run.branch_size, "int64"),
        traced(run.branch_distance, "float64"),
        traced(run.settled_steps, "int64"),
    )


def ended(kinds: Kinds, parameters: Parameters, population: Population) -> Array:
    """Return whether the condition that ends the run holds, a boolean scalar."""
    alive = population.alive
    if kinds.until == "extinct":
        return ~jnp.any(alive)
    if kinds.until == "settled":
        return jnp.any(alive) & jnp.all(~alive | (population.age >= parameters.settled_steps))
    if kinds.until == "fixed":
        return _alike(population.group if kinds.groups else population.lineage, alive)
    if kinds.until == "branched":
        return _branched(parameters, population.trait[:, 0], alive)
    return jnp.zeros((), bool)


def _alike(mark: Array, alive: Array) -> Array:
    """Return whether all the living bear one mark; nobody does so too."""
    first = mark[jnp.argmax(alive)]
    return jnp.all(~alive | (mark == first))


def _branched(parameters: Parameters, position: Array, alive: Array) -> Array:
    """Return whether two clones, agents of the very same position, are large and far apart."""
    place = jnp.sort(jnp.where(alive, position.astype(jnp.float64), jnp.inf))
    index = jnp.arange(place.shape[0])
    # A clone has more than n agents where the n-th place after one is the same place.
    beyond = jnp.minimum(index + parameters.branch_size, place.shape[0] - 1)
    large = (place[beyond] == place) & jnp.isfinite(place)
    large &= index + parameters.branch_size < place.shape[0]
    low = jnp.min(jnp.where(large, place, jnp.inf))
    high = jnp.max(jnp.where(large, place, -jnp.inf))
    return high - low > parameters.branch_distance
