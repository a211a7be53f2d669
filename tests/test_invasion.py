"""Growth rates when rare, against closed forms and against clones that are really added."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import ecosim
from ecosim.errors import ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import Simulation, simulate

TRAITS = np.linspace(0.05, 0.95, 31)


def soft(exponent=0.5, kind="wright-fisher", **tables):
    raw = {
        "world": "ecology", "niches": {"count": 2, "supply": [0.7, 0.3]},
        "population": {"size": 50}, "tradeoff": {"exponent": exponent},
        "selection": {"kind": kind}, "mutation": {"rate": 0.0},
        "run": {"steps": 200, "precision": "float64"},
    }  # fmt: skip
    for name, words in tables.items():
        raw[name] = {**raw.get(name, {}), **words}
    return validate(raw)


def relative(resident, mutant, exponent):
    return 0.7 * (mutant / resident) ** exponent + 0.3 * (
        (1 - mutant) / (1 - resident)
    ) ** exponent


def test_soft_selection_is_log_relative_gain():
    found = ecosim.pairwise_invasibility(soft(), TRAITS)
    expected = np.log(relative(TRAITS[:, None], TRAITS[None, :], 0.5))
    assert found.rate == pytest.approx(expected, abs=1e-12)
    moran = ecosim.pairwise_invasibility(soft(kind="moran"), TRAITS)
    assert moran.rate == pytest.approx(np.exp(expected) - 1, abs=1e-12)


@pytest.mark.parametrize(("exponent", "kind"), [(0.5, "evolutionarily stable"),
                                                (2.0, "branching point")])  # fmt: skip
def test_soft_selection_is_singular_where_allocation_meets_supply(exponent, kind):
    (point,) = ecosim.pairwise_invasibility(soft(exponent), TRAITS).singular()
    assert point.trait == pytest.approx(0.7, abs=2e-3)
    assert point.kind == kind
    assert point.curvature == pytest.approx(exponent * (exponent - 1) / 0.21, rel=0.02)


def test_traits_without_a_rate_are_not_called_free_of_singular_strategies():
    from ecosim.analysis.invasibility import Invasibility

    rate = np.zeros((5, 5))
    rate[2, 3] = np.nan
    found = Invasibility(np.linspace(0, 1, 5), rate)
    assert found.undetermined() == [0.5] == found.to_dict()["undetermined"]


def test_neutral_traits_are_told():
    (point,) = ecosim.pairwise_invasibility(soft(1.0), TRAITS).singular()
    assert point.kind == "convergence stable, neutral"


def test_hard_selection_above_one_repels():
    (point,) = ecosim.pairwise_invasibility(
        soft(2.0, competition={"kind": "additive"}), TRAITS
    ).singular()
    assert point.kind == "repeller" and point.trait == pytest.approx(0.3, abs=2e-3)


def test_the_rate_is_the_growth_of_a_clone_that_is_really_there():
    """One mutant among 4,000 residents: the mean of its numbers after one generation."""
    groups = [
        {"name": "resident", "allocation": [0.5, 0.5], "share": 3999.0},
        {"name": "mutant", "allocation": [0.8, 0.2]},
    ]
    given = soft(population={"size": 4000, "groups": groups}, run={"steps": 1})
    grown = [simulate(given, seed=s).metrics["group_share_1"].iloc[-1] * 4000 for s in range(200)]
    (rate,) = ecosim.invasion_fitness(
        soft(population={"allocation": [0.5, 0.5]}, run={"steps": 0}), [[0.8, 0.2]]
    )
    assert np.mean(grown) == pytest.approx(np.exp(rate), abs=4.5 * np.std(grown) / 200**0.5)


def test_a_niche_that_nobody_uses_pays_without_bound():
    given = soft(population={"allocation": [1.0, 0.0]})
    rates = ecosim.invasion_fitness(given, [[1.0, 0.0], [0.5, 0.5]])
    assert rates[0] == pytest.approx(0) and rates[1] == np.inf


def test_a_simulation_is_taken_as_it_stands():
    run = Simulation(soft(population={"start": "specialists"}), 0)
    rates = ecosim.invasion_fitness(run, [[1.0, 0.0], [0.0, 1.0]])
    assert np.exp(rates) == pytest.approx([1.4, 0.6])


def test_energy_and_market_pay_a_rare_copy_of_the_residents_as_them():
    energy = soft(1.5, kind="energy", population={"allocation": [0.6, 0.4]})
    assert ecosim.invasion_fitness(energy, [[0.6, 0.4]]) == pytest.approx(0, abs=1e-12)
    better = ecosim.invasion_fitness(energy, [[0.7, 0.3], [0.5, 0.5]])
    assert better[0] > 0 > better[1]
    firms = validate(
        {
            "world": "market", "niches": {"count": 2, "supply": [0.7, 0.3]},
            "population": {"size": 50, "allocation": [0.6, 0.4], "stock_variation": 0.0},
            "market": {"entry": {"rate": 0.0}}, "run": {"steps": 0, "precision": "float64"},
        }
    )  # fmt: skip
    same, more, less = ecosim.invasion_fitness(firms, [[0.6, 0.4], [0.7, 0.3], [0.5, 0.5]])
    assert same == pytest.approx(0, abs=1e-12) and more > 0 > less


def consuming(groups, rate=10.0, **tables):
    """Ten consumers that take up a third of what comes in."""
    return validate(
        {
            "world": "ecology", "niches": {"count": 2, "supply": [0.7, 0.3], "productivity": 10.0},
            "population": {"size": 10, "stock": 1.2, "stock_variation": 0.0, "groups": groups},
            "tradeoff": {"exponent": 1.0}, "selection": {"mortality": 0.0},
            "mutation": {"rate": 0.0}, "run": {"steps": 1, "precision": "float64"},
            "competition": {"kind": "resources", "resources": {"rate": rate}},
        } | tables
    )  # fmt: skip


def uptake(claim, demand, rate, supply):
    """A unit of time of dR/dt = s - (v + demand) R from R = s / v, by midpoints, taken up."""
    stock, taken, part = supply / rate, 0.0, 1e-4
    for _ in range(10_000):
        middle = stock + (supply - (rate + demand) * stock) * part / 2
        stock += (supply - (rate + demand) * middle) * part
        taken += claim * middle * part
    return taken


@pytest.mark.parametrize("mutant", [[0.8, 0.2], [0.1, 0.9]])
def test_explicit_resources_pay_what_the_model_takes_out_of_them(mutant):
    resident = [{"name": "resident", "allocation": [0.5, 0.5]}]
    (rate,) = ecosim.invasion_fitness(Simulation(consuming(resident)), [mutant])
    gains = [
        sum(uptake(x, 5.0, 10.0, s) for x, s in zip(shares, (7.0, 3.0), strict=True))
        for shares in (mutant, [0.5, 0.5])
    ]
    assert rate == pytest.approx((gains[0] - gains[1]) / 1.2, rel=1e-5)
    contest = (7.0 * mutant[0] + 3.0 * mutant[1] - 5.0) / 5.0 / 1.2  # had they claimed it all
    assert abs(rate) < 0.5 * abs(contest)


def test_a_rare_consumer_that_is_really_there_gains_as_much():
    """One mutant among 4,000: its stock after a step less that of a resident."""
    groups = [
        {"name": "resident", "allocation": [0.5, 0.5], "share": 3999.0},
        {"name": "mutant", "allocation": [0.8, 0.2]},
    ]
    run = simulate(consuming(groups, rate=900.0).replace(population__size=4000))
    stock = run.population.groupby("group")["stock"].mean()
    alone = consuming(groups[:1], rate=900.0).replace(population__size=4000)
    (rate,) = ecosim.invasion_fitness(Simulation(alone), [[0.8, 0.2]])
    assert rate == pytest.approx((stock[1] - stock[0]) / 1.2, rel=1e-3)
    assert rate != 0


def test_pairs_are_of_residents_that_nobody_joins():
    market = {
        "world": "market", "niches": {"count": 2, "supply": [0.7, 0.3]},
        "population": {"size": 20, "start": "pareto", "breadth_exponent": 1.0},
        "tradeoff": {"exponent": 0.5}, "run": {"steps": 30, "settled_steps": 9, "until": "settled"},
        "market": {"entry": {"replacement": True}, "exit": {"hazard": 0.1}},
    }  # fmt: skip
    found = ecosim.pairwise_invasibility(validate(market), [0.6, 0.7, 0.8], settle=5, window=5)
    # Only residents of one trait: what is like them grows as they do.
    assert np.diag(found.rate) == pytest.approx(0, abs=1e-12)
    market["market"]["incumbents"] = {"adaptation": "toward-demand"}
    with pytest.raises(ScenarioError, match="firms that adapt"):
        ecosim.pairwise_invasibility(validate(market), [0.6, 0.7, 0.8])


KERNEL = {"kind": "lotka-volterra"}
AXIS = {"space": "axis", "count": 2}


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"tradeoff": {"kind": "standard", "threshold": 0.5, "noise": 0.1}}, "found anew"),
        ({"selection": {"kind": "growth"}, "competition": {"kind": "resources"}}, "rare mutants"),
        ({"selection": {"kind": "birth-death"}, "competition": KERNEL, "niches": AXIS},
         "continuous time"),
        ({"world": "market", "niches": {"count": 1}, "competition": {"kind": "cournot"}},
         "residents would answer"),
        ({"world": "market", "market": {"conduct": {"kind": "effort"}}}, "market.conduct.kind"),
    ],
)  # fmt: skip
def test_what_no_price_decides_is_refused_before_anything_is_run(tables, words, monkeypatch):
    given = validate({"world": "ecology", "niches": {"count": 2}} | tables)
    monkeypatch.setattr("ecosim.invasion.Simulation.advance", None)
    with pytest.raises(ScenarioError, match=words):
        ecosim.invasion_fitness(given, [[0.5, 0.5]])


def test_a_generalist_among_specialists_of_habitats_shrinks_as_published():
    groups = [
        {"name": "1", "allocation": [0.9, 0.1], "budget": 1 / 0.9},
        {"name": "2", "allocation": [0.1, 0.9], "budget": 1 / 0.9},
    ]
    given = validate(
        {
            "world": "ecology", "niches": {"count": 2, "productivity": 300.0},
            "population": {"size": 2, "groups": groups, "stock": 10.0, "budget": 1.0},
            "tradeoff": {"exponent": 1.0}, "selection": {"kind": "ricker"},
            "habitats": {"growth": 1.3}, "run": {"steps": 200, "precision": "float64"},
        }
    )  # fmt: skip
    rates = ecosim.invasion_fitness(given, [[0.5, 0.5], [1.0, 0.0]])
    assert rates == pytest.approx([1.3 * (1 - 2), 0.0], abs=1e-9)


def test_positions_on_an_axis():
    given = validate(
        {
            "world": "ecology", "niches": {"count": 21, "space": "axis"},
            "population": {"size": 30, "width": 0.2}, "mutation": {"rate": 0.0},
            "selection": {"kind": "wright-fisher"}, "run": {"steps": 1},
        }
    )  # fmt: skip
    found = ecosim.pairwise_invasibility(given, np.linspace(0.2, 0.8, 13))
    assert [round(p.trait, 6) for p in found.singular()] == [0.5]
    assert np.diag(found.rate) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("tables", "mutants", "words"),
    [
        ({}, [[0.5, 0.6]], "sum to 1"),
        ({}, [0.5], "rows of 2 shares"),
        ({"selection": {"kind": "energy"}, "patches": {"count": 2}}, [[0.5, 0.5]], "one patch"),
    ],
)
def test_what_cannot_be_answered_is_refused(tables, mutants, words):
    with pytest.raises(ScenarioError, match=words):
        ecosim.invasion_fitness(soft(**tables), mutants)


def test_pairs_need_one_dimension():
    with pytest.raises(ScenarioError, match="two niches"):
        ecosim.pairwise_invasibility(soft(niches={"count": 3, "supply": [1, 1, 1]}), TRAITS)


def test_the_command_draws_and_tells(tmp_path):
    from ecosim.cli import main

    picture = tmp_path / "pip.png"
    arguments = ["invasion", "soft-selection", "tradeoff.exponent=0.5", "population.size=20",
                 "--traits", "0.1:0.9:9"]  # fmt: skip
    result = CliRunner().invoke(main, [*arguments, "--json", "--out", str(picture)])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["singular"][0]["kind"] == "evolutionarily stable"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "evolutionarily stable" in CliRunner().invoke(main, arguments).stdout
    nested = CliRunner().invoke(main, [*arguments, "--out", str(picture.parent / "a" / "b.svg")])
    assert nested.exit_code == 0 and (picture.parent / "a" / "b.svg").exists()
    for traits in ("0.9:0.1:9", "0:1:3"):
        assert CliRunner().invoke(main, [*arguments[:-1], traits]).exit_code == 2


def test_a_file_that_cannot_be_drawn_is_refused_before_anything_is_computed(tmp_path, monkeypatch):
    from ecosim.cli import main

    monkeypatch.setattr("ecosim.invasion.pairwise_invasibility", None)
    words = ["invasion", "soft-selection", "--traits", "0.1:0.9:9", "--out"]
    refused = CliRunner().invoke(main, [*words, str(tmp_path / "x.xyz")], prog_name="ecosim")
    assert refused.exit_code == 2 and ".png, .svg or .pdf" in refused.stderr
