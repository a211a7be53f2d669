"""Coexistence by habitat choice (Wilson & Yoshimura 1994, Am Nat 144:692-707; E9).

Two habitats of capacities K1 and K2; specialists of competence (1, a) and (a, 1), a generalist of
competence (b, b), 1 > b > a > 0; Ricker growth r; each species splits itself so that both habitats
are equally crowded for it. Abundances are in the unit of the capacities, rates per step.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]


def _check(capacities: tuple[float, float], growth: float) -> None:
    if not all(np.isfinite(k) and k > 0 for k in capacities):
        raise ValueError(f"capacities must be > 0 (given: {capacities})")
    if not 0 < growth < 2:
        raise ValueError(f"the Ricker map rests for 0 < r < 2 only (given: {growth})")


def generalist_alone(capacities: tuple[float, float], *, generalist: float, growth: float) -> float:
    """Return N* = b (K1 + K2): with p = K1/(K1 + K2) crowding is N/(b (K1 + K2)) in both."""
    _check(capacities, growth)
    return generalist * sum(capacities)


def generalist_split(capacities: tuple[float, float]) -> float:
    """Return the share p = K1/(K1 + K2) of a species alone that lives in habitat 1."""
    _check(capacities, 1.0)
    return capacities[0] / sum(capacities)


def generalist_individuals(
    capacities: tuple[float, float], *, generalist: float, growth: float
) -> float:
    """Return the mean number of generalist individuals, N* - 1/(2r) - (2 - r)/2 + O(1/N*).

    Second-order moments about N*: f(N) = N exp(r (1 - N/N*)) has f' = 1 - r and f'' =
    -r (2 - r)/N*. Poisson offspring add the variance N* a step, hence Var N = N*/(r (2 - r)), and
    lower the mean by f'' Var/(2r) = 1/(2r). Independent choices scatter the numbers in the
    habitats by N* p (1 - p) about their means, which lowers the offspring of a step by
    r (2 - r)/2 and the mean by (2 - r)/2.
    """
    rest = generalist_alone(capacities, generalist=generalist, growth=growth)
    return rest - 1 / (2 * growth) - (2 - growth) / 2


def exclusion_rate(*, generalist: float, growth: float) -> float:
    """Return the rate r (1 - 1/b) at which a rare generalist changes among specialists at rest.

    Specialists rest at N_j = K_j, where crowding is 1 for them and 1/b for the generalist.
    """
    return growth * (1 - 1 / generalist)


@lru_cache(maxsize=64)
def growth_when_rare(
    capacities: tuple[float, float], *, specialist: float, generalist: float, growth: float,
    width: float, tied: bool,
) -> tuple[float, float]:  # fmt: skip
    """Return the mean growth rate of a rare generalist, and its numerical standard error.

    Capacities are uniform within +- width/2, drawn each step. A rare generalist lives where it is
    less crowded and changes by ln W = r (1 - min(D_1, D_2)/b), D_j = N_j/K_j among the
    specialists. While these keep to their habitats, ln N_j changes by r (1 - D_j), so that
    E[D_j] = 1 exactly and the mean of ln W is r (1 - (1 - E|D_1 - D_2|/2)/b): the wider
    capacities vary, the better. The mean is taken over 4,000 pairs of specialists under the
    published equations, 100 steps each after 100, so that it holds also where they move.
    """
    _check(capacities, growth)
    if not 0 <= width < 2 * min(capacities):
        raise ValueError(f"the range must lie in [0, {2 * min(capacities):g}) (given: {width})")
    random, runs = np.random.default_rng(1994), 4000
    mean = np.array(capacities)
    number, share = np.repeat(mean[:, None], runs, axis=1), np.full((2, runs), 0.5)
    fit = np.array([[1, specialist], [specialist, 1]])
    rate = np.zeros(runs)
    for step in range(200):
        drawn = mean + width * _units(random, runs, tied)
        share = _choices(number, fit[:, None, :] * drawn, share)
        here = np.stack([number * share, number * (1 - share)], axis=2)
        crowding = here.sum(axis=0) / drawn
        if step >= 100:
            rate += growth * (1 - crowding.min(axis=1) / generalist) / 100
        each = np.exp(growth * (1 - crowding / fit[:, None, :]))
        number = (here * each).sum(axis=2)
    return float(rate.mean()), float(rate.std()) / runs**0.5


def _units(random: np.random.Generator, runs: int, tied: bool) -> Array:
    unit = random.uniform(-0.5, 0.5, (runs, 2))
    if tied:
        unit[:, 1] = -unit[:, 0]
    return unit


def split(number: Array, capacity: Array, others: Array) -> Array:
    """Return the share p of a species in habitat 1 at which both are equally crowded, in [0, 1].

    (p N + A1)/K1 = ((1 - p) N + A2)/K2, clipped.

    Args:
        number: its members `[R]`.
        capacity: its capacities `[R, 2]`.
        others: all others in each habitat `[R, 2]`.

    """
    one, two = capacity.T
    free = (one * (others[:, 1] + number) - two * others[:, 0]) / (number * (one + two))
    return np.asarray(np.clip(free, 0.0, 1.0))


@lru_cache(maxsize=64)
def mean_abundance(
    capacities: tuple[float, float], *, specialist: float, generalist: float, growth: float,
    width: float, tied: bool, random_share: float, start: float, steps: int,
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:  # fmt: skip
    """Return mean abundances of both specialists and the generalist, and their standard errors.

    Over the later half of `steps`, by iterating the published equations 64 times with random
    numbers of their own; at most 30 rounds of choice a step, the generalist first.
    """
    random = np.random.default_rng(692)
    runs, mean = 64, np.array(capacities)
    fit = np.array([[1, specialist], [specialist, 1], [generalist, generalist]])
    number, total = np.full((3, runs), float(start)), np.zeros((3, runs))
    share = np.full((3, runs), 0.5)
    for step in range(steps):
        capacity = fit[:, None, :] * (mean + width * _units(random, runs, tied))
        share = _choices(number, capacity, share)
        settled = random_share / 2 + (1 - random_share) * share
        here = np.stack([number * settled, number * (1 - settled)], axis=2)
        each = np.exp(growth * (1 - here.sum(axis=0) / capacity))
        # No less than a rounding of nothing: the formula of the split divides by the number.
        number = np.maximum((here * each).sum(axis=2), 1e-100)
        if step >= steps // 2:
            total += number / (steps - steps // 2)
    error = total.std(axis=1) / (runs - 1) ** 0.5
    a, b, c = (float(v) for v in total.mean(axis=1))
    d, e, f = (float(v) for v in error)
    return (a, b, c), (d, e, f)


def _choices(number: Array, capacity: Array, share: Array) -> Array:
    for _ in range(30):
        before = share.copy()
        for species in reversed(range(len(number))):
            here = np.stack([number * share, number * (1 - share)], axis=2)
            others = here.sum(axis=0) - here[species]
            share[species] = split(number[species], capacity[species], others)
        if np.abs(share - before).max() < 1e-12:
            break
    return share
