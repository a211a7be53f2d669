"""Approximate Bayesian computation by sequential Monte Carlo, in the unit cube of the prior.

Generations of particles with falling tolerances (Toni et al. 2009, J R Soc Interface 6:187-202),
moved by a Gaussian kernel whose covariance is twice that of the generation before and weighted for
it (Beaumont et al. 2009, Biometrika 96:983-990; Filippi et al. 2013). It knows no simulator: it
proposes positions and is told distances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecosim.errors import RunError

type Distances = Callable[[np.ndarray], np.ndarray]  # positions [n, k] -> [n]; NaN: failed

_MOST = 30  # proposals for each particle of a generation, before it is given up


@dataclass(frozen=True)
class Generation:
    """Weighted particles within a tolerance.

    Attributes:
        units: positions in the unit cube, `[N, k]`.
        weights: `[N]`, sum 1.
        distances: `[N]`, each at most the tolerance.
        tolerance: the largest distance that counts.
        simulated: proposals that were simulated for it.
        failed: of these, how many failed.

    """

    units: np.ndarray
    weights: np.ndarray
    distances: np.ndarray
    tolerance: float
    simulated: int
    failed: int = 0

    @property
    def effective(self) -> float:
        """Effective number of particles (Kish): 1 / sum of squared weights."""
        return float(1 / np.sum(self.weights**2))


def first(keys: int, particles: int, distances: Distances, *, seed: int, factor: int) -> Generation:
    """Return the first generation: of `factor` times as many draws of the prior the nearest.

    Raises:
        RunError: too many of the draws failed.

    """
    rng = np.random.default_rng([seed, 0])
    units = rng.random((factor * particles, keys))
    found = distances(units)
    good = np.flatnonzero(np.isfinite(found))
    if len(good) < particles:
        raise RunError(
            f"only {len(good)} of {len(units)} draws of the prior could be simulated; "
            "narrow the priors to values that the scenario takes"
        )
    nearest = good[np.argsort(found[good], kind="stable")[:particles]]
    weights = np.full(particles, 1 / particles)
    tolerance = float(found[nearest].max())
    return Generation(
        units[nearest], weights, found[nearest], tolerance, len(units), len(units) - len(good)
    )


def following(
    before: Generation, distances: Distances, *, seed: int, number: int, quantile: float
) -> Generation | None:
    """Return the next generation, or None where too few proposals come within its tolerance.

    Args:
        before: the generation before.
        distances: simulates positions.
        seed: of all proposals; the same seed proposes the same.
        number: of this generation, from 1.
        quantile: of the distances before, which is the next tolerance.

    """
    particles, keys = before.units.shape
    tolerance = float(np.quantile(before.distances, quantile))
    covariance = 2 * np.cov(before.units.T, aweights=before.weights).reshape(keys, keys)
    root = np.linalg.cholesky(covariance + 1e-12 * np.eye(keys))
    units, kept = np.empty((0, keys)), np.empty(0)
    simulated = failed = 0
    for round_ in range(_MOST):
        rng = np.random.default_rng([seed, number, round_])
        proposed = _proposals(rng, before, root)
        found = distances(proposed)
        near = np.flatnonzero(found <= tolerance)
        room = particles - len(units)
        # The last that is taken ends the generation: those after it do not count.
        used = len(proposed) if len(near) < room else int(near[room - 1]) + 1
        simulated += used
        failed += int(np.isnan(found[:used]).sum())
        units = np.concatenate([units, proposed[near[:room]]])
        kept = np.concatenate([kept, found[near[:room]]])
        if len(units) == particles:
            weights = _weights(units, before, root)
            return Generation(units, weights, kept, tolerance, simulated, failed)
    return None


def _proposals(rng: np.random.Generator, before: Generation, root: np.ndarray) -> np.ndarray:
    """Return as many positions as there are particles, all inside the prior."""
    particles, keys = before.units.shape
    found = np.empty((0, keys))
    while len(found) < particles:
        parents = rng.choice(particles, particles, p=before.weights)
        moved = before.units[parents] + rng.standard_normal((particles, keys)) @ root.T
        found = np.concatenate([found, moved[((moved >= 0) & (moved < 1)).all(axis=1)]])
    return found[:particles]


def _weights(units: np.ndarray, before: Generation, root: np.ndarray) -> np.ndarray:
    """Return prior over kernel density; the prior is 1 in the unit cube."""
    steps = units[:, None, :] - before.units[None, :, :]
    scaled = np.linalg.solve(root, steps.reshape(-1, units.shape[1]).T)
    density = np.exp(-0.5 * np.sum(scaled**2, axis=0)).reshape(len(units), -1) @ before.weights
    weights = 1 / density
    return np.asarray(weights / weights.sum())


def interval(values: np.ndarray, weights: np.ndarray, share: float = 0.95) -> tuple[float, float]:
    """Return the central interval that holds a share of the weight."""
    order = np.argsort(values)
    middle = np.cumsum(weights[order]) - weights[order] / 2
    tails = (1 - share) / 2, (1 + share) / 2
    low, high = np.interp(tails, middle, values[order])
    return float(low), float(high)
