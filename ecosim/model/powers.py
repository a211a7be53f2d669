"""Powers of what agents have or put in."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array


def power(values: Array, exponent: Array) -> Array:
    """Return values, of any shape and none negative, to the power of a scalar.

    The first and second powers, which most scenarios ask for, are branches of their own: any other
    is computed number by number, a pass that takes as long as adding up all claims.
    """
    branch = jnp.where(exponent == 1, 0, jnp.where(exponent == 2, 1, 2))
    raised: Array = jax.lax.switch(
        branch, [lambda: values, lambda: values * values, lambda: values**exponent]
    )
    return raised
