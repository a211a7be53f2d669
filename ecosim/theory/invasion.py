"""Singular strategies of soft selection on two niches (T1; Geritz et al. 1998).

w(y, x) = sum_k kappa_k (y_k/x_k)^s, the rate of a rare mutant y among residents x is ln w.
"""

from __future__ import annotations


def _check(share: float, exponent: float) -> None:
    if not 0 < share < 1:
        raise ValueError(f"the supply of a niche must be a share in (0, 1) (given: {share})")
    if not exponent > 0:
        raise ValueError(f"the exponent must be > 0 (given: {exponent})")


def soft_slope(share: float, exponent: float) -> float:
    """Return the slope -s/(kappa_1 kappa_2) of the selection gradient at x = kappa."""
    _check(share, exponent)
    return -exponent / (share * (1 - share))


def soft_curvature(share: float, exponent: float) -> float:
    """Return d^2 ln w/dy^2 = s (s - 1)/(kappa_1 kappa_2) at y = x = kappa.

    Below 0 for s < 1: no mutant invades; above 0 for s > 1: a branching point.
    """
    _check(share, exponent)
    return exponent * (exponent - 1) / (share * (1 - share))


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
