"""Effort in a contest (Tullock 1980).

Firm i of impact a_ik (its claim on niche k at effort 1: budget, allocation and capital) chooses
the effort e that is its best reply to the rivals' claims R_k, maximising
sum_k V_k a_ik e^r / (R_k + a_ik e^r) - c e, where V_k is the supply of niche k, r the product of
the exponents of the trade-off and of the contest, and R_k includes `competition.unclaimed`.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact
from ecosim.model.conduct.replies import best

LEAST = 1e-6  # of V / c: what a firm without rivals spends, since any effort wins it all
TIE = 1e-9  # of V: a firm stays active where effort and giving up pay the same but for rounding


def claims(impact: Array, effort: Array, exponent: Array) -> Array:
    """Return claims `[C, K]` of impacts `[C, K]` at efforts `[C]`."""
    return impact * (effort**exponent)[:, None]


def reply(
    impact: Array, effort: Array, slot: Array, *,
    supply: Array, unclaimed: Array, exponent: Array, cost: Array,
) -> Array:  # fmt: skip
    """Return a firm's best effort against those of the others; 0 where none pays.

    Args:
        impact: claims at effort 1, float64[C, K]; 0 for the dead.
        effort: efforts `[C]`.
        slot: whose reply.
        supply: V, float64[K].
        unclaimed: rival mass that nobody embodies.
        exponent: r, of effort in a claim.
        cost: c, of a unit of effort.

    """
    made = claims(impact, effort, exponent)
    # Integers, so that the rivals' sum does not depend on the order of slots.
    unit = exact.quantum(jnp.max(made, axis=0), jnp.asarray(made.shape[0]), made.dtype)
    whole = exact.rounded(made, unit)
    rivals = (jnp.sum(whole, axis=0) - whole[slot]).astype(jnp.float64) * unit + unclaimed
    own, prize = impact[slot], jnp.sum(supply)

    def payoff(effort: Array) -> Array:
        mine = own * effort**exponent
        mass = mine + rivals
        share = jnp.where(mass > 0, mine / jnp.where(mass > 0, mass, 1), 0)
        return jnp.sum(supply * share) - cost * effort

    high = jnp.where(prize > 0, prize, 1) / cost
    chosen = best(payoff, LEAST * high, high)
    return jnp.where(payoff(chosen) >= -TIE * prize, chosen, 0)
