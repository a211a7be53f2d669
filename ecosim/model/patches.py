"""Patches: places joined by a graph, between which newborns disperse."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model import graphs, randomness
from ecosim.model.randomness import Stream
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the patches."""

    dispersal: Array
    reach: Array  # float[P, P] cumulative probability of each destination, by row


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's patches; an isolated patch keeps its newborns."""
    dtype, count = scenario.run.precision, scenario.patches.count
    # One patch is joined to none, whatever its graph; then networkx is not loaded.
    alone, graph = count == 1, scenario.patches.graph
    weights = np.zeros((1, 1)) if alone else graphs.adjacency(graphs.build(graph, count))
    lonely = weights.sum(axis=1) == 0
    weights[lonely, lonely] = 1.0
    reach = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    reach[:, -1] = 1.0
    return Parameters(traced(scenario.patches.dispersal, dtype), traced(reach, dtype))


def dispersed(
    parameters: Parameters, patch: Array, ids: Array, *, step: Array, key: Array
) -> Array:
    """Return the patches `[N]` in which newborns with these ids settle."""
    dtype = parameters.reach.dtype
    first, second = randomness.words(key, step, Stream.DISPERSAL, ids)
    moves = randomness.below(first, parameters.dispersal)
    goal = randomness.open_unit(second, dtype)
    there = jnp.sum(parameters.reach[patch] <= goal[:, None], axis=1).astype(patch.dtype)
    return jnp.where(moves, jnp.minimum(there, parameters.reach.shape[0] - 1), patch)
