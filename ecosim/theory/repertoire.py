"""Breadths of lineages that gain niches one by one and are cut back to one (Yule 1925).

Without selection the breadth k of a line of descent is a Markov chain: at each birth it is 1 with
probability r (narrowing), otherwise k + Binomial(k, g) (gain), at most K. Where g and r are small
and K is large its stationary distribution is Yule-Simon's (Simon 1955, Biometrika 42:425-440),
P(k) = rho B(k, rho + 1), rho = r / g; in general the tail falls as k^-rho,
rho = -ln(1 - r) / ln(1 + g).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

type Array = NDArray[np.float64]


def tail_exponent(gain: float, narrowing: float) -> float:
    """Return rho, with P(breadth >= k) ~ k^-rho for large k."""
    _check(gain, narrowing)
    return float(-np.log1p(-narrowing) / np.log1p(gain))


def yule_simon(rho: float, most: int) -> Array:
    """Return the shares of breadths 1..K, `[K]`; all above K counts as K."""
    k = np.arange(1, most + 1, dtype=float)
    shares = rho * special.beta(k, rho + 1)
    shares[-1] += 1 - shares.sum()
    return np.asarray(shares)


def breadths(gain: float, narrowing: float, most: int, births: int | None = None) -> Array:
    """Return the shares of breadths 1..K, `[K]`.

    Args:
        gain: g, in (0, 1).
        narrowing: r, in (0, 1).
        most: K, the number of niches.
        births: from breadth 1 on; None: so many that the distribution no longer changes.

    """
    _check(gain, narrowing)
    moves = _transitions(gain, narrowing, most)
    if births is None:
        # shares (I - M) = 0, and their sum is 1.
        system = np.vstack([np.eye(most) - moves.T, np.ones(most)])
        return np.asarray(np.linalg.lstsq(system, np.eye(most + 1)[-1], rcond=None)[0])
    shares = np.eye(most)[0]
    for _ in range(births):
        shares = shares @ moves
    return np.asarray(shares)


def _transitions(gain: float, narrowing: float, most: int) -> Array:
    k = np.arange(1, most + 1)
    wider = stats.binom.pmf(k[None, :] - k[:, None], k[:, None], gain)
    wider[:, -1] += 1 - wider.sum(axis=1)
    moves = (1 - narrowing) * wider
    moves[:, 0] += narrowing
    return np.asarray(moves)


def _check(gain: float, narrowing: float) -> None:
    for name, value in (("gain", gain), ("narrowing", narrowing)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1 (given: {value})")
