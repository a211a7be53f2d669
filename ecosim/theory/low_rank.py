"""Tasks that share a representation of rank r, learned together. Imports nothing of ecosim.

T tasks of dimension d with coefficients W (d x T) of singular values s_1 = ... = s_r = s and a
tail s_j, j > r; orthogonal designs X_t'X_t = n I, so that least squares gives W + tau^1/2 G with
tau = sigma^2/n and G standard normal. The joint learner keeps the r greatest singular values of
it. Risks are |fitted - W|^2/T, the mean over tasks. (A matrix of low rank in Gaussian noise:
Shabalin & Nobel 2013, J Multivar Anal 118:67-76; Gavish & Donoho 2014, IEEE Trans Inf Theory
60:5040-5053; sharing by rank: Maurer, Pontil & Romera-Paredes 2016, JMLR 17:81.)
"""

from __future__ import annotations

import math


def _check(rank: int, *, tasks: int, dimension: int, examples: int, sigma: float) -> None:
    if not 1 <= rank < min(tasks, dimension):
        raise ValueError(
            f"needs 1 <= r < min(d, T): a full rank shares nothing "
            f"(given: r={rank}, d={dimension}, T={tasks})"
        )
    if examples < dimension or not sigma > 0:
        raise ValueError(
            f"needs n >= d, or no design is orthogonal, and sigma > 0 "
            f"(given: n={examples}, d={dimension}, sigma={sigma!r})"
        )


def shared_value(tasks: int, rank: int) -> float:
    """Return s = sqrt(T/r): the r equal singular values of tasks whose mean |w_t|^2 is 1."""
    return math.sqrt(tasks / rank)


def dedicated_risk(dimension: int, examples: int, sigma: float) -> float:
    """Return sigma^2 d/n, the risk of each task's own least squares on an orthogonal design."""
    if dimension < 1 or examples < dimension or not sigma >= 0:
        raise ValueError(
            f"needs 1 <= d <= n and sigma >= 0 (given: d={dimension}, n={examples}, {sigma!r})"
        )
    return sigma**2 * dimension / examples


def first_order(
    rank: int, *, tasks: int, dimension: int, examples: int, sigma: float, tail: float = 0.0
) -> float:
    """Return tau r (d+T-r)/T + tail/T: the free numbers of rank r estimated, the rest given up."""
    _check(rank, tasks=tasks, dimension=dimension, examples=examples, sigma=sigma)
    tau = sigma**2 / examples
    return (tau * rank * (dimension + tasks - rank) + tail) / tasks


def second_order(
    rank: int, *, tasks: int, dimension: int, examples: int, sigma: float, tail: float = 0.0
) -> float:
    """Return what the noise outside the shared subspace adds, to second order in tau/s^2.

    With noise C, B in the blocks beside the shared one and D (noise and tail) beyond it, the
    truncation's blocks err by B + C'D/s + (B D'D - C'C B)/s^2, its transpose, and
    C B/s + (D B'B + C C'D)/s^2: in all 3 tau^2 r (d-r)(T-r)/s^2 + 2 tau r tail/s^2 over T. The
    first term is the 3 beta/y^2 of the random-matrix limit 1 + beta + 3 beta/y^2 of the loss.
    """
    _check(rank, tasks=tasks, dimension=dimension, examples=examples, sigma=sigma)
    tau, square = sigma**2 / examples, shared_value(tasks, rank) ** 2
    noise = 3 * tau**2 * rank * (dimension - rank) * (tasks - rank) / square
    return (noise + 2 * tau * rank * tail / square) / tasks


def joint_risk(
    rank: int, *, tasks: int, dimension: int, examples: int, sigma: float, tail: float = 0.0
) -> float:
    """Return the risk of rank-r least squares on all tasks together, to second order.

    Args:
        rank: r, shared by the tasks and known to the learner; 1 <= r < min(d, T).
        tasks: T.
        dimension: d.
        examples: n of each task, d or more.
        sigma: standard deviation of the noise.
        tail: sum of s_j^2 over j > r.

    Raises:
        ValueError: numbers outside these domains.

    """
    numbers = {"tasks": tasks, "dimension": dimension, "examples": examples, "sigma": sigma}
    return first_order(rank, **numbers, tail=tail) + second_order(rank, **numbers, tail=tail)  # type: ignore[arg-type]


def tail_boundary(rank: int, *, tasks: int, dimension: int, examples: int, sigma: float) -> float:
    """Return the sum of s_j^2, j > r, below which learning jointly wins, to first order.

    sigma^2 (d-r)(T-r)/n: the squared noise that the truncation takes away.
    """
    _check(rank, tasks=tasks, dimension=dimension, examples=examples, sigma=sigma)
    return sigma**2 * (dimension - rank) * (tasks - rank) / examples


def separation(rank: int, *, tasks: int, dimension: int, examples: int, sigma: float) -> float:
    """Return s over the noise's greatest singular value tau^1/2 (sqrt d + sqrt T).

    Below about 1 the shared subspace drowns; the expansion above is meant for 3 or more.
    """
    _check(rank, tasks=tasks, dimension=dimension, examples=examples, sigma=sigma)
    noise = sigma / math.sqrt(examples) * (math.sqrt(dimension) + math.sqrt(tasks))
    return shared_value(tasks, rank) / noise
