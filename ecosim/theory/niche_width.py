"""Niche width: what widening brings and costs."""

from __future__ import annotations

import math

import numpy as np


def utilised(width: float, niches: int, position: float = 0.5) -> float:
    """Return the breadth exp(H) of a Gaussian utilisation curve on an axis of length 1.

    Args:
        width: standard deviation of the curve.
        niches: K, at (k + 1/2) / K.
        position: centre of the curve.

    Raises:
        ValueError: width <= 0 or niches < 1.

    """
    if not width > 0 or niches < 1:
        raise ValueError(f"need width > 0 and niches >= 1 (given: {width!r}, {niches!r})")
    at = (np.arange(niches) + 0.5) / niches
    weight = np.exp(-((at - position) ** 2) / (2 * width**2) + np.min((at - position) ** 2))
    x = weight / weight.sum()
    x = x[x > 0]
    return float(np.exp(-np.sum(x * np.log(x))))


def best(exponent: float, cost: float) -> float:
    """Return the breadth b that takes up most where b niches are used evenly.

    Competence (e^(-cost (b - 1)) / b)^s in each of b niches: the sum b^(1-s) e^(-s cost (b-1)) is
    largest at b = (1 - s) / (s cost), without end where cost = 0. No less than one niche.

    Args:
        exponent: 0 < s < 1: two half efforts bring more than one whole.
        cost: of each further niche, >= 0.

    Raises:
        ValueError: a number outside its domain.

    """
    if not (0 < exponent < 1 and cost >= 0):
        raise ValueError(f"need 0 < s < 1 and cost >= 0 (given: {exponent!r}, {cost!r})")
    return math.inf if cost == 0 else max(1.0, (1 - exponent) / (exponent * cost))
