"""Sizes of firms that grow by chance, in proportion to size, and leave at random.

Gibrat 1931, Les inegalites economiques; with a constant rate of exit and entry at one size the
stationary distribution is a double Pareto: Reed 2001, Economics Letters 74:15-19; Gabaix 2009,
Annual Review of Economics 1:255-293. Growth: log-normal steps of mean mu - sigma^2/2 and standard
deviation sigma. Exit: with probability 1 - exp(-delta) a step. Entry: at size 1, one for one.
"""

from __future__ import annotations

import math

import numpy as np
import scipy


def _checked(drift: float, volatility: float, hazard: float) -> None:
    if not (math.isfinite(drift) and 0 < volatility < math.inf and 0 < hazard < math.inf):
        raise ValueError(
            "sizes are stationary for finite drift, volatility > 0 and hazard > 0 "
            f"(given: {drift:g}, {volatility:g}, {hazard:g})"
        )


def exponents(drift: float, volatility: float, hazard: float) -> tuple[float, float]:
    """Return the exponents of the two tails: P(S > s) ~ s^-upper, P(S < s) ~ s^lower.

    The roots of (sigma^2/2) z^2 + (mu - sigma^2/2) z - delta = 0 are `upper` and -`lower`. They
    hold in discrete time too, where E[g^z] = exp(mu z - sigma^2 z (1 - z)/2) and a tail of
    exponent z is stationary iff E[g^z] exp(-delta) = 1. The mean size is finite iff delta > mu.

    Raises:
        ValueError: volatility or hazard is not positive.

    """
    _checked(drift, volatility, hazard)
    half = volatility**2 / 2
    slope = drift - half
    root = math.sqrt(slope**2 + 4 * half * hazard)
    return (root - slope) / (2 * half), (root + slope) / (2 * half)


def upper_exponent_with_exit(drift: float, volatility: float, exit: float) -> float:
    """Return the upper exponent where firms leave with probability `exit` a step.

    (1 - exit) E[g^z] = 1: that is a hazard of -ln(1 - exit).

    Raises:
        ValueError: exit is not between 0 and 1, or volatility is not positive.

    """
    if not 0 < exit < 1:
        raise ValueError(f"exit must lie between 0 and 1 (given: {exit:g})")
    return exponents(drift, volatility, -math.log1p(-exit))[0]


def upper_exponent_arithmetic(drift: float, volatility: float, exit: float) -> float:
    """Return the upper exponent for growth by max(1 + mu + sigma e, 0) and exit a step.

    The root z of (1 - exit) E[max(1 + mu + sigma e, 0)^z] = 1, the mean over standard normal e by
    quadrature. A firm of factor 0 leaves and is replaced as all others are.

    Raises:
        ValueError: exit is not between 0 and 1, volatility is not positive, or there is no root
            below 100.

    """
    if not 0 < exit < 1:
        raise ValueError(f"exit must lie between 0 and 1 (given: {exit:g})")
    _checked(drift, volatility, exit)
    nodes, weights = np.polynomial.legendre.leggauss(2000)
    low = max(-12.0, -(1 + drift) / volatility)
    e = low + (12 - low) * (nodes + 1) / 2
    density = weights * np.exp(-(e**2) / 2) / math.sqrt(2 * math.pi) * (12 - low) / 2

    def excess(z: float) -> float:
        return (1 - exit) * float(density @ (1 + drift + volatility * e) ** z) - 1

    if excess(100.0) <= 0:
        raise ValueError("the upper exponent lies beyond 100: volatility is too small")
    return float(scipy.optimize.brentq(excess, 1e-9, 100.0, xtol=1e-12))


def share_above_entry(drift: float, volatility: float, hazard: float) -> float:
    """Return P(size > 1) = lower / (upper + lower), in continuous time.

    From the double Pareto density upper lower / (upper + lower) times s^(-upper - 1) above 1 and
    s^(lower - 1) below (Reed 2001).
    """
    upper, lower = exponents(drift, volatility, hazard)
    return lower / (upper + lower)


def _ages(drift: float, volatility: float, hazard: float) -> tuple[np.ndarray, ...]:
    """Return probability, mean and standard deviation of log size at each age from 1 on."""
    age = np.arange(1, math.ceil(60 / hazard) + 2, dtype=float)
    chance = -math.expm1(-hazard) * np.exp(-hazard * age)
    return chance, (drift - volatility**2 / 2) * age, volatility * np.sqrt(age)


def share_above_entry_in_steps(drift: float, volatility: float, hazard: float) -> float:
    """Return P(size > 1) + P(size = 1)/2 in discrete time, where newborns have size 1 exactly.

    Age a has probability (1 - q) q^a, q = exp(-delta), and the size at age a is log-normal.
    """
    _checked(drift, volatility, hazard)
    chance, mean, deviation = _ages(drift, volatility, hazard)
    return float(chance @ scipy.special.ndtr(mean / deviation) - math.expm1(-hazard) / 2)


def tail_above(drift: float, volatility: float, hazard: float, log_size: float) -> float:
    """Return P(ln size > x) in discrete time, x > 0."""
    _checked(drift, volatility, hazard)
    chance, mean, deviation = _ages(drift, volatility, hazard)
    return float(chance @ scipy.special.ndtr((mean - log_size) / deviation))


def tail_slope(drift: float, volatility: float, hazard: float, log_size: float) -> float:
    """Return 1 / E[ln size - x | ln size > x] in discrete time: what Hill's estimator tends to.

    It differs from the upper exponent near the size of entry, where the steps of growth show.
    """
    _checked(drift, volatility, hazard)
    chance, mean, deviation = _ages(drift, volatility, hazard)
    k = (mean - log_size) / deviation
    density = np.exp(-(k**2) / 2) / math.sqrt(2 * math.pi)
    excess = chance @ ((mean - log_size) * scipy.special.ndtr(k) + deviation * density)
    return float(chance @ scipy.special.ndtr(k) / excess)
