"""The market's population of firms: growth, exit, mergers, and what is recorded of selection."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ecosim.analysis import rates, sizes
from ecosim.errors import EcosimError, ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import Simulation, simulate
from ecosim.theory import density, partitioning, selection
from ecosim.theory import sizes as size_theory

STILL = {
    "costs": {"upkeep": 0.0},
    "investment": {"reinvestment": 0.0},
    "exit": {"enabled": False},
    "entry": {"rate": 0.0},
}


def market(*, size=400, steps=1, precision="float64", niches=3, record=None, **tables):
    return validate({
        "world": "market",
        "niches": {"count": niches, "productivity": 1.0},
        "population": {"size": size, "start": "random"},
        "market": STILL | tables,
        "run": {"steps": steps, "precision": precision},
        "record": record or {"events": True},
    })  # fmt: skip


# --- Growth and exit -----------------------------------------------------------------------------


def test_nothing_moves_where_nothing_costs_and_nothing_grows():
    run = simulate(market(steps=5))
    assert run.population["stock"].tolist() == run.founders["stock"].tolist()


@pytest.mark.parametrize("form", ["log-normal", "arithmetic"])
def test_growth_has_its_mean_and_its_volatility(form):
    growth = {"drift": 0.1, "volatility": 0.2, "form": form}
    run = simulate(market(size=4000, growth=growth), seed=4)
    before = run.founders.set_index("id")["stock"]
    factor = run.population.set_index("id")["stock"] / before
    centre = factor - 1 if form == "arithmetic" else np.log(factor)
    mean = 0.1 if form == "arithmetic" else 0.1 - 0.2**2 / 2
    assert abs(centre.mean() - mean) < 4 * 0.2 / math.sqrt(4000)
    assert abs(centre.std() - 0.2) < 4 * 0.2 / math.sqrt(8000)
    # In proportion: the factor does not go with size.
    assert abs(np.corrcoef(factor, before.loc[factor.index])[0, 1]) < 4 / math.sqrt(4000)


def test_random_exit_goes_with_numbers():
    exit = {"enabled": False, "hazard": 0.1, "density": -2e-4, "density_squared": 1e-8}
    run = simulate(market(size=4000, exit=exit), seed=5)
    chance = 1 - math.exp(-0.1 * math.exp(-2e-4 * 4000 + 1e-8 * 4000**2))
    left = run.metrics["exits"].iloc[1]
    assert abs(left - 4000 * chance) < 4 * math.sqrt(4000 * chance * (1 - chance))


def test_replacement_keeps_the_number_of_firms():
    exit = {"enabled": False, "hazard": 0.3}
    entry = {"rate": 0.0, "replacement": True, "capital": 7.0}
    run = simulate(market(steps=6, exit=exit, entry=entry))
    assert (run.metrics["population"] == 400).all()
    assert (run.metrics["entries"] == run.metrics["exits"])[1:].all()
    newborn = run.population[run.population["parent"] == 0].query("age == 0")
    assert (newborn["stock"] == 7.0).all()
    assert len(newborn)


def test_founding_in_the_power_form():
    entry = {"rate": 0.05, "density": 1.2, "density_squared": -1e-6, "form": "power"}
    found = [
        simulate(market(entry=entry), seed=seed).metrics["entries"].iloc[1] for seed in range(30)
    ]
    mean = float(density.power_rate(0.05, 1.2, -1e-6, 400))
    assert abs(np.mean(found) - mean) < 4 * math.sqrt(mean / 30)


# --- Mergers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("partner", ["capital", "overlap"])
def test_mergers_move_capital_and_scope_and_lose_neither(partner):
    mergers = {"rate": 0.3, "partner": partner}
    run = simulate(market(steps=3, mergers=mergers), seed=6)
    columns = [name for name in run.founders if name.startswith("allocation")]
    before, after = (
        table[columns].to_numpy().T @ table["stock"].to_numpy()
        for table in (run.founders, run.population)
    )
    np.testing.assert_allclose(after, before, rtol=1e-12)  # capital by segment
    np.testing.assert_allclose(run.population[columns].sum(axis=1), 1, rtol=1e-12)
    assert math.isclose(
        math.fsum(run.population["stock"]), math.fsum(run.founders["stock"]), rel_tol=1e-13
    )
    events = run.events
    assert set(events["kind"]) == {"merger"}
    assert len(events) == run.metrics["mergers"].sum() == run.metrics["exits"].sum() > 100
    # In a step no firm takes part in two mergers.
    for _, step in events.groupby("step"):
        assert step["parent"].is_unique
        assert not set(step["parent"]) & set(step["id"])


def test_the_larger_firm_acquires():
    run = simulate(market(mergers={"rate": 0.5}), seed=1)
    capital = run.founders.set_index("id")["stock"]
    for row in run.events.itertuples():
        assert capital[row.parent] >= capital[row.id]
        after = run.population.set_index("id")["stock"][row.parent]
        assert after == capital[row.parent] + capital[row.id]


def test_recorded_sums_are_those_of_the_firms_after_mergers():
    run = simulate(market(steps=4, mergers={"rate": 0.3}), seed=2)
    last, firms = run.metrics.iloc[-1], run.population
    assert math.isclose(last["breadth_mean"], firms["breadth"].mean(), rel_tol=1e-9)
    assert math.isclose(last["allocation_1"], firms["allocation_1"].mean(), rel_tol=1e-9)
    assert math.isclose(last["specialist_share"], (firms["depth"] >= 0.9).mean())


# --- What is recorded ----------------------------------------------------------------------------


def test_specialists_that_come_and_go_are_counted():
    scenario = market(
        steps=12, exit={"enabled": False, "hazard": 0.1}, entry={"rate": 30.0},
        record={"events": True, "snapshots": 1, "every": 4},
    )  # fmt: skip
    run = simulate(scenario, seed=3)
    depth = {
        row.id: row.depth for table in run.snapshots.values() for row in table.itertuples()
    }
    for name, kind in (("specialist_entries", "entry"), ("specialist_exits", "exit")):
        events = run.events[run.events["kind"] == kind]
        special = events[[depth[i] >= 0.9 for i in events["id"]]]
        counted = run.metrics.set_index("step")[name]
        assert counted.sum() == len(special) > 10
        assert counted[8] == special["step"].between(5, 8).sum()


@pytest.mark.parametrize("seed", range(3))
def test_prices_equation_holds_in_every_step(seed):
    draw = np.random.default_rng(seed)
    g = float(draw.uniform(0.1, 1))
    scenario = market(steps=20, investment={"reinvestment": g}).replace(
        tradeoff__exponent=float(draw.uniform(0.5, 2)), niches__productivity=300.0
    )
    table = simulate(scenario, seed=seed).metrics[1:]
    term = selection.selection_term(g, table["performance_mean"], table["performance_variance"])
    np.testing.assert_allclose(table["performance_change"], term, rtol=1e-9)


def test_exits_are_part_of_the_change_of_mean_performance():
    scenario = market(
        exit={"standard": 1.0, "patience": 1}, investment={"reinvestment": 0.0}
    )
    run = simulate(scenario, seed=8)
    assert run.metrics["exits"].iloc[1] > 10
    assert run.metrics["performance_change"].iloc[1] > 0


# --- Rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tables", "key"), [
    ({"entry": {"form": "power", "density": -1.0}}, "market.entry.density"),
    ({"exit": {"density": 0.1}}, "market.exit.density"),
    ({"costs": {"upkeep": 0.0}}, "niches.productivity"),
    ({"growth": {"volatility": -0.1}}, "market.growth.volatility"),
    ({"mergers": {"partner": "size"}}, "market.mergers.partner"),
])  # fmt: skip
def test_a_broken_rule_is_named(tables, key):
    with pytest.raises(ScenarioError) as caught:
        validate({"world": "market", "market": tables})
    assert key in {problem.key for problem in caught.value.problems}


def test_firms_on_an_axis_do_not_merge():
    raw = {"world": "market", "niches": {"space": "axis"}, "market": {"mergers": {}}}
    with pytest.raises(ScenarioError, match=r"market\.mergers"):
        validate(raw)


# --- Closed forms --------------------------------------------------------------------------------


def test_exponents_of_firm_sizes():
    upper, lower = size_theory.exponents(0.04, 0.3, 0.05)
    assert (upper, lower) == pytest.approx((10 / 9, 1.0))
    assert size_theory.upper_exponent_with_exit(0.04, 0.3, 0.05) == pytest.approx(1.1246, abs=5e-5)
    assert size_theory.upper_exponent_arithmetic(0.04, 0.3, 0.05) == pytest.approx(
        1.1366, abs=5e-5
    )
    assert size_theory.share_above_entry(0.04, 0.3, 0.05) == pytest.approx(0.4737, abs=5e-5)
    assert size_theory.exponents(0.05, 0.3, 0.05)[0] == pytest.approx(1)  # mean just infinite
    with pytest.raises(ValueError, match="volatility"):
        size_theory.exponents(0.04, 0.0, 0.05)


def test_the_tail_of_the_chain_in_steps_has_the_closed_exponent():
    draw = np.random.default_rng(1)
    age = draw.geometric(1 - math.exp(-0.05), 400_000) - 1
    logs = draw.normal((0.04 - 0.045) * age, 0.3 * np.sqrt(age))
    tail = logs[logs > 0.9] - 0.9
    assert 1 / tail.mean() == pytest.approx(10 / 9, abs=4 * 1.11 / math.sqrt(tail.size))
    exact = size_theory.tail_above(0.04, 0.3, 0.05, 0.9)
    assert tail.size / logs.size == pytest.approx(exact, rel=0.02)


def test_betting_on_the_truth_wins_at_the_divergence():
    drift = selection.log_wealth_drift([0.7, 0.3], [0.7, 0.3], [0.5, 0.5])
    assert drift == pytest.approx(0.08228, abs=5e-6)
    with pytest.raises(ValueError, match="loses everything"):
        selection.divergence([0.5, 0.5], [1.0, 0.0])


def test_the_sum_of_selection_is_the_change_where_performance_is_constant():
    # One niche: pi is the same for all, and nothing is selected.
    terms = selection.reinvested(0.5, [1, 2], [[1.0], [1.0]], supply=[1.0], steps=3)
    assert terms == pytest.approx(0)


def test_rates_turn_where_the_closed_form_says():
    n = np.linspace(1, 1000, 100_001)
    peak = n[np.argmax(density.exponential_rate(1, 0.01, -1.25e-5, n))]
    assert peak == pytest.approx(density.exponential_peak(0.01, -1.25e-5), abs=0.02)
    peak = n[np.argmax(density.power_rate(1, 1, -3e-6, n))]
    assert peak == pytest.approx(density.power_peak(1, -3e-6), abs=0.02)
    with pytest.raises(ValueError, match="signs"):
        density.exponential_peak(0.01, 1e-5)


def test_least_demand_is_unmet_where_capital_matches_it():
    demand = [1.0, 1.0, 4.0, 1.0, 1.0]
    alone = np.eye(5)

    def unmet(centre):
        capital = 100 * partitioning.centred_shares(demand, centre)
        return partitioning.unmet_share(demand, capital, alone, scale=1.0, rival=0.1)

    assert unmet(0.5) < unmet(0.7) < unmet(0.9)
    with pytest.raises(ValueError, match="centre"):
        partitioning.centred_shares(demand, 0.3)


# --- Fits ----------------------------------------------------------------------------------------


def test_a_power_law_and_a_log_normal_are_told_apart():
    draw = np.random.default_rng(3)
    pareto = (1 - draw.random(4000)) ** (-1 / 1.3)
    fitted = sizes.power_law(pareto, 1.0)
    assert abs(fitted.exponent - 1.3) < 4 * fitted.stderr
    normal = np.exp(draw.normal(0.3, 0.8, 4000))
    whole, tail = sizes.log_normal(normal), sizes.log_normal(normal, 1.0)
    assert whole.mean == pytest.approx(0.3, abs=0.06)
    assert tail.deviation == pytest.approx(0.8, abs=0.08)
    assert tail.log_likelihood > sizes.power_law(normal, 1.0).log_likelihood + 50
    with pytest.raises(EcosimError, match="three sizes"):
        sizes.power_law([1.0, 2.0], 5.0)


def test_coefficients_of_rates_are_recovered():
    draw = np.random.default_rng(4)
    n = draw.integers(10, 800, 3000)
    x = np.column_stack([n, n**2])
    foundings = draw.poisson(density.exponential_rate(3, 0.008, -1e-5, n))
    leave = 1 - np.exp(-density.exponential_rate(0.1, -0.008, 1e-5, n))
    for fitted, truth in (
        (rates.founding(foundings, x), [0.008, -1e-5]),
        (rates.mortality(draw.binomial(n, leave), n, x), [-0.008, 1e-5]),
    ):
        assert (np.abs(fitted.coefficients - truth) < 4 * fitted.stderr).all()
        assert (fitted.stderr < 0.1 * np.abs(truth)).all()
    with pytest.raises(EcosimError, match="vary"):
        rates.founding([1, 2], [3.0, 3.0])


def test_numbers_of_firms_compile_nothing():
    scenario = market(
        growth={}, mergers={}, exit={"enabled": False, "hazard": 0.1}, steps=2,
        record={"events": False},
    )  # fmt: skip
    first = Simulation(scenario)
    other = scenario.replace(
        market__growth__drift=0.2, market__growth__volatility=0.4, market__mergers__rate=0.5,
        market__exit__hazard=0.0, market__entry__form="power", market__entry__replacement=True,
    )  # fmt: skip
    assert Simulation(other).kinds == first.kinds
