"""Habitat choice: ideal free shares, the Ricker map, individuals, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.compilation import prepared
from ecosim.errors import ScenarioError
from ecosim.model import habitats
from ecosim.model.randomness import poisson_numbers
from ecosim.scenario import validate
from ecosim.simulate import Simulation, simulate
from ecosim.theory import habitats as theory

PAIR = [
    {"name": "specialist", "allocation": [0.9, 0.1]},
    {"name": "generalist", "allocation": [0.5, 0.5], "budget": 1.6},
]


def scenario(**tables):
    raw = {
        "world": "ecology", "niches": {"count": 2, "supply": [2.0, 1.0], "productivity": 300.0},
        "population": {"size": 2, "groups": PAIR, "stock": 5.0}, "tradeoff": {"exponent": 1.0},
        "selection": {"kind": "ricker"}, "habitats": {}, "run": {"steps": 60},
    }  # fmt: skip
    for name, words in tables.items():
        raw[name] = {**raw.get(name, {}), **words}
    return validate(raw)


positive = st.floats(1e-3, 1e3)
jitted = jax.jit(habitats.least_crowded)


def least_crowded(number, capacity, others):
    with prepared():
        rows = (jnp.asarray(row, "float64") for row in (number, capacity, others))
        return np.asarray(jitted(*rows))


@settings(max_examples=100, deadline=None)
@given(positive, st.tuples(positive, positive), st.tuples(positive, positive))
def test_two_habitats_are_split_as_published(number, capacity, others):
    share = least_crowded(number, capacity, others)
    rows = (np.array([number]), np.array([capacity]), np.array([others]))
    assert share[0] == pytest.approx(theory.split(*rows)[0], abs=1e-9)
    assert float(share.sum()) == pytest.approx(1)


@settings(max_examples=50, deadline=None)
@given(positive, st.lists(st.tuples(st.just(0.0) | positive, positive), min_size=5, max_size=5))
def test_no_habitat_that_is_left_empty_is_less_crowded(number, rows):
    capacity, others = (np.array(column) for column in zip(*rows, strict=True))
    if not capacity.any():
        return
    share = least_crowded(number, capacity, others)
    livable = capacity > 0
    assert not share[~livable].any()
    crowding = (others + number * share)[livable] / capacity[livable]
    used = share[livable] > 1e-9
    level = crowding[used].max()
    assert crowding[used] == pytest.approx(level, rel=1e-6)
    assert (crowding[~used] >= level * (1 - 1e-6)).all()


def test_a_rare_species_chooses_with_full_precision():
    share = least_crowded(1e-200, [3.0, 1.0], [0.0, 0.0])
    assert share == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("mean", [0.0, 0.3, 3.7, 40.0])
def test_numbers_of_offspring_are_poisson(mean):
    unit = (np.arange(200_000) + 0.5) / 200_000
    with prepared():
        drawn = np.asarray(poisson_numbers(jnp.full(unit.size, mean), jnp.asarray(unit)))
    assert drawn.mean() == pytest.approx(mean, rel=1e-3)
    assert drawn.var() == pytest.approx(mean, rel=1e-2)


def plain_step(number, fit, capacity, growth, random):
    """Return the numbers of the next generation, species by species, by a second method."""
    share = np.full((len(number), 2), 0.5)
    for _ in range(200):
        for i in range(len(number)):
            others = number @ share - number[i] * share[i]
            rows = (number[i : i + 1], (fit[i] * capacity)[None], others[None])
            one = theory.split(*rows)[0]
            share[i] = one, 1 - one
    share = (1 - random) * share + random / 2
    total = number @ share
    each = np.exp(growth * (1 - total / (fit * capacity)))
    return (number[:, None] * share * each).sum(axis=1)


@pytest.mark.parametrize("random", [0.0, 0.3])
def test_densities_follow_a_plain_map(random):
    given = scenario(habitats={"growth": 0.9, "random": random}, run={"precision": "float64"})
    table = simulate(given, seed=4).metrics[["group_abundance_0", "group_abundance_1"]].to_numpy()
    fit, capacity = np.array([[0.9, 0.1], [0.8, 0.8]]), np.array([200.0, 100.0])
    for before, after in zip(table[:30], table[1:], strict=False):
        expected = plain_step(before, fit, capacity, 0.9, random)
        assert after == pytest.approx(expected, rel=1e-9)


def test_more_than_two_habitats_fill_in_proportion():
    given = scenario(
        niches={"count": 4, "supply": [1.0, 2.0, 3.0, 4.0], "productivity": 100.0},
        population={"size": 1, "groups": [], "budget": 4.0}, run={"steps": 200},
    )  # fmt: skip
    last = simulate(given).metrics.iloc[-1]
    assert last["group_abundance_0"] == pytest.approx(100, rel=1e-5)
    assert last["split_0"] == pytest.approx(0.1, rel=1e-5)


def test_individuals_do_not_depend_on_the_room_they_have():
    """Few slots at first, enlarged on the way, against many from the start."""
    from ecosim import engine

    given = scenario(
        population={"size": 300}, habitats={"demography": "individuals", "random": 0.2},
        niches={"productivity": 3000.0}, run={"steps": 12},
    )  # fmt: skip
    small, large = Simulation(given, 1), Simulation(given, 1)
    large.state = engine.enlarged(large.kinds, large.state, 8192)
    for run in (small, large):
        run.advance(12)
    first, second = small.finished(), large.finished()
    assert first.metrics.equals(second.metrics)
    assert first.population.equals(second.population)
    assert first.population["id"].is_unique


def test_individuals_are_poisson_offspring_of_the_map():
    """One step from many: the mean of the next generation is that of the map."""
    given = scenario(
        population={"size": 40_000}, habitats={"demography": "individuals"},
        niches={"productivity": 60_000.0}, run={"steps": 1}, mutation={"rate": 0.0},
    )  # fmt: skip
    table = simulate(given).metrics[["group_abundance_0", "group_abundance_1"]].to_numpy()
    fit, capacity = np.array([[0.9, 0.1], [0.8, 0.8]]), np.array([40_000.0, 20_000.0])
    expected = plain_step(table[0], fit, capacity, 1.3, 0.0)
    assert table[1] == pytest.approx(expected, rel=0.02)


def test_fluctuating_supplies_are_uniform_and_tied_ones_mirror_each_other():
    given = scenario(
        environment={"fluctuation": {"range": 60.0, "coupling": "tied"}}, run={"steps": 2000}
    )
    table = simulate(given).metrics.iloc[1:]
    assert table["supply_0"].between(170, 230).all()
    assert (table["supply_0"] + table["supply_1"]).to_numpy() == pytest.approx(300, rel=1e-5)
    assert table["supply_0"].std() == pytest.approx(60 / 12**0.5, rel=0.05)
    free = given.replace(environment__fluctuation__coupling="independent")
    table = simulate(free).metrics.iloc[1:]
    assert abs(np.corrcoef(table["supply_0"], table["supply_1"])[0, 1]) < 0.08


def test_densities_start_in_proportion_to_shares():
    groups = [PAIR[0], {**PAIR[1], "share": 3.0}]
    given = scenario(population={"groups": groups, "stock_variation": 0.0})
    first = simulate(given.replace(run__steps=0)).metrics.iloc[0]
    assert [first["group_abundance_0"], first["group_abundance_1"]] == pytest.approx([2.5, 7.5])


@pytest.mark.parametrize(
    ("tables", "key"),
    [
        ({"selection": {"kind": "energy"}}, "habitats"),
        ({"habitats": {"growth": 0.0}}, "habitats.growth"),
        ({"habitats": {"random": 1.5}}, "habitats.random"),
        ({"mutation": {"rate": 0.5}}, "mutation"),
        ({"competition": {"unclaimed": 1.0}}, "competition"),
        ({"environment": {"fluctuation": {"range": 201.0}}}, "environment.fluctuation.range"),
        ({"population": {"limit": 9}}, "population.limit"),
        ({"patches": {"count": 2}}, "selection.kind"),
    ],
)
def test_what_has_no_meaning_is_refused(tables, key):
    with pytest.raises(ScenarioError) as caught:
        scenario(**tables)
    assert key in {problem.key for problem in caught.value.problems}


def test_a_capacity_must_be_given():
    with pytest.raises(ScenarioError, match=r"niches\.productivity"):
        validate({"world": "ecology", "selection": {"kind": "ricker"}, "habitats": {}})


@pytest.mark.parametrize("demography", ["densities", "individuals"])
def test_neither_slots_nor_empty_slots_matter(demography):
    from test_invariance import permuted, same

    from ecosim import engine

    given = scenario(
        niches={"count": 3, "supply": [3.0, 2.0, 1.0], "productivity": 90.0},
        population={"size": 60, "groups": [], "start": "random"},
        habitats={"demography": demography, "random": 0.1},
        environment={"fluctuation": {"range": 20.0}}, run={"steps": 10}, record={"events": True},
    )  # fmt: skip
    plain, moved = Simulation(given, 5), Simulation(given, 5)
    with prepared():
        moved.state = engine.enlarged(moved.kinds, moved.state, 2048)
    for step in (0, 4, 10):
        for run in (plain, moved):
            run.advance(step)
        permuted(moved, step)
    same(plain.finished(), moved.finished())


def test_a_run_goes_on_bit_for_bit_where_it_was_saved():
    given = scenario(habitats={"demography": "individuals"}, population={"size": 200})
    whole, cut = Simulation(given, 2), Simulation(given, 2)
    whole.advance(30)
    cut.advance(11)
    again = Simulation.restored(cut.save())
    again.advance(30)
    assert again.finished().metrics.equals(whole.finished().metrics)
