"""Returns of found competence: closed forms against draws, committed numbers measured again."""

import numpy as np
import pytest

from ecosim.studies import found_returns as found
from ecosim.theory.returns import projected_claim, returns_exponent


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


@pytest.mark.parametrize("r", [0.6, 1.2, 2.6])
def test_learning_exponents_give_the_returns_they_stand_for(r):
    power = found.learning_exponent(r)
    whole = projected_claim(16, 20, power)
    two = (projected_claim(8, 20, power) + projected_claim(7, 20, power)) / 2
    least = min(
        np.log2(whole / two),
        np.log(whole / projected_claim(5, 20, power)) / np.log(3),
        np.log(whole * 2 / (projected_claim(4, 20, power) + projected_claim(3, 20, power)))
        / np.log(4),
    )
    assert least == pytest.approx(r, abs=1e-3)


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

    from ecosim.model.searching import INSTANCES
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
