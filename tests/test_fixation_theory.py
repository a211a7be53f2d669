"""Closed forms of fixation, drift and branching: published values, limits and domains."""

import numpy as np
import pytest

from ecosim.theory import branching, fixation, kernels


def test_published_probabilities_of_fixation():
    assert fixation.moran_birth_death(100, 1.01) == pytest.approx(0.015709, abs=5e-7)
    assert fixation.moran_birth_death(100, 1.1) == pytest.approx(0.090916, abs=5e-7)
    assert fixation.moran_death_birth(100, 1.1) == pytest.approx(0.09001, abs=5e-6)
    assert fixation.wright_fisher(100, 0.01) == pytest.approx(0.022835, abs=5e-7)
    assert fixation.wright_fisher(100, 0.1) == pytest.approx(0.175837, abs=5e-7)
    assert fixation.wright_fisher(1000, 0.01) == pytest.approx(0.019733, abs=5e-7)


@pytest.mark.parametrize("size", [2, 7, 60])
def test_without_an_advantage_the_share_is_fixed(size):
    assert fixation.moran_birth_death(size, 1.0) == pytest.approx(1 / size)
    assert fixation.moran_death_birth(size, 1.0) == pytest.approx(1 / size)
    assert fixation.wright_fisher(size, 0.0) == pytest.approx(1 / size)


@pytest.mark.parametrize("fitness", [0.2, 0.9, 1.3, 4.0])
def test_moran_solves_its_chain(fitness):
    # rho_i = T+ rho_{i+1} + T- rho_{i-1} + ..., T-/T+ = 1/r.
    rho = np.array([fixation.moran_birth_death(12, fitness, m) for m in range(13)])
    up, down = fitness / (1 + fitness), 1 / (1 + fitness)
    assert rho[1:-1] == pytest.approx(up * rho[2:] + down * rho[:-2])
    assert (rho[0], rho[-1]) == (0, 1)


def test_a_hopeless_mutant_in_a_crowd_does_not_overflow():
    assert fixation.moran_birth_death(5000, 0.5) == 0.0


def test_numbers_of_individuals():
    many = 500 * kernels.dimorphism(0.25, 1.0)[1]
    assert branching.dimorphic_mean(many) == pytest.approx(772.83, abs=0.06)
    assert branching.monomorphic_mean(500) == pytest.approx(499.04, abs=0.05)


def test_the_quasi_stationary_mean_is_that_of_the_chain():
    capacity, most = 20, 60
    n = np.arange(1, most + 1)
    rates = np.zeros((most, most))
    for k in range(most):
        rates[k, k] = -(n[k] ** 2) / capacity - (n[k] if k < most - 1 else 0)
        if k:
            rates[k, k - 1] = n[k] ** 2 / capacity
        if k < most - 1:
            rates[k, k + 1] = n[k]
    values, vectors = np.linalg.eig(rates.T)
    leading = np.abs(np.real(vectors[:, np.argmax(np.real(values))]))
    mean = np.sum(n * leading) / leading.sum()
    assert branching.monomorphic_mean(capacity) == pytest.approx(mean, rel=1e-8)


def test_waiting_times_are_the_published_ones_and_between():
    assert branching.waiting_time(0.1) == pytest.approx((2025, 1900, 2150))
    assert 2025 < branching.waiting_time(0.14)[0] < 4075
    assert branching.branches(0.9, 1.0) and not branching.branches(1.1, 1.0)


def test_heterozygosity_decays():
    assert fixation.heterozygosity(0.5, 10, 2) == pytest.approx(0.5 * 0.81)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: fixation.moran_birth_death(0, 1.0),
        lambda: fixation.moran_birth_death(10, -1.0),
        lambda: fixation.moran_birth_death(10, 1.0, 11),
        lambda: fixation.moran_death_birth(1, 1.0),
        lambda: fixation.wright_fisher(10, -1.0),
        lambda: fixation.wright_fisher(6000, 0.1),
        lambda: fixation.heterozygosity(1.0, 10, 1),
        lambda: branching.monomorphic_mean(5),
        lambda: branching.dimorphic_mean(2.0),
        lambda: branching.waiting_time(0.5),
        lambda: branching.branches(0, 1),
    ],
)
def test_numbers_outside_the_domain_are_refused(wrong):
    with pytest.raises(ValueError, match="given"):
        wrong()
