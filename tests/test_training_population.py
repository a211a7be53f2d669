"""Learners of a population: what effort buys, competence, luck that is not handed down."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecosim.errors import ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import simulate
from ecosim.training import learners, tasks


def shapes(*methods, most=60):
    return learners.Shapes(methods, 3, 5, most, 1, 4, 20)


def world(relatedness=0.0, noise=0.3, separation=0.0):
    weights, centres = tasks.exact_tasks(
        jax.random.key(0), 3, 5, relatedness=jnp.asarray(relatedness),
        separation=jnp.asarray(separation),
    )  # fmt: skip
    inputs = jax.random.normal(jax.random.key(1), (3, 200, 5)) + centres[:, None]
    return learners.World(tasks.Tasks(weights, centres, jnp.asarray(noise)), 0.02, inputs)


def explained(given, here, effort, method=0, seed=0, number=100):
    return np.asarray(learners.explained(
        given, here, jnp.full(number, method), jnp.tile(jnp.asarray(effort), (number, 1)),
        jax.random.split(jax.random.key(seed), number),
    ))  # fmt: skip


def test_effort_buys_whole_examples_of_each_task():
    here = world(noise=1e-6)
    effort = jnp.array([10 / 3 * 3, 0.9, 7.5])
    given = learners.bought(shapes("dedicated"), here.tasks, effort, jax.random.key(3))
    assert np.asarray(given.task.sum(axis=0)).tolist() == [10, 0, 7]
    label = np.asarray(given.task)
    clean = np.sum(np.asarray(given.inputs) * (label @ np.asarray(here.tasks.weights)), axis=1)
    assert np.asarray(given.outputs)[:17] == pytest.approx(clean[:17], abs=1e-4)


def test_competence_is_that_of_plain_ridge_regression():
    here, effort = world(separation=1.0), jnp.array([12.0, 4.0, 0.0])
    key = jax.random.key(9)
    found = learners.explained(
        shapes("dedicated", "pooled"), here, jnp.array([0, 1]), jnp.tile(effort, (2, 1)),
        jnp.stack([key, key]),
    )  # fmt: skip
    buying, _ = jax.random.split(key)
    given = learners.bought(shapes("dedicated"), here.tasks, effort, buying)
    x, y, label = (np.asarray(part, float) for part in given)
    weights, centres = (np.asarray(part, float) for part in here.tasks[:2])

    def competence(fit, task):
        def power(w):
            return w @ w + (w @ centres[task]) ** 2

        return max(0, 1 - power(fit - weights[task]) / power(weights[task]))

    ridge = (0.3**2 * 5 + 1e-4) * np.eye(5)
    for task in range(3):
        own = label[:, task] > 0
        alone = np.linalg.solve(x[own].T @ x[own] + ridge, x[own].T @ y[own])
        some = label.sum(axis=1) > 0
        together = np.linalg.solve(x[some].T @ x[some] + ridge, x[some].T @ y[some])
        assert float(found[0, task]) == pytest.approx(competence(alone, task), abs=1e-4)
        assert float(found[1, task]) == pytest.approx(competence(together, task), abs=1e-4)


def test_more_data_more_competence_for_every_method():
    for name, separation in (("dedicated", 0), ("pooled", 0), ("low-rank", 0),
                             ("perceptron", 0), ("mixture", 4)):  # fmt: skip
        given = shapes(name, most=300)._replace(steps=150)
        here = world(relatedness=0.9, separation=separation)
        few, many = (
            explained(given, here, [n, n, n], number=20).mean() for n in (2.0, 60.0)
        )  # fmt: skip
        assert few < many <= 1, name


def test_sharing_pays_between_related_tasks_and_costs_between_unrelated_ones():
    given = shapes("dedicated", "pooled")
    for relatedness, better in ((0.95, 1), (0.0, 0)):
        here = world(relatedness=relatedness)
        means = [explained(given, here, [6.0, 6.0, 6.0], method=m).mean() for m in (0, 1)]
        assert int(np.argmax(means)) == better


def test_what_a_learner_reaches_depends_on_its_own_key_alone():
    given, here = shapes("dedicated", "perceptron"), world()
    keys = jax.random.split(jax.random.key(4), 6)
    effort = jnp.tile(jnp.array([8.0, 8.0, 0.0]), (6, 1))
    method = jnp.array([0, 1, 0, 1, 0, 1])
    whole = np.asarray(learners.explained(given, here, method, effort, keys))
    order = np.array([3, 5, 0, 1, 4, 2])
    moved = np.asarray(learners.explained(given, here, method[order], effort[order], keys[order]))
    assert moved == pytest.approx(whole[order], abs=1e-5)


RAW = {
    "world": "learning",
    "niches": {"count": 3},
    "population": {"size": 40, "budget": 30.0},
    "tradeoff": {"kind": "measured"},
    "training": {"learners": ["dedicated", "pooled"], "dimension": 5},
    "selection": {"kind": "wright-fisher"},
    "mutation": {"rate": 0.0},
    "run": {"steps": 12},
}


def test_pooling_goes_extinct_between_unrelated_tasks_and_luck_is_new_each_step():
    run = simulate(validate(RAW | {"run": {"steps": 40}}), seed=2)
    share, reached = run.metrics["method_share_1"], run.metrics["performance_0"].dropna()
    assert share.iloc[0] > 0.2 and share.iloc[-1] == 0
    assert reached.nunique() > 30  # new data: never the same again
    again = simulate(validate(RAW | {"run": {"steps": 40}}), seed=2)
    assert (again.metrics["performance_0"].dropna() == reached).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"learners": ["oracle"]}, "training.learners"),
        ({"dimension": 3}, "training.dimension"),
        ({"rank": 2}, "training.rank"),
        ({"learners": ["low-rank"], "rank": 3}, "training.rank"),
        ({"hidden": 4}, "training.hidden"),
        ({"steps": 10}, "training.steps"),
        ({"relatedness": 1.5}, "relatedness"),
        ({"noise": 0.0}, "noise"),
    ],
)
def test_what_learners_cannot_do_is_refused(changes, said):
    with pytest.raises(ScenarioError, match=said):
        validate(RAW | {"training": RAW["training"] | changes})


def test_more_data_than_a_step_can_hold_is_refused():
    with pytest.raises(ScenarioError, match="budget"):
        validate(RAW | {"population": {"size": 10, "budget": 1e5}})
