"""Species are clusters by single linkage, and richness is their number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from ecosim.analysis.species import clusters


def same(one, two):
    """Say whether two labellings are the same partition."""
    pairs = set(zip(one.tolist(), two.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(two.tolist()))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(2, 60), st.floats(0.02, 0.6), st.integers(0, 2**32 - 1))
def test_clusters_are_those_of_single_linkage(dimension, number, distance, seed):
    points = np.random.default_rng(seed).random((number, dimension))
    expected = fcluster(linkage(points, "single"), distance, "distance")
    assert same(clusters(points, distance), expected)


def test_two_shares_are_as_far_apart_as_in_the_plane():
    share = np.array([0.1, 0.16, 0.24, 0.9])
    points = np.stack([share, 1 - share], axis=1)
    assert clusters(points, 0.1).tolist() == [0, 0, 1, 2]  # sqrt(2) x 0.06 and 0.08


def test_species_are_numbered_by_abundance_and_chains_are_one():
    line = [5.0, 0.0, 0.3, 0.6, 0.9, 5.1, 9.0]
    assert clusters(line, 0.3 + 1e-12).tolist() == [1, 0, 0, 0, 0, 1, 2]
    assert clusters([], 1.0).tolist() == []


def test_a_million_agents_of_few_strategies_are_quick():
    points = np.random.default_rng(1).dirichlet(np.ones(6), 40)[np.arange(200_000) % 40]
    assert clusters(points, 1e-9).max() == 39


def test_a_dense_cloud_is_one_species():
    cloud = np.random.default_rng(2).normal(0.5, 0.02, (20_000, 3))
    assert clusters(cloud, 0.1).max() == 0


@pytest.mark.parametrize("distance", [0.0, -1.0, float("nan")])
def test_a_distance_must_be_positive(distance):
    with pytest.raises(ValueError, match="distance"):
        clusters([0.0, 1.0], distance)


def test_a_run_tells_its_species(tmp_path):
    import ecosim

    run = ecosim.run(
        "soft-selection", out=tmp_path, population__start="specialists", mutation__rate=0.0,
        run__steps=2, population__size=30,
    )  # fmt: skip
    assert run.richness() == 2 and len(run.species()) == len(run.population)
    assert run.richness(1.5) == 1
