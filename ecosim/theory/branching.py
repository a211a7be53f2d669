"""Individuals under Lotka-Volterra competition on a trait axis (Dieckmann & Doebeli 1999).

Births at rate r, deaths at rate r sum_j C(x_i - x_j) / K(x_i), the individual itself included;
C and K are Gaussian of standard deviations sigma_a and sigma_K, K(0) = K0.
"""

from __future__ import annotations

import math

import numpy as np

# sigma_a^2 (with sigma_K = 1, r = 1, K0 = 500, start at .1, mutation 5e-4 a birth of sd .05):
# median and 95 % interval of the time until two clones of more than 30 are more than .6 apart.
_WAITING = {
    0.10: (2025.0, 1900.0, 2150.0),
    0.1778: (4075.0, 3825.0, 4300.0),
    0.2556: (7400.0, 6750.0, 8325.0),
    0.3333: (17750.0, 14600.0, 20600.0),
}


def branches(width: float, capacity_width: float) -> bool:
    """Return whether x = 0 is a branching point: sigma_a < sigma_K (curvature > 0)."""
    if not (width > 0 and capacity_width > 0):
        raise ValueError(f"widths must be > 0 (given: {width!r}, {capacity_width!r})")
    return width < capacity_width


def monomorphic_mean(capacity: int) -> float:
    """Return the mean number of individuals that are all alike where K(x) = `capacity`.

    Exact: the quasi-stationary mean, given survival, of births r n and deaths r n^2 / K, by the
    ratio-of-arrows recursion of Nasell (2001), iterated to convergence. About K - 1.

    Args:
        capacity: 20 <= K <= 100,000, individuals (below, extinction is not rare).

    Raises:
        ValueError: a number outside its domain.

    """
    if not 20 <= capacity <= 100_000:
        raise ValueError(f"capacity must lie in 20..100000 (given: {capacity!r})")
    most = math.ceil(capacity + 12 * math.sqrt(capacity) + 20)
    n = np.arange(1, most + 1, dtype=float)
    birth, death = n[:-1], n**2 / capacity
    # p(n+1) death(n+1) = p(n) birth(n) + loss, where loss = death(1) p(1) leaks to extinction.
    tail = np.ones(most)
    for _ in range(50):
        p = np.empty(most)
        p[0] = 1.0
        for k in range(most - 1):
            # Flux down through n+1 -> n, minus flux up, equals the leak borne above n.
            p[k + 1] = (p[k] * birth[k] + death[0] * p[0] * tail[k + 1]) / death[k + 1]
            if p[k + 1] > 1e200:  # only ratios matter
                p[: k + 2] /= p[k + 1]
        p /= p.sum()
        new = np.cumsum(p[::-1])[::-1]
        if np.max(np.abs(new - tail)) < 1e-14:
            break
        tail = new
    return float(np.sum(n * p))


def dimorphic_mean(many: float) -> float:
    """Return the mean total number of individuals at the first dimorphism: N - 2.

    N = `many` is the closed form of many individuals, K0 times that of `kernels.dimorphism`. To
    the first order in 1/K0 each of the two kinds fluctuates with variance m / (1 - a) and
    covariance -a m / (1 - a), a = C(2 x*): E[sum_ij C_ij N_i N_j / K] then takes 1 off each.

    Raises:
        ValueError: two individuals or fewer.

    """
    if not many > 2:
        raise ValueError(f"needs more than two individuals (given: {many!r})")
    return many - 2


def waiting_time(width_squared: float) -> tuple[float, float, float]:
    """Return the median waiting time to branching and its 95 % interval, lowest and highest.

    Of an exact event-driven simulation, independent of this one, for sigma_a^2 = .10, .1778, .2556
    and .3333; between them the logarithms are interpolated. For r = 1, sigma_K = 1, K0 = 500, a
    start at .1, mutation 5e-4 a birth with steps of sd .05.

    Raises:
        ValueError: sigma_a^2 outside .10 .. .3333.

    """
    at = sorted(_WAITING)
    if not at[0] <= width_squared <= at[-1]:
        raise ValueError(f"sigma_a^2 must lie in {at[0]}..{at[-1]} (given: {width_squared!r})")
    logs = np.log([_WAITING[key] for key in at])
    middle, low, high = (float(np.exp(np.interp(width_squared, at, logs[:, k]))) for k in range(3))
    return middle, low, high
