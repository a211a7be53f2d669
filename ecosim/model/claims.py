"""What a claim meets: for each claim of each agent, a value of its niche where the agent lives."""

from __future__ import annotations

from collections.abc import Callable

from jax import Array

from ecosim.model import sparse
from ecosim.model.population import Population
from ecosim.model.structure import Kinds


def by_claim(kinds: Kinds, population: Population, values: Array, none: float = 0) -> Array:
    """Return for each claim a value of its niche where its agent lives.

    Args:
        kinds: static structure.
        population: C slots.
        values: of each patch and niche, `[P, K]`.
        none: stands for the value of a place that is not used.

    Returns:
        `[K, C]`, `[m, C]`, or `[K, 1]` where it is the same for all.

    """
    if kinds.used:
        patch = population.patch if kinds.patches > 1 else None
        return sparse.at_places(values, patch, population.places, none)
    return (values[population.patch] if kinds.patches > 1 else values).T


def of_claim(
    kinds: Kinds, population: Population, values: Array
) -> Callable[[Array | int], Array]:
    """Return what gives for claim k of each agent the value of its niche where the agent lives.

    As `by_claim`, one claim at a time: all at once would be written to memory as large as claims.

    Args:
        kinds: static structure.
        population: C slots.
        values: of each patch and niche, `[P, K]`.

    Returns:
        A function of k, which may be traced: `[C]`, or `[]` where it is the same for all.

    """
    if kinds.used:
        rows = by_claim(kinds, population, values)
        return lambda k: rows[k]
    if kinds.patches == 1:
        return lambda k: values[0, k]
    return lambda k: values[:, k][population.patch]
