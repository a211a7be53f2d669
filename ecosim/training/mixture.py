"""Mixture of experts with top-1 routing (Fedus, Zoph & Shazeer 2022, JMLR 23:120).

Linear experts E_i and a linear router over N of them: y = p_i(x) E_i(x), i = argmax p,
p = softmax(R x). Each function takes one mixture; `jax.vmap` carries them over seeds or learners.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.training.tasks import normal


class Mixture(NamedTuple):
    """A router and its experts: 2 d N numbers."""

    router: Array  # [d, N]
    experts: Array  # [d, N]


class Routed(NamedTuple):
    """What a mixture does with a batch of n inputs."""

    outputs: Array  # [n]; 0 where dropped
    chosen: Array  # [n, N], 1 at the expert that the router picks
    kept: Array  # [n], whether the expert had room
    probabilities: Array  # [n, N]


def mixture(key: Array, inputs: int, experts: int) -> Mixture:
    """Return an untrained mixture; its router is near indifference, a tenth of its experts."""
    drawn = normal(key, (2, inputs, experts)) / jnp.sqrt(inputs)
    return Mixture(0.1 * drawn[0], drawn[1])


def capacity(inputs: int | Array, experts: int, factor: float | Array) -> Array:
    """Return how many of a batch one expert takes: ceil(factor n/N)."""
    # What rounding adds to a whole number is no further place.
    return jnp.ceil(factor * inputs / experts - 1e-4)


def routed(
    model: Mixture,
    inputs: Array,
    *,
    noise: Array | None = None,
    factor: float | Array | None = None,
    present: Array | None = None,
) -> Routed:
    """Return what a mixture answers to inputs `[n, d]`.

    Args:
        model: the mixture.
        inputs: a batch.
        noise: added to the router's logits `[n, N]` in training.
        factor: capacity factor; an expert takes the first ceil(factor n/N) inputs that are routed
            to it, in their order, and the others are dropped (output 0: there is no layer around
            it to pass them on). None: no limit.
        present: which inputs are there, bool `[n]`; the others take no room. None: all.

    """
    logits = inputs @ model.router
    probabilities = jax.nn.softmax(logits if noise is None else logits + noise)
    number = model.experts.shape[1]
    chosen = jax.nn.one_hot(jnp.argmax(probabilities, axis=-1), number, dtype=inputs.dtype)
    kept = jnp.ones(inputs.shape[0], bool)
    if factor is not None:
        there = chosen if present is None else chosen * present[:, None]
        place = jnp.sum(jnp.cumsum(there, axis=0) * chosen, axis=-1)  # counted from 1
        kept = place <= capacity(there.sum(), number, factor)
    answers = jnp.sum(chosen * probabilities * (inputs @ model.experts), axis=-1)
    return Routed(jnp.where(kept, answers, 0), chosen, kept, probabilities)


def balance(result: Routed, weights: Array | None = None) -> Array:
    """Return N sum_i f_i P_i, least (1) at even use; f: share routed, P: mean probability.

    Only P carries a gradient. Weights `[n]` that sum to 1 leave inputs out; None: all count alike.
    """
    number = result.chosen.shape[-1]
    if weights is None:
        shares, means = result.chosen.mean(axis=0), result.probabilities.mean(axis=0)
    else:
        shares, means = weights @ result.chosen, weights @ result.probabilities
    return number * jnp.sum(shares * means)


def loss(
    model: Mixture,
    inputs: Array,
    outputs: Array,
    *,
    key: Array,
    noise: float = 1.0,
    balancing: float | Array = 0.01,
    factor: float | Array | None = None,
    weights: Array | None = None,
) -> Array:
    """Return mean squared error + a N sum f_i P_i, with Gaussian noise on the router's logits.

    Args:
        model: the mixture.
        inputs: `[n, d]`.
        outputs: `[n]`.
        key: of the noise.
        noise: its standard deviation.
        balancing: a, the weight of the load-balance loss.
        factor: capacity factor, or None.
        weights: of the inputs `[n]`, with sum 1, or None: all count alike. What weighs nothing is
            not there: it takes no room of an expert.

    """
    shape = (inputs.shape[0], model.experts.shape[1])
    drawn = noise * normal(key, shape, "float32").astype(inputs.dtype)
    present = None if weights is None else weights > 0
    result = routed(model, inputs, noise=drawn, factor=factor, present=present)
    squares = (result.outputs - outputs) ** 2
    error = jnp.mean(squares) if weights is None else weights @ squares
    return error + balancing * balance(result, weights)


def specialisation(chosen: Array, task: Array) -> Array:
    """Return the mutual information of expert and task over ln T: 0 (none) to 1.

    Args:
        chosen: expert of each input `[n, N]`, one-hot.
        task: task of each input `[n, T]`, one-hot; T >= 2.

    """
    joint = chosen.T @ task / chosen.shape[0]
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    terms = jnp.where(joint > 0, joint * jnp.log(jnp.where(joint > 0, joint / apart, 1)), 0)
    return terms.sum() / jnp.log(task.shape[1])
