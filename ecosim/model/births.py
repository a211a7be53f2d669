"""Deaths and births carried out: the one place where newborns are written, none dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import division, scattering
from ecosim.model.materialised import once
from ecosim.model.population import (
    SPECS,
    Agents,
    Population,
    Rows,
    newborn,
    places_of,
    reallocated,
    rewritten,
    taken,
    written,
)
from ecosim.model.slots import Marked, marked
from ecosim.model.structure import Kinds
from ecosim.model.tally import (
    Tally,
    added,
    changed,
    counted,
    emptied,
    largest_by_patch,
    settled,
)

_AT_ONCE = 4096  # newborns of a Wright-Fisher generation


class Parents(NamedTuple):
    """Agents that have one child each, ranked by their slots."""

    who: Marked
    children: Callable[[Population, Array], Rows]  # (population so far, parents' slots) -> rows

    def newborns(self, population: Population, rank: Array) -> Rows:
        """Return the children of the parents of these ranks `[B]`."""
        slots = jnp.minimum(self.who.nth(rank), self.who.mask.shape[0] - 1)
        # Else each number that is read of a parent would look for its slot anew.
        return self.children(population, jax.lax.optimization_barrier(slots))


class Turnover(NamedTuple):
    """What selection decided: columns after the step, who dies, who is born."""

    population: Population  # columns updated; `alive` still as before the deaths
    dies: Array  # bool[C]
    births: Array  # int64 scalar
    refused: Array  # int64 scalar: births that population.limit turned away
    vacant: Array  # bool[C] slots that newborns may take
    newborns: Callable[[Population, Array], Rows]  # (population so far, ranks [B]) -> rows
    acquirer: Array | None = None  # uint64[C] id of the firm that acquired it; 0: none
    parents: Parents | None = None  # of the newborns; None: they are drawn some other way


def chunk(kinds: Kinds, capacity: int) -> int:
    """Return how many newborns are written at once.

    A 64th of few slots, in whole sixteens or up to 1024, and a 224th of many, up to 8192: rows to
    spare cost less than a round, 1.3 % of the slots, as many as die or are born in the reference
    workload, are three rounds, and what is computed of so many rows stays near a core. Few slots
    take so few rows that the whole step is one function of a processor, see `scattering`: there a
    round costs nothing, and rows to spare do.

    Where one is born in each step, one. Where everybody is replaced, a small population on two
    niches is written at once; with more niches a step on the simplex may round differently in its
    last bit in larger batches.
    """
    if kinds.selection == "moran":
        return 1
    if kinds.selection == "wright-fisher" and kinds.niches <= 2:
        return min(capacity, _AT_ONCE)
    small = -(-capacity // 64)
    if scattering.few(small):
        return max(small // 16, 1) * 16
    return max(min(-(-small // 64) * 64, 1024), min(capacity // 224, 8192) // 64 * 64)


def settle(
    kinds: Kinds, agents: Agents, turnover: Turnover, tally: Tally, *, dead: Marked, free: Marked
) -> tuple[Population, Tally]:
    """Return population and tally after deaths and births.

    Args:
        kinds: static structure.
        agents: traced numbers of agents.
        turnover: what selection decided; nobody dies and none is born in it if the step is held.
        tally: of the population before.
        dead: those who die in it, found by their ranks.
        free: the vacant slots, no fewer than births.

    """
    population = turnover.population
    if turnover.acquirer is not None:
        population = _after_mergers(kinds, agents, turnover, turnover.acquirer)
        tally = counted(kinds, population, tally.most)
        return _with(kinds, agents, turnover, population, tally, free)
    if kinds.selection == "wright-fisher" or kinds.demography == "individuals":
        # All die, unless the step is held.
        tally = jax.tree.map(
            lambda old, new: jnp.where(jnp.any(turnover.dies), new, old),
            tally, emptied(kinds, tally),
        )  # fmt: skip
    else:
        tally = _without(kinds, population, dead, tally)
    population = population._replace(alive=population.alive & ~turnover.dies)
    return _with(kinds, agents, turnover, population, tally, free)


def _after_mergers(kinds: Kinds, agents: Agents, turnover: Turnover, acquirer: Array) -> Population:
    """Return the survivors, acquirers described by their new allocations and budgets."""
    population = turnover.population
    buys = jnp.isin(population.id, jnp.where(turnover.dies, acquirer, 0), method="sort")
    population = reallocated(kinds, agents, population, buys, population.allocation)
    return population._replace(alive=population.alive & ~turnover.dies)


def _without(kinds: Kinds, population: Population, dead: Marked, tally: Tally) -> Tally:
    def local(population: Population, dead: Marked, tally: Tally) -> Tally:
        capacity = dead.mask.shape[0]
        size = chunk(kinds, capacity)

        def take(carry: tuple[Array, Tally]) -> tuple[Array, Tally]:
            start, tally = carry
            rank = start + jnp.arange(size)
            slots = jnp.minimum(dead.nth(rank), capacity - 1)
            rows = once(lambda: taken(population, slots), start < dead.number)
            return start + size, added(kinds, tally, rows, rank < dead.number, sign=-1)

        start = (jnp.zeros((), jnp.int64), tally)
        return jax.lax.while_loop(lambda carry: carry[0] < dead.number, take, start)[1]

    def there(population: Population, dies: Array, tally: Tally) -> Array:
        gone = local(population, marked(dies), emptied(kinds, tally))
        change: Array = division.summed(gone.numbers)
        return change

    if division.parts() == 1:
        return local(population, dead, tally)
    everywhere = division.EVERYWHERE
    specs = (SPECS, division.along(0), everywhere)
    change = division.on_each(there, population, dead.mask, tally, specs=specs, out=everywhere)
    return changed(tally, change)


def _with(
    kinds: Kinds,
    agents: Agents,
    turnover: Turnover,
    population: Population,
    tally: Tally,
    free: Marked,
) -> tuple[Population, Tally]:
    """Write the newborns: where there are several devices, those that fit beside their parents."""
    largest = jnp.zeros_like(tally.bound)
    if turnover.parents is not None and division.parts() > 1:
        turnover, population, change, largest = _at_home(
            kinds, agents, turnover, population, tally, turnover.parents
        )
        tally, free = changed(tally, change), marked(turnover.vacant)
    population, tally, elsewhere = _written(kinds, agents, turnover, population, tally, free)
    return population, settled(kinds, tally, population, jnp.maximum(largest, elsewhere))


def _at_home(
    kinds: Kinds,
    agents: Agents,
    turnover: Turnover,
    population: Population,
    tally: Tally,
    parents: Parents,
) -> tuple[Turnover, Population, Array, Array]:
    """Write newborns into slots of their parents' device, as many as it has room for.

    A result does not depend on slots, so newborns may go where nothing is moved for them.

    Returns:
        What is left to be born elsewhere, the population, the newborns' sums and largest claims.

    """

    def local(
        population: Population, who: Array, vacant: Array, tally: Tally
    ) -> tuple[Population, Array, Array, Array, Array]:
        family, free = Parents(marked(who), parents.children), marked(vacant)
        births = jnp.minimum(family.who.number, free.number)
        own = turnover._replace(births=births, newborns=family.newborns)
        nobody = emptied(kinds, tally)
        after, tally, largest = _written(kinds, agents, own, population, nobody, free)
        # Of the others, the parents of the highest ranks.
        left = jax.lax.cond(
            births < family.who.number,
            lambda: who & (jnp.cumsum(who) > births),
            lambda: jnp.zeros_like(who),
        )
        sums, count = division.summed((tally.numbers, births))
        return after, left, count, sums, division.largest(largest)

    slots, everywhere = division.along(0), division.EVERYWHERE
    who = parents.who.mask & (turnover.births > 0)  # in a held step nobody is born
    after, left, count, sums, largest = division.on_each(
        local, population, who, turnover.vacant, tally,
        specs=(SPECS, slots, slots, everywhere),
        out=(SPECS, slots, everywhere, everywhere, everywhere),
    )  # fmt: skip
    rest = turnover._replace(
        births=turnover.births - count,
        vacant=turnover.vacant & ~after.alive,
        newborns=Parents(marked(left), parents.children).newborns,
    )
    return rest, after, sums, largest


def _written(
    kinds: Kinds,
    agents: Agents,
    turnover: Turnover,
    population: Population,
    tally: Tally,
    free: Marked,
) -> tuple[Population, Tally, Array]:
    """Return population and tally with the newborns, and their largest claims `[P, K]`."""
    capacity = population.alive.shape[0]
    size = chunk(kinds, capacity)

    def write(
        carry: tuple[Array, Population, Tally, Array],
    ) -> tuple[Array, Population, Tally, Array]:
        start, population, tally, largest = carry
        rank = start + jnp.arange(size)
        real = rank < turnover.births
        slots = jnp.where(real, free.nth(rank), capacity + rank)
        # Outside the branch: what all rounds draw from is made once, before them.
        rows = turnover.newborns(population, rank)
        born = once(lambda: newborn(kinds, agents, rows), start < turnover.births)
        tally = added(kinds, tally, born, real, sign=1)
        claims = jnp.where(real, born.claims, 0)
        patch, places = jnp.where(real, born.patch, 0), places_of(kinds, born)
        claims = largest_by_patch(kinds, patch, claims, places)
        put = rewritten if size == capacity else written
        after = put(population, slots, born)
        return start + size, after, tally, jnp.maximum(largest, claims)

    start = (jnp.zeros((), jnp.int64), population, tally, jnp.zeros_like(tally.bound))
    _, population, tally, largest = jax.lax.while_loop(
        lambda carry: carry[0] < turnover.births, write, start
    )
    return population, tally, largest
