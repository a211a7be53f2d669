"""The population at step 0."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import conduct, division, methods, niches, randomness, sparse
from ecosim.model.population import (
    Agents,
    Population,
    Rows,
    divided,
    newborn,
    overlaid,
    padded,
)
from ecosim.model.randomness import Stream
from ecosim.model.scope import pareto_scope, random_scope
from ecosim.model.start import Start, of_founders
from ecosim.model.structure import Kinds

_AT_ONCE = 2**16  # founders


@partial(jax.jit, static_argnames=("kinds", "start_kind", "capacity"))
def founders(
    kinds: Kinds,
    start_kind: str,
    capacity: int,
    *,
    start: Start,
    agents: Agents,
    choices: conduct.Parameters,
    positions: Array,
    key: Array,
) -> Population:
    """Return the population that a scenario starts with: ids 1..N in slots 0..N-1.

    Without groups, positions and widths are those of a generalist in the middle of the axis, and
    allocations are even; see `ecosim.scenario.Population`.
    """
    size, devices = start.row.shape[0], division.parts()
    some = partial(_founders, kinds, start_kind, start, agents, choices, positions, key)
    if devices > 1:
        # A founder for each slot: nothing is then moved. Room is on each device where newborns stay
        # on their parents'; elsewhere slots are in the order of ids, which is that of draws.
        slot, here = jnp.arange(capacity), capacity // devices
        share = -(-size // devices) if kinds.selection == "energy" else here
        number = slot // here * share + slot % here
        real = division.kept((slot % here < share) & (number < size), division.along(0))
        return divided(some(jnp.where(real, number, 0))._replace(alive=real))
    empty = padded(_one_block(kinds), capacity)
    if size <= _AT_ONCE:
        return overlaid(empty, jnp.zeros((), jnp.int64), some(jnp.arange(size)))

    def next_(block: Array, founded: Population) -> Population:
        # Many are founded in parts, since all at once and their slots are two populations. The
        # last part begins earlier where it would reach beyond the last founder.
        first = jnp.minimum(block * _AT_ONCE, size - _AT_ONCE)
        return overlaid(founded, first, some(first + jnp.arange(_AT_ONCE)))

    return jax.lax.fori_loop(0, -(-size // _AT_ONCE), next_, empty)


def _founders(
    kinds: Kinds,
    start_kind: str,
    start: Start,
    agents: Agents,
    choices: conduct.Parameters,
    positions: Array,
    key: Array,
    number: Array,
) -> Population:
    """Return the founders of these numbers `[B]`, counted from 0."""
    count, size, zero = start.row.shape[0], number.shape[0], jnp.zeros((), jnp.int64)
    start = of_founders(start, number)
    ids = (number + 1).astype(jnp.uint64)
    drawn = randomness.uniform(key, zero, Stream.STOCK, ids, dtype=kinds.dtype)
    trait = jnp.zeros((size, 0), kinds.dtype)
    if start_kind == "axis":
        noise = randomness.normals(key, zero, Stream.START, ids, count=1, dtype=kinds.dtype)
        place_on_axis = start.position + start.variation * noise[:, 0]
        trait = jnp.stack([place_on_axis, jnp.full(size, start.log_width)], axis=1)
    described = partial(_described, kinds, start_kind, start, positions, key)
    row, places = jnp.asarray(start.row), None
    if kinds.used:
        places, allocation = sparse.described(
            size, kinds.used, lambda some: described(ids[some], row[some], trait[some])
        )
    else:
        allocation = described(ids, row, trait)
    rows = Rows(
        id=ids,
        parent=jnp.zeros_like(ids),
        lineage=ids,
        group=jnp.asarray(start.group),
        patch=jnp.asarray(start.patch),
        budget=jnp.asarray(start.budget),
        stock=start.stock * (1 + start.stock_variation * (2 * drawn - 1)),
        trait=trait,
        allocation=allocation,
        places=places,
        conduct=conduct.founded(kinds, choices, ids, count, key),
        method=jnp.where(
            start.method[:, None] < 0,
            methods.at_random(kinds, ids, zero, key),
            start.method[:, None],
        )[:, : min(kinds.methods, 1)],
    )
    return newborn(kinds, agents, rows)


def _described(
    kinds: Kinds,
    start_kind: str,
    start: Start,
    positions: Array,
    key: Array,
    ids: Array,
    row: Array,
    trait: Array,
) -> Array:
    """Return the allocations `[B, K]` of founders, given their ids, rows and traits."""
    zero = jnp.zeros((), jnp.int64)
    if start_kind == "axis":
        return niches.utilisation(trait, positions)
    if start_kind == "random":
        weights = jnp.ones(kinds.niches, kinds.dtype)
        allocation = random_scope(ids, zero, key, weights, kinds.held)
    elif start_kind == "pareto":
        allocation = pareto_scope(
            ids, zero, key, exponent=start.breadth_exponent, count=kinds.niches, most=kinds.held
        ).astype(kinds.dtype)
    elif start_kind == "random-specialists":
        unit = randomness.fine_uniform(key, zero, Stream.SCOPE, ids)
        own = jnp.floor(unit * kinds.niches).astype(jnp.int32)
        allocation = jax.nn.one_hot(
            jnp.minimum(own, kinds.niches - 1), kinds.niches, dtype=kinds.dtype
        )
    elif start_kind == "specialists":
        allocation = jax.nn.one_hot(row, kinds.niches, dtype=kinds.dtype)
    else:
        allocation = jnp.asarray(start.table)[row]

    def moved(shares: Array) -> Array:
        noise = randomness.normals(
            key, zero, Stream.START, ids, count=kinds.niches, dtype=kinds.dtype
        )
        return niches.step_on_simplex(shares, noise, start.variation)

    # A branch: to draw and sort for a million founders takes longer than all else.
    allocation = jax.lax.cond(start.variation > 0, moved, lambda shares: shares, allocation)
    return jnp.asarray(allocation)


def _one_block(kinds: Kinds) -> Population:
    """Return 64 empty slots."""
    f, slots = kinds.dtype, 64
    kind: dict[str, Any] = {
        "alive": bool, "id": jnp.uint64, "parent": jnp.uint64, "lineage": jnp.uint64,
        "group": jnp.int32, "patch": jnp.int32, "age": jnp.int32, "budget": f, "stock": f,
        "strikes": jnp.int32, "breadth": f, "depth": f, "niche": jnp.int32,
    }  # fmt: skip
    return Population(
        retained=jnp.zeros((slots, kinds.retains), f),
        method=jnp.zeros((slots, min(kinds.methods, 1)), jnp.int32),
        lifespan=jnp.zeros((slots, kinds.lifespans), jnp.int32),
        trait=jnp.zeros((slots, 2 if kinds.space == "axis" else 0), f),
        places=jnp.zeros((kinds.used, slots), jnp.int32),
        allocation=jnp.zeros((slots, kinds.held), f),
        conduct=jnp.zeros((slots, kinds.choices), f),
        claims=jnp.zeros((kinds.held, slots), f),
        **{name: jnp.zeros(slots, dtype) for name, dtype in kind.items()},
    )
