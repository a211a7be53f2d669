"""The population: a struct of arrays of fixed capacity with a mask of the living."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import division, scattering, sparse, tradeoff
from ecosim.model.powers import power
from ecosim.model.structure import Kinds


class Population(NamedTuple):
    """C slots and K niches; rows of the dead hold anything and are never read.

    Agents run along the first axis of a column, except of `claims` and `places`, which each step
    reads whole: there each niche's lie side by side. `taken`, `part`, `chosen`, `written` and
    `padded` know. Where agents use at most m of the niches (`sparse`), a row holds m in place of K
    shares and claims, and `places` tells of which niches.
    """

    alive: Array  # bool[C]
    id: Array  # uint64[C] unique; a child's derives from its parent's, never from a slot
    parent: Array  # uint64[C] id of the parent or of the firm imitated; 0: none
    lineage: Array  # uint64[C] id of the founder or entrant that it descends from
    group: Array  # int32[C] index of the group or species that it started in
    patch: Array  # int32[C]
    age: Array  # int32[C] steps since birth or entry
    budget: Array  # float[C] what it divides over niches
    stock: Array  # float[C] reserve of energy (organism) or capital (firm)
    strikes: Array  # int32[C] periods in a row below the standard (firms)
    retained: Array  # float[C, 1] not yet invested (firms with a period of investment); else [C, 0]
    lifespan: Array  # int32[C, 1] age at which chance strikes it (energy budget); else [C, 0]
    method: Array  # int32[C, 1] what it searches or learns with; [C, 0] where nothing is measured
    trait: Array  # float[C, 2] position and log width on an axis; [C, 0] otherwise
    places: Array  # int32[m, C] niches in use, ascending, K where none; [0, C]: all K are held
    allocation: Array  # float[C, K] or [C, m] shares of the budget, on the simplex
    claims: Array  # float[K, C] or [m, C] competence^(contest exponent): the claim on each niche;
    # effort, where a standard decides anew each step who is competent
    breadth: Array  # float[C] exp(H(allocation))
    depth: Array  # float[C] largest share
    niche: Array  # int32[C] the niche of the largest share
    conduct: Array  # float[C, W] effort, price or quality, and a site on a circle; W = 0: no choice

    @property
    def strength(self) -> Array:
        """Return the claims agent by agent, `[C, K]` or `[C, m]`: several times slower to read."""
        return self.claims.T


class Rows(NamedTuple):
    """Columns of newborns, in the same order and types as those of a Population."""

    id: Array
    parent: Array
    lineage: Array
    group: Array
    patch: Array
    budget: Array
    stock: Array
    trait: Array
    allocation: Array
    conduct: Array | None = None  # None: no choice
    method: Array | None = None  # int32[B, 1]; None: nothing is measured
    places: Array | None = None  # int32[B, m] niches of the shares `[B, m]`; None: all K
    lifespan: Array | None = None  # int32[B, 1]; None: not drawn


class Agents(NamedTuple):
    """Traced numbers about agents that no other part owns."""

    tradeoff: tradeoff.Parameters
    contest: Array  # exponent of the contest


def described(
    kinds: Kinds,
    parameters: Agents,
    budget: Array,
    allocation: Array,
    places: Array | None = None,
) -> tuple[Array, Array, Array, Array]:
    """Return strength `[N, K]`, breadth `[N]`, depth `[N]` and main niche `[N]` of allocations.

    Of shares `[N, m]` of places `[m, N]` likewise.
    """
    width = tradeoff.breadth(in_order(kinds, allocation, places))
    competence = tradeoff.competence(
        kinds.tradeoff, parameters.tradeoff, budget, allocation=allocation, width=width
    )
    if kinds.floor and kinds.measured is None:  # there it is effort, and a step judges it
        competence = jnp.maximum(competence, parameters.tradeoff.floor)
    depth = jnp.max(allocation, axis=-1)
    main = jnp.argmax(allocation, axis=-1).astype(jnp.int32)
    if places is not None:
        main = jnp.take_along_axis(places, main[None, :], axis=0)[0]
    if kinds.measured is not None:
        return competence, width, depth, main
    return power(competence, parameters.contest), width, depth, main


def with_allocation(
    kinds: Kinds,
    parameters: Agents,
    population: Population,
    allocation: Array,
    places: Array | None = None,
) -> Population:
    """Return the population with new allocations and all that follows from them.

    Args:
        kinds: static structure.
        parameters: traced numbers of agents.
        population: C slots.
        allocation: `[C, K]`, or `[C, m]` of places.
        places: int32[m, C]; None: as they are.

    """
    places = population.places if places is None else places
    strength, breadth, depth, niche = described(
        kinds, parameters, population.budget, allocation, places if kinds.used else None
    )
    return population._replace(
        places=places, allocation=allocation, claims=strength.T, breadth=breadth, depth=depth,
        niche=niche,
    )  # fmt: skip


def in_order(kinds: Kinds, rows: Array, places: Array | None) -> Array:
    """Return rows `[N, K]`, or `[N, m]` of places `[m, N]`, with columns in the order of sums."""
    return rows if places is None else sparse.aligned(rows.T, places, kinds.niches).T


def reallocated(
    kinds: Kinds,
    agents: Agents,
    population: Population,
    who: Array,
    allocation: Array,
    places: Array | None = None,
) -> Population:
    """Set the allocation of some, and all that follows from it; the others keep every bit."""
    changed = with_allocation(kinds, agents, population, allocation, places)
    return chosen(who, changed, population)


def allocations(kinds: Kinds, population: Population, slots: Array) -> Array:
    """Return the shares of all niches `[B, K]` of the agents in slots `[B]`."""
    shares = population.allocation[slots]
    if not kinds.used:
        return shares
    return sparse.unpacked(population.places[:, slots].T, shares, kinds.niches)


def places_of(kinds: Kinds, population: Population) -> Array | None:
    """Return the niches of the claims, int32[m, C]; None: all K, in order."""
    return population.places if kinds.used else None


def newborn(kinds: Kinds, parameters: Agents, rows: Rows) -> Population:
    """Return newborns `[B]` with all their columns."""
    held = rows.places.T if kinds.used and rows.places is not None else None
    places = jnp.zeros((0, *rows.id.shape), jnp.int32) if held is None else held
    strength, breadth, depth, niche = described(
        kinds, parameters, rows.budget, rows.allocation, held
    )
    zero = jnp.zeros(rows.id.shape, jnp.int32)
    retained = jnp.zeros((rows.id.shape[0], kinds.retains), kinds.dtype)
    conduct = rows.conduct
    if conduct is None:
        conduct = jnp.zeros((*rows.id.shape, 0), rows.stock.dtype)
    method, lifespan = rows.method, rows.lifespan
    if method is None:
        method = jnp.zeros((*rows.id.shape, 0), jnp.int32)
    if lifespan is None:
        lifespan = jnp.zeros((*rows.id.shape, kinds.lifespans), jnp.int32)
    return Population(
        alive=jnp.ones(rows.id.shape, bool), age=zero, strikes=zero, retained=retained,
        claims=strength.T, breadth=breadth, depth=depth, niche=niche,
        **rows._asdict()
        | {"conduct": conduct, "method": method, "lifespan": lifespan, "places": places},
    )  # fmt: skip


def _axis(name: str) -> int:
    """Return the axis of a column that agents run along."""
    return 1 if name in ("claims", "places") else 0


def _by_column(change: Callable[..., Array], *populations: Population) -> Population:
    """Return the columns that `change(axis, *columns)` makes of populations, column by column."""
    names = Population._fields
    return Population(
        *(change(_axis(name), *columns) for name, *columns in zip(names, *populations, strict=True))
    )


def taken(population: Population, slots: Array) -> Population:
    """Return the agents in slots `[B]`, in that order."""
    return _by_column(lambda axis, column: column[(slice(None),) * axis + (slots,)], population)


def part(population: Population, start: Array, size: int) -> Population:
    """Return `size` agents from slot `start` on."""
    return _by_column(
        lambda axis, column: jax.lax.dynamic_slice_in_dim(column, start, size, axis), population
    )


def chosen(who: Array, new: Population, old: Population) -> Population:
    """Return the new columns for those of the mask `who` `[C]`, the old ones for the others."""

    def either(axis: int, new: Array, old: Array) -> Array:
        along = who.reshape(tuple(-1 if d == axis else 1 for d in range(new.ndim)))
        return jnp.where(along, new, old)

    return _by_column(either, new, old)


def written(population: Population, slots: Array, rows: Population) -> Population:
    """Return the population with rows in slots; slots >= C, of rows that are left out, are last."""
    few = scattering.few(population.alive.shape[0], all_slots=True)
    few &= scattering.few(slots.shape[0])
    return scattering.put(population, AXES, slots, rows, one_by_one=few)


def overlaid(population: Population, first: Array, rows: Population) -> Population:
    """Return the population with rows in the slots from a first one on."""

    def put(axis: int, column: Array, values: Array) -> Array:
        return jax.lax.dynamic_update_slice_in_dim(column, values, first, axis)

    return _by_column(put, population, rows)


def rewritten(population: Population, slots: Array, rows: Population) -> Population:
    """Return what `written` returns, faster where rows and slots number as many and agree.

    Args:
        population: C slots.
        slots: slot of each row `[C]`; >= C where a row is left out.
        rows: C rows.

    """
    place = jnp.arange(slots.shape[0], dtype=slots.dtype)
    real = slots < slots.shape[0]
    agree = jnp.all(~real | (slots == place))
    return jax.lax.cond(
        agree,
        lambda: chosen(real, rows, population),
        lambda: written(population, slots, rows),
    )


def padded(population: Population, capacity: int) -> Population:
    """Return the population with empty slots added up to a capacity, as many on each device."""
    devices = division.parts()
    extra = (capacity - population.alive.shape[0]) // devices

    def longer(axis: int, column: Array) -> Array:
        return jnp.pad(column, [(0, extra if d == axis else 0) for d in range(column.ndim)])

    def wider(axis: int, column: Array) -> Array:
        if devices == 1:
            return longer(axis, column)
        return division.joined(longer(axis + 1, division.split(column, axis)), axis)

    return _by_column(wider, population)


# The axis of agents of each column, and how it lies on the devices; Any: leaves are no arrays.
AXES: Any = Population._make(map(_axis, Population._fields))
SPECS: Any = Population._make(map(division.along, AXES))


def divided(population: Population) -> Population:
    """Return the population with its slots divided over the devices, if there are several."""
    return Population(*map(division.kept, population, SPECS))
