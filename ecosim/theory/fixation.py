"""Fixation and drift in finite populations of constant size: exact results of Markov chains."""

from __future__ import annotations

import math

import numpy as np
import scipy


def _checked(size: int, fitness: float) -> None:
    if size != int(size) or size < 1:
        raise ValueError(f"size must be a whole number >= 1 (given: {size!r})")
    if not (math.isfinite(fitness) and fitness > 0):
        raise ValueError(f"relative fitness must be finite and > 0 (given: {fitness!r})")


def moran_birth_death(size: int, fitness: float, mutants: int = 1) -> float:
    """Return the probability that mutants take over a Moran population, birth then death.

    rho = (1 - r^-m) / (1 - r^-N): the parent is drawn in proportion to fitness among all, the dead
    evenly among all (Moran 1958; Lieberman, Hauert & Nowak 2005). m/N where r = 1.

    Args:
        size: N, individuals.
        fitness: r of a mutant; a resident has 1.
        mutants: m at the start, 0 .. N.

    Raises:
        ValueError: a number outside its domain.

    """
    _checked(size, fitness)
    if not 0 <= mutants <= size:
        raise ValueError(f"mutants must lie in 0..{size} (given: {mutants!r})")
    log = math.log(fitness)
    if abs(log) * size < 1e-12:
        return mutants / size
    if log < 0:  # r^-N may overflow: both terms are divided by it
        return math.exp(log * (size - mutants)) * math.expm1(log * mutants) / math.expm1(log * size)
    return math.expm1(-log * mutants) / math.expm1(-log * size)


def moran_death_birth(size: int, fitness: float) -> float:
    """Return the probability that one mutant takes over a Moran population, death then birth.

    The dead is drawn evenly, the parent in proportion to fitness among the others. With i mutants
    T-/T+ = (r i + N - i - 1) / (r (r (i - 1) + N - i)), and rho = 1 / (1 + sum_k prod_{i<=k} T-/T+)
    (Karlin & Taylor 1975; Kaveh, Komarova & Kohandel 2015).

    Args:
        size: N >= 2, individuals.
        fitness: r of a mutant; a resident has 1.

    Raises:
        ValueError: a number outside its domain.

    """
    _checked(size, fitness)
    if size < 2:
        raise ValueError(f"size must be >= 2 (given: {size!r})")
    i = np.arange(1, size)
    ratio = (fitness * i + size - i - 1) / (fitness * (fitness * (i - 1) + size - i))
    with np.errstate(over="ignore"):
        return float(1 / (1 + np.sum(np.exp(np.cumsum(np.log(ratio))))))


def wright_fisher(size: int, advantage: float, mutants: int = 1) -> float:
    """Return the probability that mutants of fitness 1 + s take over a haploid population.

    Exact: with i mutants of N the next generation has Binomial(N, i (1+s) / (i (1+s) + N - i)) of
    them (Fisher 1930; Wright 1931); the probabilities solve the linear system of that chain.

    Args:
        size: N <= 5000, individuals.
        advantage: s > -1.
        mutants: at the start, 0 .. N.

    Raises:
        ValueError: a number outside its domain.

    """
    _checked(size, 1 + advantage)
    if size > 5000:
        raise ValueError(f"size must be <= 5000: the chain is solved as a whole (given: {size!r})")
    if not 0 <= mutants <= size:
        raise ValueError(f"mutants must lie in 0..{size} (given: {mutants!r})")
    if mutants in (0, size):
        return mutants / size
    i = np.arange(1, size)
    share = i * (1 + advantage) / (i * (1 + advantage) + size - i)
    chain = scipy.stats.binom.pmf(np.arange(size + 1)[None, :], size, share[:, None])
    taken = np.linalg.solve(np.eye(size - 1) - chain[:, 1:-1], chain[:, -1])
    return float(taken[mutants - 1])


def heterozygosity(start: float, size: int, generations: int) -> float:
    """Return the expected H = 1 - sum p^2 of a neutral haploid Wright-Fisher population.

    H_t = H_0 (1 - 1/N)^t, exactly: two draws of a generation descend from one parent with
    probability 1/N (Wright 1931).

    Args:
        start: H_0, 0 <= H_0 < 1.
        size: N, individuals.
        generations: t >= 0.

    Raises:
        ValueError: a number outside its domain.

    """
    _checked(size, 1.0)
    if not 0 <= start < 1 or generations < 0:
        raise ValueError(f"need 0 <= H_0 < 1 and t >= 0 (given: {start!r}, {generations!r})")
    return float(start * (1 - 1 / size) ** generations)
