"""The Mesa models: identical to the headless run, and Mesa's tools work on them."""

from __future__ import annotations

import copy
import pickle
import warnings
from operator import attrgetter
from pathlib import Path

import mesa
import numpy as np
import pandas as pd
import pytest
from small_models import ECOLOGY, MARKET, MORAN, SLOTS
from small_models import small_capacity as small_capacity

import ecosim
from ecosim.agents import EcologyModel, Firm, MarketModel, Organism, simulate_mesa
from ecosim.errors import AgentError, RunError, ScenarioError
from ecosim.recording import Recording
from ecosim.scenario import Scenario, to_toml
from ecosim.simulate import simulate

MARKET64 = MARKET.replace(run__precision="float64")


def assert_same(first: Recording, second: Recording) -> None:
    assert first.metrics.to_numpy().tobytes() == second.metrics.to_numpy().tobytes()
    for name in ("metrics", "population", "founders"):
        pd.testing.assert_frame_equal(
            getattr(first, name), getattr(second, name), check_exact=True
        )
    assert np.array_equal(first.breadth, second.breadth)
    assert (first.steps, first.complete) == (second.steps, second.complete)
    assert first.snapshots.keys() == second.snapshots.keys()
    for step, table in first.snapshots.items():
        pd.testing.assert_frame_equal(table, second.snapshots[step], check_exact=True)
    assert (first.events is None) == (second.events is None)
    if first.events is not None:
        pd.testing.assert_frame_equal(first.events, second.events, check_exact=True)


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(ECOLOGY, id="ecology"),
        pytest.param(MORAN, id="moran"),
        pytest.param(MARKET, id="market"),
        pytest.param(MARKET64, id="market64", marks=pytest.mark.slow),  # one more program
    ],
)
def test_the_mesa_run_is_the_headless_run(scenario: Scenario):
    seen = []
    mesa_run = simulate_mesa(scenario, seed=5, progress=lambda *report: seen.append(report))
    assert_same(mesa_run, simulate(scenario, seed=5))
    assert seen[-1][:2] == (scenario.run.steps, scenario.run.steps)
    if scenario is ECOLOGY:
        assert mesa_run.metrics["population"].max() > SLOTS, "more than the first slots hold"
        assert sorted(mesa_run.snapshots) == [0, 7, 14, 21, 28]


def test_models_and_agents_are_mesas_own():
    model = EcologyModel(MORAN)
    assert isinstance(model, mesa.Model)
    assert isinstance(model.agents, mesa.agentset.AbstractAgentSet)
    assert all(isinstance(agent, mesa.Agent) for agent in model.agents)
    assert model.agent_types == [Organism]
    assert len(model.agents_by_type[Organism]) == 40
    assert ecosim.EcologyModel is EcologyModel and ecosim.Firm is Firm
    assert not model._all_agents, "Mesa's own registration is never used"
    with pytest.raises(TypeError, match="rows of its population"):
        mesa.Agent(model)
    with pytest.raises(TypeError, match="not made by hand"):
        Organism(model)


def test_time_is_mesas_and_run_for_runs_steps():
    model = EcologyModel(MORAN)
    model.step()
    model.run_for(4)
    assert (model.time, model.steps, model.simulation.clock) == (5.0, 5, 5)


def test_running_ends_with_the_steps():
    model = EcologyModel(MORAN, run__steps=3)
    model.run_model()
    assert (model.simulation.clock, model.running) == (3, False)
    assert not EcologyModel(MORAN, run__steps=0).running


def test_running_ends_when_nobody_lives():
    model = EcologyModel(ECOLOGY)
    model.remove_all_agents()
    assert model.running and model.population == 40
    model.step()
    assert not model.running and model.population == 0
    assert model.metric("deaths") == 40 and len(model.agents) == 0
    model.step()
    assert model.population == 0


def test_nobody_is_born_of_nobody():
    model = EcologyModel(MORAN)
    model.remove_all_agents()
    model.run_for(2)
    assert model.population == 0 and not model.running


def test_a_market_without_firms_goes_on_where_firms_can_enter():
    model = MarketModel(MARKET)
    model.remove_all_agents()
    model.step()
    assert model.metric("exits") == 40 and model.running
    model = MarketModel(MARKET, market__entry__rate=0.0)
    model.remove_all_agents()
    model.step()
    assert not model.running


def test_scenarios_are_given_as_file_name_or_object(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(MORAN))
    for source in (path, str(path)):
        model = EcologyModel(source)
        assert model.setup.niches.count == 3 and model.setup.name == "unnamed"
    assert EcologyModel(MORAN).setup == MORAN
    assert EcologyModel(MORAN, tradeoff__exponent=np.float64(0.5)).setup.tradeoff.exponent == 0.5


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: EcologyModel(MARKET), "use ecosim.MarketModel"),
        (lambda: MarketModel(MORAN), "use ecosim.EcologyModel"),
        (lambda: EcologyModel(MORAN, tradeoff__exponnt=1.0), "did you mean tradeoff.exponent"),
        (lambda: EcologyModel(MORAN, exponent=1.0), "did you mean"),
        (lambda: EcologyModel(MORAN, seed=1), "rng="),
        (lambda: EcologyModel(MORAN, rng=-1), "a seed is"),
        (lambda: EcologyModel(MORAN, rng="x"), "a seed is"),
        (lambda: EcologyModel("no-such-scenario"), "no such file or shipped scenario"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_says_why(make, says: str):
    with pytest.raises(ScenarioError, match=says):
        make()


def test_seeds():
    assert EcologyModel(MORAN).seed == MORAN.run.seed
    assert EcologyModel(MORAN, run__seed=9).seed == 9
    assert EcologyModel(MORAN, rng=4).seed == EcologyModel(MORAN, rng=np.int64(4)).seed == 4
    drawn = [EcologyModel(MORAN, rng=np.random.default_rng(1)).seed for _ in range(2)]
    assert drawn[0] == drawn[1] != EcologyModel(MORAN, rng=np.random.default_rng(2)).seed
    first, second = (EcologyModel(MORAN, rng=4) for _ in range(2))
    assert first.random.random() == second.random.random()
    assert first.rng.random() == second.rng.random()


def test_shuffling_does_not_touch_the_trajectory():
    model = EcologyModel(MORAN)
    for _ in range(MORAN.run.steps):
        model.agents.shuffle_do(lambda agent: agent.breadth)
        model.step()
    assert_same(model.recording(), simulate(MORAN))


def test_metrics_are_those_last_recorded():
    model = EcologyModel(MORAN)
    model.run_for(4)
    assert model.metrics["step"] == 3
    assert model.coverage == model.metric("coverage") == model.metrics["coverage"]
    assert model.breadth_mean == model.metrics["breadth_mean"]
    assert model.population == 40
    with pytest.raises(KeyError, match="did you mean coverage"):
        model.metric("covrage")


def test_the_models_own_collector_reports_every_recording():
    model = EcologyModel(MORAN)
    model.run_model()
    table = model.datacollector.get_model_vars_dataframe()
    run = simulate(MORAN).metrics
    assert list(table["breadth_mean"]) == list(run["breadth_mean"])
    assert model.datacollector._collection_steps == list(run["step"])


def mean_stock(model: EcologyModel) -> float:
    return float(model.agents.agg("stock", np.mean))


class Collecting(EcologyModel):
    def __init__(self, scenario: Scenario = MORAN, *, rng=0, **overrides):
        super().__init__(scenario, rng=rng, **overrides)
        self.datacollector = mesa.DataCollector(
            model_reporters={"coverage": "coverage", "n": "population", "mean": mean_stock},
            agent_reporters={"breadth": attrgetter("breadth"), "niche": attrgetter("niche")},
            agenttype_reporters={Organism: {"age": attrgetter("age")}},
        )
        self.datacollector.collect(self)

    def step(self) -> None:
        super().step()
        self.datacollector.collect(self)


def test_a_users_collector_works_as_in_mesa():
    model = Collecting()
    model.run_for(3)
    table = model.datacollector.get_model_vars_dataframe()
    assert len(table) == 4 and list(table["n"]) == [40] * 4
    agents = model.datacollector.get_agent_vars_dataframe()
    assert len(agents) == 160
    now = agents.xs(3.0)
    assert sorted(now.index) == sorted(model.agents.get("unique_id").tolist())
    some = model.agents[5]
    assert now.loc[some.unique_id, "breadth"] == some.breadth
    assert len(model.datacollector.get_agenttype_vars_dataframe(Organism)) == 160
    strings = mesa.DataCollector(agent_reporters={"stock": "stock", "shares": "allocation"})
    strings.collect(model)
    assert len(strings.get_agent_vars_dataframe()) == 40


def test_a_model_with_a_users_collector_can_be_pickled():
    model = Collecting()
    model.run_for(2)
    again = pickle.loads(pickle.dumps(model))
    again.run_for(2)
    model.run_for(2)
    for table in ("get_model_vars_dataframe", "get_agent_vars_dataframe"):
        first, second = (getattr(m.datacollector, table)() for m in (model, again))
        pd.testing.assert_frame_equal(first, second, check_exact=True)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))],
                         ids=["deepcopy", "pickle"])  # fmt: skip
@pytest.mark.parametrize("scenario", [ECOLOGY, MARKET], ids=["ecology", "market"])
def test_a_copy_goes_on_bit_for_bit_and_apart(duplicate, scenario: Scenario):
    model = (EcologyModel if scenario.world == "ecology" else MarketModel)(scenario)
    model.run_for(5)
    agent = model.agents[3]
    model.kept = agent
    chosen = model.chosen = model.agents.select(model.agents.get("breadth") < 2)
    again = duplicate(model)
    assert again.kept.model is again and again.kept.unique_id == agent.unique_id
    assert list(again.chosen.get("unique_id")) == list(chosen.get("unique_id"))
    while again.running:
        again.step()
    assert model.simulation.clock == 5, "the original has not moved"
    while model.running:
        model.step()
    headless = simulate(scenario)
    assert_same(model.recording(), headless)
    assert_same(again.recording(), headless)
    assert again.time == model.time and again.steps == model.steps


def test_a_copy_keeps_what_was_set_and_is_not_done_yet():
    model = EcologyModel(MORAN)
    model.step()
    gone, changed, fed = model.agents[0], model.agents[1], model.agents[2]
    gone.remove()
    changed.allocation = [0.2, 0.2, 0.6]
    fed.stock = 7.5
    again = copy.deepcopy(model)
    assert gone.alive and again.population == 40
    assert again.agents[2].stock == 7.5
    assert again.agents[1].allocation == pytest.approx([0.2, 0.2, 0.6])
    for each in (model, again):
        each.run_for(19)
    assert_same(model.recording(), again.recording())


def test_handles_are_copied_as_handles():
    model = EcologyModel(MORAN)
    agent = model.agents[3]
    twin = copy.copy(agent)
    assert twin == agent and twin is not agent and twin.model is model
    other = copy.deepcopy(agent)
    assert other.unique_id == agent.unique_id and other.model is not model
    assert other != agent


BATCH = {"scenario": MORAN, "tradeoff__exponent": [0.5, 2.0], "run__steps": 4}


@pytest.mark.parametrize("processes", [1, 2])
def test_batch_run(processes: int):
    rows = mesa.batch_run(
        EcologyModel, BATCH, rng=[1, 2], number_processes=processes, display_progress=False
    )
    table = pd.DataFrame(rows).sort_values("RunId")
    assert list(table["tradeoff__exponent"]) == [0.5, 2.0, 0.5, 2.0]
    assert list(table["rng"]) == [1, 1, 2, 2] and set(table["Step"]) == {4.0}
    expected = simulate(MORAN.replace(tradeoff__exponent=2.0, run__steps=4), seed=2)
    assert table["breadth_mean"].iloc[3] == expected.metrics["breadth_mean"].iloc[-1]


def test_batch_run_without_seeds_uses_the_scenarios():
    rows = mesa.batch_run(Collecting, {"run__steps": 2}, display_progress=False)
    assert len(rows) == 80  # an organism a row, as with any agent reporters, and one for its type
    assert {row["coverage"] for row in rows} == {simulate(MORAN.replace(run__steps=2)).metrics[
        "coverage"].iloc[-1]}  # fmt: skip


def test_nothing_that_mesa_warns_about_is_used():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = EcologyModel(MORAN)
        model.run_for(2)
        model.agents.shuffle().sort("age").select(at_most=3).do("remove")
        assert model.agents[0] in model.agents.to_list()
        model.step()
    assert not caught


class Uniform(Organism):
    def allocate(self):
        return [1, 1, 1]


class UniformColumns(Organism):
    @classmethod
    def allocate_columns(cls, agents):
        return np.ones((len(agents), 3))


def test_no_hook_on_an_axis():
    with pytest.raises(AgentError, match="on an axis the allocation follows"):
        EcologyModel(MORAN, organism=Uniform, niches__space="axis", population__start="even")


def moving(x: np.ndarray) -> np.ndarray:
    """Return weights, by rows, that lean towards the largest share."""
    return x**1.5 + 0.01


class Leaning(Organism):
    def allocate(self):
        return moving(self.allocation.astype(float)) if self.age % 2 else None


class LeaningColumns(Organism):
    @classmethod
    def allocate_columns(cls, agents):
        shares = agents.get("allocation").astype(float)
        return np.where(agents.get("age")[:, None] % 2, moving(shares), shares)


def test_both_forms_of_the_hook_agree():
    one, all_at_once = (EcologyModel(ECOLOGY, organism=c) for c in (Leaning, LeaningColumns))
    for model in (one, all_at_once):
        model.run_for(12)
    assert_same(one.recording(), all_at_once.recording())
    assert one.metric("breadth_mean") != simulate(ECOLOGY).metrics["breadth_mean"][12]


@pytest.mark.parametrize("organism", [Uniform, UniformColumns])
def test_the_hook_runs_before_competition_and_newborns_follow(organism: type[Organism]):
    model = EcologyModel(ECOLOGY, organism=organism)
    assert model.breadth_mean < 2.9
    born = 0
    for _ in range(6):
        model.step()
        old = model.agents.select(model.agents.get("age") > 0)
        assert np.allclose(old.get("breadth"), 3)
        born += len(model.agents) - len(old)
    assert born and isinstance(model.agents[0], organism)


class Same(Organism):
    def allocate(self):
        return self.allocation


class Silent(Firm):
    @classmethod
    def allocate_columns(cls, agents):
        return None


def test_a_hook_that_changes_nothing_changes_no_bit():
    model = EcologyModel(ECOLOGY, organism=Same)
    model.run_model()
    assert_same(model.recording(), simulate(ECOLOGY))
    market = MarketModel(MARKET, firm=Silent)
    market.run_model()
    assert_same(market.recording(), simulate(MARKET))


class Younger(UniformColumns):
    def allocate(self):
        return [0, 0, 1]


def test_the_nearest_hook_counts():
    model = EcologyModel(MORAN, organism=Younger)
    model.step()
    assert (model.agents.select(model.agents.get("age") > 0).get("niche") == 2).all()


@pytest.mark.parametrize(
    "weights",
    [[0, 0, 0], [1, 2], [1, np.nan, 1], [-1, 1, 1], [np.inf, 0, 1], "abc", 5, [[1, 1, 1]] * 2],
)
def test_weights_that_cannot_be_used_name_the_agent_and_the_rule(weights):
    class Odd(Organism):
        def allocate(self):
            return weights if self.unique_id == 3 else [1, 1, 1]

    model = EcologyModel(MORAN, organism=Odd)
    with pytest.raises(AgentError, match="Odd.allocate: the weights of organism 3"):
        model.step()


@pytest.mark.parametrize("weights", [[1, 1, 1], np.ones((2, 3)), "abc", 1.0])
def test_columns_of_weights_of_a_wrong_shape_are_refused(weights):
    class Odd(Organism):
        @classmethod
        def allocate_columns(cls, agents):
            return weights

    model = EcologyModel(MORAN, organism=Odd)
    with pytest.raises(AgentError, match=r"weights \[N, K\], here \(40, 3\)"):
        model.step()


def test_columns_of_weights_name_the_agent_too():
    class Odd(Organism):
        @staticmethod
        def allocate_columns(agents):
            return np.where(agents.get("unique_id")[:, None] == 7, 0, np.ones((1, 3)))

    model = EcologyModel(MORAN, organism=Odd)
    with pytest.raises(AgentError, match="Odd.allocate_columns: the weights of organism 7"):
        model.step()


def test_the_column_hook_must_be_a_class_method():
    class Odd(Organism):
        def allocate_columns(self, agents):
            return None

    with pytest.raises(TypeError, match="@classmethod"):
        EcologyModel(MORAN, organism=Odd)


def test_a_broken_run_stops_the_model():
    model = EcologyModel(MORAN)
    population = model.simulation.state.population
    stock = np.where(np.asarray(population.id) == 7, np.nan, population.stock)
    broken = population._replace(stock=stock)
    model.simulation.state = model.simulation.state._replace(population=broken)
    with pytest.raises(RunError, match="step 1: the stock of organism 7 is nan"):
        model.step()


def test_replicates_without_a_seed_differ_and_a_model_without_one_is_the_scenarios():
    first, second = (EcologyModel(MORAN, rng=None).seed for _ in range(2))
    assert first != second
    assert EcologyModel(MORAN).seed == MORAN.run.seed


def test_a_class_of_other_agents_is_refused():
    with pytest.raises(TypeError, match="Organism"):
        EcologyModel(MORAN, organism=mesa.Agent)
