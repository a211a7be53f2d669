"""Closed forms of heterogeneous selection: Levene's niches, grain and niche width."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

type Vector = NDArray[np.float64]


def _levene(c: float, s: float) -> None:
    if not 0 < c < 1 or not s > 0:
        raise ValueError(f"needs 0 < c < 1 and s > 0 (given: c={c:g}, s={s:g})")


def levene_band(s: float) -> tuple[float, float]:
    """Return the shares c of niche 1 between which soft selection keeps both types.

    Haploid Levene (1953) model, fitness 1+s : 1 in niche 1 and 1 : 1+s in niche 2: either type
    invades when rare iff 1/(2+s) < c < (1+s)/(2+s).
    """
    _levene(0.5, s)
    return 1 / (2 + s), (1 + s) / (2 + s)


def levene_equilibrium(c: float, s: float) -> float:
    """Return the frequency p = (c (2+s) - 1)/s of type 1, clipped to [0, 1] outside the band."""
    _levene(c, s)
    return float(np.clip((c * (2 + s) - 1) / s, 0, 1))


def levene_next(p: float | Vector, c: float, s: float) -> Vector:
    """Return the expected frequency after a generation of soft selection from frequency p."""
    _levene(c, s)
    p = np.asarray(p, float)
    first = (1 + s) * p / ((1 + s) * p + 1 - p)
    second = p / (p + (1 + s) * (1 - p))
    return np.asarray(c * first + (1 - c) * second)


def levene_relaxation(c: float, s: float) -> float:
    """Return the generations in which a deviation from the equilibrium shrinks by e."""
    p, h = levene_equilibrium(c, s), 1e-6
    slope = (levene_next(p + h, c, s) - levene_next(p - h, c, s)) / (2 * h)
    return float(1 / max(1 - float(slope), 1e-9))


def levene_quasi_stationary(c: float, s: float, size: int) -> tuple[float, float]:
    """Return mean frequency while both types live, and mean generations until one is lost.

    The exact Wright-Fisher chain: the next number of type 1 is binomial(size, levene_next). Its
    quasi-stationary law is the left eigenvector of the transient part (Darroch & Seneta 1965),
    found by power iteration; with eigenvalue l the mean time to loss from it is 1/(1 - l).
    """
    _levene(c, s)
    if size < 2:
        raise ValueError(f"needs a population of 2 or more (given: {size})")
    counts = np.arange(1, size)
    chance = levene_next(counts / size, c, s)
    chain = scipy.stats.binom.pmf(counts[None, :], size, chance[:, None])
    law = np.full(counts.size, 1 / counts.size)
    kept = 1.0
    for _ in range(20_000):
        new = law @ chain
        kept = float(new.sum())
        new /= kept
        done = np.abs(new - law).max() < 1e-15
        law = new
        if done:
            break
    ends = scipy.stats.binom.pmf(0, size, chance) + scipy.stats.binom.pmf(size, size, chance)
    return float(law @ counts / size), float(1 / (law @ ends))


def hard_advantage(c: float, s: float) -> float:
    """Return log fitness of type 1 over type 2 under hard selection, 0 at c = 1/2."""
    _levene(c, s)
    return float(np.log((c * (1 + s) + 1 - c) / (c + (1 - c) * (1 + s))))


def width_margin(c: float, eps: float, spell: int, window: int) -> float:
    """Return the specialist's mean log fitness minus the generalist's, per window.

    Freeman & Hannan (1983): fitness (x^c, (1-x)^c), not below eps, in two equally likely states
    drawn for each spell; fitness is the arithmetic mean over a window and multiplies across
    windows. A specialist has mean fitness m + (1 - m) eps where m, its own state's share of the
    n = window/spell spells, is binomial(n, 1/2)/n; a generalist, x = 1/2, always has 2^-c.
    """
    if not c > 0 or not 0 < eps < 1 or window % spell:
        raise ValueError(
            f"needs c > 0, 0 < eps < 1 and a spell that divides the window "
            f"(given: c={c:g}, eps={eps:g}, spell={spell}, window={window})"
        )
    spells = window // spell
    own = np.arange(spells + 1)
    share = own / spells
    weight = scipy.stats.binom.pmf(own, spells, 0.5)
    generalist = max(0.5**c, eps)
    return float(weight @ np.log(share + (1 - share) * eps) - np.log(generalist))


def alternating_width_margin(c: float, eps: float, spell: int, window: int) -> float:
    """Return the same margin where the two states take turns; an even number of spells a window."""
    if (window // spell) % 2:
        raise ValueError("needs an even number of spells in a window")
    return float(np.log((1 + eps) / 2) - np.log(max(0.5**c, eps)))


def standard_passes(budget: float, niches: int, threshold: float, sigma: float) -> float:
    """Return k Phi((B/k - theta)/sigma), the standards passed by a budget spread over k niches."""
    if not sigma > 0 or niches < 1:
        raise ValueError(f"needs sigma > 0 and niches >= 1 (given: {sigma:g}, {niches})")
    return float(niches * scipy.stats.norm.cdf((budget / niches - threshold) / sigma))


def standard_noise(budget: float, niches: int, threshold: float) -> float:
    """Return the noise sigma* at which one niche and all niches yield as many passes.

    Raises:
        ValueError: where no such noise exists in (1e-3, 1e3) times the budget.

    """

    def difference(log_sigma: float) -> float:
        sigma = float(np.exp(log_sigma))
        return standard_passes(budget, 1, threshold, sigma) - standard_passes(
            budget, niches, threshold, sigma
        )

    low, high = np.log(1e-3 * budget), np.log(1e3 * budget)
    if difference(low) * difference(high) >= 0:
        raise ValueError("one of the two is better at any noise")
    return float(np.exp(scipy.optimize.brentq(difference, low, high, xtol=1e-14)))


def width_exponent(eps: float, spell: int, window: int) -> float:
    """Return the curvature c at which specialist and generalist of `width_margin` are equal.

    The specialist does better above it: c* = -E ln(m + (1 - m) eps) / ln 2, from 1 - log2(1 + eps)
    in fine grain to -log4(eps) where a spell fills the window.

    Raises:
        ValueError: as width_margin.

    """
    # At c -> 0 the generalist has 1, so that the margin there is the specialist's own log fitness.
    return float(-width_margin(1e-12, eps, spell, window) / np.log(2))
