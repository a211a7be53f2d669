"""Breadth in a crowd: N equal agents that each spread a budget evenly over k of T niches.

Every niche divides its supply by claims b^r, b = 1/k, r = contest exponent x returns exponent. An
agent of breadth k' whose rivals have breadth k receives k' E[u/(u + M)], u = (k/k')^r, where M,
its rivals in a niche, is binomial(N - 1, k/T). Its best breadth is k' = k where
E[1/(1+M)^2] / E[1/(1+M)] = (r - 1)/r. The mean-field answer N k/T = 1/(r - 1) leaves out an
agent's own claim, which makes it r/(r - 1), and the chance that rivals are few, which adds about
one more: expand E[1/(1+M)^2] / E[1/(1+M)] = x + x^2 + 2 x^3 + ..., x = T/(N k), for Poisson M.
"""

from __future__ import annotations

import numpy as np
import scipy


def mean_field_breadth(r: float, agents: int, niches: int) -> float:
    """Return k = T/(N (r - 1)), at which rivals of mass N (k/T) k^-r make k best.

    Raises:
        ValueError: not r > 1.

    """
    _contest(r)
    return niches / (agents * (r - 1))


def crowd_payoff(breadth: float, resident: float, r: float, *, agents: int, niches: int) -> float:
    """Return the payoff k' E[u/(u + M)] of breadth k' among agents - 1 residents of breadth k.

    In units of a niche's supply.
    """
    rivals = np.arange(agents)
    law = scipy.stats.binom.pmf(rivals, agents - 1, resident / niches)
    claim = (resident / breadth) ** r
    return float(breadth * (law @ (claim / (claim + rivals))))


def crowd_breadth(r: float, agents: int, niches: int) -> float:
    """Return the breadth k that is best in a crowd of N agents of breadth k (k real).

    Raises:
        ValueError: not r > 1, or no breadth of 1..T is: the crowd is too small, or too large.

    """
    _contest(r)
    rivals = np.arange(agents)

    def excess(breadth: float) -> float:
        law = scipy.stats.binom.pmf(rivals, agents - 1, breadth / niches)
        return float(law @ (1 / (1 + rivals) ** 2) / (law @ (1 / (1 + rivals))) - (r - 1) / r)

    if excess(1.0) < 0 or excess(niches) > 0:
        raise ValueError(
            f"no breadth between 1 and T is its own best answer (given: r={r:g}, N={agents}, "
            f"T={niches}); by the mean field it is {mean_field_breadth(r, agents, niches):.3g}"
        )
    return float(scipy.optimize.brentq(excess, 1.0, niches, xtol=1e-12))


def specialist_exponent(agents: int, niches: int) -> float:
    """Return the exponent r at which one niche each is the best breadth of a crowd.

    There E[1/(1+M)^2] / E[1/(1+M)] = (r - 1)/r at k = 1: above it nobody gains by spreading a
    little. It falls to 1 as the crowd grows; one agent alone has no rivals, and the answer is inf.
    """
    if agents < 1 or niches < 1:
        raise ValueError(f"needs an agent and a niche (given: {agents}, {niches})")
    rivals = np.arange(agents)
    law = scipy.stats.binom.pmf(rivals, agents - 1, 1 / niches)
    ratio = float(law @ (1 / (1 + rivals) ** 2) / (law @ (1 / (1 + rivals))))
    return float("inf") if ratio >= 1 else 1 / (1 - ratio)


def crowd_scatter(r: float, agents: int, niches: int) -> float:
    """Return the relative standard deviation by which T niches miss that ratio of means.

    To first order, as if rivals were independent from niche to niche: of 1/(1+M)^2 and 1/(1+M),
    each over its mean, the standard deviation of the difference, over sqrt(T).
    """
    rivals = np.arange(agents)
    breadth = crowd_breadth(r, agents, niches)
    law = scipy.stats.binom.pmf(rivals, agents - 1, breadth / niches)
    once, twice = 1 / (1 + rivals), 1 / (1 + rivals) ** 2
    apart = twice / (law @ twice) - once / (law @ once)
    return float(np.sqrt(law @ apart**2 / niches))


def crowd_rivals(r: float) -> float:
    """Return rivals met per niche, N k/T, at that breadth in a large crowd (Poisson M).

    E[1/(1+M)] = (1 - e^-x)/x and E[1/(1+M)^2] = e^-x sum_n x^(n-1)/(n n!), n >= 1, at mean x.
    22.053, 12.117 and 7.202 at r = 1.05, 1.1 and 1.2.

    Raises:
        ValueError: not r > 1.

    """
    _contest(r)

    def excess(mean: float) -> float:
        rivals = np.arange(int(mean + 12 * np.sqrt(mean) + 40))
        law = scipy.stats.poisson.pmf(rivals, mean)
        return float(law @ (1 / (1 + rivals) ** 2) / (law @ (1 / (1 + rivals))) - (r - 1) / r)

    return float(scipy.optimize.brentq(excess, 1e-9, 3 * r / (r - 1) + 3, xtol=1e-12))


def _contest(r: float) -> None:
    if not r > 1:
        raise ValueError(f"needs r > 1: up to 1 the widest breadth is best (given: {r:g})")
