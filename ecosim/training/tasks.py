"""Tasks that learners are trained on: linear, of chosen relatedness, rank, noise and place.

Task t maps an input x `[d]` to y = w_t.x plus noise of standard deviation sigma. Inputs are
N(c_t, I_d); with centres c_t = 0 nothing in x tells which task it belongs to.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


def normal(key: Array, shape: tuple[int, ...], dtype: str | None = None) -> Array:
    """Return standard normal numbers, in JAX's default precision where no dtype is given.

    Drawn in one dimension: XLA takes seconds to compile a draw of several.
    """
    return jax.random.normal(key, (math.prod(shape),), dtype or float).reshape(shape)


class Tasks(NamedTuple):
    """Linear tasks, all of one dimension."""

    weights: Array  # [T, d]
    centres: Array  # [T, d], of the inputs
    noise: Array  # [], sigma


class Examples(NamedTuple):
    """Examples of each task."""

    inputs: Array  # [T, n, d]
    outputs: Array  # [T, n], noise included


def related_weights(
    key: Array, tasks: int, dimension: int, *, relatedness: float | Array, scale: float = 1.0
) -> Array:
    """Return w_t = sqrt(rho) w_0 + sqrt(1-rho) v_t, `[T, d]`, with E|w_t|^2 = scale^2.

    Args:
        key: of JAX.
        tasks: T.
        dimension: d.
        relatedness: rho in [0, 1], the correlation between tasks of each coefficient.
        scale: s.

    """
    rho = jnp.asarray(relatedness)
    drawn = normal(key, (tasks + 1, dimension))
    mixed = jnp.sqrt(rho) * drawn[:1] + jnp.sqrt(1 - rho) * drawn[1:]
    return scale / jnp.sqrt(dimension) * mixed


def exact_tasks(
    key: Array, count: int, dimension: int, *, relatedness: Array, separation: Array
) -> tuple[Array, Array]:
    """Return weights and centres `[T, d]` of exactly this relatedness and separation; d > T.

    |w_t| = 1 and w_t.w_u = relatedness; the centres, in directions drawn apart, sum to 0 and each
    has the norm `separation`.
    """
    drawn, placed = jax.random.split(key)
    basis = orthonormal(drawn, dimension, count + 1).T
    weights = jnp.sqrt(relatedness) * basis[:1] + jnp.sqrt(1 - relatedness) * basis[1:]
    corners = jnp.eye(count) - 1 / count
    simplex = corners * jnp.sqrt(count / max(count - 1, 1))
    return weights, separation * simplex @ orthonormal(placed, dimension, count).T


def weights_of_values(key: Array, values: Array, tasks: int, dimension: int) -> Array:
    """Return random weights `[T, d]` with these singular values `[min(T, d)]`."""
    left, right = jax.random.split(key)
    rank = min(tasks, dimension)
    return (orthonormal(left, tasks, rank) * values) @ orthonormal(right, dimension, rank).T


def orthonormal(key: Array, rows: int, columns: int) -> Array:
    """Return uniformly random orthonormal columns, `[rows, columns]` (Stewart 1980)."""
    factor, triangle = jnp.linalg.qr(normal(key, (rows, columns)))
    return factor * jnp.sign(jnp.diagonal(triangle))


def centres(key: Array, tasks: int, dimension: int, norm: float | Array) -> Array:
    """Return random centres of inputs `[T, d]`, each of this norm."""
    raw = normal(key, (tasks, dimension))
    return norm * raw / jnp.linalg.norm(raw, axis=1, keepdims=True)


def examples(key: Array, tasks: Tasks, count: int) -> Examples:
    """Return `count` examples of each task, with Gaussian inputs."""
    number, dimension = tasks.weights.shape
    # In float32, which halves the time of a draw; what follows is in the weights' precision.
    drawn = normal(key, (number, count, dimension + 1), "float32").astype(tasks.weights.dtype)
    inputs = drawn[..., :-1] + tasks.centres[:, None]
    return Examples(inputs, answers(tasks, inputs) + tasks.noise * drawn[..., -1])


def orthogonal_examples(key: Array, tasks: Tasks, count: int) -> Examples:
    """Return `count` >= d examples of each task on random designs with X'X = count I."""
    at, noise = jax.random.split(key)
    number, dimension = tasks.weights.shape
    keys = jax.random.split(at, number)
    inputs = jnp.sqrt(count) * jax.vmap(lambda k: orthonormal(k, count, dimension))(keys)
    clean = answers(tasks, inputs)
    return Examples(inputs, clean + tasks.noise * normal(noise, clean.shape))


def answers(tasks: Tasks, inputs: Array) -> Array:
    """Return the outputs without noise `[T, n]` of inputs `[T, n, d]`."""
    return jnp.einsum("tnd,td->tn", inputs, tasks.weights)


def excess(fitted: Array, weights: Array) -> Array:
    """Return |fitted - w|^2 over the last axis: the squared error on x ~ N(0, I) beyond noise."""
    return jnp.sum((fitted - weights) ** 2, axis=-1)
