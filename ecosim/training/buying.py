"""What the effort of one learner buys: examples, steps of training, or parameters.

Effort comes in whole units. Of data it buys e_k new examples of task k. Otherwise data are free,
the same number of each task, and it buys e_k steps of gradient descent on task k, or e_k
parameters for it; a model that all tasks share has the sum of them, and each task weighs in its
loss as what was spent on it.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.training.tasks import Tasks, normal


class Bought(NamedTuple):
    """The examples of one learner, and what it may do with them."""

    inputs: Array  # [n, d]
    outputs: Array  # [n]
    task: Array  # [n, K], one-hot; 0 where there is no example: those weigh nothing
    emphasis: Array  # [K], weight in a shared loss of an example of the task; 1 on average
    units: Array  # whole, [K]: steps or parameters bought for each task


def bought(
    resource: str, tasks: Tasks, effort: Array, key: Array, *, most: int, examples: int
) -> Bought:
    """Return what efforts `[K]` buy, whole numbers of units.

    Args:
        resource: data, compute or parameters.
        tasks: K tasks.
        effort: on each task.
        key: of JAX, for the examples.
        most: units that a learner can buy in all.
        examples: of each task, where effort does not buy them.

    """
    units = effort.astype(jnp.int32)
    count, dimension = tasks.weights.shape
    free = resource != "data"
    counts = jnp.full(count, examples) if free else units
    emphasis = jnp.ones_like(effort)
    if free:
        emphasis = count * effort / jnp.maximum(effort.sum(), jnp.finfo(effort.dtype).tiny)
    ends = jnp.cumsum(counts)
    rows = count * examples if free else most
    number = jnp.arange(rows)
    label = (number[:, None] < ends) & (number[:, None] >= ends - counts)
    task = label.astype(effort.dtype)
    drawn = normal(key, (rows, dimension + 1), "float32").astype(effort.dtype)
    inputs = drawn[:, :-1] + task @ tasks.centres
    clean = jnp.sum(inputs * (task @ tasks.weights), axis=-1)
    return Bought(inputs, clean + tasks.noise * drawn[:, -1], task, emphasis, units)


def weights(given: Bought) -> Array:
    """Return weights `[n]` of the examples that add up to 1; all 0 where nothing was bought."""
    each = given.task @ given.emphasis
    return each / jnp.maximum(each.sum(), jnp.finfo(each.dtype).tiny)
