"""How living agents change between births: niches that drift, incumbents that adapt."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, niches
from ecosim.model.population import Agents, Population, with_allocation
from ecosim.model.structure import Kinds
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of adaptation."""

    pace: Array  # share of the allocation that moves in a period: 1 - inertia


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's adaptation."""
    pace = 1 - scenario.market.incumbents.inertia
    return Parameters(traced(pace, scenario.run.precision))


def respond(
    kinds: Kinds,
    parameters: Parameters,
    agents: Agents,
    *,
    population: Population,
    positions: Array,
    price: Array,
) -> Population:
    """Return the population at the start of a step, after niches moved and firms adapted.

    Args:
        kinds: static structure.
        parameters: traced numbers.
        agents: traced numbers of agents.
        population: the population as the step before left it.
        positions: niche positions now, `[K]`.
        price: what a unit of claim was paid in the step before, `[P, K]`.

    """
    if kinds.drifting:
        moved = niches.utilisation(population.trait, positions)
        return with_allocation(kinds, agents, population, moved)
    if kinds.adaptation == "toward-demand":
        best = jax.nn.one_hot(jnp.argmax(price, axis=1), price.shape[1], dtype=kinds.dtype)
        goal = best[population.patch]
        # Before the first exchange no price is known and nobody moves.
        pace = jnp.where(jnp.max(price) > 0, parameters.pace, 0)
        moved = population.allocation + exact.product(pace, goal - population.allocation)
        return with_allocation(kinds, agents, population, moved)
    return population
