"""Quality in Cournot competition (Sutton 1991, Sunk Costs and Market Structure, ch. 3).

Consumers spend S whatever the price and pay in proportion to quality u >= 1. Of n active firms
one has the margin and the share of revenue m_i = 1 - (n - 1) / (u_i sum_j 1/u_j), so that it
earns S m_i^2 before the cost u_i^g of its quality; firms too poor to sell at these prices
(m_i <= 0) are not active.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model.conduct.replies import HALVINGS, best

_UNIT = 2.0**-50  # of 1/u, so that sums do not depend on the order of slots; see oligopoly.FIRMS


class Field(NamedTuple):
    """Who is active, and the sums over them; integers in units of 2^-50."""

    active: Array  # bool[C]
    number: Array  # int64 scalar: n
    inverse: Array  # int64[C] 1/u; 0 for the dead
    total: Array  # int64 scalar: sum of 1/u over the active


def field(quality: Array, alive: Array) -> Field:
    """Return the active firms of qualities `[C]`: the best k, for the largest k that pays.

    Those who could not sell beside all who are left go, until nobody does. Beside the best k all
    of them sell, and beside more, worse ones as well: none of them ever goes.
    """
    inverse = jnp.rint(1 / jnp.where(alive, quality, 1) / _UNIT).astype(jnp.int64)
    inverse = jnp.where(alive, jnp.maximum(inverse, 1), 0)

    def selling(active: Array) -> Field:
        kept = jnp.where(active, inverse, 0)
        return Field(active, jnp.sum(active), inverse, jnp.sum(kept))

    def left(f: Field) -> Array:
        # Firm k sells beside the k - 1 better ones where u_k sum 1/u > k - 1.
        return f.active & (inverse * (f.number - 1) < f.total)

    def more(f: Field) -> Array:
        return jnp.any(left(f) != f.active)

    return jax.lax.while_loop(more, lambda f: selling(left(f)), selling(alive))


def shares(quality: Array, alive: Array) -> Array:
    """Return shares of revenue `[C]`, float64, that sum to 1 over the active; 0 for the others."""
    f = field(quality, alive)
    total = jnp.where(f.total > 0, f.total, 1).astype(jnp.float64)
    share = 1 - ((f.number - 1) * f.inverse).astype(jnp.float64) / total
    return jnp.where(f.active, share, 0)


def _payoff(
    quality: Array, slot: Array, alive: Array, revenue: Array, cost_exponent: Array
) -> Callable[[Array], Array]:
    """Return the payoff of one firm as a function of its own quality, differentiable in it."""
    own = jnp.arange(alive.shape[0]) == slot

    def payoff(mine: Array) -> Array:
        chosen = jnp.where(own, jax.lax.stop_gradient(mine), quality)
        f = field(chosen, alive)
        rivals = (f.total - f.inverse[slot]).astype(jnp.float64) * _UNIT
        share = 1 - (f.number - 1).astype(jnp.float64) / (1 + mine * rivals)
        return revenue * jnp.where(f.active[slot], share, 0) ** 2 - mine**cost_exponent

    return payoff


def _highest(revenue: Array, cost_exponent: Array) -> Array:
    """Return the quality beyond which no revenue covers the cost: u^g = S, at least 1."""
    return jnp.maximum(jnp.maximum(revenue, 1) ** (1 / cost_exponent), 1 + 1e-9)


def alike(alive: Array, *, revenue: Array, cost_exponent: Array) -> Array:
    """Return the quality at which no firm gains by a small change if all have it, at least 1.

    It is where firms begin: they expect one another to choose alike. Whoever would rather choose
    something quite different moves when its turn to reply comes.
    """
    slot = jnp.argmax(alive)

    def rising(level: Array) -> Array:
        same = jnp.where(alive, level, 0)
        return jax.grad(_payoff(same, slot, alive, revenue, cost_exponent))(level) > 0

    def halve(_: int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = jnp.sqrt(low * high)
        up = rising(middle)
        return jnp.where(up, middle, low), jnp.where(up, high, middle)

    high = _highest(revenue, cost_exponent)
    one = jnp.ones_like(high)
    low, high = jax.lax.fori_loop(0, HALVINGS, halve, (one, high))
    return jnp.where(rising(one), jnp.sqrt(low * high), one)


def reply(
    quality: Array, slot: Array, alive: Array, *, revenue: Array, cost_exponent: Array
) -> Array:
    """Return a firm's best quality against those of the others, at least 1.

    Args:
        quality: qualities `[C]`.
        slot: whose reply.
        alive: bool[C].
        revenue: S.
        cost_exponent: g in the cost u^g.

    """
    payoff = _payoff(quality, slot, alive, revenue, cost_exponent)
    high = _highest(revenue, cost_exponent)
    lowest = jnp.ones_like(high)
    chosen = best(payoff, lowest, high)
    # Halving approaches the lower end of its bracket, 1, and never quite reaches it.
    return jnp.where(payoff(chosen) > payoff(lowest), chosen, lowest)
