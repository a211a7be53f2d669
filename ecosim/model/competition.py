"""Competition: who receives how much of what the niches emit.

`contest` is soft selection (Levene 1953; Christiansen 1975): each niche divides its own supply,
gain_i = sum_k supply_k w_ik / (R + sum_j w_jk). `additive` is hard selection: payoffs
W_i = sum_k share_k w_ik add up and the whole supply is divided by them, gain_i =
S W_i / (R + sum_j W_j). w is competence^exponent, times the output of a firm's capital.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model import exact
from ecosim.model.population import Population
from ecosim.model.structure import Kinds
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the competition."""

    exponent: Array
    unclaimed: Array


class Exchange(NamedTuple):
    """What one step's supply turned into."""

    gain: Array  # float[C] received by each agent; 0 for the dead
    price: Array  # float[P, K] supply paid for a unit of claim
    supply: Array  # float[P, K] emitted
    unclaimed: Array  # float64[P, K] emitted and received by nobody


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's competition."""
    c, dtype = scenario.competition, scenario.run.precision
    return Parameters(np.asarray(c.exponent, dtype), np.asarray(c.unclaimed, np.float64))


def exchange(
    kinds: Kinds, parameters: Parameters, population: Population, *, size: Array, supply: Array
) -> Exchange:
    """Return gains and what is left of a supply.

    Args:
        kinds: static structure.
        parameters: traced numbers.
        population: the agents.
        size: factor on each agent's claims (a firm's output; 1 for organisms), `[C]`.
        supply: emitted per patch and niche, `[P, K]`.

    """
    claims = population.strength * size[:, None]
    claims = jnp.where(population.alive[:, None], claims, 0)
    if kinds.competition == "additive":
        return _additive(kinds, parameters, population, claims, supply)
    # Gains are computed from the same rounded claims as their totals: what is emitted is divided.
    unit = exact.quantum(jnp.max(claims, axis=0), jnp.sum(population.alive))
    whole = exact.rounded(claims, unit)
    totals = _by_patch(kinds, population, whole).astype(jnp.float64) * unit
    mass = totals + parameters.unclaimed
    emitted = supply.astype(jnp.float64)
    price = jnp.where(mass > 0, emitted / jnp.where(mass > 0, mass, 1), 0)
    unclaimed = jnp.where(mass > 0, price * parameters.unclaimed, emitted)
    # A claim and its price may leave float32's range where their product does not.
    paid = (whole.astype(jnp.float64) * unit).astype(supply.dtype)
    gain = _paid(kinds, population, paid, price.astype(supply.dtype))
    return Exchange(gain, price.astype(supply.dtype), supply, unclaimed)


def _additive(
    kinds: Kinds, parameters: Parameters, population: Population, claims: Array, supply: Array
) -> Exchange:
    emitted = jnp.sum(supply.astype(jnp.float64), axis=1)
    shares = supply / jnp.where(emitted > 0, emitted, 1)[:, None].astype(supply.dtype)
    payoff = _paid(kinds, population, claims, shares)
    unit = exact.quantum(jnp.max(payoff), jnp.sum(population.alive))
    whole = exact.rounded(payoff, unit)[:, None]
    mass = _by_patch(kinds, population, whole)[:, 0].astype(jnp.float64) * unit
    mass = mass + parameters.unclaimed
    rate = jnp.where(mass > 0, emitted / jnp.where(mass > 0, mass, 1), 0)
    left = jnp.where(mass > 0, rate * parameters.unclaimed, emitted)
    own = rate[population.patch] if kinds.patches > 1 else rate[0]
    gain = ((whole[:, 0].astype(jnp.float64) * unit) * own).astype(supply.dtype)
    price = shares * rate[:, None].astype(supply.dtype)
    return Exchange(gain, price, supply, left[:, None] * shares.astype(jnp.float64))


def _by_patch(kinds: Kinds, population: Population, whole: Array) -> Array:
    """Return integer totals `[P, columns]` over the agents of each patch."""
    if kinds.patches == 1:
        return jnp.sum(whole, axis=0, keepdims=True)
    start = jnp.zeros((kinds.patches, whole.shape[1]), whole.dtype)
    return start.at[population.patch].add(whole)


def _paid(kinds: Kinds, population: Population, claims: Array, price: Array) -> Array:
    """Return sum_k claims_k price_k `[C]` at the prices of each agent's patch."""
    own = price[population.patch] if kinds.patches > 1 else price
    return jnp.sum(claims * own, axis=1)
