"""Interventions from outside between two steps: agents taken out, stocks and allocations set."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import events
from ecosim.model.population import Agents, reallocated
from ecosim.model.step import State
from ecosim.model.structure import Kinds
from ecosim.model.tally import counted


class Intervention(NamedTuple):
    """What to change before the next step; rows where the masks are False are not read."""

    leaves: Array  # bool[C] who is taken out
    restocked: Array  # bool[C] whose stock is set
    stock: Array  # float[C]
    reallocated: Array | None = None  # bool[C] whose allocation is set; None: nobody's
    allocation: Array | None = None  # float[C, K] on the simplex, or float[C, m] of places
    places: Array | None = None  # int32[m, C] where agents hold places


@partial(jax.jit, static_argnames=("kinds",))
def intervene(kinds: Kinds, agents: Agents, state: State, change: Intervention) -> State:
    """Return the state after an intervention; the log of events, if any, must be empty.

    Those taken out count among the deaths (exits) of the step that comes, and in its events.

    Args:
        kinds: static structure.
        agents: traced numbers of agents.
        state: the state between two steps.
        change: what to change.

    """
    agents, change = jax.tree.map(jnp.asarray, (agents, change))
    population = state.population
    stock = jnp.where(change.restocked, change.stock, population.stock)
    population = population._replace(stock=stock)
    if change.allocation is not None and change.reallocated is not None:
        population = reallocated(
            kinds, agents, population, change.reallocated, change.allocation, change.places
        )
    leaves = change.leaves & population.alive
    log = state.log
    if log is not None:
        log = events.noted(
            log,
            population._replace(age=population.age + 1),
            leaves,
            step=state.clock + 1,
            kind=events.Kind.END,
        )
    population = population._replace(alive=population.alive & ~leaves)
    return state._replace(
        population=population,
        tally=counted(kinds, population, state.tally.most),
        deaths=state.deaths + jnp.sum(leaves).astype(jnp.int64),
        log=log,
    )
