"""Lotka-Volterra competition on a trait axis with Gaussian kernels.

alpha(d) = exp(-d^2 / (2 sigma_a^2)), K(x) = K0 exp(-x^2 / (2 sigma_K^2)); growth per head
r (1 - sum_j alpha_ij n_j / K_i).
"""

from __future__ import annotations

import math

import scipy


def kernel(distance: float, width: float) -> float:
    """Return alpha = exp(-d^2 / (4 w^2)) of two Gaussian utilisations of width w, d apart.

    MacArthur & Levins (1967, Am. Nat. 101:377); so sigma_a^2 = 2 w^2.
    """
    if not width > 0:
        raise ValueError(f"needs width > 0 (given: {width})")
    return math.exp(-((distance / (2 * width)) ** 2))


def middle_growth_when_rare(alpha: float, *, rate: float = 1.0) -> float:
    """Return the growth when rare of a species midway between two equal neighbours.

    Neighbours a distance 2 d apart overlap by alpha^4, stand at K / (1 + alpha^4) each, and the
    rare one overlaps with each by alpha: r (1 - 2 alpha / (1 + alpha^4)). It invades iff
    2 alpha < 1 + alpha^4 (MacArthur & Levins 1967; May & MacArthur 1972).
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"needs 0 <= alpha <= 1 (given: {alpha})")
    return rate * (1 - 2 * alpha / (1 + alpha**4))


def limiting_similarity() -> float:
    """Return d / w at which the middle species can just not invade: 1.561253."""
    alpha = scipy.optimize.brentq(lambda a: 1 - 2 * a + a**4, 0.1, 0.9)
    return 2 * math.sqrt(-math.log(alpha))


def singular_curvature(kernel_variance: float, capacity_variance: float) -> float:
    """Return the curvature 1/sigma_a^2 - 1/sigma_K^2 of invasion fitness / r at x = 0.

    Positive: a branching point (Dieckmann & Doebeli 1999, Nature 400:354).
    """
    if not (kernel_variance > 0 and capacity_variance > 0):
        raise ValueError("needs variances > 0")
    return 1 / kernel_variance - 1 / capacity_variance


def dimorphism(kernel_variance: float, capacity_variance: float) -> tuple[float, float]:
    """Return x* and N_tot / K0 of the singular pair (-x*, x*) after the first branching.

    Residents at +-x stand at n = K(x) / (1 + alpha(2x)). The gradient of the invasion fitness
    1 - n (alpha(y - x) + alpha(y + x)) / K(y) at y = x is 0 iff
    2 x a / sigma_a^2 = (1 + a) x / sigma_K^2, a = alpha(2 x): with q = sigma_a^2 / (2 sigma_K^2),
    a = q / (1 - q), x* = sigma_a sqrt(ln((1 - q)/q) / 2) and N_tot = 2 K(x*) (1 - q).

    Raises:
        ValueError: unless sigma_a < sigma_K.

    """
    if not 0 < kernel_variance < capacity_variance:
        raise ValueError(
            "needs 0 < kernel variance < capacity variance "
            f"(given: {kernel_variance}, {capacity_variance})"
        )
    q = kernel_variance / (2 * capacity_variance)
    place = math.sqrt(kernel_variance * math.log((1 - q) / q) / 2)
    return place, 2 * math.exp(-(place**2) / (2 * capacity_variance)) * (1 - q)


def continuum(kernel_variance: float, capacity_variance: float) -> tuple[float, float]:
    """Return N_tot / K0 and the variance of the Gaussian continuum of coexisting types.

    alpha * n = K with n Gaussian: variances add, so sigma_n^2 = sigma_K^2 - sigma_a^2, and
    heights give N_tot = K0 sigma_K / sigma_a (Roughgarden 1972, Am. Nat. 106:683).

    Raises:
        ValueError: unless sigma_a < sigma_K.

    """
    if not 0 < kernel_variance < capacity_variance:
        raise ValueError(
            "needs 0 < kernel variance < capacity variance "
            f"(given: {kernel_variance}, {capacity_variance})"
        )
    return math.sqrt(capacity_variance / kernel_variance), capacity_variance - kernel_variance
