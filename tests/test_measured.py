"""Measured competence: who tries what, what is handed down, what is refused; with a toy measure."""

import jax.numpy as jnp
import numpy as np
import pytest

from ecosim.agents import Learner, OptimisationModel, Organism
from ecosim.analysis.figure import draw
from ecosim.analysis.subjects import columns, unit
from ecosim.compilation import prepared
from ecosim.errors import ScenarioError
from ecosim.experiments.store import execute
from ecosim.model import measured, randomness
from ecosim.model.randomness import Stream
from ecosim.scenario import validate
from ecosim.simulate import simulate


def _toy(static, numbers, trial):
    """Method m reaches m + 1 times effort over 10, and half of that by luck."""
    luck = randomness.uniform(trial.key, trial.clock, Stream.MEASURED, trial.id)
    skill = (trial.method + 1)[:, None] * trial.effort / 10
    return skill * (0.5 + luck[:, None])


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    made = measured.Measure(
        lambda scenario: ("toy",), lambda scenario, seed: (), lambda scenario: False, _toy
    )
    monkeypatch.setitem(measured.MEASURES, "search", made)


def scenario(**changes):
    raw = {
        "world": "optimisation",
        "niches": {"count": 2},
        "population": {"size": 60, "budget": 8.0, "start": "specialists"},
        "tradeoff": {"kind": "measured"},
        "search": {"algorithms": ["random-search", "sweep"], "problems": ["smooth", "rugged"]},
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.0},
        "run": {"steps": 30},
    }
    for key, value in changes.items():
        raw[key] = raw.get(key, {}) | value if isinstance(value, dict) else value
    return validate(raw)


def test_the_better_method_is_selected_and_handed_down():
    run = simulate(scenario(), seed=1)
    assert 0.2 < run.metrics["method_share_1"].iloc[0] < 0.8
    assert run.metrics["method_share_1"].iloc[-1] == 1
    assert set(run.population["method"]) == {1}


def _telling(static, numbers, trial):
    """Method 1 tells twice its id besides; of method 0 nothing is to be told."""
    told = jnp.where(trial.method == 1, 2.0 * trial.id, jnp.nan)
    return measured.Reached(_toy(static, numbers, trial), {"doubled": told})


def test_what_is_told_besides_is_a_mean_of_the_living_for_whom_it_is_defined(monkeypatch):
    made = measured.MEASURES["search"]
    telling = made._replace(competence=_telling, tells=lambda static: ("doubled",))
    monkeypatch.setitem(measured.MEASURES, "search", telling)
    run = simulate(scenario(run={"steps": 1}, selection={"kind": "moran"}), seed=1)
    assert np.isnan(run.metrics["doubled"].iloc[0])
    fast = run.founders[run.founders["method"] == 1]
    assert run.metrics["doubled"].iloc[1] == pytest.approx(2 * fast["id"].mean(), rel=1e-6)
    groups = [{"name": "all", "allocation": [0.5, 0.5], "method": "random-search"}]
    slow = scenario(population={"groups": groups, "start": "even"}, run={"steps": 2})
    assert simulate(slow, seed=1).metrics["doubled"].isna().all()


def test_a_new_method_comes_in_at_the_rate_of_switching():
    groups = [{"name": "all", "allocation": [0.5, 0.5], "method": "sweep"}]
    kept = scenario(population={"groups": groups, "start": "even"})
    assert (simulate(kept, seed=1).metrics["method_share_0"] == 0).all()
    switching = kept.replace(mutation__switch=0.5, population__size=4000, run__steps=1)
    share = simulate(switching, seed=1).metrics["method_share_0"].iloc[-1]
    assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4000))  # half draw it


def test_performance_is_the_mean_of_those_who_tried():
    groups = [{"name": "a", "allocation": [1.0, 0.0], "method": "random-search"},
              {"name": "b", "allocation": [0.5, 0.5], "method": "sweep"}]  # fmt: skip
    given = scenario(population={"groups": groups, "start": "even", "size": 20_000},
                     selection={"kind": "energy"}, run={"steps": 1})  # fmt: skip
    told = simulate(given, seed=3).metrics.iloc[-1]
    # Luck averages 1; the standard error of 10,000 uniform numbers is .003 of the mean.
    assert told["performance_0"] == pytest.approx(0.8, rel=0.02)
    assert told["performance_1"] == pytest.approx(0.8, rel=0.02)


def test_what_is_below_the_threshold_counts_as_nothing():
    with prepared():
        trial = measured.Trial(
            jnp.array([True, True, False]), jnp.arange(1, 4, dtype=jnp.uint64),
            jnp.array([0, 1, 1]), jnp.array([[1.0, 0.0], [4.0, 4.0], [8.0, 8.0]]),
            jnp.asarray(0), randomness.run_key(1),
        )  # fmt: skip
        method = measured.Method("search", ())
        asked = measured.Parameters((), jnp.asarray(0.3))
        reached, _ = measured.competence(method, asked, trial)
    assert (np.asarray(reached[0]) == 0).all()  # at most .15
    assert (np.asarray(reached[1]) >= 0.4).all()
    assert (np.asarray(reached[2]) == 0).all()  # the dead


def test_luck_is_drawn_anew_and_not_handed_down():
    """With one method and equal allocations the parents' luck says nothing of the children's."""
    groups = [{"name": "all", "allocation": [0.5, 0.5], "method": "random-search"}]
    given = scenario(population={"groups": groups, "start": "even", "size": 2000})
    runs = simulate(given, seed=5).metrics["performance_0"]
    assert abs(runs.iloc[1:].mean() - 0.4) < 0.4 * 0.29 / np.sqrt(2000 * 30) * 5
    assert np.corrcoef(np.arange(30), runs.iloc[1:])[0, 1] < 0.6  # no rise from step to step


def test_the_mesa_model_is_the_headless_run_and_tells_methods():
    given = scenario()
    model = OptimisationModel(given, rng=4)
    assert {agent.method for agent in model.agents} == {0, 1}
    names = {agent.method: agent.method_name for agent in model.agents}
    assert names == {0: "random-search", 1: "sweep"}
    with pytest.raises(AttributeError, match="handed down"):
        next(iter(model.agents)).method = 1
    for _ in range(5):
        model.step()
    alone = simulate(given.replace(run__steps=5), seed=4).metrics
    assert model.metric("method_share_1") == alone["method_share_1"].iloc[-1]


@pytest.mark.parametrize("wrong", [Learner, Organism])
def test_a_model_refuses_agents_of_another_world(wrong):
    with pytest.raises(TypeError, match=r"subclass of ecosim\.Algorithm"):
        OptimisationModel(scenario(), algorithm=wrong)
    with pytest.raises(TypeError, match="takes the class of its agents as algorithm"):
        OptimisationModel(scenario(), learner=Learner)


def test_the_figure_shows_methods_and_what_they_find(tmp_path):
    run = execute(scenario(record={"every": 1}), out=tmp_path)[0]
    lines = {line.get_label(): line for ax in draw(run).axes for line in ax.get_lines()}
    assert {"random-search", "sweep", "smooth", "rugged"} <= lines.keys()
    assert lines["sweep"].get_ydata()[-1] == run.metrics["method_share_1"].iloc[-1]
    assert lines["rugged"].get_ydata()[-1] == run.metrics["performance_1"].iloc[-1]
    told = {name: unit(run.scenario, name) for name in columns(run.scenario, run.metrics.columns)}
    assert list(told) == ["method_share_0", "method_share_1", "performance_0", "performance_1"]
    assert told["method_share_1"].endswith("of sweep") and told["performance_0"].endswith("smooth")


def test_the_best_performance_is_the_largest():
    told = simulate(scenario(), seed=1).metrics.iloc[-1]
    assert told["performance_best"] == max(told["performance_0"], told["performance_1"])


def test_a_market_can_measure_too():
    raw = {"world": "market", "niches": {"count": 2}, "tradeoff": {"kind": "measured"},
           "search": {"algorithms": ["random-search", "sweep"], "problems": ["smooth", "rugged"]},
           "population": {"size": 100, "start": "random"},
           "market": {"exit": {"standard": 0.9}, "entry": {"rate": 10.0, "kind": "imitation"}},
           "run": {"steps": 60}}  # fmt: skip
    run = simulate(validate(raw), seed=2)
    share = run.metrics["method_share_1"]
    assert share.iloc[-1] > share.iloc[0] + 0.1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tradeoff": {"kind": "power"}}, "tradeoff.kind"),
        ({"tradeoff": {"exponent": 3.0}}, "tradeoff.exponent"),
        ({"search": {"algorithms": []}}, "search.algorithms"),
        ({"search": {"algorithms": ["random-search", "random-search"]}}, "search.algorithms"),
        ({"search": {"problems": ["smooth"]}}, "search.problems"),
        ({"search": {"algorithms": ["sweep"]}, "mutation": {"switch": 0.1}}, "mutation.switch"),
        ({"competition": {"kind": "lotka-volterra"}}, "competition"),
        ({"population": {"groups": [{"name": "x", "allocation": [0.5, 0.5], "method": "y"}]}},
         "method"),
        ({"training": {"learners": ["linear"]}}, "search"),
        ({"tradeoff": {"threshold": 1.5}}, "at most 1"),
        ({"tradeoff": {"floor": 1.5}}, "at most 1"),
        ({"search": {"algorithms": ["random-serch"]}}, "did you mean random-search"),
        ({"search": {"algorithms": "sweep"}}, "should be a list"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(changes, said):
    with pytest.raises(ScenarioError, match=said):
        scenario(**changes)


def test_a_list_with_a_wrong_entry_is_not_called_missing():
    with pytest.raises(ScenarioError) as refused:
        scenario(search={"problems": ["smooth", 3]})
    assert [problem.key for problem in refused.value.problems] == ["search.problems.1"]


@pytest.mark.parametrize("world", ["optimisation", "learning"])
def test_a_measured_world_needs_its_table(world):
    with pytest.raises(ScenarioError, match=r"\[(search|training)\]"):
        validate({"world": world})


def test_no_competence_lies_below_the_floor():
    # All search niche 0 alone; with a floor they also share what niche 1 emits.
    groups = [{"name": "all", "allocation": [1.0, 0.0], "method": "sweep"}]
    given = scenario(population={"groups": groups, "start": "even"}, run={"steps": 1})
    without, floored = (
        simulate(one, seed=1).metrics for one in (given, given.replace(tradeoff__floor=0.2))
    )
    assert (without["unclaimed"] / without["emitted"]).iloc[-1] == pytest.approx(0.5)
    assert floored["unclaimed"].iloc[-1] == pytest.approx(0.0, abs=1e-6)
    # Effort is what it was: a floor of competence buys nothing.
    assert floored["performance_1"].isna().all()
