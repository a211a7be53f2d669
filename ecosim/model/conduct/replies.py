"""Best replies: the best of one firm's choices, and rounds of replies until nobody moves."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

POINTS = 64  # of the grid that brackets the best choice
HALVINGS = 52  # of the bracket's logarithm: to the last bits of float64
STILL = 1e-12  # relative to the largest choice: who moves less does not move


def best(payoff: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return the choice in [low, high], low > 0, with the highest payoff, float64 scalar.

    On 64 points evenly spread in the logarithm, the highest of all and the highest that lies
    between two lower ones each bracket a peak (a peak that hardly pays may lie between points
    that do not); inside a bracket the slope's change of sign is found by halving. Of two equal
    peaks it is the inner one. Of several peaks closer together than the points it may miss one.
    """
    grid = jnp.exp(jnp.linspace(jnp.log(low), jnp.log(high), POINTS))
    values = jax.vmap(payoff)(grid)
    inside, last = values[1:-1], POINTS - 1
    peak = (inside >= values[:-2]) & (inside >= values[2:])
    inner = 1 + jnp.argmax(jnp.where(peak, inside, -jnp.inf))
    at = jnp.stack([inner, jnp.argmax(values)])
    ends = grid[jnp.maximum(at - 1, 0)], grid[jnp.minimum(at + 1, last)]
    slope = jax.vmap(jax.grad(payoff))

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        left, right = ends
        middle = jnp.sqrt(left * right)
        rising = slope(middle) > 0
        return jnp.where(rising, middle, left), jnp.where(rising, right, middle)

    left, right = jax.lax.fori_loop(0, HALVINGS, halve, ends)
    found = jnp.sqrt(left * right)
    return found[jnp.argmax(jax.vmap(payoff)(found))]


def settled(
    rule: str,
    choice: Array,
    order: Array,
    count: Array,
    *,
    reply: Callable[[Array, Array], Array],
    damping: Array,
    rounds: Array,
) -> Array:
    """Return choices `[C]` after rounds of replies, until nobody moves or the rounds are over.

    Args:
        rule: `sequence` (each sees those before it in the order move) or `damped` (all reply to
            the same choices and go the share `damping` of the way).
        choice: choices so far, float64[C]; those of the dead are never read.
        order: slots in the order of moves, the living first.
        count: number of the living.
        reply: (choices, slot) -> that firm's best choice.
        damping: share of the way that a damped move goes.
        rounds: most rounds.

    """

    def one_round(choice: Array) -> Array:
        def move(place: Array, moved: Array) -> Array:
            slot = order[place]
            if rule == "sequence":
                new = reply(moved, slot)
            else:
                new = choice[slot] + damping * (reply(choice, slot) - choice[slot])
            # Not scattered: on a processor such a loop of one run is one compiled function.
            return jax.lax.dynamic_update_index_in_dim(moved, new, slot, 0)

        return jax.lax.fori_loop(0, count, move, choice)

    def more(carry: tuple[Array, Array, Array]) -> Array:
        done, _, moving = carry
        return moving & (done < rounds)

    def go(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        done, old, _ = carry
        new = one_round(old)
        moving = jnp.max(jnp.abs(new - old)) > STILL * jnp.max(jnp.abs(new))
        return done + 1, new, moving

    start = (jnp.zeros((), rounds.dtype), choice, count > 0)
    return jax.lax.while_loop(more, go, start)[1]
