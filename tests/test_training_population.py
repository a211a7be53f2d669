"""Learners of a population: what effort buys, competence, luck that is not handed down."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecosim.analysis.expectation import records
from ecosim.errors import ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import simulate
from ecosim.training import buying, learners, routing, tasks


def shapes(*methods, most=60, resource="data"):
    return learners.Shapes(methods, 3, 5, resource, most, 30, 1, 4, 20)


def world(relatedness=0.0, noise=0.3, separation=0.0):
    weights, centres = tasks.exact_tasks(
        jax.random.key(0), 3, 5, relatedness=jnp.asarray(relatedness),
        separation=jnp.asarray(separation),
    )  # fmt: skip
    inputs = jax.random.normal(jax.random.key(1), (3, 200, 5)) + centres[:, None]
    return learners.World(tasks.Tasks(weights, centres, jnp.asarray(noise)), 0.02, inputs)


def bought(here, effort, key, resource="data", most=60):
    return buying.bought(resource, here.tasks, effort, key, most=most, examples=30)


def explained(given, here, effort, method=0, seed=0, number=100):
    return np.asarray(learners.explained(
        given, here, jnp.full(number, method), jnp.tile(jnp.asarray(effort), (number, 1)),
        jax.random.split(jax.random.key(seed), number),
    ))  # fmt: skip


def test_effort_buys_whole_examples_of_each_task():
    here = world(noise=1e-6)
    effort = jnp.array([10.0, 0.0, 7.0])
    given = bought(here, effort, jax.random.key(3))
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
    drawn, _ = jax.random.split(key)
    given = bought(here, effort, drawn)
    x, y, label = (np.asarray(part, float) for part in given[:3])
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
                             ("perceptron", 0), ("mixture", 4), ("routed", 4)):  # fmt: skip
        given = shapes(name, most=300)._replace(steps=150)
        here = world(relatedness=0.9, separation=separation)
        few, many = (
            explained(given, here, [n, n, n], number=20).mean() for n in (2.0, 60.0)
        )  # fmt: skip
        assert few < many <= 1, name


@pytest.mark.parametrize("resource", ["compute", "parameters"])
def test_where_data_are_free_all_have_them_and_effort_weighs_the_tasks(resource):
    given = bought(world(), jnp.array([6.0, 2.0, 0.0]), jax.random.key(3), resource)
    assert np.asarray(given.task.sum(axis=0)).tolist() == [30, 30, 30]
    assert np.asarray(given.units).tolist() == [6, 2, 0]
    assert np.asarray(given.emphasis) == pytest.approx([2.25, 0.75, 0])
    weights = np.asarray(buying.weights(given) @ given.task)
    assert weights == pytest.approx([0.75, 0.25, 0])


def plain(resource, method, effort, here, key):
    """Return coefficients [3, 5] fitted in plain NumPy to what was bought."""
    given = bought(here, effort, jax.random.split(key)[0], resource)
    x, y, label = (np.asarray(part, float) for part in given[:3])
    effort = np.asarray(effort)
    if method == "pooled":
        weight = label @ (effort / effort.sum()) / 30
        problems = [(x, y, weight, int(effort.sum()))] * 3
    else:
        own = [label[:, k] > 0 for k in range(3)]
        problems = [(x[o], y[o], np.full(30, 1 / 30), int(effort[k])) for k, o in enumerate(own)]
    fits = []
    for inputs, outputs, weight, units in problems:
        fit = np.zeros(5)
        if resource == "compute":
            for _ in range(units):
                fit -= 0.02 * inputs.T @ (weight * (inputs @ fit - outputs))
        else:
            number = 90 if method == "pooled" else 30
            read = inputs[:, :units]
            gram = number * read.T @ (weight[:, None] * read) + (0.3**2 * 5 + 1e-4) * np.eye(
                read.shape[1]
            )
            fit[:units] = np.linalg.solve(gram, number * read.T @ (weight * outputs))
        fits.append(fit)
    return np.array(fits)


@pytest.mark.parametrize("resource", ["compute", "parameters"])
@pytest.mark.parametrize("method", ["dedicated", "pooled"])
def test_steps_and_parameters_are_those_of_plain_numpy(resource, method):
    here, key = world(), jax.random.key(5)
    effort = jnp.array([2.0, 1.0, 0.0])
    given = shapes(method, resource=resource)
    found = learners.explained(given, here, jnp.array([0]), effort[None], key[None])[0]
    fit, weights = plain(resource, method, effort, here, key), np.asarray(here.tasks.weights)
    missed = ((fit - weights) ** 2).sum(axis=1) / (weights**2).sum(axis=1)
    assert np.asarray(found) == pytest.approx(np.maximum(0, 1 - missed), abs=1e-4)


@pytest.mark.parametrize(
    ("resource", "name"),
    [("compute", "low-rank"), ("compute", "perceptron"), ("compute", "mixture"),
     ("parameters", "low-rank"), ("parameters", "perceptron"), ("compute", "routed"),
     ("parameters", "routed")],
)  # fmt: skip
def test_more_steps_and_parameters_more_competence(resource, name):
    given = shapes(name, resource=resource)._replace(steps=120, hidden=8, examples=60)
    here = world(relatedness=0.95, separation=4.0 if name in ("mixture", "routed") else 0.0)
    few, many = (explained(given, here, [n, n, n], number=20).mean() for n in (3.0, 39.0))
    assert few < many <= 1


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
        ({"examples": 10}, "training.examples"),
        ({"resource": "time"}, "training.resource"),
        ({"resource": "compute", "examples": 2000}, "training.examples"),
        ({"resource": "compute", "rate": 1.5}, "training.rate"),
        ({"resource": "compute", "learners": ["perceptron"], "steps": 7}, "training.steps"),
        ({"resource": "parameters", "learners": ["mixture"]}, "training.learners"),
        ({"capacity": 1.0}, "training.capacity"),
        ({"learners": ["mixture"], "capacity": 0.0}, "training.capacity"),
        ({"balance": 0.1}, "training.balance"),
        ({"learners": ["mixture"], "balance": -0.1}, "training.balance"),
        ({"router": 0.5}, "training.router"),
        ({"learners": ["routed"], "router": 0.0}, "training.router"),
        ({"learners": ["routed"], "router": 1.0}, "training.router"),
        ({"resource": "parameters", "learners": ["perceptron"], "hidden": 3}, "training.hidden"),
        (
            {"resource": "parameters", "learners": ["perceptron"], "dimension": 28},
            "smallest perceptron has 31 parameters",
        ),
    ],
)
def test_what_learners_cannot_do_is_refused(changes, said):
    with pytest.raises(ScenarioError, match=said):
        validate(RAW | {"training": RAW["training"] | changes})


def test_more_data_than_a_step_can_hold_is_refused():
    with pytest.raises(ScenarioError, match="budget"):
        validate(RAW | {"population": {"size": 10, "budget": 1e5}})


def by_hand(given, here, share):
    """Return the competence of a portfolio in plain NumPy, on the world's held-out inputs."""
    x, y, label = (np.asarray(part, float) for part in given[:3])
    weights, test = np.asarray(here.tasks.weights, float), np.asarray(here.test, float)
    ridge, fits, seen = (0.3**2 * 5 + 1e-4) * np.eye(5), [], []
    for task in range(3):
        own = np.flatnonzero(label[:, task])
        first = round(share * len(own))
        rest = own[first:]
        fits.append(np.linalg.solve(x[rest].T @ x[rest] + ridge, x[rest].T @ y[rest]))
        seen.append(x[own[:first]])
    mean = np.mean([len(rows) for rows in seen])
    gram = sum(mean / len(rows) * rows.T @ rows for rows in seen) + ridge
    scores = [np.linalg.solve(gram, mean * rows.mean(axis=0)) for rows in seen]
    picked = np.argmax(test @ np.array(scores).T, axis=2)
    answers = np.sum(test * np.array(fits)[picked], axis=2)
    clean = np.einsum("kmd,kd->km", test, weights)
    missed = ((answers - clean) ** 2).sum(axis=1) / (clean**2).sum(axis=1)
    joint = np.array([np.bincount(row, minlength=3) for row in picked]) / picked.size
    apart = joint.sum(axis=0) * joint.sum(axis=1, keepdims=True)
    logs = np.log(np.where(joint > 0, joint / apart, 1))
    return np.maximum(0, 1 - missed), (joint * logs).sum() / np.log(3)


def test_a_portfolio_pays_its_router_in_examples():
    here, effort, key = world(separation=1.0), jnp.array([20.0, 12.0, 8.0]), jax.random.key(9)
    found = learners.learned(
        shapes("routed"), here._replace(router=0.5), jnp.array([0]), effort[None], key[None]
    )
    given = bought(here, effort, jax.random.split(key)[0])
    competence, information = by_hand(given, here, 0.5)
    assert np.asarray(found.competence[0]) == pytest.approx(competence, abs=1e-3)
    assert float(found.information[0]) == pytest.approx(information, abs=1e-3)
    assert 0.05 < information < 0.95


@pytest.mark.parametrize("resource", ["data", "compute", "parameters"])
def test_what_the_router_takes_its_specialists_lack(resource):
    given = bought(world(), jnp.array([8.0, 5.0, 2.0]), jax.random.key(3), resource)
    experts, routers = routing.divided(resource, given, 0.25)
    assert np.asarray(routers.units).tolist() == [2, 1, 0]
    assert (experts.units + routers.units == given.units).all()
    both = np.asarray(experts.task + routers.task)
    if resource == "data":
        assert (both == np.asarray(given.task)).all()
        assert np.asarray(routers.task.sum(axis=0)).tolist() == [2, 1, 0]
    else:
        assert (both == 2 * np.asarray(given.task)).all()


def test_the_score_of_a_narrow_router_reads_its_first_inputs():
    gram = jnp.stack([jnp.diag(jnp.arange(1.0, 6)), 2 * jnp.eye(5), jnp.eye(5)])
    found, own = routing.equations(gram, jnp.ones((3, 5)), jnp.full(3, 4.0), jnp.array([5, 2, 0]))
    assert np.count_nonzero(own, axis=1).tolist() == [5, 2, 0]
    assert np.asarray(found[1]).diagonal().tolist() == [4, 5, 0, 0, 0]


def test_portfolios_win_where_inputs_tell_their_task_and_generalists_where_not():
    given = shapes("routed", "pooled")
    for separation, better in ((6.0, 0), (0.0, 1)):
        here = world(relatedness=0.5, separation=separation)
        means = [explained(given, here, [20.0, 20.0, 20.0], method=m).mean() for m in (0, 1)]
        assert int(np.argmax(means)) == better


EXPERTS = RAW | {"training": {"learners": ["mixture", "pooled"], "dimension": 5, "steps": 20}}


@pytest.mark.parametrize(("key", "value"), [("capacity", 0.2), ("balance", 5.0)])
def test_capacity_and_balance_of_a_scenario_reach_its_mixtures(key, value):
    changed = EXPERTS | {"training": EXPERTS["training"] | {key: value}}
    one, other = (simulate(validate(raw), seed=3).metrics for raw in (EXPERTS, changed))
    assert one["performance_0"].iloc[1] != other["performance_0"].iloc[1]


def test_information_of_experts_is_recorded_and_undefined_where_none_is_alive():
    told = {"learners": ["routed"], "dimension": 5, "separation": 8.0}
    run = simulate(validate(RAW | {"training": told, "run": {"steps": 2}}), seed=1).metrics
    assert np.isnan(run["expert_information"].iloc[0])  # nobody has been tested yet
    assert run["expert_information"].iloc[1] > 0.9
    blind = validate(RAW | {"training": told | {"separation": 0.0}, "run": {"steps": 2}})
    assert simulate(blind, seed=1).metrics["expert_information"].iloc[1] < 0.1
    both = {"learners": ["routed", "pooled"], "dimension": 5, "relatedness": 0.9}
    groups = [{"name": "all", "allocation": [0.4, 0.3, 0.3], "method": "pooled"}]
    few = {"population": {"size": 20, "budget": 30.0, "groups": groups}, "run": {"steps": 3}}
    lost = simulate(validate(RAW | few | {"training": both}), seed=1).metrics
    assert (lost["method_share_0"] == 0).all() and lost["expert_information"].isna().all()
    assert "expert_information" not in simulate(validate(RAW), seed=1).metrics


def test_the_glossary_knows_who_records_information_of_experts():
    for names, known in ((["mixture", "pooled"], True), (["dedicated", "pooled"], False)):
        training = {"learners": names, "dimension": 5}
        assert records(validate(RAW | {"training": training}), "expert_information") is known


@pytest.mark.parametrize("resource", ["compute", "parameters"])
def test_a_population_divides_steps_or_parameters(resource):
    raw = RAW | {"training": RAW["training"] | {"resource": resource, "examples": 50}}
    raw |= {"population": {"size": 40, "budget": 6.0}}
    run = simulate(validate(raw), seed=1)
    assert 0 < run.metrics["performance_0"].iloc[-1] < 1
    # What is learned of the tasks grows with the budget.
    rich = simulate(validate(raw | {"population": {"size": 40, "budget": 30.0}}), seed=1)
    names = [f"performance_{k}" for k in range(3)]
    assert rich.metrics[names].iloc[1].mean() > run.metrics[names].iloc[1].mean()


@pytest.mark.parametrize("number", [3, 40, 101])
def test_the_dead_are_not_trained_and_change_nothing(number):
    given, here = shapes("dedicated"), world()
    draw = np.random.default_rng(number)
    alive = jnp.asarray(draw.random(number) < 0.3)
    effort = jnp.asarray(draw.integers(1, 20, (number, 3)), jnp.float32)
    keys = jax.random.split(jax.random.key(number), number)
    method = jnp.zeros(number, int)
    everybody = np.asarray(learners.learned(given, here, method, effort, keys).competence)
    some = np.asarray(learners.learned(given, here, method, effort, keys, alive).competence)
    trained, alive = some.any(axis=1), np.asarray(alive)
    assert (some[alive] == everybody[alive]).all() and trained[alive].all()
    width = max(-(-number // 4), 16)
    assert trained.sum() <= -(-alive.sum() // width) * width
