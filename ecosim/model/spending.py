"""Whole units of a budget that is divided by shares: evaluations, examples, steps, parameters."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

_NEAR = 1e-3  # a sum of efforts so close to a whole number is that number


def units(effort: Array, draw: Array) -> Array:
    """Return whole units, of the type of `effort`, `[C, K]`, that efforts buy in one step.

    Each is its effort rounded down or up, on average the effort itself, and the units of an agent
    add up to its whole effort rounded so: nothing is lost by dividing. Systematic sampling (Madow
    1949, Ann Math Stat 20:333-354): marks at u, u + 1, .. along the efforts laid end to end.

    Args:
        effort: of each agent on each niche, `[C, K]`, >= 0.
        draw: u of each agent, uniform on (0, 1), `[C]`.

    """
    ends = jnp.cumsum(effort, axis=1)
    whole = jnp.round(ends)
    ends = jnp.where(jnp.abs(ends - whole) < _NEAR, whole, ends)
    marks = jnp.floor(ends + draw[:, None])
    return jnp.diff(marks, axis=1, prepend=0)
