"""Linear learners against plain NumPy, and the closed forms of their risks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecosim.compilation import prepared
from ecosim.errors import ScenarioError
from ecosim.theory import low_rank, scaling, transfer
from ecosim.training import least_squares, networks, tasks
from ecosim.verification.registry import named


@pytest.fixture(autouse=True)
def double():
    with prepared():
        yield


def some_tasks(count=3, dimension=4, noise=0.5, seed=0):
    weights = tasks.related_weights(jax.random.key(seed), count, dimension, relatedness=0.4)
    return tasks.Tasks(weights, jnp.zeros_like(weights), jnp.asarray(noise))


def test_fits_are_those_of_numpy():
    given = tasks.examples(jax.random.key(1), some_tasks(), 30)
    x, y = np.asarray(given.inputs), np.asarray(given.outputs)
    alone = [np.linalg.lstsq(x[t], y[t])[0] for t in range(3)]
    together = np.linalg.lstsq(x.reshape(-1, 4), y.ravel())[0]
    assert np.asarray(least_squares.dedicated(given)) == pytest.approx(np.array(alone))
    assert np.asarray(least_squares.pooled(given)) == pytest.approx(together)


def test_risks_of_a_second_simulation_in_plain_numpy():
    """L1 by loops and lstsq: nothing of ecosim but the closed forms."""
    rng, count, d, n, rho, sigma = np.random.default_rng(5), 3, 4, 14, 0.3, 0.8
    alone, together = [], []
    for _ in range(2000):
        common = rng.normal(size=d)
        weights = [
            (np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.normal(size=d)) / np.sqrt(d)
            for _ in range(count)
        ]
        x = rng.normal(size=(count, n, d))
        y = [x[t] @ weights[t] + sigma * rng.normal(size=n) for t in range(count)]
        fit = np.linalg.lstsq(x.reshape(-1, d), np.concatenate(y))[0]
        together.append(np.mean([(fit - w) @ (fit - w) for w in weights]))
        own = [np.linalg.lstsq(x[t], y[t])[0] - weights[t] for t in range(count)]
        alone.append(np.mean([miss @ miss for miss in own]))
    numbers = {"tasks": count, "dimension": d, "examples": n, "sigma": sigma}
    for seen, told in (
        (alone, transfer.dedicated_risk(d, n, sigma)),
        (together, transfer.pooled_risk(rho, **numbers)),
    ):
        error = np.std(seen) / np.sqrt(len(seen))
        assert error < 0.03 * told
        assert abs(np.mean(seen) - told) < 4 * error


def test_published_numbers():
    numbers = {"dimension": 20, "examples": 60, "sigma": 1.0}
    assert transfer.leading_boundary(**numbers) == pytest.approx(0.487, abs=5e-4)
    assert transfer.boundary(tasks=8, **numbers) == pytest.approx(0.487, abs=5e-4)
    shared = {"tasks": 20, "dimension": 40, "examples": 200, "sigma": 1.0}
    assert low_rank.first_order(3, **shared) == pytest.approx(0.0428, abs=1e-4)
    assert low_rank.dedicated_risk(40, 200, 1.0) == pytest.approx(0.2)
    for total, ratio, difference in ((400, 9.97, 0.231), (25_600, 8.02, 0.0027)):
        assert scaling.risk_ratio(total, tasks=8, dimension=10) == pytest.approx(ratio, abs=5e-3)
        found = scaling.risk_difference(total, tasks=8, dimension=10, sigma=1.0)
        assert found == pytest.approx(difference, rel=0.02)


@pytest.mark.parametrize(("count", "n"), [(2, 30), (8, 60), (100, 45)])
def test_the_risks_are_equal_at_the_boundary(count, n):
    numbers = {"tasks": count, "dimension": 20, "examples": n, "sigma": 0.7, "scale": 1.5}
    rho = transfer.boundary(**numbers)
    if 0 <= rho <= 1:
        assert transfer.pooled_risk(rho, **numbers) == pytest.approx(
            transfer.dedicated_risk(20, n, 0.7)
        )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: transfer.dedicated_risk(20, 21, 1.0), r"n > d \+ 1"),
        (lambda: transfer.misfit(1, 0.5, 1.0), "T >= 2"),
        (lambda: transfer.misfit(4, 1.5, 1.0), "rho"),
        (lambda: low_rank.tail_boundary(4, tasks=4, dimension=9, examples=50, sigma=1.0), "rank"),
        (lambda: scaling.risk_ratio(401, tasks=8, dimension=10), "divide"),
    ],
)
def test_closed_forms_refuse_what_lies_outside(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_designs_and_tasks_are_what_they_are_said_to_be():
    given = tasks.orthogonal_examples(jax.random.key(2), some_tasks(), 9)
    for design in np.asarray(given.inputs):
        assert design.T @ design == pytest.approx(9 * np.eye(4), abs=1e-9)
    weights, centres = (
        np.asarray(part)
        for part in tasks.exact_tasks(jax.random.key(3), 4, 7, relatedness=0.3, separation=2.0)
    )
    assert weights @ weights.T == pytest.approx(0.3 + 0.7 * np.eye(4))
    assert np.linalg.norm(centres, axis=1) == pytest.approx(np.full(4, 2.0))
    assert centres.sum(axis=0) == pytest.approx(np.zeros(7), abs=1e-9)
    values = jnp.array([3.0, 2.0, 0.5])
    made = tasks.weights_of_values(jax.random.key(4), values, 3, 6)
    assert np.linalg.svd(np.asarray(made))[1] == pytest.approx(np.asarray(values))


def test_a_truncation_has_the_rank_and_no_better_one_is_near():
    given = tasks.orthogonal_examples(jax.random.key(2), some_tasks(5, 6), 12)
    full = np.asarray(least_squares.dedicated(given))
    cut = np.asarray(least_squares.low_rank(given, 2))
    assert np.linalg.matrix_rank(cut, tol=1e-9) == 2
    rng = np.random.default_rng(0)
    for _ in range(50):  # other matrices of rank 2, beside it
        left, right = rng.normal(size=(5, 2)), np.linalg.svd(cut)[2][:2]
        other = cut + 0.01 * left @ right
        assert np.sum((full - cut) ** 2) <= np.sum((full - other) ** 2)


def test_a_linear_model_trained_by_gradient_reaches_least_squares():
    given = tasks.examples(jax.random.key(1), some_tasks(), 30)
    x, y = given.inputs.reshape(-1, 4), given.outputs.ravel()

    def loss(weights, _):
        return jnp.mean((x @ weights - y) ** 2)

    found = networks.trained(loss, jnp.zeros(4), jax.random.key(0), steps=3000, rate=0.01)
    assert np.asarray(found) == pytest.approx(np.asarray(least_squares.pooled(given)), abs=1e-4)


def test_steps_that_do_not_count_change_nothing():
    def loss(weights, _):
        return jnp.sum((weights - 3) ** 2)

    start, key = jnp.zeros(2), jax.random.key(0)
    short = networks.trained(loss, start, key, steps=7)
    long = networks.trained(loss, start, key, steps=50, until=jnp.asarray(7))
    assert np.asarray(long) == pytest.approx(np.asarray(short))
    unmoved = networks.trained(loss, start, key, steps=5, until=jnp.asarray(0))
    assert (np.asarray(unmoved) == 0).all()


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("dedicated-risk", {"n": 23}, r"n > d \+ 3"),
        ("negative-transfer", {"sigma": 50}, "0 <= rho <= 1"),
        ("joint-risk", {"r": 20}, r"r < min\(d, T\)"),
        ("joint-risk", {"n": 50}, "stand out of the noise"),
        ("scaling-ratio", {"N": 401}, "T divides N"),
        ("routing-recovers", {"n": 30}, "scarce"),
    ],
)
def test_cases_say_where_they_do_not_hold(name, given, said):
    with pytest.raises(ScenarioError, match=said):
        named(name).values(given)
