"""More data for everybody: a generalist with a head for each of T tasks against a specialist.

Both get N examples in all; the generalist has N/T for each task, the specialist spends all on its
own. Least squares, inputs N(0, I_d), noise sigma. Imports nothing of ecosim.
"""

from __future__ import annotations


def _risks(total: int, tasks: int, dimension: int, sigma: float) -> tuple[float, float]:
    if tasks < 1 or total % tasks:
        raise ValueError(f"needs T to divide N (given: T={tasks}, N={total})")
    own = total // tasks
    if dimension < 1 or own <= dimension + 1:
        raise ValueError(f"needs d >= 1 and N/T > d + 1 (given: d={dimension}, N/T={own})")
    if not sigma >= 0:
        raise ValueError(f"needs sigma >= 0 (given: {sigma!r})")
    return tuple(sigma**2 * dimension / (n - dimension - 1) for n in (own, total))  # type: ignore[return-value]


def risk_ratio(total: int, *, tasks: int, dimension: int) -> float:
    """Return (N-d-1)/(N/T-d-1), the generalist's risk over the specialist's: falls to T.

    As a ratio, breadth never becomes free (inverse-Wishart mean; see `transfer`).

    Raises:
        ValueError: T does not divide N, or N/T <= d + 1.

    """
    broad, narrow = _risks(total, tasks, dimension, 1.0)
    return broad / narrow


def risk_difference(total: int, *, tasks: int, dimension: int, sigma: float) -> float:
    """Return sigma^2 d [1/(N/T-d-1) - 1/(N-d-1)]: falls to 0 as (T-1) sigma^2 d/N.

    As a difference, breadth becomes free. Both statements hold at once.

    Raises:
        ValueError: T does not divide N, N/T <= d + 1, or sigma < 0.

    """
    broad, narrow = _risks(total, tasks, dimension, sigma)
    return broad - narrow
