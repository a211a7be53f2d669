"""Real search: the domain, classes of problems, algorithms, profiles, and competence from them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecosim.batch import run_batch
from ecosim.compilation import prepared
from ecosim.errors import ScenarioError
from ecosim.model import randomness, searching
from ecosim.model.measured import Trial
from ecosim.scenario import measured as names
from ecosim.scenario import validate
from ecosim.search import problems, profile
from ecosim.search.algorithms import ALGORITHMS
from ecosim.search.space import space
from ecosim.simulate import replicates, simulate
from ecosim.theory import no_free_lunch as theory
from ecosim.verification.registry import named
from ecosim.verification.runner import check

ALL = list(ALGORITHMS)
CLASSES = [name for name in problems.PROBLEMS if name != "uniform-mean"]


def measured(algorithms, classes, budget, *, instances=64, seed=0, length=10):
    with prepared():
        found = profile.profiles(
            algorithms, classes, budget=budget, instances=instances, key=jax.random.key(seed),
            length=length,
        )  # fmt: skip
    return np.asarray(found)


def tables(name, count, length=10):
    with prepared():
        keys = jax.random.split(jax.random.key(3), count)
        own = space(length)
        return own, np.asarray(jax.vmap(lambda key: problems.PROBLEMS[name](own, key))(keys))


# The domain


def test_both_views_name_the_same_points():
    own = space(6)
    for p in range(own.size):
        assert int(own.point(own.bits[p])) == p == int(own.nearest(own.coordinates[p]))
        assert int(own.opposite(own.opposite(p))) == p
    bits = np.asarray(own.bits).reshape(8, 8, 6)
    assert (np.abs(np.diff(bits, axis=0)).sum(-1) == 1).all()  # Gray: one bit a step
    assert (np.abs(np.diff(bits, axis=1)).sum(-1) == 1).all()
    around = jax.vmap(lambda rank: own.beside(jnp.int32(21), rank))(jnp.arange(64))
    assert int(around[0]) == 21 and set(np.asarray(around[1:5])) == {20, 22, 13, 29}
    assert len(set(np.asarray(around).tolist())) == 64


@pytest.mark.parametrize("length", [0, 5, 18])
def test_lengths_that_make_no_square_are_refused(length):
    with pytest.raises(ValueError, match="even"):
        space(length)


# Problems


@pytest.mark.parametrize("name", CLASSES)
def test_the_optimum_of_an_instance_is_one(name):
    _, values = tables(name, 20)
    assert values.dtype == np.float32 and values.min() >= 0 and values.max() <= 1
    if name != "uniform":
        assert (values.max(axis=1) == 1).all() and (values.min(axis=1) == 0).all()
    assert len(np.unique(values.argmax(axis=1))) > 5  # it lies anywhere


def test_a_trap_leads_away_from_its_optimum():
    own, values = tables("deceptive", 3, length=6)
    bits = np.asarray(own.bits)
    for row in values:
        right = bits == bits[row.argmax()]
        plain = [
            sum(1.0 if u == 3 else 0.8 * (1 - u / 2) for u in (r[:3].sum(), r[3:].sum())) / 2
            for r in right
        ]
        assert np.allclose(row, (np.array(plain) - min(plain)) / (1 - min(plain)), atol=1e-6)


def test_a_linear_problem_adds_up():
    own, values = tables("separable", 3, length=6)
    bits = np.asarray(own.bits)
    for row in values:
        design = np.column_stack([np.ones(len(bits)), bits])
        assert np.abs(design @ np.linalg.lstsq(design, row, rcond=None)[0] - row).max() < 1e-5


def test_neighbours_on_an_nk_landscape_correlate_as_in_the_literature():
    # rho(1) = 1 - (K+1)/N (Weinberger 1991, Phys Rev A 44:6399), here 1 - 4/10.
    own, values = tables("rugged", 80)
    flips = np.asarray(jax.vmap(lambda p: own.flipped(p, 0))(jnp.arange(own.size)))
    flips = flips.astype(int)
    one = values - values.mean(axis=1, keepdims=True)
    rho = np.mean(np.mean(one * one[:, flips], axis=1) / one.var(axis=1))
    assert rho == pytest.approx(0.6, abs=0.03)


# Algorithms


@pytest.mark.parametrize("name", ALL)
def test_no_point_is_tried_twice_so_all_find_the_optimum_in_the_end(name):
    found = measured([name], ["smooth", "deceptive", "rugged", "needle"], 16, length=4)[0]
    assert (found[:, :, 0] == 0).all() and (found[:, :, -1] == 1).all()
    assert (np.diff(found, axis=2) >= 0).all()  # without noise the best only gets better


def test_algorithms_fit_their_problems():
    names = ["random-search", "nelder-mead", "opposition", "bit-climber", "kernel-surrogate"]
    found = measured(names, ["smooth", "deceptive", "separable", "noisy"], 48, instances=256)
    at = found.mean(axis=2)
    error = found.std(axis=2) / 16
    for row, column, m in [(1, 0, 12), (2, 1, 48), (3, 2, 48), (4, 3, 48)]:
        gain = at[row, column, m] - at[0, column, m]
        assert gain > 4 * np.hypot(error[row, column, m], error[0, column, m])


def test_who_else_is_asked_changes_nothing():
    both = measured(["annealing", "tabu"], ["rugged", "smooth"], 10, instances=8, length=6)
    alone = measured(["tabu"], ["rugged", "smooth"], 10, instances=8, length=6)
    assert (alone[0] == both[1]).all() and alone.shape == (1, 2, 8, 11)
    assert not (both[0] == both[1]).all()


def test_the_precision_around_it_changes_nothing():
    asked = {"budget": 6, "instances": 4, "key": jax.random.key(0), "length": 4}
    names = ["random-search"], ["needle", "uniform"]
    with jax.enable_x64(False):
        narrow = np.asarray(profile.profiles(*names, **asked))
    with jax.enable_x64(True):
        assert (np.asarray(profile.profiles(*names, **asked)) == narrow).all()


def test_revisiting_breaks_no_free_lunch(monkeypatch):
    given = {"a": 8, "m": 64}  # an evolution strategy that contracts
    monkeypatch.setattr(profile, "_untried", lambda own, point, visited: point)
    profile._run.clear_cache()
    try:
        result = check(named("search-uniform"), given)
    finally:
        profile._run.clear_cache()
    assert not result.passed and result.observed < result.expected


def test_the_enumerated_mean_is_the_closed_form():
    exact = profile.enumerated(64)
    assert exact[0] == 0
    for m in (1, 2, 16, 64):
        assert exact[m] == pytest.approx(theory.split_best(m, 1, problems.LEVELS), abs=1e-12)
    found = measured(["sweep", "tabu"], ["uniform-mean", "smooth"], 8, instances=4)
    assert np.allclose(found[:, 0], exact[:9], atol=1e-7)


@pytest.mark.parametrize(
    ("algorithms", "classes", "budget", "said"),
    [
        (["sweeep"], ["smooth"], 4, "sweeep"),
        (["sweep"], ["smoth"], 4, "smoth"),
        (["sweep"], ["smooth"], 1025, "1 to 1024"),
        (["sweep"], ["smooth"], 0, "1 to 1024"),
    ],
)
def test_what_is_not_there_is_refused(algorithms, classes, budget, said):
    with pytest.raises(ScenarioError, match=said):
        measured(algorithms, classes, budget)


# Competence


def world(**changes):
    raw = {
        "world": "optimisation",
        "niches": {"count": 2},
        "population": {"size": 20, "budget": 8.0},
        "tradeoff": {"kind": "measured"},
        "search": {"algorithms": ["sweep", "tabu"], "problems": ["uniform-mean", "uniform-mean"]},
        "selection": {"kind": "wright-fisher"},
    }
    return validate(raw | changes)


def reached(found, effort, clock=0, ids=None):
    ids = np.arange(1, len(effort) + 1) if ids is None else ids
    with prepared():
        trial = Trial(
            jnp.ones(len(effort), bool), jnp.asarray(ids, jnp.uint64),
            jnp.zeros(len(effort), jnp.int32), jnp.asarray(effort, jnp.float32),
            jnp.asarray(clock), randomness.run_key(1),
        )  # fmt: skip
        return np.asarray(searching._competence(None, searching.Numbers(found), trial))


def test_effort_buys_evaluations_and_a_part_of_one_by_chance():
    found = jnp.broadcast_to(jnp.arange(9.0, dtype=jnp.float32) / 8, (2, 2, 4, 9))
    whole = np.array([[3.0, 5.0], [0.99999 * 4, 8.0], [0.0, 20.0]])
    assert (reached(found, whole) * 8).round(6).tolist() == [[3, 5], [4, 8], [0, 8]]
    parts = reached(found, np.full((4000, 2), 2.3)) * 8
    assert set(np.unique(parts.round(6))) == {2, 3}
    assert parts.mean() == pytest.approx(2.3, abs=4 * np.sqrt(0.21 / 8000))


def test_luck_is_neither_kept_nor_handed_down():
    found = jnp.asarray(measured(["sweep"], ["rugged", "smooth"], 8, instances=128, length=6))
    effort = np.full((4000, 2), 8.0)
    one = reached(found, effort)
    own = reached(found, effort, clock=1)
    with prepared():
        ids = randomness.child_id(
            jnp.arange(1, 4001, dtype=jnp.uint64), jnp.asarray(0), jnp.ones(4000, jnp.int32)
        )
    children = reached(found, effort, clock=1, ids=np.asarray(ids))
    for other in (own, children):
        assert abs(np.corrcoef(one[:, 0], other[:, 0])[0, 1]) < 4 / np.sqrt(4000)
    assert one[:, 0].std() > 0.02  # there is luck
    assert abs(np.corrcoef(one[:, 0], one[:, 1])[0, 1]) < 4 / np.sqrt(4000)
    assert (reached(found, effort) == one).all()  # and it can be repeated


def test_the_largest_budget_says_how_far_is_measured():
    groups = [{"name": "a", "allocation": [1.0, 0.0], "budget": 2.5}]
    assert searching.evaluations(world()) == 8
    assert searching.evaluations(world(population={"budget": 8.0, "groups": groups})) == 20
    assert searching.evaluations(world(population={"budget": 5000.0})) == 1024


def test_names_are_checked_with_the_scenario():
    assert tuple(ALL) == names.ALGORITHMS and tuple(problems.PROBLEMS) == names.PROBLEMS
    with pytest.raises(ScenarioError) as refused:
        world(search={"algorithms": ["climbr"], "problems": ["smooth", "smoth"]})
    assert [problem.received for problem in refused.value.problems] == ["climbr", "smoth"]


def test_each_run_searches_on_instances_of_its_own():
    search = {"algorithms": ["sweep", "tabu"], "problems": ["rugged", "uniform-mean"]}
    given = world(search=search, run={"steps": 6})
    with prepared():
        one, same, other = (
            np.asarray(searching.SEARCH.parameters(given, seed).found) for seed in (1, 1, 2)
        )
        exact = [searching.SEARCH.parameters(world(), seed).found for seed in (1, 2)]
    assert (one == same).all() and (one[:, 1] == other[:, 1]).all()
    means = one[:, 0, :, 8].mean(1), other[:, 0, :, 8].mean(1)
    assert (means[0] != means[1]).all() and means[0] == pytest.approx(means[1], abs=0.05)
    assert np.array_equal(*exact)
    # The same run alone, among replicates and in a batch.
    alone = [simulate(given, seed=seed).metrics.iloc[-1] for seed in (5, 6)]
    together = replicates(given, [5, 6])
    batched = run_batch([given, given], [5, 6])
    for row, (run, columns) in enumerate(zip(alone, batched, strict=True)):
        for metric in ("performance_0", "method_share_0", "breadth_mean"):
            assert run[metric] == together[metric][row] == columns[metric][-1]
    assert alone[0]["performance_0"] != alone[1]["performance_0"]
