"""Pooled against dedicated least squares on related tasks. Imports nothing of ecosim.

T tasks y = w_t.x + noise of standard deviation sigma, inputs x ~ N(0, I_d), n examples each, and
w_t = sqrt(rho) w_0 + sqrt(1-rho) v_t with w_0, v_t ~ N(0, s^2/d I_d): relatedness rho in [0, 1],
E|w_t|^2 = s^2. Risks are means over tasks of |fitted - w_t|^2, what a prediction's squared error
exceeds the noise by. N = nT. The factors follow from E (X'X)^-1 = I/(n-d-1) for n > d+1
(inverse Wishart: Muirhead 1982, Aspects of Multivariate Statistical Theory, ch. 3).
"""

from __future__ import annotations


def _check(dimension: int, examples: int, sigma: float = 0.0, scale: float = 1.0) -> None:
    if dimension < 1 or examples <= dimension + 1:
        raise ValueError(
            f"needs d >= 1 and n > d + 1: with fewer examples least squares has no finite risk "
            f"(given: d={dimension}, n={examples})"
        )
    if not (sigma >= 0 and scale > 0):
        raise ValueError(f"needs sigma >= 0 and s > 0 (given: {sigma!r}, {scale!r})")


def _check_tasks(tasks: int, relatedness: float) -> None:
    if tasks < 2 or not 0 <= relatedness <= 1:
        raise ValueError(
            f"needs T >= 2 tasks and 0 <= rho <= 1 (given: {tasks!r}, {relatedness!r})"
        )


def dedicated_risk(dimension: int, examples: int, sigma: float) -> float:
    """Return sigma^2 d/(n-d-1), the mean risk of least squares on one task's own n examples.

    Raises:
        ValueError: d < 1, n <= d + 1 or sigma < 0.

    """
    _check(dimension, examples, sigma)
    return sigma**2 * dimension / (examples - dimension - 1)


def misfit(tasks: int, relatedness: float, scale: float) -> float:
    """Return B = (1-rho) s^2 (1-1/T), what one common w leaves of the tasks however many data."""
    _check_tasks(tasks, relatedness)
    return (1 - relatedness) * scale**2 * (1 - 1 / tasks)


def imbalance(tasks: int, dimension: int, examples: int) -> float:
    """Return what unequal designs add to the pooled risk, in units of B.

    Pooling weighs task t by S^-1 S_t, S = sum_t S_t, S_t = X_t'X_t, not by 1/T. M = S^-1/2 S_t
    S^-1/2 is matrix-variate beta and independent of S; its second moments a, b (E M_ij M_kl =
    a d_ij d_kl + b (d_ik d_jl + d_il d_jk)) follow from those of S_t and S, and with
    E[tr S tr S^-1] = (Nd-2) d/(N-d-1)

        [N^2 (d+1) - N (d+5) + 2 (d+1)]/[(N-1)(N+2)(N-d-1)],

    exactly; (d+1)/(N-d-1) to leading order.
    """
    _check(dimension, examples * tasks)
    total, d = examples * tasks, dimension
    above = total**2 * (d + 1) - total * (d + 5) + 2 * (d + 1)
    return above / ((total - 1) * (total + 2) * (total - d - 1))


def pooled_risk(
    relatedness: float,
    *,
    tasks: int,
    dimension: int,
    examples: int,
    sigma: float,
    scale: float = 1.0,
) -> float:
    """Return the mean risk of one least squares fit to the examples of all tasks together, exact.

    B + d sigma^2/(N-d-1) + B `imbalance`.

    Args:
        relatedness: rho, 0 to 1.
        tasks: T, 2 or more.
        dimension: d.
        examples: n of each task; nT > d + 1.
        sigma: standard deviation of the noise.
        scale: s, the root of E|w_t|^2.

    Raises:
        ValueError: numbers outside these domains.

    """
    _check(dimension, examples * tasks, sigma, scale)
    left = misfit(tasks, relatedness, scale)
    noise = dimension * sigma**2 / (examples * tasks - dimension - 1)
    return left + noise + left * imbalance(tasks, dimension, examples)


def boundary(
    *, tasks: int, dimension: int, examples: int, sigma: float, scale: float = 1.0
) -> float:
    """Return rho*, the relatedness above which pooling has the lower mean risk, exact.

    1 - rho* = d sigma^2 N/[(n-d-1)(N-d-1) s^2 (1 + `imbalance`)]; to leading order
    (`leading_boundary`) neither T nor N matters. Below 0: pooling wins however unrelated the tasks.

    Raises:
        ValueError: numbers outside the domains of `pooled_risk`, or n <= d + 1.

    """
    _check(dimension, examples, sigma, scale)
    _check_tasks(tasks, 0.0)
    total = examples * tasks
    leading = 1 - leading_boundary(dimension, examples, sigma, scale)
    more = 1 + imbalance(tasks, dimension, examples)
    return 1 - leading * total / ((total - dimension - 1) * more)


def leading_boundary(dimension: int, examples: int, sigma: float, scale: float = 1.0) -> float:
    """Return 1 - d sigma^2/((n-d-1) s^2), the boundary rho* to leading order in d/N.

    Raises:
        ValueError: d < 1, n <= d + 1, sigma < 0 or s <= 0.

    """
    _check(dimension, examples, sigma, scale)
    return 1 - dedicated_risk(dimension, examples, sigma) / scale**2
