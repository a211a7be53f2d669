"""Agents that use at most m of K niches: equal to the dense result, and m wide, not K."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KINDS, scenarios
from test_invariance import finished, permuted, same, sums_equal_a_new_count

from ecosim import EcologyModel, Firm, MarketModel, Organism, engine, invasion_fitness
from ecosim.analysis.species import clusters, traits_of
from ecosim.batch import run_batch
from ecosim.compilation import prepared
from ecosim.errors import AgentError, OutsideDomain, ScenarioError
from ecosim.experiments.species import web_of
from ecosim.model import niches as spaces
from ecosim.model import randomness, sparse
from ecosim.model.start import start_of
from ecosim.model.structure import capacity_for, kinds_of
from ecosim.scenario import Scenario, override, read, to_dict
from ecosim.scenario.sparse import allocations
from ecosim.simulate import Simulation, simulate
from ecosim.theory import repertoire as theory
from ecosim.theory.predictions import predict

ENERGY = {
    "population.size": 60, "population.start": "random", "selection.mortality": 0.1,
    "niches.productivity": 12.0, "mutation.rate": 0.5, "mutation.step": 0.1, "run.steps": 30,
}  # fmt: skip
HOSTS = {
    "mutation.kind": "repertoire", "mutation.gain": 0.04, "mutation.narrowing": 0.3,
    "population.start": "random-specialists",
}  # fmt: skip


def ecology(count: int, changes: dict | None = None) -> Scenario:
    changes = ENERGY | (changes or {})
    if changes.get("mutation.kind") == "repertoire":
        changes = {k: v for k, v in changes.items() if k not in ("mutation.rate", "mutation.step")}
    return override(Scenario(world="ecology"), {"niches.count": count} | changes)


def agree(dense, bounded, count: int, relative: float = 0.0) -> None:
    """Assert that two recordings of one run, in either form, agree; with 0, to the last bit."""
    assert list(dense.metrics) == list(bounded.metrics)
    for name in dense.metrics:
        one, other = dense.metrics[name].to_numpy(), bounded.metrics[name].to_numpy()
        # A quantile is told to 0.4 %: a last bit may move it to the next number of that grid.
        within = 8e-3 if relative and name.startswith("breadth_q") else relative
        np.testing.assert_allclose(other, one, within, 1e-6 if relative else 0, err_msg=name)
    for table, wanted in (
        (bounded.population, dense.population),
        (bounded.founders, dense.founders),
    ):
        for name in wanted:
            if not name.startswith("allocation_"):
                exact = relative == 0 or wanted[name].dtype.kind != "f"
                given = {"rtol": 0 if exact else relative, "err_msg": name}
                np.testing.assert_allclose(table[name], wanted[name], **given)
        np.testing.assert_allclose(
            allocations(table, count), allocations(wanted, count), relative, 1e-6 * (relative > 0)
        )


# (a) Where the bound never binds, nothing but the form of the columns differs.

_KINDS = (
    "energy-contest", "energy-additive-limit", "energy-patches", "moran-global",
    "wright-fisher-axis", "market-unmet", "market-imitation",
)  # fmt: skip


@pytest.mark.parametrize("name", _KINDS)
@settings(max_examples=2)
@given(data=st.data())
def test_all_niches_held_by_their_places_give_the_same_run(name, data):
    # Shares drawn from continuous laws are described in batches of another size than the dense
    # ones, in which logarithms may be compiled to round their last bit the other way: 1e-7 a share.
    scenario = data.draw(scenarios(name, precision="float32", steps=14, events=True))
    if name == "market-unmet":
        scenario = override(
            scenario, {"market.incumbents": {}, "population.start": "random"}
        )  # who adapts is refused
    count = KINDS[name]["niches"]["count"]
    bounded = simulate(scenario.replace(niches__used=count))
    dense = simulate(scenario)
    agree(dense, bounded, count, relative=1e-5)
    facts = ["step", "kind", "id", "parent", "lineage", "age"]
    assert dense.events[facts].equals(bounded.events[facts])


def test_a_bound_that_never_binds_changes_no_bit():
    hosts = HOSTS | {"mutation.gain": 0.3, "record.snapshots": 1, "record.events": True}
    scenario = ecology(40, hosts | {"tradeoff.exponent": 1.0})
    dense, bounded = simulate(scenario), simulate(scenario.replace(niches__used=16))
    widest = max(table["breadth"].max() for table in dense.snapshots.values())
    assert 2 < widest < 16.5, "the run must use several niches, and no more than the bound"
    agree(dense, bounded, 40)
    assert dense.events.equals(bounded.events) and (dense.events["kind"] == "birth").sum() > 30


def test_over_many_niches_only_the_order_of_sums_differs():
    # A dense row is added up in blocks of 64 niches, the last and shorter one first; the niches in
    # use are added in ascending order. Of float32 sums the last bits differ, some 1e-7 a step.
    scenario = ecology(200, HOSTS | {"population.variation": 0.05, "mutation.narrowing": 0.2})
    start = scenario.replace(mutation__gain=0.02, run__steps=12)
    agree(simulate(start), simulate(start.replace(niches__used=60)), 200, relative=1e-5)


# (b) The bound holds.


@given(data=st.data())
def test_packing_keeps_the_largest_shares(data):
    count, most = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    most = min(most, count)
    numbers = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 3.0]), min_size=count, max_size=count)
    rows = np.array(data.draw(st.lists(numbers.filter(any), min_size=1, max_size=4)), "float32")
    rows /= rows.sum(axis=1, keepdims=True)
    with prepared():
        places, shares = map(np.asarray, sparse.packed(jnp.asarray(rows), most))
        again = np.asarray(sparse.unpacked(places, shares, count))
    for row, place, share, whole in zip(rows, places, shares, again, strict=True):
        used = (row > 0).sum()
        kept = np.sort(np.argsort(-row, kind="stable")[: min(most, used)])
        assert place.tolist() == kept.tolist() + [count] * (most - len(kept))
        wanted = row[kept] / row[kept].sum() if used > most else row[kept]
        np.testing.assert_allclose(share[: len(kept)], wanted, rtol=3e-7 if used > most else 0)
        assert (share[len(kept) :] == 0).all()
        assert np.array_equal(whole[kept], share[: len(kept)]) and (whole > 0).sum() == len(kept)
    if (rows > 0).sum(axis=1).max() <= most:
        found = sparse.rows_packed(rows, most)
        assert all(np.array_equal(*pair) for pair in zip(found, (places, shares), strict=True))
    assert np.array_equal(sparse.rows_unpacked(places, shares, count), again)


def test_large_rows_are_sorted_as_numbers_are():
    rows = np.random.default_rng(1).normal(size=(3, 77)).astype("float32")
    rows[:, :5] = [0.0, 1e-40, -1e-40, 3e38, -3e38]
    for dtype in ("float32", "float64"):
        with prepared():
            found = np.asarray(spaces._sorted_as_integers(jnp.asarray(rows.astype(dtype))))
        assert np.array_equal(found, -np.sort(-rows.astype(dtype), axis=1))


@pytest.mark.parametrize(
    "changes",
    [
        {"mutation.rate": 1.0, "mutation.step": 0.3},
        {"niches.space": "axis", "population.start": "even", "mutation.rate": 1.0},
        {"population.start": "pareto", "population.breadth_exponent": 0.2}
        | {"mutation.kind": "repertoire", "mutation.gain": 0.5, "mutation.narrowing": 0.05},
    ],
)
def test_nobody_uses_more_niches_than_it_may(changes):
    run = simulate(ecology(12, changes | {"niches.used": 3, "record.snapshots": 6}))
    assert run.metrics["births"].sum() > 20
    for table in (run.founders, run.population, *run.snapshots.values()):
        place = table[[f"place_{j}" for j in range(3)]].to_numpy()
        share = table[[f"share_{j}" for j in range(3)]].to_numpy()
        assert ((place >= 0) == (share > 0)).all() and place.max() < 12
        order = np.where(place < 0, 12 + np.arange(3), place)
        assert (np.diff(order, axis=1) > 0).all()
        np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-6)
        main = place[np.arange(len(place)), share.argmax(axis=1)]
        assert np.array_equal(table["niche"], main) and np.array_equal(table["depth"], share.max(1))
    assert (run.population["breadth"] > 2).any(), "a bound that nobody comes near proves nothing"


def test_repertoires_under_a_bound_follow_their_closed_form():
    # All payoffs are equal to the last digit (additive, linear, equal supply): nothing is selected.
    neutral = {
        "niches.count": 50, "niches.used": 5, "population.size": 3000, "mutation.gain": 0.3,
        "selection.kind": "wright-fisher", "competition.kind": "additive",
        "tradeoff.exponent": 1.0, "run.steps": 40, "record.every": 40,
    }  # fmt: skip
    scenario = override(Scenario(world="ecology"), HOSTS | neutral)
    found = np.bincount(simulate(scenario).population["breadth"].round().astype(int), minlength=6)
    wanted = theory.breadths(0.3, 0.3, 5)
    assert wanted[4] > 0.1
    # 5 sd of 3,000 draws; lines of descent part ten times as long ago as narrowing forgets.
    assert found[1:] / 3000 == pytest.approx(wanted, abs=5 * 0.5 / 3000**0.5)


# (c) Neither slots nor padding nor the running sums show.


def test_slots_padding_and_pieces_do_not_matter():
    few = HOSTS | {"mutation.gain": 0.2, "niches.used": 3, "patches.count": 3, "run.steps": 14}
    scenario = ecology(12, few)
    plain, moved, padded = (Simulation(scenario) for _ in range(3))
    permuted(moved, 1)
    moved.advance(5)
    permuted(moved, 2)
    capacity = 64 * 128  # newborns are written in larger chunks, too
    with prepared():
        padded.state = engine.enlarged(padded.kinds, padded.state, capacity)
    whole = finished(plain)
    same(whole, finished(moved))
    same(whole, finished(padded))
    half = Simulation(scenario)
    half.advance(7)
    same(whole, finished(Simulation.restored(half.save())))
    (alone,) = run_batch([scenario], [scenario.run.seed])
    assert all(np.array_equal(alone[c], whole.metrics[c], equal_nan=True) for c in whole.metrics)
    sums_equal_a_new_count(plain)


# (d) The Mesa front shows all K niches.


def test_mesa_runs_the_same_and_shows_all_niches():
    scenario = ecology(12, {"niches.used": 3, "run.steps": 8})
    model = EcologyModel(scenario, rng=5)
    model.run_for(8)
    same(simulate(scenario, seed=5), model.recording())
    agent, table = model.agents[0], model.recording().population.set_index("id")
    wanted = allocations(table.loc[[agent.unique_id]], 12)[0]
    assert agent.allocation.shape == (12,) and np.array_equal(agent.allocation, wanted)
    every = model.agents.get("allocation")
    assert every.shape == (len(model.agents), 12) and np.allclose(every.sum(axis=1), 1)
    with pytest.raises(ValueError, match="read-only"):
        agent.allocation[0] = 1


def test_an_allocation_that_is_set_is_packed_and_one_too_broad_refused():
    model = EcologyModel(ecology(12, {"niches.used": 3}), rng=1)
    agent = model.agents[3]
    wanted = [0, 0.5, 0, 0.25, 0, 0.25, *[0] * 6]
    agent.allocation = wanted
    assert agent.allocation.tolist() == wanted and agent.niche == 1
    model.step()
    if agent.alive:
        assert agent.allocation.tolist() == wanted
        assert agent.breadth == pytest.approx(np.exp(0.5 * np.log(2) + 0.5 * np.log(4)))
    with pytest.raises(AgentError, match=r"at most 3 niches \(niches.used; given:.* 4 niches"):
        agent.allocation = [0.25, 0.25, 0.25, 0.25, *[0] * 8]


def test_agents_that_choose_may_choose_among_all_niches():
    class Mover(Organism):
        def allocate(self):
            return np.roll(self.allocation, 1)

    class Movers(Organism):
        @classmethod
        def allocate_columns(cls, agents):
            return np.roll(agents.get("allocation"), 1, axis=1)

    scenario = ecology(12, {"niches.used": 3, "selection.mortality": 0.0})
    before = EcologyModel(scenario, rng=2, organism=Mover)
    first = {a.unique_id: a.allocation.copy() for a in before.agents}
    before.step()
    assert all(
        np.array_equal(a.allocation, np.roll(first[a.unique_id], 1))
        for a in before.agents if a.unique_id in first
    )  # fmt: skip
    other = EcologyModel(scenario, rng=2, organism=Movers)
    other.step()
    assert before.metrics == pytest.approx(other.metrics, nan_ok=True)


# (e) What needs all niches is refused.


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("niches.used", {"niches.used": 9}),
        ("niches.space", {"niches.space": "graph", "niches.graph": "cycle"}),
        ("tradeoff.floor", {"tradeoff.floor": 0.1}),
        ("tradeoff.kind", {"tradeoff.kind": "standard", "tradeoff.threshold": 0.1,
                           "tradeoff.noise": 0.1}),
        ("competition.kind", {"competition.kind": "resources"}),
        ("environment.drift", {"niches.space": "axis", "environment.drift": {},
                               "population.start": "even"}),
        ("population.start", {"population.start": "even"}),
        ("population.allocation", {"population.start": "even",
                                   "population.allocation": [0.25] * 4 + [0] * 4}),
        ("population.groups.1.allocation", {"population.start": "even", "population.groups": [
            {"name": "a", "allocation": [1.0] + [0.0] * 7},
            {"name": "b", "allocation": [0.125] * 8}]}),
    ],
)  # fmt: skip
def test_what_needs_every_niche_is_refused(key, changes):
    with pytest.raises(ScenarioError) as refused:
        ecology(8, {"niches.used": 3} | changes)
    found = {problem.key: problem for problem in refused.value.problems}
    assert key in found and found[key].rule and found[key].fix
    assert "niches" in found[key].rule


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("market.mergers", {"mergers": {}}),
        ("market.incumbents.adaptation", {"incumbents": {"adaptation": "toward-demand"}}),
        ("market.conduct.kind", {"conduct": {"kind": "effort"}}),
    ],
)
def test_firms_that_need_every_segment_are_refused(key, table):
    changes = {"niches.used": 2, "population.start": "random", "market": table}
    with pytest.raises(ScenarioError) as refused:
        override(Scenario(world="market"), changes)
    found = {problem.key: problem.rule for problem in refused.value.problems}
    assert "niches.used = 2" in found[key]


def test_scenarios_without_the_word_are_what_they_were():
    assert "used" not in to_dict(read("adaptive-radiation"))["niches"]
    assert predict("T1", read("thousand-niches"), "breadth_mean") == 1
    with pytest.raises(OutsideDomain, match="niches.used"):
        predict("T1", read("thousand-niches", {"tradeoff.exponent": 0.5}), "breadth_mean")


# What reads populations reads either form.


def test_webs_species_and_invasion_read_places():
    scenario, bound = ecology(12), ecology(12, {"niches.used": 12})
    dense, bounded = simulate(scenario), simulate(bound)
    for by in ("lineage", "strategy"):
        one, other = (web_of(run.population, by, (), 12) for run in (dense, bounded))
        assert one.index.equals(other.index) and one.columns.equals(other.columns)
        np.testing.assert_allclose(other, one, rtol=1e-6)
    kinds = [clusters(*traits_of(run.population, scenario)) for run in (dense, bounded)]
    assert np.array_equal(*kinds) and kinds[0].max() > 0
    rates = [invasion_fitness(s, np.eye(12)) for s in (scenario, bound)]
    assert np.array_equal(*rates) and np.isfinite(rates[0]).all()
    with pytest.raises(ScenarioError, match="at most 3 niches"):
        invasion_fitness(scenario.replace(niches__used=3), np.full((1, 12), 1 / 12))


def test_a_market_of_few_segments_a_firm_through_mesa():
    scenario = override(
        Scenario(world="market"),
        {"niches.count": 20, "niches.used": 3, "population.start": "random", "run.steps": 20,
         "population.size": 40, "market.entry.kind": "imitation", "market.entry.rate": 4.0},
    )  # fmt: skip
    model = MarketModel(scenario, rng=1, firm=Firm)
    model.run_for(20)
    run = simulate(scenario, seed=1)
    same(run, model.recording())
    last, firms = run.metrics.iloc[-1], run.population
    assert run.metrics["entries"].sum() > 20
    by_hand = firms["stock"].to_numpy(float) @ allocations(firms, 20) / firms["stock"].sum()
    recorded = [last[f"capital_{k}"] for k in range(20)]
    np.testing.assert_allclose(recorded, by_hand, rtol=1e-5, atol=1e-9)


# (f) No array is as long as the population and as wide as the niches.


def test_no_array_of_a_program_is_agents_by_niches():
    count, most, agents = 1000, 8, 6000
    scenario = ecology(count, {"population.size": agents, "niches.used": most})
    with prepared():
        kinds, parameters = kinds_of(scenario), engine.parameters_of(scenario, seed=0)
        kind, start = start_of(scenario)
        capacity = capacity_for(kinds, agents)
        given = {"parameters": parameters, "start": start, "key": randomness.run_key(1)}
        begun = engine.begun.lower(kinds, kind, capacity, **given)
        state = jax.eval_shape(lambda: engine.begun(kinds, kind, capacity, **given))
        moved = engine.advance.lower(kinds, parameters, state, engine.schedule_of(scenario))
        for lowered in (begun, moved):
            program = lowered.compile()
            sizes = {
                tuple(map(int, dims.split(",")))
                for dims in re.findall(r"\b[a-z]+\d+\[([\d,]+)\]", program.as_text())
            }
            assert any({capacity, most} <= set(shape) for shape in sizes), "shapes are found"
            largest = max(np.prod(shape) for shape in sizes)
            assert largest < agents * count / 10, sorted(sizes, key=np.prod)[-3:]
            assert program.memory_analysis().temp_size_in_bytes < agents * count
