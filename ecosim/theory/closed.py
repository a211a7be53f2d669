"""Closed forms. Imports nothing of ecosim: a check must not share code with what it checks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Vector = NDArray[np.float64]


def _shares(supply: ArrayLike) -> Vector:
    weights = np.asarray(supply, float)
    if weights.ndim != 1 or not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError(f"supply must be finite numbers >= 0 in one row (given: {supply!r})")
    if not weights.sum() > 0:
        raise ValueError("at least one supply must be > 0")
    return weights / weights.sum()


def breadth(shares: ArrayLike) -> float:
    """Return the effective number of niches exp(-sum x ln x) of shares `[K]` (Hill 1973)."""
    x = np.asarray(shares, float)
    x = x[x > 0]
    return float(np.exp(-np.sum(x * np.log(x))))


def soft_selection_allocation(supply: ArrayLike) -> Vector:
    """Return the singular allocation x*_k = kappa_k of soft selection, for any exponent.

    From w_i = sum_k kappa_k c_ik / sum_j c_jk with c = x^s: the gradient of w on the simplex
    vanishes at x = kappa; the curvature there has the sign of s (s - 1), so it is evolutionarily
    stable for s < 1 and a branching point for s > 1. It is also the mean allocation after
    branching: specialists settle at frequencies kappa_k, the ideal free distribution (Fretwell &
    Lucas 1969).
    """
    return _shares(supply)


def capital_with_entry(supply: ArrayLike, productivity: float, inflow: float) -> Vector:
    """Return each niche's share of a market's capital when entrants bring in some of it.

    Under constant returns and no fixed cost, capital in niche k changes by its revenue
    productivity kappa_k, the entrants' capital inflow / K (their scope is random, hence even on
    average) and upkeep in proportion to itself. At rest the share is
    (kappa_k + e/K) / (1 + e), e = inflow / productivity: soft selection's kappa_k, diluted.

    Args:
        supply: relative supplies `[K]`.
        productivity: total supply a period.
        inflow: mean capital that entrants bring a period.

    """
    kappa = _shares(supply)
    diluted = inflow / productivity
    return np.asarray((kappa + diluted / kappa.size) / (1 + diluted))


def soft_selection_specialists(supply: ArrayLike, exponent: float) -> Vector:
    """Return the frequency of specialists of each niche under soft selection.

    kappa_k for s > 1. For s < 1 all match the supply, x = kappa, and count as specialists only of
    a niche that supplies 0.9 or more. s = 1 is neutral and has no answer (NaN).
    """
    kappa = _shares(supply)
    if exponent == 1:
        return np.full(kappa.size, np.nan)
    return kappa if exponent > 1 else np.where(kappa >= 0.9, 1.0, 0.0)


def hard_selection_allocation(supply: ArrayLike, exponent: float) -> Vector:
    """Return the allocation that hard selection w = sum_k kappa_k x_k^s leads to from x = 1/K.

    s < 1: x*_k proportional to kappa_k^(1/(1-s)), the maximum of a concave function (Lagrange).
    s > 1: one specialist of the richest niche, which must be unique; s = 1 likewise.
    """
    kappa = _shares(supply)
    if exponent < 1:
        # In logarithms, since 1/(1-s) is large near s = 1.
        log = np.where(kappa > 0, np.log(np.where(kappa > 0, kappa, 1)), -np.inf) / (1 - exponent)
        raised = np.exp(log - log.max())
        return np.asarray(raised / raised.sum())
    richest = np.flatnonzero(kappa == kappa.max())
    if richest.size > 1:
        return np.full(kappa.size, np.nan)
    return np.eye(kappa.size)[richest[0]]
