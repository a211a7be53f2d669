"""Breadth in a crowd of equal agents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from ecosim.errors import ScenarioError
from ecosim.theory import crowd
from ecosim.verification.cases.crowd import CASES, _groups
from ecosim.verification.registry import named


@pytest.mark.parametrize(("r", "rivals"), [(1.05, 22.05), (1.1, 12.12), (1.2, 7.20)])
def test_rivals_met_have_the_published_digits(r, rivals):
    assert crowd.crowd_rivals(r) == pytest.approx(rivals, abs=0.005)


@given(st.floats(1.02, 2))
def test_rivals_solve_the_same_equation_with_integrals(r):
    """E[1/(1+M)] = integral of e^{x(t-1)}, E[1/(1+M)^2] = that of -log t e^{x(t-1)}, 0..1."""
    x = crowd.crowd_rivals(r)
    once = -np.expm1(-x) / x
    twice = integrate.quad(lambda t: -np.log(t) * np.exp(x * (t - 1)), 0, 1, epsabs=1e-13)[0]
    assert twice / once == pytest.approx((r - 1) / r, rel=1e-6)
    # The same in exponential integrals.
    closed = np.exp(-x) / x * (special.expi(x) - np.euler_gamma - np.log(x))
    assert twice == pytest.approx(closed, rel=1e-6)


@pytest.mark.parametrize("r", [1.05, 1.1, 1.2])
def test_a_large_crowd_meets_poisson_rivals(r):
    gaps = [
        crowd.crowd_rivals(r) - crowd.crowd_breadth(r, n, 10_000) * n / 10_000 for n in (200, 400)
    ]
    assert gaps[0] > gaps[1] > 0
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.05)


@given(r=st.floats(1.05, 1.5), agents=st.integers(40, 200), niches=st.integers(50, 500))
def test_the_breadth_of_a_crowd_is_its_own_best_answer(r, agents, niches):
    try:
        k = crowd.crowd_breadth(r, agents, niches)
    except ValueError:
        return
    tried = k * np.exp(np.linspace(-0.5, 0.5, 201))
    paid = [crowd.crowd_payoff(b, k, r, agents=agents, niches=niches) for b in tried]
    assert abs(np.argmax(paid) - 100) <= 1


def test_breadth_scales_with_niches_and_exceeds_the_mean_field():
    one, two = crowd.crowd_breadth(1.1, 100, 200), crowd.crowd_breadth(1.1, 100, 400)
    assert two == pytest.approx(2 * one, rel=1e-9)
    assert crowd.mean_field_breadth(1.1, 100, 200) == pytest.approx(20)
    assert one > 20


def test_outside_the_domain():
    with pytest.raises(ValueError, match="needs r > 1"):
        crowd.crowd_rivals(1.0)
    with pytest.raises(ValueError, match="its own best answer"):
        crowd.crowd_breadth(1.01, 20, 100)
    for values in ({"T": 359}, {"r": 1.01}, {"N": 20, "T": 12, "r": 1.2}):
        with pytest.raises(ScenarioError):
            named("crowd-breadth").values(values)


def test_newcomers_tile_all_niches_and_share_none():
    groups = _groups(CASES[0].values({"T": 120, "N": 100}), seed=1)
    residents = [g for g in groups if g["name"].startswith("resident")]
    assert [g["share"] for g in residents] == [3] * 99
    for patch in range(3):
        new = [g for g in groups[len(residents) + patch :: 3] if g["name"].startswith("newcomer")]
        used = (np.array([g["allocation"] for g in new]) > 0).sum(axis=0)
        assert (used == 1).all()


def test_the_case_sees_what_it_should():
    case = named("crowd-breadth")
    values = case.values({})
    found = np.asarray(case.observe(values, range(3)))
    assert found.mean() == pytest.approx(case.expected(values), rel=0.04)
    assert abs(found.mean() / crowd.mean_field_breadth(1.1, 100, 360) - 1) > 0.1
