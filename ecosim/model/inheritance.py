"""Inheritance with mutation: what an organism's offspring is like."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, methods, niches, patches, randomness, repertoire, sparse
from ecosim.model.population import Population, Rows, allocations
from ecosim.model.randomness import Stream
from ecosim.model.slots import replaced
from ecosim.model.structure import Kinds
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of mutation."""

    rate: Array
    step: Array
    width_step: Array
    switch: Array
    gain: Array
    narrowing: Array


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's mutation."""
    m, dtype = scenario.mutation, scenario.run.precision
    numbers = (m.rate, m.step, m.width_step, m.switch, m.gain, m.narrowing)
    return Parameters(*(traced(v, dtype) for v in numbers))


def offspring(
    kinds: Kinds,
    parameters: Parameters,
    parents: Population,
    *,
    slots: Array,
    ids: Array,
    stock: Array,
    step: Array,
    key: Array,
    dispersal: patches.Parameters,
    positions: Array,
) -> Rows:
    """Return newborns of the agents in `slots`.

    Args:
        kinds: static structure.
        parameters: traced numbers of mutation.
        parents: the population that the slots refer to.
        slots: slot of each newborn's parent, `[B]`.
        ids: of the newborns, uint64[B].
        stock: what each newborn starts with, `[B]`.
        step: step number.
        key: run key.
        dispersal: traced numbers of the patches.
        positions: niche positions `[K]`.

    """
    mutates = randomness.happens(key, step, Stream.MUTATES, ids, parameters.rate)
    trait = parents.trait[slots]
    if kinds.space == "axis":
        noise = randomness.normals(key, step, Stream.STEP, ids, count=2, dtype=kinds.dtype)
        scale = jnp.stack([parameters.step, parameters.width_step])
        stepped = trait + exact.product(scale[None, :], noise)
        trait = jnp.where(mutates[:, None], stepped, trait)

    draw = _Draw(kinds, parameters, step, key, positions)
    places, allocation = _inherited(draw, parents, slots, ids=ids, trait=trait, mutates=mutates)
    patch = parents.patch[slots]
    if kinds.patches > 1:
        patch = patches.dispersed(dispersal, patch, ids, step=step, key=key)
    return Rows(
        id=ids,
        parent=parents.id[slots],
        lineage=parents.lineage[slots],
        group=parents.group[slots],
        patch=patch,
        budget=parents.budget[slots],
        stock=stock,
        trait=trait,
        allocation=allocation,
        places=places,
        method=_method(kinds, parameters, parents, slots, ids, step, key),
    )


class _Draw(NamedTuple):
    """What a newborn's allocation is drawn with, beside its parent's."""

    kinds: Kinds
    parameters: Parameters
    step: Array
    key: Array
    positions: Array

    def __call__(self, before: Array, ids: Array, trait: Array) -> Array:
        """Return allocations `[S, K]` of newborns that change, given their parents' `[S, K]`."""
        kinds, p = self.kinds, self.parameters
        if kinds.space == "axis":
            return niches.utilisation(trait, self.positions)
        if kinds.mutation == "repertoire":
            return repertoire.inherited(
                before, ids, step=self.step, key=self.key, gain=p.gain, narrowing=p.narrowing,
                most=kinds.held,
            )  # fmt: skip
        noise = randomness.normals(
            self.key, self.step, Stream.STEP, ids, count=kinds.niches, dtype=kinds.dtype
        )
        return niches.step_on_simplex(before, noise, p.step)


def _inherited(
    draw: _Draw, parents: Population, slots: Array, *, ids: Array, trait: Array, mutates: Array
) -> tuple[Array | None, Array]:
    """Return places `[B, m]` (None: all K are held) and the shares of newborns."""
    kinds, p, allocation = draw.kinds, draw.parameters, parents.allocation[slots]
    if not kinds.used:
        if kinds.space == "axis" or kinds.mutation == "repertoire":
            return None, draw(allocation, ids, trait)
        return None, replaced(
            mutates, allocation, lambda rows: draw(allocation[rows], ids[rows], trait[rows])
        )
    places = parents.places[:, slots].T
    if kinds.space != "axis" and kinds.mutation == "repertoire":
        allocation, mutates = repertoire.kept(
            places, allocation, ids, step=draw.step, key=draw.key, gain=p.gain,
            narrowing=p.narrowing,
        )  # fmt: skip

    def some(rows: Array) -> Array:
        return draw(allocations(kinds, parents, slots[rows]), ids[rows], trait[rows])

    return sparse.redrawn(places, allocation, mutates, some)


def _method(
    kinds: Kinds,
    parameters: Parameters,
    parents: Population,
    slots: Array,
    ids: Array,
    step: Array,
    key: Array,
) -> Array | None:
    if not kinds.methods:
        return None
    switches = randomness.happens(key, step, Stream.SWITCHES, ids, parameters.switch)
    other = methods.at_random(kinds, ids, step, key)
    return jnp.where(switches[:, None], other, parents.method[slots])
