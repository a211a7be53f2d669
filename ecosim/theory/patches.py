"""Levene's model in patches: binomial numbers in each patch, and what they move."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

type Vector = NDArray[np.float64]

_SHIFT, _ROUNDS = 1e-9, 6  # of the inverse iteration


def binomial_nodes(count: Vector) -> tuple[Vector, Vector]:
    """Return three nodes and weights `[3, n]` for a mean over a binomial(count, 1/2) number.

    Its mean, variance and fourth moment are met: any polynomial of degree 5 is exact, and so is
    any function where count <= 2. With kurtosis 3 - 2/count the nodes are count/2 and count/2 +-
    sqrt(3 count - 2)/2, which lie within 0..count.
    """
    kurtosis = 3 - 2 / np.maximum(count, 1)
    reach = np.sqrt(np.maximum(3 * count - 2, 0)) / 2
    side = np.where(count > 0, 1 / (2 * kurtosis), 0)
    nodes = np.stack([count / 2 - reach, count / 2, count / 2 + reach])
    return nodes, np.stack([side, 1 - 2 * side, side])


def levene_patches(c: float, s: float, size: int) -> tuple[float, float]:
    """Return mean frequency of type 1 while both types live, and mean generations until a loss.

    Of `size` newborns each settles in one of two patches evenly; patch 1 (fitness 1+s : 1) is the
    origin of a share c of the next generation, patch 2 (1 : 1+s) of the rest, and an empty patch
    of none. The number A of type 1 is a Markov chain: binomial(size, q), with q following from
    how many of the A and of the others are in patch 1, each binomial(., 1/2). Quasi-stationary
    law (Darroch & Seneta 1965) by inverse iteration. The mean is good to 1e-3 from size 24 on; the
    time is an order of magnitude, as losses come from rare ways to settle.

    Raises:
        ValueError: not 0 < c < 1, s > 0 and size >= 2.

    """
    if not 0 < c < 1 or not s > 0 or size < 2:
        raise ValueError(
            f"needs 0 < c < 1, s > 0 and a population of 2 or more (given: c={c:g}, s={s:g}, "
            f"{size})"
        )
    counts = np.arange(1, size)
    later = np.arange(size + 1)
    ways = (
        scipy.special.gammaln(size + 1)
        - scipy.special.gammaln(later + 1)
        - scipy.special.gammaln(size - later + 1)
    )
    one, one_weight = binomial_nodes(counts.astype(float))
    two, two_weight = binomial_nodes((size - counts).astype(float))
    chain = np.zeros((counts.size, size + 1))
    for a, wa in zip(one, one_weight, strict=True):
        for b, wb in zip(two, two_weight, strict=True):
            q = _origin(c, s, np.stack([a, b]), np.stack([counts - a, size - counts - b]))
            q = np.clip(q, 1e-300, 1 - 1e-16)
            log = ways + np.outer(np.log(q), later) + np.outer(np.log1p(-q), size - later)
            chain += (wa * wb)[:, None] * np.exp(log)
    # Inverse iteration: the leading eigenvalue is nearer to 1 than any other by far.
    factors = scipy.linalg.lu_factor((1 + _SHIFT) * np.eye(counts.size) - chain[:, 1:-1].T)
    law = np.full(counts.size, 1 / counts.size)
    for _ in range(_ROUNDS):
        law = np.abs(scipy.linalg.lu_solve(factors, law))
        law /= law.sum()
    loss = float(law @ (chain[:, 0] + chain[:, -1]))
    return float(law @ counts / size), 1 / max(loss, 1e-300)


def _origin(c: float, s: float, first: Vector, second: Vector) -> Vector:
    """Return the chance that a parent is of type 1 given the numbers `[2, n]` in both patches."""
    fit, total = (1 + s) * first[0], first.sum(axis=0)
    here = fit / np.where(total > 0, fit + first[1], 1)
    other, rest = second[0], second.sum(axis=0)
    there = other / np.where(rest > 0, other + (1 + s) * second[1], 1)
    weight = np.where(rest > 0, np.where(total > 0, c, 0.0), 1.0)
    return np.asarray(weight * here + (1 - weight) * there)
