"""Distributions of size: power law and log-normal, fitted by maximum likelihood.

The tail of a log-normal looks like a power law over a decade or two: fit both and compare
(Clauset, Shalizi & Newman 2009, SIAM Review 51:661-703).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from ecosim.errors import EcosimError


class PowerLaw(NamedTuple):
    """P(S > s) = (s / least)^-exponent above `least`."""

    exponent: float
    stderr: float
    least: float
    used: int  # sizes above `least`
    log_likelihood: float  # of these sizes


class LogNormal(NamedTuple):
    """ln S normal with `mean` and `deviation`, given that S > least (least 0: all sizes)."""

    mean: float
    deviation: float
    least: float
    used: int
    log_likelihood: float


def power_law(sizes: ArrayLike, least: float) -> PowerLaw:
    """Fit a power law to the sizes above a threshold.

    The maximum likelihood estimate (Hill 1975, Annals of Statistics 3:1163-1174), times
    (n - 1)/n so that it is unbiased for a true power law.

    Args:
        sizes: positive sizes.
        least: the threshold, > 0, in units of size.

    Raises:
        EcosimError: fewer than three sizes lie above the threshold, or it is not positive.

    """
    logs = _tail(sizes, least, positive=True)
    n, excess = logs.size, float(np.sum(logs - math.log(least)))
    likely = n / excess
    exponent = (n - 1) / excess
    density = n * math.log(likely) - likely * excess - float(np.sum(logs))
    return PowerLaw(exponent, exponent / math.sqrt(n), least, n, density)


def log_normal(sizes: ArrayLike, least: float = 0.0) -> LogNormal:
    """Fit a log-normal to the sizes above a threshold, truncated there (0: to all sizes).

    Raises:
        EcosimError: fewer than three sizes lie above the threshold.

    """
    logs = _tail(sizes, least, positive=False)
    mean, deviation = float(logs.mean()), float(logs.std())
    if least > 0:
        mean, deviation = _truncated(logs, math.log(least))
    fitted = _log_density(logs, mean, deviation, math.log(least) if least > 0 else -math.inf)
    return LogNormal(mean, deviation, least, logs.size, fitted)


def _truncated(logs: NDArray[np.float64], cut: float) -> tuple[float, float]:
    """Return mean and deviation of a normal truncated below at `cut`, by maximum likelihood."""

    def loss(theta: NDArray[np.float64]) -> float:
        value = -_log_density(logs, float(theta[0]), math.exp(float(theta[1])), cut)
        return value if math.isfinite(value) else 1e300

    start = np.array([logs.mean(), math.log(max(logs.std(), 1e-9))])
    # A power law is the limit of mean -> -inf: bounded, so that the fit ends there.
    wide = 1000 * max(float(logs.std()), 1e-9)
    limits = [(cut - wide, float(logs.max())), (start[1] - 7, start[1] + 7)]
    found = optimize.minimize(
        loss, start, method="Nelder-Mead", bounds=limits, options={"maxiter": 4000}
    )
    return float(found.x[0]), math.exp(float(found.x[1]))


def _log_density(logs: NDArray[np.float64], mean: float, deviation: float, cut: float) -> float:
    inside = stats.norm.logpdf(logs, mean, deviation) - logs
    return float(np.sum(inside) - logs.size * stats.norm.logsf(cut, mean, deviation))


def _tail(sizes: ArrayLike, least: float, *, positive: bool) -> NDArray[np.float64]:
    given = np.asarray(sizes, float).ravel()
    if positive and not least > 0 or least < 0:
        raise EcosimError(f"the threshold of a tail must be positive; got {least:g}")
    if not np.all(np.isfinite(given)) or np.any(given <= 0):
        raise EcosimError("sizes must be finite and positive; leave out what is 0 or unknown")
    kept = given[given > least]
    if kept.size < 3:
        raise EcosimError(
            f"a fit needs three sizes or more above {least:g}; got {kept.size} of {given.size}"
        )
    return np.asarray(np.log(kept))
