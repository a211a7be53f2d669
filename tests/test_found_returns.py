"""Returns of found competence: closed forms against draws, committed numbers measured again."""

import numpy as np
import pytest

from ecosim.studies import found_returns as found
from ecosim.theory.no_free_lunch import split_best
from ecosim.theory.returns import drawn_claim, projected_claim, returns_exponent


@pytest.mark.parametrize(
    ("n", "d", "power", "floor"),
    [(4, 10, 1.0, 0.0), (8, 10, 2.5, 0.0), (3, 7, 1.7, 0.3), (16, 20, 0.6, 0.5)],
)
def test_a_projections_claim(n, d, power, floor):
    # A second opinion without the beta law: coordinates of uniform unit vectors.
    random = np.random.default_rng(0)
    vectors = random.standard_normal((200_000, d))
    share = (vectors[:, :n] ** 2).sum(axis=1) / (vectors**2).sum(axis=1)
    claims = np.maximum(share, floor) ** power
    error = claims.std() / np.sqrt(claims.size)
    assert projected_claim(n, d, power, floor) == pytest.approx(claims.mean(), abs=4.5 * error)


def test_ends_of_a_projections_claim():
    assert projected_claim(0, 5, 2.0, 0.1) == pytest.approx(0.01)
    assert projected_claim(5, 5, 2.0) == 1.0
    assert projected_claim(3, 12, 1.0) == pytest.approx(3 / 12)  # the mean is n/d
    with pytest.raises(ValueError, match="n >= 0"):
        projected_claim(-1, 5, 1.0)
    with pytest.raises(ValueError, match="claims > 0"):
        returns_exponent(1.0, 0.0, 2)


def test_least_norm_finds_that_projection():
    random = np.random.default_rng(1)
    d, n, draws = 10, 4, 4000
    explained = []
    for _ in range(draws):
        inputs, w = random.standard_normal((n, d)), random.standard_normal(d)
        fitted = np.linalg.lstsq(inputs, inputs @ w, rcond=None)[0]
        explained.append(1 - np.sum((fitted - w) ** 2) / np.sum(w**2))
    claims = np.array(explained) ** 1.5
    error = claims.std() / np.sqrt(draws)
    assert projected_claim(n, d, 1.5) == pytest.approx(claims.mean(), abs=4.5 * error)


def rounded(effort, draws=200_000):
    """Whole examples that efforts buy: all units of a learner add up, one u in (0, 1) for it."""
    upto = np.concatenate([[0.0], np.cumsum(effort)])
    u = np.random.default_rng(0).random((draws, 1))
    return np.diff(np.floor(upto + u), axis=1).astype(int)


@pytest.mark.parametrize("r", [0.6, 1.2, 2.6])
def test_learning_exponents_give_the_returns_they_stand_for(r):
    power = found.learning_exponent(r)
    claims = np.array([projected_claim(n, 20, power) for n in range(17)])
    ways = []
    for k in (2, 3, 4):
        bought = rounded([16 / k] * k)
        assert np.all(np.abs(bought.sum(axis=1) - 16) <= (k == 3))  # but for floating point
        ways.append(np.log(claims[16] / claims[bought].mean()) / np.log(k))
    assert min(ways) == pytest.approx(r, abs=3e-3)


def test_a_part_of_an_example_is_one_with_that_probability():
    bought = rounded([16 / 3] * 3)
    claims = np.array([projected_claim(n, 20, 3.0) for n in range(17)])[bought]
    error = claims.std() / np.sqrt(claims.shape[0])
    assert set(np.unique(bought)) == {5, 6}
    assert found.examples_claim(16 / 3, 3.0) == pytest.approx(claims.mean(), abs=4.5 * error)
    assert found.examples_claim(8, 3.0) == projected_claim(8, 20, 3.0)


@pytest.mark.parametrize(("m", "levels", "power"), [(8, 100, 5.0), (3, 4, 0.7), (1, 2, 2.0)])
def test_the_claim_of_the_best_of_draws(m, levels, power):
    drawn = np.random.default_rng(0).integers(0, levels, (200_000, m)).max(axis=1)
    claims = (drawn / (levels - 1)) ** power
    error = claims.std() / np.sqrt(claims.size)
    assert drawn_claim(m, levels, power) == pytest.approx(claims.mean(), abs=4.5 * error)


def test_ends_of_the_best_of_draws():
    # Continuous values: E max^g = m / (m + g).
    assert drawn_claim(6, 100_000, 4.0) == pytest.approx(0.6, abs=1e-4)
    assert drawn_claim(0, 100, 1.0) == 0
    assert drawn_claim(5, 100, 1.0) == pytest.approx(split_best(5, 1, 100))
    with pytest.raises(ValueError, match="levels|>= 2"):
        drawn_claim(3, 1, 1.0)


@pytest.mark.parametrize("c", [0.6, 1.4, 2.4])
def test_learning_curvatures_give_the_trade_off_they_stand_for(c):
    power, floor = found.learning_curvature(c)
    whole, half = projected_claim(8, 10, power, floor), projected_claim(4, 10, power, floor)
    assert half / whole == pytest.approx(2**-c, rel=2e-3)
    # The registered numbers are rounded: a floor to 4 decimals, an exponent to 3.
    rounding = power * 5e-5 / floor - np.log(floor) * 5e-4
    assert floor**power / whole == pytest.approx(0.05, rel=1e-3 + rounding)


@pytest.fixture(scope="module")
def profile():
    import jax

    from ecosim.scenario.measured import INSTANCES
    from ecosim.search.profile import profiles

    reached = profiles(
        found.ALGORITHMS, ["separable"], budget=found.BUDGET, instances=INSTANCES,
        key=jax.random.key(0),
    )  # fmt: skip
    return np.asarray(reached, float)[:, 0]


def test_search_exponents_are_those_of_real_searches(profile):
    def claim(evaluations, power):
        low = int(evaluations)
        part = evaluations - low
        mean = (profile[:, :, [low, min(low + 1, 16)]] ** power).mean(axis=1)
        return (mean[:, 0] * (1 - part) + mean[:, 1] * part).max()

    for r, power in found.SEARCH_EXPONENT.items():
        ways = [np.log(claim(16, power) / claim(16 / k, power)) / np.log(k) for k in (2, 3, 4)]
        assert min(ways) == pytest.approx(r, abs=2e-3)


def test_search_curvatures_are_those_of_real_searches(profile):
    climber = profile[found.ALGORITHMS.index("bit-climber")]
    for c, (power, floor) in found.SEARCH_CURVATURE.items():
        whole, half = ((np.maximum(climber[:, m], floor) ** power).mean() for m in (16, 8))
        assert np.log2(whole / half) == pytest.approx(c, abs=2e-3)
        assert floor**power / whole == pytest.approx(0.05, rel=5e-3)
        assert whole == pytest.approx(found.SEARCH_WHOLE[c], rel=5e-3)
