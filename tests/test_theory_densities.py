"""Closed forms of consumers and kernels: printed values, domains, and limits that must agree."""

import math

import numpy as np
import pytest

from ecosim.theory import consumers, kernels

SQUARE = [[1.0, 0.5], [0.5, 1.0]]


def test_printed_values():
    np.testing.assert_allclose(consumers.macarthur_stocks(SQUARE, 1.0), [2 / 3, 2 / 3])
    external = consumers.macarthur_external(SQUARE, 1.0, [10, 10], loss=1.0)
    np.testing.assert_allclose(external, 9 + 1 / 3)
    renewing = consumers.macarthur_renewing(SQUARE, 1.0, [5, 5], rate=1.0)
    np.testing.assert_allclose(renewing, 0.5777777778)
    assert kernels.limiting_similarity() == pytest.approx(1.561253, abs=5e-7)
    growth = [
        kernels.middle_growth_when_rare(kernels.kernel(1.561253 * f, 1.0)) for f in (1.1, 0.9)
    ]
    assert growth == pytest.approx([0.0909, -0.0720], abs=5e-5)
    place, total = kernels.dimorphism(0.25, 1.0)
    assert (place, total) == pytest.approx((0.4932, 1.5496), abs=5e-5)
    assert kernels.continuum(0.25, 1.0) == pytest.approx((2.0, 0.75))
    assert kernels.singular_curvature(0.25, 1.0) == pytest.approx(3.0)
    assert consumers.monod_stock(0.5, 1.0, 1.0) == pytest.approx(1.0)


def test_the_pair_has_no_gradient_of_invasion_fitness():
    variance, room = 0.3, 1.7
    place, total = kernels.dimorphism(variance, room)

    def alpha(d):
        return math.exp(-(d**2) / (2 * variance))

    def capacity(x):
        return math.exp(-(x**2) / (2 * room))

    density = capacity(place) / (1 + alpha(2 * place))
    assert 2 * density == pytest.approx(total)

    def fitness(y):
        return 1 - density * (alpha(y - place) + alpha(y + place)) / capacity(y)

    h = 1e-4
    assert (fitness(place + h) - fitness(place - h)) / (2 * h) == pytest.approx(0, abs=1e-8)


def test_the_cone_holds_what_its_strategies_add_up_to():
    strategies = np.array([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]])
    assert consumers.in_cone(strategies, [2.0, 1.0, 0.7] @ strategies) < 1e-12
    assert consumers.in_cone(strategies, [9.0, 0.1, 0.1]) > 0.1


@pytest.mark.parametrize(
    "outside",
    [
        lambda: consumers.macarthur_stocks([[1, 1], [1, 1]], 1.0),
        lambda: consumers.macarthur_stocks([[1, 0.5]], 1.0),
        lambda: consumers.macarthur_stocks([[1, -1], [0, 1]], 1.0),
        lambda: consumers.macarthur_external(SQUARE, 1.0, [0.1, 0.1], loss=1.0),
        lambda: consumers.monod_stock(1.0, 1.0, 1.0),
        lambda: consumers.chemostat_density(0.5, 1.0, 1.0, inflow=0.9, dilution=1.0),
        lambda: consumers.in_cone(SQUARE, [1.0, -1.0]),
        lambda: consumers.survivors_at_most(0),
        lambda: kernels.kernel(1.0, 0.0),
        lambda: kernels.middle_growth_when_rare(1.1),
        lambda: kernels.dimorphism(1.0, 1.0),
        lambda: kernels.continuum(1.5, 1.0),
        lambda: kernels.singular_curvature(0.0, 1.0),
    ],
)
def test_outside_the_domain_is_an_error(outside):
    with pytest.raises(ValueError, match="needs|must|no equilibrium|washed"):
        outside()
