"""Exact running sums over the living of what an agent keeps for life.

Claims, allocations and breadth change only by birth and death (unless agents adapt), so a step
adds its newborns and subtracts its dead instead of reading all agents. The sums are integers in
units of powers of two: adding and subtracting them is exact, so a running sum equals a new count.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import breadths, division, exact, maxima, scattering, sparse
from ecosim.model.claims import by_claim
from ecosim.model.population import SPECS, Population, in_order, part, places_of
from ecosim.model.structure import Kinds

SPECIALIST = 0.9  # an agent is a specialist of a niche with at least this share of its budget
_THIN = 256  # all claims below this fraction of the largest: counted anew, in finer units
BINS = 64  # of the histogram of breadth on [1, K], K the niches that an agent may use


class Sums(NamedTuple):
    """Integer sums, int64; P patches and K niches."""

    claims: Array  # [P, K] claims on niches, in units of `claim_unit`
    use: Array  # [K] allocations, in units of `share_unit`
    direction: Array  # [K] allocations divided by their Euclidean norm, likewise
    breadth: Array  # [] breadth / K, likewise
    depth: Array  # [] likewise
    main: Array  # [K] agents by the niche of their largest share
    specialists: Array  # [K] specialists by niche
    histogram: Array  # [64] agents by breadth
    breadths: Array  # agents by class of breadth, see `breadths`


class Tally(NamedTuple):
    """Sums, and what their units follow from."""

    numbers: Array  # int64[S] the sums one after the other: one number to add, carry and copy
    most: Array  # int64 largest number of agents so far
    bound: Array  # float[P, K] largest claim on each niche since it was last counted anew

    @property
    def sums(self) -> Sums:
        """Return the numbers by name."""
        shapes = _shapes(*self.bound.shape)
        ends = list(itertools.accumulate(map(math.prod, shapes)))
        parts = zip([0, *ends], ends, shapes, strict=False)
        return Sums(*(self.numbers[start:end].reshape(shape) for start, end, shape in parts))

    @property
    def claim_unit(self) -> Array:
        """Return the value of one unit of claims, float64[P, K]."""
        return exact.quantum(self.bound, self.most, self.bound.dtype)

    @property
    def share_unit(self) -> Array:
        """Return the value of one unit of the other sums, float64 scalar."""
        # Each is no more than 1, but for rounding.
        return exact.quantum(jnp.full((), 2.0), self.most, self.bound.dtype)


def counted(kinds: Kinds, population: Population, before: Array | None = None) -> Tally:
    """Return a tally counted anew over all the living; `before`: the most agents so far."""
    alive = population.alive
    most = exact.count(alive)
    claims = exact.those(alive[None, :], population.claims)
    places = places_of(kinds, population)
    bound = largest_by_patch(kinds, population.patch, claims, places, all_slots=True)
    if before is not None:
        most = jnp.maximum(most, before)
    empty = Tally(_zero(kinds), most, bound)

    def local(population: Population, empty: Tally) -> Array:
        here = population.alive.shape[0]
        few = max(here // 64, min(here, scattering.FEW))
        size = next(size for size in range(few, 0, -1) if here % size == 0)

        def add(block: Array, tally: Tally) -> Tally:
            # In blocks, since a whole population in integers would be larger than itself.
            rows = part(population, block * size, size)
            return added(kinds, tally, rows, rows.alive, sign=1)

        found: Array = division.summed(jax.lax.fori_loop(0, here // size, add, empty).numbers)
        return found

    specs, everywhere = (SPECS, division.EVERYWHERE), division.EVERYWHERE
    return empty._replace(
        numbers=division.on_each(local, population, empty, specs=specs, out=everywhere)
    )


def _shapes(patches: int, niches: int) -> tuple[tuple[int, ...], ...]:
    """Return the shape of each of the sums."""
    k = (niches,)
    return ((patches, niches), k, k, (), (), k, k, (BINS,), (breadths.classes(niches),))


def _zero(kinds: Kinds) -> Array:
    shapes = _shapes(kinds.patches, kinds.niches)
    return jnp.zeros(sum(map(math.prod, shapes)), jnp.int64)


def emptied(kinds: Kinds, tally: Tally) -> Tally:
    """Return the tally of nobody, in the same units."""
    return tally._replace(numbers=_zero(kinds))


def added(kinds: Kinds, tally: Tally, rows: Population, who: Array, *, sign: int) -> Tally:
    """Return the tally with the rows `[B]` of the mask `who` added (sign 1) or taken away (-1)."""
    unit, x, k = tally.share_unit, rows.allocation, kinds.niches
    column = who[:, None]
    whole = in_order(kinds, x, places_of(kinds, rows))
    norm = jnp.sqrt(exact.across(whole * whole))[:, None]
    direction = jnp.where(norm > 0, x / jnp.where(norm > 0, norm, 1), 0)
    unit_there, places = by_claim(kinds, rows, tally.claim_unit, 1).T, places_of(kinds, rows)
    # Agent by agent, as they were gathered or made: the other way they would be turned around.
    claims = exact.rounded(jnp.where(column, rows.strength, 0), unit_there)
    totals = (
        by_patch(kinds, rows.patch, claims, places),
        by_niche(kinds, exact.rounded(jnp.where(column, x, 0), unit), places),
        by_niche(kinds, exact.rounded(jnp.where(column, direction, 0), unit), places),
        exact.summed(exact.rounded(jnp.where(who, rows.breadth / k, 0), unit)),
        exact.summed(exact.rounded(jnp.where(who, rows.depth, 0), unit)),
    )
    # Else they would be added up anew, number by number, in what puts them side by side.
    totals = jax.lax.optimization_barrier(totals)
    first = jnp.concatenate([*map(jnp.ravel, totals)])
    span = max(kinds.held - 1, 1)
    place = jnp.clip((rows.breadth - 1) / span * BINS, 0, BINS - 1).astype(jnp.int32)
    numbers = tally.numbers
    changed = numbers[: first.shape[0]] + sign * first
    numbers = jax.lax.dynamic_update_slice(numbers, changed, (0,))
    numbers = _with_heads(
        numbers, first.shape[0], sign,
        (rows.niche, who, k),
        (rows.niche, who & (rows.depth >= SPECIALIST), k),
        (place, who, BINS),
        (breadths.class_of(rows.breadth, k), who, breadths.classes(k)),
    )  # fmt: skip
    return tally._replace(numbers=numbers)


def _with_heads(
    numbers: Array, first: int, sign: int, *groupings: tuple[Array, Array, int]
) -> Array:
    """Return the sums with heads added, sign 1, or taken away, -1: groupings one after another.

    Args:
        numbers: int64[S].
        first: where among them the first grouping begins.
        sign: 1 or -1.
        groupings: place of each, int32[B]; who, bool[B]; count of places.

    """
    firsts = itertools.accumulate((count for *_, count in groupings), initial=first)
    moved = zip(groupings, firsts, strict=False)
    places = jnp.concatenate([place + jnp.int32(first) for (place, _, _), first in moved])
    who = jnp.concatenate([who for _, who, _ in groupings])
    few = scattering.few(len(groupings[0][0]))
    return scattering.combined(numbers, places, sign * who.astype(jnp.int64), "add", one_by_one=few)


def by_niche(kinds: Kinds, whole: Array, places: Array | None) -> Array:
    """Return integer totals `[K]` of rows `[B, K]`, or `[B, m]` of places `[m, B]`."""
    if places is None:
        return exact.summed(whole)
    return sparse.totals(whole.T, None, places, (1, kinds.niches))[0]


def niche_totals(kinds: Kinds, population: Population, weights: Array, bound: Array) -> Array:
    """Return float64 sums `[K]` over the living of their shares times weights.

    Args:
        kinds: static structure.
        population: C slots.
        weights: of each agent, float64[C], none negative or above the bound; 0 for the dead.
        bound: scalar.

    """
    # Rows of the dead hold anything.
    shares = exact.those(population.alive[:, None], population.allocation)
    weighted = shares.astype(jnp.float64) * weights[:, None]
    unit = exact.quantum(bound, exact.count(population.alive), weighted.dtype)
    whole = exact.rounded(weighted, unit)
    return by_niche(kinds, whole, places_of(kinds, population)).astype(jnp.float64) * unit


def by_patch(
    kinds: Kinds,
    patch: Array,
    whole: Array,
    places: Array | None = None,
    *,
    all_slots: bool = False,
) -> Array:
    """Return integer totals `[P, K]` over patches of `[B, K]`, or `[B, m]` of places `[m, B]`.

    `all_slots`: whether these are all slots of a population, see `scattering`.
    """
    if places is not None:
        shape = (kinds.patches, kinds.niches)
        return sparse.totals(whole.T, patch if kinds.patches > 1 else None, places, shape)
    if kinds.patches == 1:
        return exact.summed(whole)[None, :]
    nothing = jnp.zeros((kinds.patches, whole.shape[1]), whole.dtype)
    few = scattering.few(len(patch), all_slots=all_slots)
    return scattering.combined(nothing, patch, whole, "add", one_by_one=few)


def largest_by_patch(
    kinds: Kinds,
    patch: Array,
    claims: Array,
    places: Array | None = None,
    *,
    all_slots: bool = False,
) -> Array:
    """Return the largest `[P, K]` of claims `[K, B]` in each patch; 0: none.

    Args:
        kinds: static structure.
        patch: of each agent, int32[B].
        claims: `[K, B]`, or `[m, B]` of places.
        places: `[m, B]`; None: claims are on all niches.
        all_slots: whether these are all slots of a population, see `scattering`.

    """
    if places is not None:
        shape = (kinds.patches, kinds.niches)
        return sparse.largest(claims, patch if kinds.patches > 1 else None, places, shape)
    if kinds.patches == 1:
        return maxima.largest_along(claims)[None, :]
    nothing = jnp.zeros((kinds.patches, claims.shape[0]), claims.dtype)
    few = scattering.few(len(patch), all_slots=all_slots)
    return scattering.combined(nothing, patch, claims.T, "max", one_by_one=few)


def changed(tally: Tally, change: Array) -> Tally:
    """Return the tally with a change of its numbers, in its units, added."""
    return tally._replace(numbers=tally.numbers + change)


def settled(kinds: Kinds, tally: Tally, population: Population, largest: Array) -> Tally:
    """Return the tally of a population after births, counted anew if its units must change.

    Args:
        kinds: static structure.
        tally: the sums after the deaths and births.
        population: the agents it sums over.
        largest: largest claim of the newborns on each niche, `[P, K]`.

    """
    sums = tally.sums
    most = jnp.maximum(tally.most, jnp.sum(sums.main))
    later = tally._replace(most=most, bound=jnp.maximum(tally.bound, largest))
    same = jnp.all(later.claim_unit == tally.claim_unit)
    same &= later.share_unit == tally.share_unit
    # Where the strong are dead and only weak claims are left, the units are too coarse for them.
    left = sums.claims.astype(jnp.float64) * tally.claim_unit
    same &= jnp.all(left >= later.bound.astype(jnp.float64) / _THIN)
    # Sums in outgrown units may have overflowed: they are not converted but counted anew.
    return jax.lax.cond(same, lambda: later, lambda: counted(kinds, population, most))
