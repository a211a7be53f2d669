"""Ordinary differential equations over one unit of time, inside a compiled step.

The pair of orders 5 and 4 of Dormand & Prince (1980, J. Comput. Appl. Math. 6:19), local
extrapolation, first stage as last. The solution of order 5 is kept; its distance from that of
order 4 estimates the error of a step, which is repeated, shorter, while that exceeds the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

MOST_TRIES = 20_000  # tries of a step in one unit of time, after which the integration has failed

# Row s: weights of the slopes so far in the state at stage s + 1.
_STAGES = (
    (1 / 5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (3 / 40, 9 / 40, 0.0, 0.0, 0.0, 0.0, 0.0),
    (44 / 45, -56 / 15, 32 / 9, 0.0, 0.0, 0.0, 0.0),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0.0, 0.0, 0.0),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0.0, 0.0),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0.0),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)

type Rate = Callable[[Any], Any]  # the derivative of a state, a pytree like it
type Measure = Callable[[Any, Any], Array]  # (error, state) -> largest relative error, scalar


class _Walk(NamedTuple):
    left: Array  # of the unit of time
    span: Array  # of the next step
    state: Any
    slope: Any  # the derivative at `state`
    tries: Array


def unit_of_time(rate: Rate, start: Any, *, tolerance: Array, error: Measure) -> tuple[Any, Array]:
    """Return the state one unit of time after `start`, and whether the integration failed.

    Args:
        rate: derivative of a state; autonomous.
        start: pytree of float64 arrays.
        tolerance: of the relative error of one step.
        error: what is held against it.

    """
    one, none = jnp.ones((), jnp.float64), jnp.zeros((), jnp.int64)
    begin = _Walk(one, 0.1 * one, start, rate(start), none)

    def going(walk: _Walk) -> Array:
        return (walk.left > 0) & (walk.tries < MOST_TRIES)

    def on(walk: _Walk) -> _Walk:
        last = walk.span >= walk.left
        span = jnp.where(last, walk.left, walk.span)
        state, slope, difference = stepped(rate, walk.state, walk.slope, span)
        wrong = error(difference, state) / tolerance
        wrong = jnp.where(jnp.isfinite(wrong), wrong, jnp.inf)
        kept = wrong <= 1
        factor = jnp.clip(0.9 * jnp.maximum(wrong, 1e-10) ** -0.2, 0.2, 5.0)
        return _Walk(
            left=jnp.where(kept, jnp.where(last, 0.0, walk.left - span), walk.left),
            span=span * factor,
            state=_chosen(kept, state, walk.state),
            slope=_chosen(kept, slope, walk.slope),
            tries=walk.tries + 1,
        )

    walk = jax.lax.while_loop(going, on, begin)
    return walk.state, walk.left > 0


def stepped(rate: Rate, state: Any, slope: Any, span: Array) -> tuple[Any, Any, Any]:
    """Return the state one step of length `span` later, its derivative, and the error estimate."""
    table = jnp.asarray(_STAGES)
    slopes = jax.tree.map(lambda leaf: jnp.zeros((7, *leaf.shape)).at[0].set(leaf), slope)

    # A loop over the stages, so that the rate is compiled once for all of them.
    def stage(number: Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        _, slopes = carry
        later = jax.tree.map(jnp.add, state, _weighted(span * table[number], slopes))
        slopes = jax.tree.map(lambda all_, new: all_.at[number + 1].set(new), slopes, rate(later))
        return later, slopes

    later, slopes = jax.lax.fori_loop(0, len(_STAGES), stage, (state, slopes))
    last = jax.tree.map(lambda leaf: leaf[-1], slopes)
    return later, last, _weighted(span * jnp.asarray(_ERROR), slopes)


def _weighted(weights: Array, slopes: Any) -> Any:
    def combined(leaf: Array) -> Array:
        total = weights[0] * leaf[0]
        for number in range(1, leaf.shape[0]):
            total = total + weights[number] * leaf[number]
        return total

    return jax.tree.map(combined, slopes)


def _chosen(kept: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda n, o: jnp.where(kept, n, o), new, old)
