"""The router of a portfolio of specialists, fitted to tell tasks apart and paid for.

Linear scores r_k.x, one a task; an input goes to the specialist of the largest. The scores are the
least squares fit of whether an input is of task k (Hastie, Tibshirani & Friedman 2009, section
4.2), all tasks weighing alike: d K numbers, fitted to examples whose task is known.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.training.buying import Bought


def divided(resource: str, given: Bought, share: Array | float) -> tuple[Bought, Bought]:
    """Return what a portfolio's specialists have of what it bought, and what its router has.

    The router takes the share of each task's units, rounded: examples are the one's or the
    other's; steps and parameters are counted apart, over the same free examples.
    """
    taken = jnp.round(share * given.units).astype(given.units.dtype)
    rest = given.units - taken
    experts, routers = given._replace(units=rest), given._replace(units=taken)
    if resource != "data":
        return experts, routers
    place = jnp.sum(jnp.cumsum(given.task, axis=0) * given.task, axis=1)  # in its task, from 1
    first = (place <= given.task @ taken.astype(given.task.dtype))[:, None]
    return (
        experts._replace(task=jnp.where(first, 0, given.task)),
        routers._replace(task=jnp.where(first, given.task, 0)),
    )


def equations(
    gram: Array, moment: Array, counts: Array, width: Array | None
) -> tuple[Array, Array]:
    """Return the normal equations of each task's score, `[K, d, d]` and `[K, d]`.

    Args:
        gram: X'X of each task's inputs, `[K, d, d]`.
        moment: sum of each task's inputs, `[K, d]`.
        counts: examples of each task `[K]`; tasks weigh alike, however many they have.
        width: how many inputs each score reads, `[K]`; None: all.

    """
    weight = jnp.where(counts > 0, counts.mean() / jnp.maximum(counts, 1), 0)
    every = jnp.broadcast_to(jnp.einsum("k,kij->ij", weight, gram), gram.shape)
    own = weight[:, None] * moment
    if width is None:
        return every, own
    read = jnp.arange(own.shape[1]) < width[:, None]
    return jnp.where(read[:, :, None] & read[:, None, :], every, 0), jnp.where(read, own, 0)


def chosen(router: Array, inputs: Array) -> Array:
    """Return 1 at the specialist that a router `[K, d]` picks for inputs `[..., d]`, `[..., K]`."""
    best = jnp.argmax(inputs @ router.T, axis=-1)
    return jax.nn.one_hot(best, router.shape[0], dtype=inputs.dtype)
