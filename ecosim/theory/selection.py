"""Selection without inheritance: shares of capital that follow performance.

Price 1970, Nature 227:520-521; Blume & Easley 1992, Journal of Economic Theory 58:9-40.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Vector = NDArray[np.float64]


def selection_term(reinvestment: float, mean: ArrayLike, variance: ArrayLike) -> Vector:
    """Return g Var(pi) / (1 + g mean pi), the change of the share-weighted mean performance.

    From shares q_i' = q_i (1 + g pi_i) / (1 + g mean pi): Price's covariance of relative fitness
    and performance. Mean and variance are weighted by shares of capital.
    """
    average = np.asarray(mean, float)
    return np.asarray(reinvestment * np.asarray(variance, float) / (1 + reinvestment * average))


def reinvested(
    reinvestment: float,
    capital: ArrayLike,
    claims: ArrayLike,
    *,
    supply: ArrayLike,
    steps: int,
) -> Vector:
    """Return the selection term of each step, `[steps]`, in a market of constant allocations.

    A unit of firm i's capital earns pi_i = sum_k w_ik kappa_k / sum_j m_j w_jk, and capital grows
    by 1 + g pi_i.

    Args:
        reinvestment: g, the share of profits that stays in the firm.
        capital: capital m of each firm at the start, `[N]`.
        claims: competence of a unit of each firm's capital in each niche, w, `[N, K]`.
        supply: what each niche emits in a step, kappa, `[K]`.
        steps: how many.

    Raises:
        ValueError: reinvestment outside [0, 1], or capital that is not positive.

    """
    own, w, kappa = (np.asarray(part, float) for part in (capital, claims, supply))
    if not 0 <= reinvestment <= 1:
        raise ValueError(f"reinvestment is a share of profits (given: {reinvestment:g})")
    if not np.all(own > 0):
        raise ValueError("capital must be positive")
    terms = []
    for _ in range(steps):
        performance = w @ (kappa / (own @ w))
        share = own / own.sum()
        mean = share @ performance
        variance = share @ (performance - mean) ** 2
        terms.append(float(selection_term(reinvestment, mean, variance)))
        own = own * (1 + reinvestment * performance)
    return np.array(terms)


def divergence(states: ArrayLike, portfolio: ArrayLike) -> float:
    """Return the Kullback-Leibler divergence sum p ln(p / x) of a portfolio from the states.

    Raises:
        ValueError: not two distributions of one length, or no share in a state that occurs.

    """
    p, x = np.asarray(states, float), np.asarray(portfolio, float)
    if p.shape != x.shape or p.ndim != 1 or np.any(p < 0) or np.any(x < 0):
        raise ValueError("needs two rows of shares of one length")
    if not (np.isclose(p.sum(), 1) and np.isclose(x.sum(), 1)):
        raise ValueError("shares must sum to 1")
    occurs = p > 0
    if np.any(x[occurs] == 0):
        raise ValueError("a portfolio without a share in a state that occurs loses everything")
    return float(np.sum(p[occurs] * np.log(p[occurs] / x[occurs])))


def log_wealth_drift(states: ArrayLike, first: ArrayLike, second: ArrayLike) -> float:
    """Return the mean growth a step of ln(wealth of the first / wealth of the second).

    D(p || second) - D(p || first): the rule closest to the true probabilities takes the market
    (Kelly 1956; Blume & Easley 1992).
    """
    return divergence(states, second) - divergence(states, first)
