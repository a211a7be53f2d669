"""Organisms and firms: handles of rows, what they read and write, and how they leave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import ECOLOGY, MARKET, SLOTS
from small_models import small_capacity as small_capacity

from ecosim.agents import EcologyModel, Firm, MarketModel, Organism
from ecosim.errors import AgentError, DeadAgentError, EcosimError
from ecosim.recording import table_of
from ecosim.simulate import simulate

AXIS = ECOLOGY.replace(niches__space="axis", population__start="even", population__variation=0.2)

PLAIN = ("parent", "lineage", "group", "patch", "age", "budget", "stock", "breadth", "depth",
         "niche")  # fmt: skip


@pytest.fixture
def model() -> EcologyModel:
    return EcologyModel(ECOLOGY)


@pytest.fixture
def market() -> MarketModel:
    return MarketModel(MARKET)


def events(model: EcologyModel | MarketModel):
    return model.recording().events


def assert_rows_are_those_of_the_table(model, names: tuple[str, ...]) -> None:
    table = table_of(model.simulation.state.population).set_index("id")
    assert len(table) == len(model.agents)
    for agent in model.agents:
        row = table.loc[agent.unique_id]
        for name in names:
            value = getattr(agent, name)
            assert type(value) in (int, float) and value == row[name], name
        assert list(agent.allocation) == [row[f"allocation_{k}"] for k in range(3)]


def test_an_agent_reads_its_row(model: EcologyModel, market: MarketModel):
    model.run_for(3)
    assert_rows_are_those_of_the_table(model, PLAIN)
    market.run_for(3)
    assert_rows_are_those_of_the_table(market, (*PLAIN, "strikes"))
    firm = market.agents[0]
    assert isinstance(firm, Firm) and firm.capital == firm.stock
    assert isinstance(model.agents[0], Organism) and not hasattr(model.agents[0], "capital")


def test_ids_are_python_numbers_and_handles_of_one_agent_are_equal(model: EcologyModel):
    agent = model.agents[2]
    assert type(agent.unique_id) is int and agent.unique_id == 3
    assert agent == model.agents[2] and agent is not model.agents[2]
    assert agent != model.agents[3] and agent != 3
    assert len({agent, model.agents[2], model.agents[3]}) == 2
    assert agent.model is model and agent.random is model.random and agent.pos is None
    assert repr(agent).startswith("<Organism 3, niche ")


def test_an_allocation_is_read_only_as_seen(model: EcologyModel):
    shares = model.agents[0].allocation
    assert isinstance(shares, np.ndarray) and shares.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="read-only"):
        shares[0] = 1
    model.agents[1].allocation = [0, 0, 1]
    with pytest.raises(ValueError, match="read-only"):
        model.agents[1].allocation[0] = 1


def test_position_and_width_are_for_the_axis(model: EcologyModel):
    on_axis = EcologyModel(AXIS)
    table = table_of(on_axis.simulation.state.population)
    assert [agent.position for agent in on_axis.agents] == list(table["position"])
    assert [agent.width for agent in on_axis.agents] == pytest.approx(list(table["width"]))
    assert list(on_axis.agents.get("position")) == list(table["position"])
    with pytest.raises(AgentError, match="on an axis the allocation follows"):
        on_axis.agents[0].allocation = [0, 0, 1]
    with pytest.raises(AttributeError, match="only agents on an axis have a position"):
        _ = model.agents[0].position
    assert not hasattr(model.agents[0], "width")
    assert set(model.agents.get("width", handle_missing="default", default_value=-1)) == {-1}


@pytest.mark.parametrize(
    "name", ["breadth", "depth", "niche", "age", "lineage", "parent", "patch", "group", "budget"]
)
def test_what_cannot_be_set_says_why(model: EcologyModel, name: str):
    with pytest.raises(AttributeError, match=f"{name} cannot be set: "):
        setattr(model.agents[0], name, 1)
    with pytest.raises(AttributeError):
        model.agents[0].unique_id = 4
    with pytest.raises(AttributeError):
        model.agents[0].alive = False


def test_unknown_attributes_teach(model: EcologyModel):
    with pytest.raises(AttributeError, match="add_column"):
        _ = model.agents[0].wealth
    with pytest.raises(AttributeError, match="handles hold no data"):
        model.agents[0].wealth = 1


def test_a_stock_that_is_set_counts_in_the_next_step(market: MarketModel):
    other = MarketModel(MARKET)
    firm, twin = market.agents[4], other.agents[4]
    firm.capital = 9.5
    assert firm.stock == firm.capital == 9.5
    market.step()
    other.step()
    assert firm.capital > 5 > twin.capital
    assert market.metric("capital_total") != other.metric("capital_total")


def test_to_set_what_is_there_changes_no_bit(model: EcologyModel):
    for _ in range(10):
        model.agents.set("stock", model.agents.get("stock"))
        model.agents.set("allocation", model.agents.get("allocation"))
        model.step()
    expected = simulate(ECOLOGY.replace(run__steps=10))
    assert model.recording().metrics.to_numpy().tobytes() == expected.metrics.to_numpy().tobytes()


def test_an_allocation_that_is_set_counts_in_the_next_step(model: EcologyModel):
    agent = model.agents[4]
    agent.allocation = [0.25, 0.5, 0.25]
    expected = np.exp(-sum(x * np.log(x) for x in (0.25, 0.5, 0.25)))
    assert (agent.niche, agent.depth) == (1, 0.5)
    assert agent.breadth == pytest.approx(expected)
    model.step()
    assert agent.allocation == pytest.approx([0.25, 0.5, 0.25])
    assert (agent.niche, agent.depth) == (1, 0.5)
    assert agent.breadth == pytest.approx(expected, rel=1e-6)
    population = model.simulation.state.population
    strength = np.asarray(population.strength)[agent.slot()]
    assert strength == pytest.approx([0.0625, 0.25, 0.0625], rel=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1, 1e39, "much", [1, 2], None])
def test_stocks_that_cannot_be(model: EcologyModel, value):
    before = model.agents[0].stock
    with pytest.raises(AgentError, match="stock"):
        model.agents[0].stock = value
    assert model.agents[0].stock == before


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([0.5, 0.5], "one number for each of the 3 niches"),
        ([0.5, 0.25, 0.2], "sums to 1"),
        ([1, 1, 1], "divide it by its sum"),
        ([1.5, -0.5, 0], "not negative"),
        ([np.nan, 0.5, 0.5], "finite"),
        ([0, 0, 0], "not all zero"),
        ("all", "one number for each"),
        (1.0, "one number for each"),
    ],
)
def test_allocations_that_cannot_be(model: EcologyModel, value, says: str):
    with pytest.raises(AgentError, match=says):
        model.agents[0].allocation = value


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda w: sum(w) > 1e-3))
def test_any_shares_can_be_set(weights: list[float]):
    model = EcologyModel(ECOLOGY)
    shares = np.array(weights) / sum(weights)
    agent = model.agents[0]
    agent.stock = 1.5
    agent.allocation = shares
    model.step()
    if agent.alive:
        assert agent.allocation == pytest.approx(shares, abs=1e-6)
        assert agent.allocation.sum() == pytest.approx(1, abs=1e-6)


def test_who_is_removed_leaves_at_the_next_step(model: EcologyModel):
    agent = model.agents[7]
    agent.remove()
    agent.remove()
    assert agent.alive and agent in model.agents and model.population == 40
    model.step()
    assert not agent.alive and agent not in model.agents
    agent.remove()
    died = events(model).query("step == 1 and kind == 'death'")
    assert 8 in set(died["id"])
    assert model.metric("deaths") == len(died) >= 1
    assert model.metric("population") == 40 + model.metric("births") - len(died)


def test_a_firm_that_is_removed_exits(market: MarketModel):
    market.agents.select(at_most=5).do("remove")
    market.step()
    exits = events(market).query("step == 1 and kind == 'exit'")
    assert {1, 2, 3, 4, 5} <= set(exits["id"]) and market.metric("exits") == len(exits)


def test_deaths_between_recordings_are_counted_once():
    model = EcologyModel(ECOLOGY, record__every=5)
    model.agents[0].remove()
    model.step()
    model.agents.select(lambda agent: agent.unique_id == 2).do("remove")
    model.run_for(4)
    died = events(model).query("kind == 'death'")
    assert model.metric("deaths") == len(died) and {1, 2} <= set(died["id"])


def test_the_dead_say_so(model: EcologyModel):
    agent = model.agents[7]
    agent.remove()
    model.step()
    assert (agent.unique_id, agent.alive) == (8, False)
    for name in ("breadth", "stock", "allocation", "niche", "age"):
        with pytest.raises(DeadAgentError, match="organism 8 is dead"):
            getattr(agent, name)
    for name, value in (("stock", 1), ("allocation", [1, 0, 0])):
        with pytest.raises(DeadAgentError):
            setattr(agent, name, value)
    assert repr(agent) == "<Organism 8, dead>"
    assert issubclass(DeadAgentError, EcosimError)


def test_handles_outlive_reuse_of_slots_and_growth(model: EcologyModel):
    handles = model.agents.to_list()
    slots = {agent.unique_id: agent.slot() for agent in handles}
    assert model.columns.capacity == SLOTS
    while model.running:
        model.step()
        lives = set(model.agents.get("unique_id").tolist())
        for agent in handles:
            assert agent.alive == (agent.unique_id in lives)
            if agent.alive:
                assert agent.slot() == slots[agent.unique_id]
                assert agent.age == model.simulation.clock
    assert model.columns.capacity > SLOTS
    used = set(model.columns.living.tolist())
    assert any(not agent.alive and agent._slot in used for agent in handles)


def test_what_was_read_of_a_step_stays_as_it_was(model: EcologyModel):
    stocks, shares = model.agents.get("stock"), model.agents[0].allocation
    column = model.columns["stock"]
    seen = stocks.copy(), shares.copy(), column.copy()
    model.run_for(5)
    for then, now in zip(seen, (stocks, shares, column), strict=True):
        assert np.array_equal(then, now)


def test_a_column_of_ones_own(model: EcologyModel):
    model.add_column("wealth", 1.0)
    model.add_column("clan", "none", inherit=True)
    agent = model.agents[3]
    assert (agent.wealth, agent.clan) == (1.0, "none")
    agent.wealth = 2.5
    agent.clan = "us"
    assert model.agents[3].wealth == 2.5 and model.agents[3].clan == "us"
    assert list(model.agents.get("wealth")[:5]) == [1, 1, 1, 2.5, 1]
    with pytest.raises(ValueError, match="already has"):
        model.add_column("wealth", 0)
    with pytest.raises(ValueError, match="already has"):
        model.add_column("breadth", 0)
    with pytest.raises(ValueError, match="public Python name"):
        model.add_column("my wealth", 0)


def test_newborns_inherit_or_get_the_default(model: EcologyModel):
    model.add_column("family", 0, inherit=True)
    model.add_column("wealth", 5)
    model.agents.set("family", model.agents.get("unique_id").astype(np.int64))
    model.agents.set("wealth", 7)
    while model.running:
        model.step()
        agents = model.agents
        assert np.array_equal(agents.get("family"), agents.get("lineage"))
        young = agents.get("lineage") != agents.get("unique_id")
        assert (agents.get("wealth") == np.where(young, 5, 7)).all()
    assert young.any() and model.columns.capacity > SLOTS


def test_a_column_takes_what_a_value_needs(model: EcologyModel):
    model.add_column("score", 0)
    model.add_column("seen", ())
    agent = model.agents[0]
    assert type(agent.score) is int
    agent.score = 0.5
    assert agent.score == 0.5 and model.agents[1].score == 0
    agent.seen = (1, 2)
    assert agent.seen == (1, 2) and model.agents[1].seen == ()
    agent.score = "high"
    assert agent.score == "high" and model.agents[1].score == 0
    agent.remove()
    model.step()
    with pytest.raises(DeadAgentError):
        _ = agent.score


class Clever(Organism):
    """With attributes of its own."""

    threshold = 2.0

    @property
    def is_broad(self) -> bool:
        return self.breadth > self.threshold

    @property
    def fails(self) -> float:
        return self.nothing  # type: ignore[no-any-return]

    def eat(self, amount: float) -> float:
        self.stock += amount
        return self.stock

    def remove(self) -> None:
        self.model.seen.append(self.unique_id)
        super().remove()


def test_a_subclass_may_add_properties_and_methods():
    model = EcologyModel(ECOLOGY, organism=Clever)
    agent = model.agents[0]
    before = agent.stock
    assert agent.eat(0.5) == pytest.approx(before + 0.5)
    broad = model.agents.select(lambda a: a.is_broad)
    assert len(broad) == (model.agents.get("breadth") > 2).sum()
    assert model.agents.get("is_broad") == [a.is_broad for a in model.agents]
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = agent.fails
    with pytest.raises(AttributeError, match="handles hold no data"):
        agent.threshold = 3
    model.seen = []
    model.agents.select(at_most=2).do("remove")
    assert model.seen == [1, 2]
