"""Habitat choice: who settles where when each looks for the least crowded place.

Habitat j has the capacity K_j for agents of competence 1, and K_ij = c_ij K_j for species i.
Crowding as species i feels it is N_j / K_ij, N_j being all that live there. Ideal free choice
(Fretwell & Lucas 1969; Wilson & Yoshimura 1994, Am Nat 144:692): species in turn divide
themselves so that crowding is equal in all habitats they use and no lower elsewhere, until nobody
moves; then a share of each, chosen by nothing, settles evenly over all.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, randomness
from ecosim.model.competition import Exchange
from ecosim.model.population import Population
from ecosim.model.randomness import Stream
from ecosim.model.slots import by_id
from ecosim.model.structure import Kinds
from ecosim.model.traced import traced
from ecosim.scenario import Scenario
from ecosim.scenario.habitats import Habitats

_SWEEPS = 64  # turns that each species has at most to move
_STILL = 1e-13  # nobody moves a larger share of itself than this


class Parameters(NamedTuple):
    """Traced numbers of habitat choice and growth."""

    growth: Array
    random: Array  # share that settles anywhere
    stock: Array  # of a newborn individual


class Settled(NamedTuple):
    """Where everybody lives in one step; C agents and K habitats, float64."""

    numbers: Array  # [C, K] members of each agent's species (densities) or the agent itself
    total: Array  # [K] all that live in a habitat
    capacity: Array  # [C, K] K_ij


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's habitats."""
    h = scenario.habitats or Habitats()
    stock = traced(scenario.population.stock, scenario.run.precision)
    return Parameters(traced(h.growth, "float64"), traced(h.random, "float64"), stock)


def ideal_free(numbers: Array, capacity: Array, count: Array) -> Array:
    """Return the shares `[S, K]` of each species in each habitat, rows sum to 1.

    Args:
        numbers: members of each species, `[S]`, float64.
        capacity: K_ij, `[S, K]`.
        count: only the first so many species exist; they choose in this order.

    """
    habitats = capacity.shape[1]
    exists = jnp.arange(numbers.shape[0]) < count
    size = jnp.where(exists, numbers, 0)

    def turn(species: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        share, moved = carry
        members = size[:, None] * share
        others = exact.column_totals(members.at[species].set(0), exists, jnp.max(size))
        chosen = least_crowded(size[species], capacity[species], others)
        moved = jnp.maximum(moved, jnp.max(jnp.abs(chosen - share[species])))
        return share.at[species].set(chosen), moved

    def sweep(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        share, _, sweeps = carry
        share, moved = jax.lax.fori_loop(0, count, turn, (share, jnp.zeros(())))
        return share, moved, sweeps + 1

    def restless(carry: tuple[Array, Array, Array]) -> Array:
        return (carry[1] > _STILL) & (carry[2] < _SWEEPS)

    even = jnp.full((numbers.shape[0], habitats), 1.0 / habitats)
    return jax.lax.while_loop(restless, sweep, (even, jnp.ones(()), jnp.zeros((), jnp.int64)))[0]


def least_crowded(number: Array, capacity: Array, others: Array) -> Array:
    """Return the shares `[K]` of one species that make crowding least where it lives.

    It fills habitats like water: members n_k = K_k max(0, level - others_k/K_k), which sum to
    its number. For two habitats this is Wilson & Yoshimura's p, clipped to [0, 1].

    Args:
        number: its members, scalar.
        capacity: its capacity in each habitat, `[K]`; 0 where it cannot live.
        others: all others in each habitat, `[K]`.

    """
    livable = capacity > 0
    crowding = jnp.where(livable, others / jnp.where(livable, capacity, 1), jnp.inf)
    order = jnp.argsort(crowding, stable=True)
    # Depths below the surface of the emptiest, so that a rare species keeps its precision.
    depth = jnp.where(livable[order], crowding[order] - crowding[order[0]], 0)
    room = capacity[order]
    level = (number + jnp.cumsum(room * depth)) / jnp.where(room[0] > 0, jnp.cumsum(room), 1)
    first = jnp.arange(capacity.shape[0]) == 0
    used = livable[order] & ((level > depth) | first)
    last = jnp.maximum(jnp.sum(jnp.cumprod(used.astype(jnp.int64))) - 1, 0)
    members = jnp.where(livable[order], room * jnp.maximum(level[last] - depth, 0), 0)
    whole = exact.across(members[None, :])[0]
    share = jnp.where(whole > 0, members / jnp.where(whole > 0, whole, 1), first)
    return jnp.zeros_like(share).at[order].set(share)


def settled(
    kinds: Kinds, parameters: Parameters, population: Population, *, supply: Array, clock: Array,
    key: Array,
) -> Settled:  # fmt: skip
    """Return where everybody lives; `supply` `[1, K]` is the habitats' capacity."""
    alive, places = population.alive, supply[0].astype(jnp.float64)
    fit = jnp.where(alive[:, None], population.strength, 0).astype(jnp.float64)
    if kinds.demography == "densities":
        order = by_id(population.id, alive)
        size = jnp.where(alive, population.stock, 0).astype(jnp.float64)
        share = ideal_free(size[order], (fit * places)[order], jnp.sum(alive))
        share = jnp.zeros_like(share).at[order].set(share)
        numbers = size[:, None] * with_random(parameters, share)
    else:
        choice = with_random(parameters, _by_group(kinds, population, fit, places))
        unit = randomness.fine_uniform(key, clock, Stream.HABITAT, population.id)
        ends = jnp.cumsum(choice, axis=1)[:, :-1]
        habitat = jnp.sum(unit[:, None] > ends[_group(kinds, population)], axis=1)
        numbers = jax.nn.one_hot(habitat, kinds.niches, dtype=jnp.float64)
        numbers = jnp.where(alive[:, None], numbers, 0)
    total = exact.column_totals(numbers, alive, jnp.max(numbers))
    return Settled(numbers, total, fit * places)


def with_random(parameters: Parameters, share: Array) -> Array:
    """Return shares `[S, K]` of which the part chosen by nothing is spread evenly."""
    return (1 - parameters.random) * share + parameters.random / share.shape[1]


def _by_group(kinds: Kinds, population: Population, fit: Array, places: Array) -> Array:
    """Return the shares `[G, K]` that groups choose, each by its members' mean competence."""
    member = _members(kinds, population)
    heads = jnp.sum(member, axis=0).astype(jnp.float64)
    bound = jnp.max(fit)
    total = jax.lax.map(lambda who: exact.column_totals(fit, who, bound), member.T)
    mean = total / jnp.maximum(heads, 1)[:, None]
    return ideal_free(heads, mean * places, jnp.asarray(heads.shape[0]))


def _group(kinds: Kinds, population: Population) -> Array:
    """Return the species `[C]` of each agent; without groups all are one."""
    return population.group if kinds.groups else jnp.zeros_like(population.group)


def _members(kinds: Kinds, population: Population) -> Array:
    """Return who of the living belongs to each species, bool[C, G]."""
    index = jnp.arange(max(kinds.groups, 1))
    return (_group(kinds, population)[:, None] == index) & population.alive[:, None]


def abundance(kinds: Kinds, population: Population) -> Array:
    """Return the abundance of each group, float64[G]: densities summed, or heads counted."""
    member = _members(kinds, population)
    if kinds.demography == "individuals":
        return jnp.sum(member, axis=0).astype(jnp.float64)
    return jax.lax.map(lambda who: exact.total(population.stock, who), member.T)


def exchange(
    kinds: Kinds, parameters: Parameters, population: Population, *, supply: Array, clock: Array,
    key: Array,
) -> Exchange:  # fmt: skip
    """Return what each receives: a habitat's places are shared evenly by those that live in it."""
    where = settled(kinds, parameters, population, supply=supply, clock=clock, key=key)
    places, occupied = supply[0].astype(jnp.float64), where.total > 0
    share = jnp.where(occupied, places / jnp.where(occupied, where.total, 1), 0)
    gain = jnp.where(population.alive, exact.across(where.numbers * share), 0)
    price = jnp.where(occupied | (places <= 0), share, jnp.inf)
    member = _members(kinds, population)
    here = jax.lax.map(lambda who: exact.total(where.numbers[:, 0], who), member.T)
    number = jax.lax.map(lambda who: exact.total(exact.across(where.numbers), who), member.T)
    return Exchange(
        gain=gain.astype(supply.dtype),
        price=price[None, :].astype(supply.dtype),
        supply=supply,
        unclaimed=jnp.where(occupied, 0, places)[None, :],
        split=jnp.where(number > 0, here / jnp.where(number > 0, number, 1), jnp.nan),
        offspring=jnp.where(population.alive, offspring_numbers(parameters, where), 0),
    )


def offspring_numbers(parameters: Parameters, where: Settled) -> Array:
    """Return mean offspring `[C]` of all members: sum_j n_ij exp(r (1 - N_j / K_ij)) (Ricker)."""
    livable = where.capacity > 0
    crowding = where.total / jnp.where(livable, where.capacity, 1)
    each = jnp.where(livable, jnp.exp(parameters.growth * (1 - crowding)), 0)
    return exact.across(where.numbers * each)
