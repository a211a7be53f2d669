"""One domain that every search algorithm can run on: a square grid that is also all bit strings.

A point is a cell (i, j) of a grid of side 2^(n/2). As a bit string of length n it is the Gray codes
of i and j, side by side, so that cells next to one another differ in one bit. Algorithms for boxes
see the centre of the cell in [0, 1]^2, algorithms for bit strings see the bits; a problem is a
table of values over the 2^n points, of which the optimum is known exactly. So each algorithm runs
on each class of problems, with nothing relaxed or rounded for one and not for another.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

BITS = 10  # of a point: 1,024 points, a grid of 32 x 32


class Space(NamedTuple):
    """The points in both views; built once, constant in a compiled search."""

    bits: Array  # int32[X, n]
    coordinates: Array  # float32[X, 2] centres of cells in [0, 1]^2
    of_code: Array  # int32[X] the point whose bits, read as a binary number, are the index
    rings: Array  # int32[X, 2] steps on the grid, nearest first, the first none

    @property
    def size(self) -> int:
        """Return |X|."""
        return self.bits.shape[0]

    @property
    def length(self) -> int:
        """Return n."""
        return self.bits.shape[1]

    def nearest(self, coordinates: Array) -> Array:
        """Return the point `[]` whose cell holds coordinates `[2]`, moved into the box."""
        side = 2 ** (self.length // 2)
        cell = jnp.clip(jnp.floor(coordinates * side), 0, side - 1).astype(jnp.int32)
        return cell[0] * side + cell[1]

    def beside(self, point: Array, rank: Array) -> Array:
        """Return the point of a rank in nearness to a point; the grid is closed at its edges."""
        side = 2 ** (self.length // 2)
        step = self.rings[rank]
        return (point // side + step[0]) % side * side + (point % side + step[1]) % side

    def point(self, bits: Array) -> Array:
        """Return the point `[]` of bits `[n]`, each 0 or 1."""
        weights = 2 ** jnp.arange(self.length, dtype=jnp.int32)[::-1]
        return self.of_code[jnp.sum(bits.astype(jnp.int32) * weights, dtype=jnp.int32)]

    def flipped(self, point: Array, bit: Array) -> Array:
        """Return a point with one of its bits turned over."""
        return self.point(self.bits[point] ^ (jnp.arange(self.length) == bit))

    def opposite(self, point: Array) -> Array:
        """Return a point with all of its bits turned over."""
        return self.point(1 - self.bits[point])


def space(length: int = BITS) -> Space:
    """Return the domain of strings of an even number of bits.

    Raises:
        ValueError: an odd length, or one outside 2 .. 16.

    """
    if length % 2 or not 2 <= length <= 16:
        raise ValueError(f"length must be even, 2 to 16 (given: {length!r})")
    half = length // 2
    places = np.arange(2**half)
    gray = places ^ places >> 1
    shifts = np.arange(half)[::-1]
    own = gray[:, None] >> shifts & 1  # [side, half]
    i, j = np.divmod(np.arange(2**length), 2**half)
    bits = np.concatenate([own[i], own[j]], axis=1).astype(np.int32)
    code = bits @ 2 ** np.arange(length)[::-1]
    of_code = np.argsort(code).astype(np.int32)
    centres = (np.stack([i, j], axis=1) + 0.5) / 2**half
    steps = np.stack([i, j], axis=1) - 2**half // 2
    rings = steps[np.argsort(np.sum(steps**2, axis=1), kind="stable")].astype(np.int32)
    return Space(
        jnp.asarray(bits), jnp.asarray(centres, jnp.float32), jnp.asarray(of_code),
        jnp.asarray(rings),
    )  # fmt: skip
