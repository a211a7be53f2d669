"""Quality in Cournot competition (Sutton 1991, Sunk Costs and Market Structure, ch. 3).

Consumers spend S whatever the price and pay in proportion to quality u >= 1. Of n active firms
one has the margin and the share of revenue m_i = 1 - (n - 1) / (u_i sum_j 1/u_j), so that it
earns S m_i^2 before the cost u_i^g of its quality; firms too poor to sell at these prices
(m_i <= 0) are not active.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model.conduct.replies import best

_UNIT = 2.0**-50  # of 1/u, so that sums do not depend on the order of slots; C < 2^12


class Field(NamedTuple):
    """Who is active, and the sums over them; integers in units of 2^-50."""

    active: Array  # bool[C]
    number: Array  # int64 scalar: n
    inverse: Array  # int64[C] 1/u; 0 for the dead
    total: Array  # int64 scalar: sum of 1/u over the active


def field(quality: Array, alive: Array) -> Field:
    """Return the active firms of qualities `[C]`: the best k, for the largest k that pays."""
    inverse = jnp.rint(1 / jnp.where(alive, quality, 1) / _UNIT).astype(jnp.int64)
    ranked = jnp.sort(jnp.where(alive, inverse, jnp.iinfo(jnp.int64).max))
    rank = jnp.arange(alive.shape[0])
    living = rank < jnp.sum(alive)
    kept = jnp.where(living, ranked, 0)
    sums = jnp.cumsum(kept)
    # Firm k sells beside the k - 1 better ones where u_k sum 1/u > k - 1.
    pays = living & (sums > rank * kept)
    count = jnp.sum(jnp.cumprod(pays.astype(jnp.int64)))
    total = jnp.where(count > 0, sums[jnp.maximum(count - 1, 0)], 0)
    active = alive & (inverse * (count - 1) < total)
    return Field(active, count, jnp.where(alive, inverse, 0), total)


def shares(quality: Array, alive: Array) -> Array:
    """Return shares of revenue `[C]`, float64, that sum to 1 over the active; 0 for the others."""
    f = field(quality, alive)
    total = jnp.where(f.total > 0, f.total, 1).astype(jnp.float64)
    share = 1 - ((f.number - 1) * f.inverse).astype(jnp.float64) / total
    return jnp.where(f.active, share, 0)


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

    def payoff(mine: Array) -> Array:
        f = field(quality.at[slot].set(jax.lax.stop_gradient(mine)), alive)
        rivals = (f.total - f.inverse[slot]).astype(jnp.float64) * _UNIT
        share = 1 - (f.number - 1).astype(jnp.float64) / (1 + mine * rivals)
        return revenue * jnp.where(f.active[slot], share, 0) ** 2 - mine**cost_exponent

    # Beyond u^g = S no revenue covers the cost.
    high = jnp.maximum(revenue, 1) ** (1 / cost_exponent)
    chosen = best(payoff, jnp.ones_like(high), jnp.maximum(high, 1 + 1e-9))
    # At its lower end the bracket is left by halving towards 1, never quite reached.
    lowest = jnp.ones_like(high)
    return jnp.where(payoff(chosen) > payoff(lowest), chosen, lowest)
