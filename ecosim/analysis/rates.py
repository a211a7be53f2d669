"""Rates of founding and mortality regressed on density, concentration or other covariates.

The rates of organisational ecology are log-linear (Hannan & Carroll 1992): foundings a step are
Poisson with ln rate = b0 + b . x; an organisation leaves in a step with probability
1 - exp(-hazard), ln hazard = b0 + b . x. Both are fitted by maximum likelihood.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from ecosim.errors import EcosimError

type Vector = NDArray[np.float64]


class LogRate(NamedTuple):
    """ln rate = intercept + coefficients . covariates."""

    intercept: float
    coefficients: Vector  # [J]
    stderr: Vector  # [J] from the observed information
    observations: int


def founding(
    foundings: ArrayLike, covariates: ArrayLike, exposure: ArrayLike | None = None
) -> LogRate:
    """Fit the log of a founding rate to counts by Poisson regression.

    Args:
        foundings: counts in each period, `[T]`.
        covariates: their values at the start of each period, `[T, J]` or `[T]`.
        exposure: what the rate is per, such as the period's length, `[T]`; None: 1.

    Raises:
        EcosimError: lengths differ, negative counts, no founding at all, or covariates that do
            not vary independently.

    """
    counts, x = _table(foundings, covariates)
    weight = np.ones_like(counts) if exposure is None else np.asarray(exposure, float)

    def parts(eta: Vector) -> tuple[Vector, Vector, Vector]:
        mean = weight * np.exp(eta)
        return mean - counts * eta, mean - counts, mean

    start = np.log(_positive(counts.sum()) / weight.sum())
    return _fitted(x, parts, float(start))


def mortality(exits: ArrayLike, at_risk: ArrayLike, covariates: ArrayLike) -> LogRate:
    """Fit the log of a hazard to exits among those at risk (complementary log-log link).

    Args:
        exits: numbers that left in each period, `[T]`.
        at_risk: numbers present at its start, `[T]`.
        covariates: their values at the start of each period, `[T, J]` or `[T]`.

    Raises:
        EcosimError: lengths differ, more exits than organisations, no exit at all, or covariates
            that do not vary independently.

    """
    counts, x = _table(exits, covariates)
    risk = np.asarray(at_risk, float)
    if risk.shape != counts.shape or np.any(counts > risk):
        raise EcosimError("exits cannot exceed the numbers at risk, period by period")

    def parts(eta: Vector) -> tuple[Vector, Vector, Vector]:
        hazard = np.maximum(np.exp(np.minimum(eta, 500.0)), 1e-300)
        leave = np.maximum(-np.expm1(-hazard), 1e-300)
        odds = np.exp(-hazard) / leave
        loss = (risk - counts) * hazard - counts * np.log(leave)
        slope = (risk - counts) * hazard - counts * hazard * odds
        # Expected information: d eta of the mean, squared, over the binomial variance.
        return loss, slope, risk * hazard**2 * odds

    start = np.log(_positive(counts.sum()) / _positive(risk.sum()))
    return _fitted(x, parts, float(start))


def _positive(total: float) -> float:
    if not total > 0:
        raise EcosimError("a rate cannot be fitted where nothing happened")
    return float(total)


def _table(counts: ArrayLike, covariates: ArrayLike) -> tuple[Vector, Vector]:
    y, x = np.asarray(counts, float), np.asarray(covariates, float)
    x = x[:, None] if x.ndim == 1 else x
    if y.ndim != 1 or x.shape[0] != y.size:
        raise EcosimError(f"one row of covariates a period; got {x.shape[0]} for {y.size}")
    if np.any(y < 0) or not np.all(np.isfinite(y)) or not np.all(np.isfinite(x)):
        raise EcosimError("counts must be finite and not negative, covariates finite")
    return y, x


def _fitted(x: Vector, parts: object, start: float) -> LogRate:
    """Minimise the summed loss of eta = b0 + b . x on centred and scaled covariates."""
    centre, scale = x.mean(axis=0), x.std(axis=0)
    if np.any(scale == 0):
        raise EcosimError("a covariate that does not vary has no coefficient: leave it out")
    # An orthogonal basis of the covariates: N and N^2 are nearly the same line.
    basis, mix = np.linalg.qr((x - centre) / scale)
    if np.min(np.abs(np.diag(mix))) < 1e-9 * np.max(np.abs(mix)):
        raise EcosimError("covariates depend on each other: leave one out")
    basis, mix = basis * np.sqrt(len(x)), mix / np.sqrt(len(x))
    design = np.column_stack([np.ones(len(x)), basis])

    def value(theta: Vector) -> float:
        return float(np.sum(parts(design @ theta)[0]))  # type: ignore[operator]

    def slope(theta: Vector) -> Vector:
        return np.asarray(design.T @ parts(design @ theta)[1])  # type: ignore[operator]

    def curvature(theta: Vector) -> Vector:
        weight = parts(design @ theta)[2]  # type: ignore[operator]
        return np.asarray(design.T @ (design * weight[:, None]))

    first = np.zeros(design.shape[1])
    first[0] = start
    found = optimize.minimize(
        value, first, jac=slope, hess=curvature, method="trust-exact", options={"gtol": 1e-6}
    )
    back = np.linalg.inv(mix) / scale[:, None]
    coefficients = back @ found.x[1:]
    spread = back @ np.linalg.inv(curvature(found.x))[1:, 1:] @ back.T
    return LogRate(
        intercept=float(found.x[0] - coefficients @ centre),
        coefficients=coefficients,
        stderr=np.sqrt(np.diag(spread)),
        observations=len(x),
    )
