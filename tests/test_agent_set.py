"""The column set of agents does what Mesa's set of the same handles does."""

from __future__ import annotations

import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesa.agentset import AgentSet, GroupBy
from small_models import ECOLOGY
from small_models import small_capacity as small_capacity

from ecosim.agents import ColumnAgentSet, EcologyModel, Organism


@pytest.fixture(scope="module")
def old() -> EcologyModel:
    """A model that has run for a while, and is only read."""
    model = EcologyModel(ECOLOGY)
    model.run_for(8)
    return model


@pytest.fixture
def young() -> EcologyModel:
    return EcologyModel(ECOLOGY)


@pytest.fixture(scope="module")
def peer(old: EcologyModel) -> tuple[AgentSet, list[Organism]]:
    """Mesa's own set of the same agents; the list keeps its weak references alive."""
    handles = list(old.agents)
    return AgentSet(handles, random=old.random), handles


def ids(agents) -> list[int]:
    return [agent.unique_id for agent in agents]


def wide(agent: Organism) -> bool:
    return agent.breadth > 2


def test_size_order_and_membership(old: EcologyModel, peer):
    agents, (mesa_set, handles) = old.agents, peer
    assert len(agents) == len(mesa_set) == len(ids(agents)) == old.population
    assert ids(agents) == ids(agents.to_list()) == agents.get("unique_id").tolist()
    assert all(agent in agents for agent in handles)
    assert "somebody" not in agents and EcologyModel(ECOLOGY).agents[0] not in agents
    assert agents[3] == handles[3] and agents[-1] == handles[-1]
    assert agents[2:5] == handles[2:5]
    with pytest.raises(IndexError):
        agents[10**6]
    assert repr(agents) == f"<ColumnAgentSet of {len(agents)} all living Organisms>"
    assert agents.random is old.random


@pytest.mark.parametrize(
    "criteria",
    [
        {},
        {"filter_func": wide},
        {"at_most": 5},
        {"at_most": 0},
        {"at_most": 0.3},
        {"at_most": 1.0},
        {"filter_func": wide, "at_most": 3},
        {"filter_func": wide, "at_most": 0.1},
        {"agent_type": Organism},
        {"agent_type": EcologyModel},
        {"agent_type": Organism, "at_most": 2},
    ],
)
def test_select_selects_as_mesa_does(old: EcologyModel, peer, criteria):
    chosen = old.agents.select(**criteria)
    assert isinstance(chosen, ColumnAgentSet) and not chosen.is_live
    assert ids(chosen) == ids(peer[0].select(**criteria))


def test_select_by_mask(old: EcologyModel):
    agents = old.agents
    mask = agents.get("breadth") > 2
    assert ids(agents.select(mask)) == ids(agents.select(wide)) == ids(agents.select(mask=mask))
    assert ids(agents.select(mask, at_most=2)) == ids(agents.select(wide, at_most=2))
    both = agents.select(lambda agent: agent.niche == 1, mask=mask)
    assert ids(both) == ids(agents.select(lambda agent: agent.niche == 1 and wide(agent)))
    for wrong in (mask[:-1], mask.astype(int), np.array(True)):
        with pytest.raises(ValueError, match="a mask is one boolean for each"):
            agents.select(wrong)
    with pytest.raises(TypeError, match="one mask"):
        agents.select(mask, mask=mask)


def test_a_selection_of_a_selection(old: EcologyModel):
    inner = old.agents.select(wide).select(at_most=4)
    assert ids(inner) == ids(old.agents.select(wide, at_most=4))
    assert inner.select(inplace=True) is inner
    assert inner.select(inner.get("niche") == inner[0].niche, inplace=True) is inner
    assert set(inner.get("niche")) == {inner[0].niche}


@given(st.sampled_from(["breadth", "age", "niche", "stock", "unique_id", "lineage"]), st.booleans())
def test_sort_sorts_as_mesa_does(name: str, ascending: bool):
    model = EcologyModel(ECOLOGY)
    handles = list(model.agents)
    for key in (name, operator.attrgetter(name)):
        expected = AgentSet(handles, random=model.random).sort(key, ascending)
        assert ids(model.agents.sort(key, ascending)) == ids(expected)


def test_equal_keys_keep_their_order(old: EcologyModel, peer):
    for ascending in (True, False):
        expected = ids(peer[0].sort("niche", ascending))
        assert ids(old.agents.sort("niche", ascending)) == expected
    pairs = old.agents.sort(lambda agent: (agent.niche, -agent.age), ascending=True)
    assert ids(pairs) == ids(peer[0].sort(lambda agent: (agent.niche, -agent.age), ascending=True))


def test_shuffle_is_random_complete_and_repeatable():
    orders = []
    for seed in (1, 1, 2):
        model = EcologyModel(ECOLOGY, rng=seed)
        shuffled = model.agents.shuffle()
        assert sorted(ids(shuffled)) == ids(model.agents) != ids(shuffled)
        orders.append(ids(shuffled))
        assert ids(model.agents.shuffle()) != orders[-1]
    assert orders[0] == orders[1] != orders[2]


def test_do_map_and_shuffle_do(old: EcologyModel):
    seen: list[int] = []
    agents = old.agents
    assert agents.do(lambda agent, into: into.append(agent.unique_id), seen) is agents
    assert seen == ids(agents)
    shuffled: list[int] = []
    assert agents.shuffle_do(lambda agent: shuffled.append(agent.unique_id)) is agents
    assert shuffled != seen and sorted(shuffled) == sorted(seen)
    assert agents.map(wide) == [wide(agent) for agent in agents]
    assert agents.map(lambda agent, power: agent.age**power, power=2)[:3] == [
        agent.age**2 for agent in agents[:3]
    ]
    assert agents.map("step") == [None] * len(agents)


@given(st.sampled_from(["breadth", "depth", "niche", "stock", "age", "parent", "unique_id"]))
def test_get_is_a_column(name: str):
    model = EcologyModel(ECOLOGY)
    values = model.agents.get(name)
    assert isinstance(values, np.ndarray)
    assert values.tolist() == AgentSet(kept := list(model.agents), model.random).get(name)
    assert len(kept) == 40


def test_get_of_several_names_and_of_what_is_missing(old: EcologyModel, peer):
    names = ["breadth", "niche", "unique_id"]
    assert old.agents.get(names) == peer[0].get(names)
    assert old.agents.get("allocation").shape == (len(old.agents), 3)
    assert all(old.agents.get("alive"))
    for missing in ("wealth", ["age", "wealth"]):
        with pytest.raises(AttributeError, match="wealth"):
            old.agents.get(missing)
        assert old.agents.get(missing, "default", 7) == peer[0].get(missing, "default", 7)
    with pytest.raises(ValueError, match="handle_missing"):
        old.agents.get("age", handle_missing="ignore")
    nobody = old.agents.select(at_most=0)
    assert len(nobody.get("age")) == 0 and nobody.get(["age"]) == []


def test_what_get_returns_is_the_callers(old: EcologyModel):
    values = old.agents.get("stock")
    before = values.copy()
    values[:] = -1
    assert np.array_equal(old.agents.get("stock"), before)
    with pytest.raises(ValueError, match="read-only"):
        old.agents.slots[0] = 1


def test_set_one_value_or_one_each(young: EcologyModel):
    agents = young.agents
    assert agents.set("stock", 1.25) is agents and set(agents.get("stock")) == {1.25}
    each = np.linspace(1, 1.5, 40)
    agents.set("stock", each)
    assert agents.get("stock") == pytest.approx(each)
    agents.select(at_most=2).set("stock", [0.5, 0.75])
    assert list(agents.get("stock")[:2]) == [0.5, 0.75]
    agents.set("allocation", [0.5, 0.5, 0])
    assert (agents.get("breadth") == pytest.approx(2)) and set(agents.get("niche")) == {0}
    rows = np.eye(3)[np.arange(40) % 3]
    agents.set("allocation", rows)
    assert np.array_equal(agents.get("allocation"), rows)
    with pytest.raises(AttributeError, match="cannot be set"):
        agents.set("breadth", 1)
    with pytest.raises(ValueError, match="one number an agent"):
        agents.set("stock", [1.0, 2.0])
    with pytest.raises(ValueError, match="sums to 1"):
        agents.set("allocation", rows * 2)


def test_set_of_ones_own_column(young: EcologyModel):
    young.add_column("wealth", 0)
    young.add_column("label", "")
    young.agents.set("wealth", np.arange(40))
    assert young.agents.get("wealth").tolist() == list(range(40))
    young.agents.set("wealth", 2.5).set("label", ["a", "b"])
    assert set(young.agents.get("wealth")) == {2.5}
    assert young.agents[7].label == ["a", "b"]
    young.agents.sort("wealth").select(at_most=3).set("label", "rich")
    assert [agent.label for agent in young.agents[:4]].count("rich") == 3
    assert ids(young.agents.sort("wealth", ascending=True)) == ids(young.agents)


def test_agg(old: EcologyModel, peer):
    for func in (np.mean, min, max, sum, len):
        assert old.agents.agg("age", func) == peer[0].agg("age", func)
    low, high = old.agents.agg("breadth", [np.min, np.max])
    assert 1 <= low < high <= 3.01
    assert old.agents.agg("unique_id", iter([len])) == [len(old.agents)]


@pytest.mark.parametrize("by", ["niche", "age", operator.attrgetter("niche"), wide])
def test_groupby_groups_as_mesa_does(old: EcologyModel, peer, by):
    ours, theirs = old.agents.groupby(by), peer[0].groupby(by)
    assert isinstance(ours, GroupBy) and len(ours) == len(theirs)
    assert list(ours.groups) == list(theirs.groups)
    assert ours.count() == theirs.count()
    for key, group in ours:
        assert isinstance(group, ColumnAgentSet) and ids(group) == ids(theirs.groups[key])
    assert ours.agg("age", max) == theirs.agg("age", max)
    assert ours.map(len) == theirs.map(len)
    assert ours.map("agg", "stock", np.mean) == pytest.approx(theirs.map("agg", "stock", np.mean))
    lists = old.agents.groupby(by, result_type="list")
    assert {key: ids(group) for key, group in lists} == {key: ids(group) for key, group in ours}


def test_groups_need_one_value_each(old: EcologyModel):
    with pytest.raises(TypeError, match="one value each"):
        old.agents.groupby("allocation")
    assert len(old.agents.select(at_most=0).groupby("niche")) == 0


def test_the_set_of_the_living_follows_the_population(young: EcologyModel):
    agents = young.agents
    chosen = agents.copy()
    assert not chosen.is_live and ids(chosen) == ids(agents)
    for _ in range(10):
        young.step()
        assert young.agents is agents and len(agents) == young.population
        assert ids(chosen) == [i for i in ids(agents) if i <= 40]
        assert all(agent.alive for agent in chosen)
    assert len(chosen) < 40


@pytest.mark.parametrize(
    "change",
    [
        lambda agents: agents.add(agents[0]),
        lambda agents: agents.discard(agents[0]),
        lambda agents: agents.remove(agents[0]),
        lambda agents: agents.select(at_most=1, inplace=True),
        lambda agents: agents.sort("age", inplace=True),
        lambda agents: agents.shuffle(inplace=True),
        lambda agents: agents.clear(),
    ],
)
def test_the_set_of_the_living_is_not_changed_in_place(old: EcologyModel, change):
    with pytest.raises(TypeError, match="cannot be changed in place"):
        change(old.agents)


def test_a_selection_is_a_set(old: EcologyModel):
    chosen = old.agents.select(at_most=3)
    first, second, third = chosen
    other = old.agents[5]
    chosen.add(other)
    chosen.add(other)
    assert ids(chosen) == ids([first, second, third, other])
    chosen.discard(second)
    chosen.discard(second)
    assert second not in chosen and other in chosen
    with pytest.raises(KeyError):
        chosen.remove(second)
    with pytest.raises(TypeError, match="only agents of this model"):
        chosen.add("somebody")
    chosen.remove(first)
    assert ids(chosen.sort("unique_id", ascending=True, inplace=True)) == ids([third, other])
    assert chosen.shuffle(inplace=True) is chosen and len(chosen) == 2
    ages, wides = old.agents.select(lambda a: a.age > 2), old.agents.select(wide)
    assert set(ids(ages & wides)) == set(ids(ages)) & set(ids(wides))
    assert set(ids(ages | wides)) == set(ids(ages)) | set(ids(wides))
    assert set(ids(old.agents - wides)) == set(ids(old.agents)) - set(ids(wides))
    assert ages == ages.copy() and ages & wides <= ages


def test_a_set_is_pickled_with_its_model(young: EcologyModel):
    young.run_for(3)
    chosen = young.agents.select(wide)
    again = pickle.loads(pickle.dumps(chosen))
    assert again.model is not young and ids(again) == ids(chosen)
    again.model.step()
    young.step()
    assert ids(again) == ids(chosen)
    assert np.array_equal(again.get("stock"), chosen.get("stock"))


def test_everybody_can_be_removed_at_once(young: EcologyModel):
    young.agents.select(young.agents.get("unique_id") > 30).do("remove")
    young.agents.select(at_most=3).shuffle_do("remove")
    young.step()
    gone = {1, 2, 3, *range(31, 41)}
    assert not gone & set(ids(young.agents))
