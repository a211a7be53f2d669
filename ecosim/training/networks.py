"""Learners trained by gradient: linear models and perceptrons with one hidden layer.

Each function takes one learner; `jax.vmap` carries them over seeds or a whole population. Training
is full-batch Adam (Kingma & Ba 2015, arXiv:1412.6980; from optax).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.training.tasks import normal


class Perceptron(NamedTuple):
    """One hidden layer of rectified units: d h + 2 h + 1 numbers."""

    inward: Array  # [d, h]
    bias: Array  # [h]
    outward: Array  # [h]
    shift: Array  # []


def perceptron(key: Array, inputs: int, hidden: int) -> Perceptron:
    """Return an untrained network, its weights scaled to keep variance (He et al. 2015)."""
    drawn = normal(key, (inputs + 1, hidden))
    inward = drawn[:-1] * jnp.sqrt(2 / inputs)
    return Perceptron(inward, jnp.zeros(hidden), drawn[-1] / jnp.sqrt(hidden), jnp.zeros(()))


def output(network: Perceptron, inputs: Array, units: Array | None = None) -> Array:
    """Return the network's outputs `[...]` at inputs `[..., d]`, of its first `units` units."""
    hidden = jax.nn.relu(inputs @ network.inward + network.bias)
    if units is not None:
        hidden = jnp.where(jnp.arange(hidden.shape[-1]) < units, hidden, 0)
    return hidden @ network.outward + network.shift


def trained[Model](
    loss: Callable[[Model, Array], Array],
    start: Model,
    key: Array,
    *,
    steps: int,
    rate: float | Array = 0.01,
    until: Array | None = None,
) -> Model:
    """Return a model after gradient steps on its loss.

    Args:
        loss: of a model and of the key of a step, for what is random in training.
        start: the model to begin with, a pytree of arrays.
        key: of the whole training.
        steps: how many steps are computed.
        rate: learning rate of Adam.
        until: how many of the steps count, whole, at most `steps`; the rest change nothing. It may
            differ between learners that are carried together.

    """
    import optax  # late: loading it takes longer than loading all of ecosim's step

    optimiser = optax.adam(rate)

    def step(carry: tuple[Model, Any], number: Array) -> tuple[tuple[Model, Any], None]:
        model, state = carry
        slope = jax.grad(loss)(model, jax.random.fold_in(key, number))
        change, later = optimiser.update(slope, state)
        moved = optax.apply_updates(model, change)
        if until is None:
            return (moved, later), None
        counts = number < until
        kept = jax.tree.map(lambda new, old: jnp.where(counts, new, old), moved, model)
        return (kept, later), None

    begun = (start, optimiser.init(start))
    (model, _), _ = jax.lax.scan(step, begun, jnp.arange(steps))
    return model
