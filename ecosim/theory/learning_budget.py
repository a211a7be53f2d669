"""What a linear learner explains of a task with few parameters, or after few steps of training.

Task y = w.x + noise of deviation sigma, |w| = 1 in random direction, x ~ N(0, I_d), n examples.
"""

from __future__ import annotations

import math

import numpy as np


def of_inputs(inputs: int, *, dimension: int, examples: int, sigma: float) -> float:
    """Return the share of the signal explained by least squares on `inputs` of d numbers.

    Of p inputs, E|w_S|^2 = p/d is within reach and the rest acts as noise: excess risk
    (1 - p/d)(1 + p/(n-p-1)) + sigma^2 p/(n-p-1) (Belkin, Hsu & Xu 2020, SIAM J Math Data Sci
    2:1167-1180, theorem 1; exact for Gaussian inputs).

    Raises:
        ValueError: not 0 <= inputs <= dimension, or examples < inputs + 2.

    """
    if not 0 <= inputs <= dimension or examples < inputs + 2:
        raise ValueError(f"needs 0 <= inputs <= {dimension} and {inputs + 2} examples or more")
    missed, cost = 1 - inputs / dimension, inputs / (examples - inputs - 1)
    return 1 - missed * (1 + cost) - sigma**2 * cost


def of_steps(steps: int, rate: float, *, dimension: int, examples: int, sigma: float) -> float:
    """Return the share of the signal explained after gradient descent from 0.

    Along a direction in which the examples' second moment is l, what is missed is
    (1 - rate l)^2t / d + (sigma^2/n)(1 - (1 - rate l)^t)^2 / l; over the d directions l follows
    Marchenko and Pastur's law (Advani, Saxe & Sompolinsky 2020, Neural Networks 132:428-446),
    here at (d+1)/n: so its moments of order -1, 1 and 2 are those of finite Gaussian examples.

    Raises:
        ValueError: not dimension + 1 < examples, or a rate at which descent diverges.

    """
    ratio = (dimension + 1) / examples
    if not 0 < ratio < 1:
        raise ValueError(f"needs {dimension + 2} examples or more (given: {examples})")
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    if not 0 < rate < 2 / high:
        raise ValueError(f"descent converges at 0 < rate < {2 / high:.3g} (given: {rate:g})")

    # l = middle - radius cos(angle) takes the square roots out of the density.
    middle, radius = (low + high) / 2, (high - low) / 2
    points, weights = np.polynomial.legendre.leggauss(200)
    angle = np.pi / 2 * (points + 1)
    moment = middle - radius * np.cos(angle)
    density = (radius * np.sin(angle)) ** 2 / (2 * np.pi * ratio * moment)
    left = (1 - rate * moment) ** steps
    missed = left**2 + sigma**2 * dimension / examples * (1 - left) ** 2 / moment
    return 1 - float(np.pi / 2 * weights @ (density * missed))
