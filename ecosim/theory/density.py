"""Density dependence of founding and mortality (Hannan & Carroll 1992).

Legitimation raises founding, and lowers mortality, while organisations are few; competition does
the opposite when they are many.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Vector = NDArray[np.float64]


def exponential_rate(rate: float, first: float, second: float, density: ArrayLike) -> Vector:
    """Return rate exp(first N + second N^2): foundings a step, or the hazard of a firm's exit.

    Args:
        rate: rate in an empty market, per step.
        first: coefficient of N, per organisation.
        second: coefficient of N^2.
        density: numbers of organisations N, any shape.

    """
    n = np.asarray(density, float)
    return np.asarray(rate * np.exp(first * n + second * n**2))


def exponential_peak(first: float, second: float) -> float:
    """Return the number -first / (2 second) at which the rate turns.

    Raises:
        ValueError: the coefficients do not have opposite signs, so that it turns nowhere.

    """
    if not first * second < 0:
        raise ValueError(f"a rate turns where its signs differ (given: {first:g}, {second:g})")
    return -first / (2 * second)


def power_rate(rate: float, exponent: float, second: float, density: ArrayLike) -> Vector:
    """Return rate N^exponent exp(second N^2), foundings a step."""
    n = np.asarray(density, float)
    return np.asarray(rate * n**exponent * np.exp(second * n**2))


def power_peak(exponent: float, second: float) -> float:
    """Return the number sqrt(-exponent / (2 second)) at which the rate is largest.

    Raises:
        ValueError: not exponent > 0 > second.

    """
    if not exponent > 0 > second:
        raise ValueError(f"needs exponent > 0 > second (given: {exponent:g}, {second:g})")
    return math.sqrt(-exponent / (2 * second))
