"""Explicit resources: stocks that are supplied, lost and taken up (MacArthur 1970).

With R a stock, s its niche's supply and v the rate of the scenario, in a unit of time

    external   emits s          loses v R         (MacArthur 1970; Posfai et al. 2017)
    renewing   emits v R        loses v R^2 / s   (logistic growth to s)
    chemostat  emits v s        loses v R

and a consumer of competence c takes up c a(R): a = R, or R / (H + R) (Monod 1949).
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model.claims import of_claim
from ecosim.model.competition import Exchange
from ecosim.model.exact import weighted
from ecosim.model.integration import unit_of_time
from ecosim.model.population import Population
from ecosim.model.structure import Kinds
from ecosim.model.tally import Tally
from ecosim.model.traced import traced
from ecosim.scenario import Scenario

_TOLERANCE = 1e-10  # of individuals' uptake; densities have selection.tolerance


class Parameters(NamedTuple):
    """Traced numbers of the resources, all float64."""

    rate: Array  # omega, r or dilution
    half_saturation: Array  # [G]: by group, one where they do not differ; infinite: linear
    start: Array  # [P, K] stocks at step 0


class Flow(NamedTuple):
    """What has happened since the start of a step, `[P, K]` each, float64."""

    growth: Array  # of ln R where it renews itself, which may leave it very small; otherwise 0
    change: Array  # of the stocks, by what flowed in and out
    emitted: Array
    lost: Array
    offered: Array  # integral of availability: what a unit of competence took up


def parameters(scenario: Scenario, supply: np.ndarray) -> Parameters | None:
    """Return the numbers of a scenario's resources of this supply `[P, K]`; None without any."""
    r = scenario.competition.resources
    if r is None:
        return None
    half = np.atleast_1d(np.inf if r.half_saturation is None else r.half_saturation)
    alone = supply / r.rate if r.supply == "external" else supply
    start = alone if r.start is None else np.full(supply.shape, r.start)
    return Parameters(*(traced(number, "float64") for number in (r.rate, half, start)))


def availability(kinds: Kinds, stock: Array, half_saturation: Array) -> Array:
    """Return what a unit of competence takes up in a unit of time, at these stocks."""
    return stock / (half_saturation + stock) if kinds.uptake == "monod" else stock


def emission(kinds: Kinds, rate: Array, stock: Array, supply: Array) -> Array:
    """Return what each resource emits in a unit of time, `[P, K]`."""
    if kinds.renewal == "renewing":
        # What nothing renews can only be lost.
        return jnp.where(supply > 0, rate * stock, 0.0)
    return rate * supply if kinds.renewal == "chemostat" else supply


def loss(kinds: Kinds, rate: Array, stock: Array, supply: Array) -> Array:
    """Return what each resource loses to nobody in a unit of time, `[P, K]`."""
    if kinds.renewal == "renewing":
        return jnp.where(
            supply > 0, rate * stock**2 / jnp.where(supply > 0, supply, 1), rate * stock
        )
    return rate * stock


def flowing(kinds: Kinds, rate: Array, stock: Array, supply: Array, *, uptake: Array) -> Flow:
    """Return the derivative of a flow, at a stock and what is taken up in a unit of time."""
    emitted, lost = emission(kinds, rate, stock, supply), loss(kinds, rate, stock, supply)
    change = emitted - lost - uptake
    there = stock > 0
    growth = jnp.where(there, change / jnp.where(there, stock, 1), 0)
    own = growth if kinds.renewal == "renewing" else jnp.zeros_like(stock)
    return Flow(own, change, emitted, lost, jnp.zeros_like(stock))


def still(supply: Array) -> Flow:
    """Return the flow at the start of a step."""
    return Flow(*(jnp.zeros(supply.shape, jnp.float64) for _ in Flow._fields))


def stocks_after(kinds: Kinds, before: Array, flow: Flow) -> Array:
    """Return the stocks `[P, K]` after a flow."""
    if kinds.renewal == "renewing":
        return before * jnp.exp(flow.growth)
    return before + flow.change


def largest_error(kinds: Kinds, wrong: Flow, before: Array, flow: Flow) -> Array:
    """Return the largest relative error of the stocks, a scalar."""
    if kinds.renewal == "renewing":
        return jnp.max(jnp.abs(wrong.growth))
    # What is nearly used up is held against a thousandth of what came in.
    scale = jnp.abs(before + flow.change) + 1e-3 * (before + flow.emitted)
    return jnp.max(jnp.abs(wrong.change) / jnp.where(scale > 0, scale, 1))


def left_of(flow: Flow) -> Array:
    """Return what was emitted and received by nobody: lost or, possibly below 0, put in stock."""
    return flow.lost + flow.change


def exchange(
    kinds: Kinds,
    parameters: Parameters,
    population: Population,
    *,
    tally: Tally,
    supply: Array,
    stock: Array,
) -> tuple[Exchange, Array]:
    """Return what individuals take up in one unit of time, and the stocks after it.

    Args:
        kinds: static structure.
        parameters: traced numbers.
        population: the agents, each with its competences; their number is constant meanwhile.
        tally: running sums over them.
        supply: of each resource, `[P, K]`.
        stock: of each resource, `[P, K]`, float64.

    """
    demand = tally.sums.claims.astype(jnp.float64) * tally.claim_unit
    given = supply.astype(jnp.float64)

    def rate(flow: Flow) -> Flow:
        now = stocks_after(kinds, stock, flow)
        offered = availability(kinds, now, parameters.half_saturation[0])
        flows = flowing(kinds, parameters.rate, now, given, uptake=demand * offered)
        return flows._replace(offered=offered)

    def error(wrong: Flow, flow: Flow) -> Array:
        return largest_error(kinds, wrong, stock, flow)

    tolerance = jnp.asarray(_TOLERANCE, jnp.float64)
    flow, failed = unit_of_time(rate, still(supply), tolerance=tolerance, error=error)
    price = jnp.where(failed, jnp.nan, flow.offered).astype(supply.dtype)
    own = of_claim(kinds, population, price)
    gain = weighted(population.claims, own, population.alive)
    found = Exchange(gain, price, flow.emitted, left_of(flow))
    return found, jnp.maximum(stocks_after(kinds, stock, flow), 0)
