"""Values that are computed once, however many read them."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array


def once[T](make: Callable[[], T], wanted: Array) -> T:
    """Return `make()`, arrays, where a bool scalar is true, and zeros where it is not.

    What `make` takes from outside is computed once too.

    XLA computes what is cheap anew in each operation that reads it, and what is read in slices
    anew in each slice: hashes, logarithms and gathers from memory were computed a dozen times, and
    a nest of them took minutes to compile. Nothing is fused across a branch.
    """
    shapes = jax.eval_shape(make)

    def nothing() -> T:
        zeros: T = jax.tree.map(lambda one: jnp.zeros(one.shape, one.dtype), shapes)
        return zeros

    result: T = jax.lax.cond(wanted, make, nothing)
    return result
