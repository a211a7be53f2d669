"""Quantiles of breadth: those of the living, to eight significant bits, at any number of niches."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosim.compilation import prepared
from ecosim.model import breadths
from ecosim.scenario import Scenario
from ecosim.simulate import simulate


@pytest.fixture(autouse=True, scope="module")
def sixty_four_bits():
    with prepared():
        yield


SHARES = {"breadth_q05": 0.05, "breadth_q50": 0.5, "breadth_q95": 0.95}


def counted(values, niches):
    place = np.asarray(breadths.class_of(jnp.asarray(values, jnp.float32), niches))
    return jnp.asarray(np.bincount(place, minlength=breadths.classes(niches)), jnp.int64)


def scenario(niches, size=60, **changes):
    return Scenario(world="ecology").replace(
        niches__count=niches, population__size=size, run__steps=6, record__every=1, **changes
    )


@pytest.mark.parametrize("niches", [1, 2, 3, 1000])
def test_specialists_have_a_breadth_of_one(niches):
    recorded = simulate(scenario(niches, population__start="specialists"), seed=1)
    assert (recorded.metrics["breadth_mean"].iloc[0]) == pytest.approx(1)
    assert (recorded.metrics[list(SHARES)].iloc[0] == 1).all()


@pytest.mark.parametrize("niches", [2, 10, 300])
def test_they_are_quantiles_of_the_living(niches):
    recorded = simulate(scenario(niches, population__start="random"), seed=2)
    living, last = recorded.population["breadth"], recorded.metrics.iloc[-1]
    for name, share in SHARES.items():
        exact = np.quantile(living, share, method="inverted_cdf")
        assert last[name] == pytest.approx(exact, rel=2**-8)


@given(
    st.lists(st.floats(1, 700, width=32), min_size=1, max_size=50),
    st.sampled_from([700, 1000, 4097]),
)
def test_any_breadths_are_told_within_the_bound(values, niches):
    found = breadths.quantiles(counted(values, niches))
    for name, share in SHARES.items():
        exact = np.quantile(values, share, method="inverted_cdf")
        assert float(found[name]) == pytest.approx(exact, rel=2**-8, abs=0)


@given(st.integers(1, 256), st.sampled_from([256, 300, 10_000]))
def test_whole_breadths_are_exact(breadth, niches):
    rounded = np.nextafter(np.float32(breadth), np.float32(0))  # as exp of an entropy may be
    assert {float(q) for q in breadths.quantiles(counted([rounded], niches)).values()} == {breadth}


def test_of_nobody_there_is_none():
    nobody = breadths.quantiles(jnp.zeros(breadths.classes(5), jnp.int64))
    assert np.isnan([float(value) for value in nobody.values()]).all()


def test_what_lies_outside_counts_at_the_ends():
    place = breadths.class_of(jnp.asarray([0.0, 0.5, 1.0, 5.0, 5.001, 9.0]), 5)
    assert place.tolist() == [0, 0, 0, *[breadths.classes(5) - 1] * 3]
