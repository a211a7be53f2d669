"""Closed forms of a finite budget: breadth, thresholds, coverage and mutation-selection balance."""

from __future__ import annotations

import numpy as np
import scipy


def soft_curvature(kappa: float, s: float) -> float:
    """Return the curvature of invasion fitness at x = kappa on two niches under soft selection.

    w(y) = kappa (y/kappa)^s + (1-kappa) ((1-y)/(1-kappa))^s has w'(kappa) = 0 and
    w''(kappa) = s (s-1)/(kappa (1-kappa)), and so has ln w, the growth rate of a rare mutant y.
    Below 0 for s < 1: no mutant invades; above 0 for s > 1: a branching point (Geritz et al. 1998).
    """
    _inside(kappa)
    return s * (s - 1) / (kappa * (1 - kappa))


def soft_slope(kappa: float, s: float) -> float:
    """Return the slope -s/(kappa (1-kappa)) of the selection gradient at x = kappa."""
    _inside(kappa)
    return -s / (kappa * (1 - kappa))


def grid_bias(share: float, exponent: float, step: float) -> tuple[float, float]:
    """Return bounds on the errors of trait and curvature found from differences on a grid.

    With the derivatives of w at x = kappa, F3 = s(s-1)(s-2)(1/k1^2 - 1/k2^2) and
    F4 = s(s-1)(s-2)(s-3)(1/k1^3 + 1/k2^3): a central difference is off by F3 h^2/6, linear
    interpolation between grid points by the gradient's second derivative g2 h^2/8, each over the
    slope; the curvature by (F4 + 3 F2^2) h^2/12, and by its change over the interpolated
    interval, second order like the gradient's. Twice these, for what is beyond.
    """
    one, two, s = share, 1 - share, exponent
    second, slope = abs(soft_curvature(share, s)), abs(soft_slope(share, s))
    third = abs(s * (s - 1) * (s - 2) * (one**-2 - two**-2))
    fourth = abs(s * (s - 1) * (s - 2) * (s - 3)) * (one**-3 + two**-3)
    bend = 2 * s * abs(one**-2 - two**-2)
    trait = (third / 6 + bend / 8) / slope * step**2
    # The curvature of residents x near kappa: d2/dx2 of s(s-1) sum kappa_k/x_k^2 less the gradient
    # squared.
    along = abs(s * (s - 1)) * 6 * (one**-3 + two**-3) + 2 * slope**2
    across = abs(s * (s - 1)) * 2 * abs(one**-2 - two**-2)
    curvature = (fourth + 3 * second**2) / 12 * step**2 + along / 8 * step**2 + across * trait
    return 2 * trait, 2 * curvature


def _inside(kappa: float) -> None:
    if not 0 < kappa < 1:
        raise ValueError(f"needs 0 < kappa < 1 (given: {kappa:g})")


def soft_mutation_shift(kappa: float, s: float, variance_rate: float) -> float:
    """Return the shift of the mean allocation from kappa by mutation, soft selection, s < 1.

    Gaussian balance: selection of curvature G = s (1-s)/(kappa (1-kappa)) and mutation that adds
    `variance_rate` a generation leave a variance V = sqrt(variance_rate/G) (Kimura 1965). With
    x = m + e, cov(e, x^s)/E x^s = (s V/m)(1 + (1-s) V/m^2) to second order in V; the two niches
    balance at m = kappa + (1-s) V (1 - 2 kappa)/(kappa (1-kappa)).
    """
    variance = soft_variance(kappa, s, variance_rate)
    return (1 - s) * variance * (1 - 2 * kappa) / (kappa * (1 - kappa))


def soft_variance(kappa: float, s: float, variance_rate: float) -> float:
    """Return the variance of allocations in that balance."""
    _inside(kappa)
    if not 0 < s < 1:
        raise ValueError(f"needs 0 < s < 1 (given: {s:g})")
    return float(np.sqrt(variance_rate / -soft_curvature(kappa, s)))


def hard_mutation_balance(kappa: float, s: float, variance_rate: float) -> tuple[float, float]:
    """Return shift of the mean and variance of allocations under hard selection, s < 1.

    At x* of w = kappa x^s + (1-kappa)(1-x)^s the variance is V = sqrt(variance_rate/G),
    G = -w''/w, and the mean moves to where w' + (V/2) w''' = 0.
    """
    _inside(kappa)
    if not 0 < s < 1:
        raise ValueError(f"needs 0 < s < 1 (given: {s:g})")
    x = hard_repeller(kappa, s)
    fitness = kappa * x**s + (1 - kappa) * (1 - x) ** s
    second = s * (s - 1) * (kappa * x ** (s - 2) + (1 - kappa) * (1 - x) ** (s - 2))
    third = kappa * x ** (s - 3) - (1 - kappa) * (1 - x) ** (s - 3)
    third *= s * (s - 1) * (s - 2)
    variance = float(np.sqrt(variance_rate * fitness / -second))
    return float(-variance * third / second / 2), variance


def hard_repeller(kappa: float, s: float) -> float:
    """Return x ~ kappa^(1/(1-s)) on two niches: attractor for s < 1, repeller for s > 1."""
    _inside(kappa)
    if s == 1:
        raise ValueError("s = 1 has no singular allocation")
    odds = (kappa / (1 - kappa)) ** (1 / (1 - s))
    return float(odds / (1 + odds))


def corner_spread(s: float, variance_rate: float) -> tuple[float, float, float]:
    """Return how far mutation keeps specialists from their corner: E z, P(z > .1) and E z^s.

    z = 1 - x. Fitness falls by s z near the corner and mutation diffuses z at `variance_rate`,
    turned back at 0: p'' variance_rate/2 = s (z - E z) p, solved by the Airy function
    Ai(z/l - a), l = (variance_rate/(2 s))^(1/3), a = 1.0188 (Ai'(-a) = 0), and E z = a l.
    """
    length, root = (variance_rate / (2 * s)) ** (1 / 3), 1.018792971647471

    def airy(u: float) -> float:
        return float(scipy.special.airy(u - root)[0])

    whole = scipy.integrate.quad(airy, 0, 30)[0]
    beyond = scipy.integrate.quad(airy, 0.1 / length, 0.1 / length + 30)[0] / whole
    raised = scipy.integrate.quad(lambda u: airy(u) * (u * length) ** s, 0, 30)[0] / whole
    return root * length, float(beyond), float(raised)


def invader_payoff(k: int, rivals: float, r: float) -> float:
    """Return k b^r/(b^r + R), b = 1/k: what a budget of 1 over k niches wins from rivals R."""
    return k / (1 + rivals * float(k) ** r)


def invader_breadth(rivals: float, r: float, niches: int) -> int:
    """Return the best whole number of niches, 1..T, of a rare invader.

    r <= 1: all. r > 1: the better of floor and ceiling of ((r-1) R)^(-1/r), clipped to [1, T].
    """
    if not rivals > 0 or not r > 0 or niches < 1:
        raise ValueError(f"needs R > 0, r > 0, T >= 1 (given: {rivals:g}, {r:g}, {niches})")
    if r <= 1:
        return niches
    best = float(np.clip(((r - 1) * rivals) ** (-1 / r), 1, niches))
    return max((int(np.floor(best)), int(np.ceil(best))),
               key=lambda k: invader_payoff(k, rivals, r))  # fmt: skip


def threshold_breadth(budget: float, threshold: float, s: float, niches: int) -> int:
    """Return how many niches a budget can keep at a competence (B/k)^s >= theta, at most T."""
    if not min(budget, threshold, s) > 0:
        raise ValueError("needs B, theta and s > 0")
    return int(min(niches, np.floor(budget / threshold ** (1 / s))))


def diluted_competence(budget: float, s: float, niches: int) -> float:
    """Return the competence (B/T)^s in each niche of a budget spread over all T."""
    return float((budget / niches) ** s)


def generalist_fitness(ratio: float, s: float, niches: int) -> float:
    """Return fitness of an even generalist relative to specialists in equal numbers a niche.

    W = (B_g/B_s)^s K^(1-s): both are paid at one price a niche, so this holds at any frequency of
    the generalist. The generalist wins iff B_g/B_s > K^((s-1)/s).
    """
    if not ratio > 0 or niches < 1:
        raise ValueError("needs B > 0 and K >= 1")
    return float(ratio**s * niches ** (1 - s))


def budget_threshold(s: float, niches: int) -> float:
    """Return the budget multiple K^((s-1)/s) at which generalist and specialists are equal."""
    return float(niches ** ((s - 1) / s))


def coverage(count: int, niches: int) -> float:
    """Return the expected share 1 - (1-1/K)^n of K niches covered by n random specialists."""
    return float(1 - (1 - 1 / niches) ** count)


def specialists_needed(niches: int) -> float:
    """Return the mean number of random specialists K H_K until all K niches are covered."""
    return float(niches * np.sum(1 / np.arange(1, niches + 1)))


def specialist_exponent(rivals: float) -> float:
    """Return the exponent r from which one whole niche beats two, log2(2 + 1/R).

    From invader_payoff: 1/(1 + R) >= 2/(1 + R 2^r). It falls to 1 as rivals crowd (soft
    selection's boundary) and has no bound as they vanish.
    """
    if not rivals > 0:
        raise ValueError(f"needs R > 0 (given: {rivals:g})")
    return float(np.log2(2 + 1 / rivals))
