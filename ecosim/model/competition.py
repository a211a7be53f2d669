"""Competition: who receives how much of what the niches emit.

`contest` is soft selection (Levene 1953; Christiansen 1975): each niche divides its own supply,
gain_i = sum_k supply_k w_ik / (R + sum_j w_jk). `additive` is hard selection: payoffs
W_i = sum_k share_k w_ik add up and the whole supply is divided by them, gain_i =
S W_i / (R + sum_j W_j). `independent`: nobody competes, gain_i = sum_k supply_k w_ik, and a niche
emits what it pays. w is competence^exponent, times the output of a firm's capital.

Each patch does so on its own, R included. Where regulation is global (Christiansen 1975),
additive competition divides the supply S of all patches by the payoffs W in all of them, share_k
being niche k's part of S in an agent's own patch.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, maxima, sparse
from ecosim.model.claims import by_claim, of_claim
from ecosim.model.population import Population, places_of
from ecosim.model.structure import Kinds
from ecosim.model.tally import Tally, by_patch, largest_by_patch
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the competition."""

    unclaimed: Array


class Exchange(NamedTuple):
    """What one step's supply turned into."""

    gain: Array  # float[C] received by each agent; 0 for the dead
    price: Array  # float[P, K] supply for a unit of claim; inf where supply meets no claim
    supply: Array  # float[P, K] emitted; float64 where that is what was paid
    unclaimed: Array  # float64[P, K] emitted and received by nobody
    cost: Array | None = None  # float[C] what each firm's conduct cost it; None: no conduct
    # Where agents choose habitats:
    split: Array | None = None  # float64[G] share of each group in niche 0
    offspring: Array | None = None  # float64[C] mean number of offspring
    performance: Array | None = None  # float64[K] mean of what was measured; None: nothing was
    told: dict[str, Array] = {}  # float64 scalars told besides, by name; never changed


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's competition; the exponent is in the agents' claims."""
    return Parameters(traced(scenario.competition.unclaimed, "float64"))


def exchange(
    kinds: Kinds,
    parameters: Parameters,
    population: Population,
    *,
    tally: Tally,
    size: Array | None,
    supply: Array,
    competence: Array | None = None,
) -> Exchange:
    """Return gains and what is left of a supply.

    Args:
        kinds: static structure.
        parameters: traced numbers.
        population: the agents.
        tally: running sums over them.
        size: factor on each agent's claims (a firm's output), `[C]`; None: 1 for all.
        supply: emitted per patch and niche, `[P, K]`.
        competence: of each agent in this step `[C, K]`; None: the one it keeps for life.

    """
    claims = population.claims if competence is None else competence.T
    if kinds.competition == "additive":
        return _additive(kinds, parameters, population, claims, size, supply)
    if kinds.competition == "independent":
        return _independent(kinds, population, claims, size, supply)
    if size is None and competence is None:
        totals = tally.sums.claims.astype(jnp.float64) * tally.claim_unit
    elif size is not None and competence is None and claims.dtype == jnp.float32:
        totals = _sized_totals(kinds, population, claims, size, tally.bound)
    else:
        totals = _totals(kinds, population, _sized(claims, size), places_of(kinds, population))
    mass = totals + parameters.unclaimed
    emitted = supply.astype(jnp.float64)
    price = jnp.where(mass > 0, emitted / jnp.where(mass > 0, mass, 1), 0)
    unclaimed = jnp.where(mass > 0, price * parameters.unclaimed, emitted)
    gain = _paid(kinds, population, claims, price.astype(supply.dtype), size)
    offered = jnp.where((mass > 0) | (emitted <= 0), price, jnp.inf).astype(supply.dtype)
    return Exchange(gain, offered, supply, unclaimed)


def _additive(
    kinds: Kinds, parameters: Parameters, population: Population, claims: Array,
    size: Array | None, supply: Array,
) -> Exchange:  # fmt: skip
    emitted = exact.across(supply.astype(jnp.float64))
    if kinds.regulation == "global":
        emitted = jnp.broadcast_to(exact.across(emitted[None, :]), emitted.shape)
    shares = supply / jnp.where(emitted > 0, emitted, 1)[:, None].astype(supply.dtype)
    payoff = _paid(kinds, population, claims, shares, size)
    if kinds.regulation == "global":
        mass = jnp.broadcast_to(exact.total(payoff, population.alive), emitted.shape)
    else:
        mass = _totals(kinds, population, payoff[None, :])[:, 0]
    mass = mass + parameters.unclaimed
    rate = jnp.where(mass > 0, emitted / jnp.where(mass > 0, mass, 1), 0)
    left = jnp.where(mass > 0, rate * parameters.unclaimed, emitted)
    own = rate[population.patch] if kinds.patches > 1 else rate[0]
    gain = exact.those(population.alive, (payoff.astype(jnp.float64) * own).astype(supply.dtype))
    price = shares * rate[:, None].astype(supply.dtype)
    price = jnp.where((mass > 0)[:, None] | (shares <= 0), price, jnp.inf)
    return Exchange(gain, price, supply, left[:, None] * shares.astype(jnp.float64))


def _independent(
    kinds: Kinds, population: Population, claims: Array, size: Array | None, supply: Array
) -> Exchange:
    gain = _paid(kinds, population, claims, supply, size)
    totals = _totals(kinds, population, _sized(claims, size), places_of(kinds, population))
    paid = exact.product(totals, supply.astype(jnp.float64))
    return Exchange(gain, supply, paid, jnp.zeros(supply.shape, jnp.float64))


def _totals(
    kinds: Kinds, population: Population, claims: Array, places: Array | None = None
) -> Array:
    """Return exact totals `[P, K]`, float64, of the living's claims in each patch.

    Claims are `[K, C]`, or `[m, C]` of places.
    """
    kept = exact.those(population.alive[None, :], claims)
    unit = exact.quantum(
        largest_by_patch(kinds, population.patch, kept, places, all_slots=True),
        exact.count(population.alive),
        kept.dtype,
    )
    return _in_units(kinds, population, kept, unit, places).astype(jnp.float64) * unit


def _sized_totals(
    kinds: Kinds, population: Population, claims: Array, size: Array, bound: Array
) -> Array:
    """Return exact totals `[P, K]`, float64, of the living's claims times size, both float32.

    Their units follow from a bound on claims `[P, K]` and the largest size, so that claims are
    read once. Rounding n addends moves their sum by half a unit each at most: where so few or small
    ones are left that this could be seen in float32, all are read once more for the largest.
    """
    places, count = places_of(kinds, population), exact.count(population.alive)
    most = maxima.largest(exact.those(population.alive, size)).astype(jnp.float64)
    kept = exact.those(population.alive[None, :], _sized(claims, size))
    unit = exact.quantum(bound.astype(jnp.float64) * most, count, kept.dtype)
    whole = _in_units(kinds, population, kept, unit, places).astype(jnp.float64)
    seen = whole < 2.0**24 * count.astype(jnp.float64)
    totals: Array = jax.lax.cond(
        jnp.any(seen & (bound > 0)),
        lambda: _totals(kinds, population, _sized(claims, size), places),
        lambda: whole * unit,
    )
    return totals


def _in_units(
    kinds: Kinds, population: Population, claims: Array, unit: Array, places: Array | None
) -> Array:
    """Return totals `[P, K]`, int64, of claims (the dead's 0) in units `[P, K]`."""
    if places is None:
        own = (unit[population.patch] if kinds.patches > 1 else unit).T
    else:
        own = by_claim(kinds, population, unit, 1)
    whole = exact.rounded(claims, own)
    if places is None and kinds.patches == 1:
        return exact.summed(whole, axis=1)[None, :]  # niche by niche, as claims lie
    return by_patch(kinds, population.patch, whole.T, places, all_slots=True)


def _sized(claims: Array, size: Array | None) -> Array:
    return claims if size is None else claims * size[None, :]


def _paid(
    kinds: Kinds, population: Population, claims: Array, price: Array, size: Array | None
) -> Array:
    """Return size sum_k claims_k price_k `[C]` at the prices of one's patch; 0 for the dead."""
    if kinds.used:
        # In the order in which a row of all niches is added up, to the last bit.
        claims = sparse.aligned(claims, population.places, kinds.niches)
        places = sparse.aligned_places(population.places, kinds.niches)
        population = population._replace(places=places)
    own = of_claim(kinds, population, price)
    paid = exact.weighted(claims, own, population.alive)
    if size is None:
        return paid
    return jnp.where(population.alive, exact.product(paid, size), 0)


def offered(claims: Array, price: Array) -> Array:
    """Return what rare newcomers with claims `[M, K]` would receive at prices `[K]`, `[M]`.

    They are too few to move the prices. A niche that nobody claims pays any claim without bound.
    """
    return exact.across(jnp.where(claims > 0, claims * price, 0))
