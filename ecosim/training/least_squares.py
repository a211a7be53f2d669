"""Linear learners in closed form: one task's own data, all data pooled, or a shared low rank.

Each takes one set of tasks; `jax.vmap` carries them over seeds or learners.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import cho_factor, cho_solve

from ecosim.training.tasks import Examples


def dedicated(given: Examples) -> Array:
    """Return each task's own least squares coefficients `[T, d]`; needs n >= d examples."""
    gram = jnp.einsum("tni,tnj->tij", given.inputs, given.inputs)
    moment = jnp.einsum("tni,tn->ti", given.inputs, given.outputs)
    return solved(gram, moment)


def pooled(given: Examples) -> Array:
    """Return one set of coefficients `[d]` fitted to the examples of all tasks together."""
    gram = jnp.einsum("tni,tnj->ij", given.inputs, given.inputs)
    moment = jnp.einsum("tni,tn->i", given.inputs, given.outputs)
    return solved(gram, moment)


def low_rank(given: Examples, rank: int) -> Array:
    """Return coefficients `[T, d]` of a rank, the least squares ones on orthogonal designs.

    There the squared error is n |W - W_ls|^2 + constant, which the truncated singular value
    decomposition of the dedicated fit minimises (Eckart & Young 1936). On other designs it is the
    truncation, not the least squares fit of that rank.
    """
    return truncated(dedicated(given), rank)


def truncated(matrix: Array, rank: Array | int) -> Array:
    """Return the nearest matrix of a rank, in squared error."""
    left, values, right = jnp.linalg.svd(matrix, full_matrices=False)
    return (left * jnp.where(jnp.arange(values.size) < rank, values, 0)) @ right


def descended(gram: Array, moment: Array, rate: Array, steps: Array, *, most: int) -> Array:
    """Return coefficients `[..., d]` after gradient descent on half the mean squared error, from 0.

    Args:
        gram: X'X/n, `[..., d, d]`.
        moment: X'y/n, `[..., d]`.
        rate: of learning, below 2 over the largest eigenvalue of a gram.
        steps: how many are taken, whole, `[...]`.
        most: bound on steps; as many are computed.

    """

    def step(fitted: Array, number: Array) -> tuple[Array, None]:
        slope = jnp.einsum("...ij,...j->...i", gram, fitted) - moment
        return jnp.where((number < steps)[..., None], fitted - rate * slope, fitted), None

    return jax.lax.scan(step, jnp.zeros_like(moment), jnp.arange(most))[0]


def solved(gram: Array, moment: Array, ridge: float | Array = 0.0) -> Array:
    """Return (gram + ridge I)^-1 moment, `[..., d]`, of positive definite grams `[..., d, d]`."""
    eye = jnp.eye(gram.shape[-1], dtype=gram.dtype)
    factor = cho_factor(gram + jnp.asarray(ridge, gram.dtype) * eye)
    return jnp.asarray(cho_solve(factor, moment[..., None])[..., 0])
