"""Classes of problems: instances drawn by key as tables of values over the points of a space.

Values lie in [0, 1]; 1 is the optimum of every instance of a structured class, and 0 its least
value, so that the value of a point is the performance of whoever found it.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.search.space import Space

LEVELS = 100  # of the class `uniform`: values 0, 1/99, .. 1
NEIGHBOURS = 3  # K of the NK landscapes: each bit's part depends on so many others
NOISE = 0.3  # standard deviation of an evaluation of the class `noisy`

type Draw = Callable[[Space, Array], Array]  # (space, key) -> values float32[X]


def _scaled(values: Array) -> Array:
    low, high = jnp.min(values), jnp.max(values)
    # A compiled division may miss 1 by a rounding error.
    return jnp.where(values == high, 1, (values - low) / (high - low)).astype(jnp.float32)


def smooth(space: Space, key: Array) -> Array:
    """Return a sphere: minus the squared distance from a random place in the box."""
    centre = jax.random.uniform(key, (2,), jnp.float32)
    return _scaled(-jnp.sum((space.coordinates - centre) ** 2, axis=1))


def separable(space: Space, key: Array) -> Array:
    """Return a linear function of the bits with random weights of either sign.

    OneMax (Droste, Jansen & Wegener 2002, Theor Comput Sci 276:51-81) with weights.
    """
    weights, signs = jax.random.split(key)
    sizes = jax.random.uniform(weights, (space.length,), jnp.float32, 0.5, 1.5)
    sign = jnp.where(jax.random.bernoulli(signs, 0.5, (space.length,)), 1.0, -1.0)
    return _scaled(space.bits @ (sizes * sign).astype(jnp.float32))


def rugged(space: Space, key: Array) -> Array:
    """Return an NK landscape, each bit with K = 3 others at random (Kauffman & Levin 1987)."""
    count = space.length
    neighbours = min(NEIGHBOURS, count - 1)

    def part(own: Array, locus: Array) -> Array:
        order, table = jax.random.split(own)
        # The locus itself first: it sorts before all others.
        rank = jnp.where(jnp.arange(count) == locus, -1.0, jax.random.uniform(order, (count,)))
        loci = jnp.argsort(rank)[: neighbours + 1]
        code = space.bits[:, loci] @ (2 ** jnp.arange(neighbours + 1))
        return jax.random.uniform(table, (2 ** (neighbours + 1),), jnp.float32)[code]

    parts = jax.vmap(part)(jax.random.split(key, count), jnp.arange(count))
    return _scaled(jnp.mean(parts, axis=0))


def deceptive(space: Space, key: Array) -> Array:
    """Return concatenated traps of n/2 bits that lead away from a random optimum.

    With u of k bits right a trap gives 1 where u = k and .8 (1 - u/(k-1)) elsewhere, so that each
    single right bit makes it worse (Deb & Goldberg 1993, FOGA 2:93-108).
    """
    optimum = jax.random.bernoulli(key, 0.5, (space.length,)).astype(jnp.int32)
    size = space.length // 2
    right = jnp.sum((space.bits == optimum).reshape(space.size, 2, size), axis=2)
    trap = jnp.where(right == size, 1.0, 0.8 * (1 - right / max(size - 1, 1)))
    return _scaled(jnp.mean(trap, axis=1))


def needle(space: Space, key: Array) -> Array:
    """Return 1 at one random point and 0 elsewhere: a set closed under permutation."""
    place = jax.random.randint(key, (), 0, space.size)
    return (jnp.arange(space.size) == place).astype(jnp.float32)


def uniform(space: Space, key: Array) -> Array:
    """Return a function drawn uniformly from all: independent values on 100 even levels."""
    levels = jax.random.randint(key, (space.size,), 0, LEVELS)
    return (levels / (LEVELS - 1)).astype(jnp.float32)


# `noisy` is `smooth` with an error in each evaluation. `uniform-mean` is `uniform` with what any
# algorithm finds on average, by enumeration, in place of what it found.
PROBLEMS: dict[str, Draw] = {
    "smooth": smooth, "rugged": rugged, "deceptive": deceptive, "separable": separable,
    "noisy": smooth, "needle": needle, "uniform": uniform,
    "uniform-mean": uniform,
}  # fmt: skip


def noise(problem: str) -> float:
    """Return the standard deviation of an evaluation's error in a class."""
    return NOISE if problem == "noisy" else 0.0
