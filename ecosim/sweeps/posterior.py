"""What a calibration found: the posterior, and the check of what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecosim.sweeps import checks
from ecosim.sweeps.checks import Check
from ecosim.sweeps.ranges import Range
from ecosim.sweeps.sampling import placed
from ecosim.sweeps.sequential import Generation, interval
from ecosim.sweeps.target import Target

type Statistics = Callable[[Sequence[dict[str, Any]]], np.ndarray]  # settings -> [n, S]

_CHECKS = 100  # draws of the posterior predictive check


@dataclass(frozen=True)
class Calibration:
    """A posterior, and whether data made from it look like the data.

    Attributes:
        posterior: for each key mean, sd, low and high (central 95 % of the weight), and
            `narrowed`, 1 - its sd over that of the prior: 0 where the data say nothing of it.
        correlation: of the keys in the posterior, `[k][k]`.
        generations: for each: tolerance, simulated, failed, effective particles.
        predictive: for each statistic that was fitted, how the data compare with draws.
        summaries: the same for the shape of a distribution: specialists, mean and tail.
        inside: share of the statistics that lie within the central 90 % of the draws; classes of
            a distribution that are empty in both do not count.
        distance: median distance of the predictive draws from what was observed.
        exhausted: the last generation asked for could not be filled.
        particles: positions of the last generation as values, one table each, with `weight`.
        draws: statistics of the predictive draws, `[n][S]`, those of failed runs left out.

    """

    posterior: dict[str, dict[str, float]]
    correlation: list[list[float]]
    generations: list[dict[str, float]]
    predictive: dict[str, Check]
    summaries: dict[str, Check]
    inside: float
    distance: float
    exhausted: bool
    particles: list[dict[str, float]]
    draws: list[list[float]]

    @property
    def failing(self) -> list[str]:
        """What the fitted scenario does not reproduce: p < 0.05, the summaries if there are any."""
        return list(checks.failing(self.summaries or self.predictive))


def marginals(priors: dict[str, Range], one: Generation) -> dict[str, dict[str, float]]:
    """Return mean, sd, central 95 % and narrowing of each key."""
    settings, found = placed(priors, one.units), {}
    # The middle of equal parts of the prior, for its own spread.
    even = (np.arange(1000) + 0.5) / 1000
    for key, prior in priors.items():
        values = np.array([float(row[key]) for row in settings])
        mean = float(one.weights @ values)
        low, high = interval(values, one.weights)
        sd = float(np.sqrt(one.weights @ (values - mean) ** 2))
        wide = float(np.std([prior.at(u) for u in even]))
        narrowed = 1 - sd / wide if wide > 0 else 0.0
        found[key] = {"mean": mean, "sd": sd, "low": low, "high": high, "narrowed": narrowed}
    return found


def correlation(one: Generation) -> np.ndarray:
    """Return the correlations of the keys, `[k, k]`, each on the scale of its prior."""
    keys = one.units.shape[1]
    covariance = np.cov(one.units.T, aweights=one.weights).reshape(keys, keys)
    sd = np.sqrt(np.diag(covariance))
    scale = np.outer(sd, sd)
    unit = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)
    np.fill_diagonal(unit, 1.0)
    return unit


def judged(
    priors: dict[str, Range],
    target: Target,
    generations: Sequence[Generation],
    *,
    scales: np.ndarray,
    exhausted: bool,
    seed: int,
    simulate: Statistics,
) -> Calibration:
    """Return posterior and check.

    Args:
        priors: the range of each key.
        target: what was observed.
        generations: those that are whole; the last is the posterior.
        scales: of the statistics.
        exhausted: one more was asked for.
        seed: of which draws are checked.
        simulate: with other seeds than the particles' own, which were chosen because their chance
            fits the data.

    """
    last = generations[-1]
    settings = placed(priors, last.units)
    rng = np.random.default_rng([seed, 10**6])
    drawn = rng.choice(len(settings), _CHECKS, p=last.weights)
    several, place = np.unique(drawn, return_inverse=True)
    simulated = simulate([settings[i] for i in several])[place]
    found = checks.statistics(target, simulated)
    told = [one for one in found.values() if not one.empty]
    return Calibration(
        posterior=marginals(priors, last),
        correlation=correlation(last).tolist(),
        generations=[
            {"tolerance": one.tolerance, "simulated": one.simulated, "failed": one.failed,
             "effective": one.effective}
            for one in generations
        ],
        predictive=found,
        summaries=checks.summaries(target, simulated),
        inside=float(np.mean([not one.outside for one in told])),
        distance=float(np.nanmedian(target.distances(simulated, scales))),
        exhausted=exhausted,
        particles=[
            {**row, "weight": float(weight)}
            for row, weight in zip(settings, last.weights, strict=True)
        ],
        draws=simulated[np.isfinite(simulated).all(axis=1)].tolist(),
    )  # fmt: skip
