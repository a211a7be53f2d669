"""Diet breadth: the discrete Pareto law cut off at nu (Forister et al. 2015, PNAS 112:442; E7).

P(k) = [k^-a - (k+1)^-a] / [1 - (nu+1)^-a] for k = 1..nu: the whole part of a Pareto number below
nu + 1. k counts resources (host families) that a species uses.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

type Array = NDArray[np.float64]


def _check(exponent: float, most: int) -> None:
    if not (np.isfinite(exponent) and exponent > 0):
        raise ValueError(f"the exponent must be > 0 (given: {exponent})")
    if most < 1 or most != int(most):
        raise ValueError(f"nu must be a whole number >= 1 (given: {most})")


def pmf(exponent: float, most: int) -> Array:
    """Return P(1)..P(nu), `[nu]`; they sum to 1."""
    _check(exponent, most)
    edges = np.arange(1, most + 2, dtype=float) ** -exponent
    return np.asarray((edges[:-1] - edges[1:]) / (1 - edges[-1]))


def cdf(breadth: ArrayLike, exponent: float, most: int) -> Array:
    """Return P(k <= breadth), shape of breadth."""
    _check(exponent, most)
    k = np.clip(np.floor(np.asarray(breadth, float)), 0, most)
    return np.asarray((1 - (k + 1) ** -exponent) / (1 - (most + 1.0) ** -exponent))


def _score(exponent: float, most: int) -> Array:
    """Return d ln P(k) / da, `[nu]`."""
    base = np.arange(1, most + 2, dtype=float)
    edges, logs = base**-exponent, np.log(base)
    slope = -logs * edges
    change = (slope[:-1] - slope[1:]) / (edges[:-1] - edges[1:])
    return np.asarray(change + slope[-1] / (1 - edges[-1]))


def standard_error(exponent: float, most: int, number: int) -> float:
    """Return 1/sqrt(n I(a)) of the maximum-likelihood estimate from n species; inf where nu = 1."""
    _check(exponent, most)
    information = float(np.sum(pmf(exponent, most) * _score(exponent, most) ** 2))
    return float("inf") if information <= 0 else (number * information) ** -0.5


def fit(counts: ArrayLike) -> tuple[float, float]:
    """Return the maximum-likelihood exponent and its standard error.

    Args:
        counts: how many species use 1, 2, ... nu resources, `[nu]`.

    Raises:
        ValueError: counts that are negative, or leave the exponent without a finite estimate: all
            species at breadth 1, or a mean log breadth at or above that of an exponent near 0.

    """
    n = np.asarray(counts, float)
    if n.ndim != 1 or n.size < 2 or np.any(n < 0) or not np.all(np.isfinite(n)):
        raise ValueError("counts must be numbers >= 0 of breadths 1..nu, nu >= 2")

    def total_score(exponent: float) -> float:
        return float(n @ _score(exponent, n.size))

    low, high = 1e-6, 50.0
    if not (total_score(low) > 0 > total_score(high)):
        raise ValueError("these counts leave the exponent without an estimate in (0, 50)")
    found = float(scipy.optimize.brentq(total_score, low, high, xtol=1e-12))
    return found, standard_error(found, n.size, int(n.sum()))
