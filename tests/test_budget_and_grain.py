"""The core's closed forms at published values, and the mechanisms that its cases stand on."""

from __future__ import annotations

import numpy as np
import pytest

from ecosim.errors import ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import simulate
from ecosim.theory import budget, grain
from ecosim.verification.registry import cases

CASES = {case.name: case for case in cases()}


@pytest.mark.parametrize(
    ("found", "published"),
    [
        (lambda: grain.levene_equilibrium(0.55, 0.5), 0.75),
        (lambda: grain.levene_equilibrium(0.6, 1), 0.8),
        (lambda: grain.levene_quasi_stationary(0.55, 0.5, 1000)[0], 0.7595),
        (lambda: grain.levene_quasi_stationary(0.6, 1, 1000)[0], 0.8042),
        (lambda: grain.width_margin(1.2, 0.05, 2, 20), 0.140),
        (lambda: grain.width_margin(1.2, 0.05, 10, 20), -0.239),
        (lambda: grain.standard_noise(1, 4, 0.6), 0.42727),
        (lambda: grain.standard_passes(1, 1, 0.6, 0.9 * 0.42727), 0.851),
        (lambda: grain.standard_passes(1, 4, 0.6, 1.1 * 0.42727), 0.913),
        (lambda: budget.budget_threshold(2, 16), 4),
        (lambda: budget.budget_threshold(1.5, 16), 2.520),
        (lambda: budget.coverage(32, 16), 0.8732),
        (lambda: budget.specialists_needed(16), 54.09),
        (lambda: budget.invader_breadth(0.01, 2, 20), 10),
        (lambda: budget.invader_breadth(0.1, 2, 20), 3),
        (lambda: budget.invader_breadth(1, 2, 20), 1),
        (lambda: budget.hard_repeller(0.6, 2), 0.4),
    ],
)
def test_closed_forms_at_published_values(found, published):
    assert found() == pytest.approx(published, rel=1e-4, abs=5e-4)


def test_a_pure_specialist_is_best_from_the_published_rival_mass_on():
    for r in (1.5, 2, 3):
        edge = 1 / (2**r - 2)
        assert budget.invader_breadth(edge * 1.001, r, 20) == 1
        assert budget.invader_breadth(edge * 0.999, r, 20) > 1


def test_a_type_outside_the_band_of_levene_is_not_protected():
    low, high = grain.levene_band(0.5)
    h = 1e-7
    for c, grows in ((low * 1.01, True), (low * 0.99, False)):
        assert (grain.levene_next(h, c, 0.5) > h) == grows
    assert low + high == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "given", "word"),
    [
        ("levene-soft", {"c": 1.0}, "domain"),
        ("levene-soft", {"N": 1}, "domain"),
        ("levene-soft", {"c": 0.9}, "persist only"),
        ("levene-soft", {"c": 0.59}, "lost after"),
        ("levene-outside", {"c": 0.5}, "outside"),
        ("levene-hard", {"c": 0.5001}, "drift"),
        ("niche-width-fine", {"L": 3}, "divide"),
        ("noisy-standard-below", {"sigma": 0.0}, "domain"),
        ("threshold-breadth", {"theta": 0.01}, "whole"),
        ("hard-selection-poorer", {"x0": 0.41}, "repeller"),
        ("soft-selection-breadth", {"s": 1.0}, "slow"),
        ("budget-multiple-above", {"ratio": 1.01}, "chance"),
    ],
)
def test_cases_refuse_what_they_cannot_show(name, given, word):
    with pytest.raises(ScenarioError, match=word):
        CASES[name].values(given)


def scenario(**tables):
    base = {
        "world": "ecology",
        "niches": {"count": 2, "supply": [0.7, 0.3], "productivity": 2.0},
        "population": {"size": 30, "variation": 0.1},
        "competition": {"kind": "independent"},
        "selection": {"kind": "wright-fisher"},
        "run": {"steps": 12, "precision": "float64"},
    }
    return validate(base | tables)


def test_independent_gain_does_not_depend_on_who_else_is_there():
    wide = {"selection": {"kind": "wright-fisher", "window": 99}, "run": {"steps": 1}}
    few = simulate(scenario(population={"size": 30, "variation": 0.1}, **wide)).population
    many = simulate(scenario(population={"size": 90, "variation": 0.1}, **wide)).population
    assert few["stock"].tolist() == many["stock"].tolist()[:30]


def test_what_niches_emit_to_independents_is_what_these_receive():
    table = simulate(scenario()).metrics.iloc[1:]
    np.testing.assert_allclose(table["emitted"], table["received"], rtol=1e-12)
    assert (table["unclaimed"] == 0).all()


def test_nobody_is_replaced_within_a_window_and_all_are_at_its_end():
    recording = simulate(scenario(selection={"kind": "wright-fisher", "window": 4}))
    births = recording.metrics["births"].iloc[1:].tolist()
    assert births == [0, 0, 0, 30] * 3


def test_a_window_of_one_step_is_the_plain_model():
    plain = simulate(scenario())
    one = simulate(scenario(selection={"kind": "wright-fisher", "window": 1}))
    assert plain.metrics.equals(one.metrics)


def test_no_competence_lies_below_the_floor():
    groups = [{"name": "a", "allocation": [1.0, 0.0]}]
    wide = {"kind": "wright-fisher", "window": 99}
    for floor, gain in ((0.0, 1.4), (0.25, 1.4 + 0.6 * 0.25)):
        found = simulate(
            scenario(
                population={"size": 3, "groups": groups},
                tradeoff={"floor": floor},
                selection=wide,
                run={"steps": 1, "precision": "float64"},
            )
        ).population
        np.testing.assert_allclose(found["stock"], gain)


def test_random_specialists_are_specialists_in_random_niches():
    recording = simulate(
        validate(
            {
                "world": "ecology",
                "niches": {"count": 4},
                "population": {"size": 4000, "start": "random-specialists"},
                "run": {"steps": 0},
            }
        )
    )
    assert (recording.founders["depth"] == 1).all()
    counts = np.bincount(recording.founders["niche"], minlength=4)
    assert np.sum((counts - 1000) ** 2 / 1000) < 21.1  # chi-square, 3 degrees: P = 1e-4


def firms(period):
    return validate(
        {
            "world": "market",
            "niches": {"count": 2, "productivity": 0.3},
            "population": {"size": 5, "variation": 0.1, "stock_variation": 0.0},
            "competition": {"kind": "independent"},
            "market": {
                "entry": {"rate": 0.0},
                "exit": {"enabled": False},
                "investment": {"period": period},
            },
            "run": {"steps": 6, "precision": "float64"},
            "record": {"snapshots": 1},
        }
    )


def test_capital_waits_for_the_end_of_the_period_and_then_takes_all_profits():
    snapshots = simulate(firms(3)).snapshots
    stock = [snapshots[step]["stock"].to_numpy() for step in range(7)]
    assert all((stock[t] == stock[0]).all() for t in (1, 2))
    assert all((stock[t] == stock[3]).all() for t in (4, 5))
    each = simulate(firms(1)).snapshots[1]["stock"].to_numpy() - 1
    np.testing.assert_allclose(stock[3], 1 + 3 * each)
    np.testing.assert_allclose(stock[6], (1 + 3 * each) ** 2)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"selection": {"kind": "moran", "window": 3}}, "wright-fisher"),
        ({"competition": {"kind": "independent", "unclaimed": 1.0}}, "additive"),
        ({"tradeoff": {"kind": "standard", "threshold": 0.5}}, "noise"),
        ({"tradeoff": {"noise": 0.5}}, "standard"),
        (
            {"tradeoff": {"kind": "standard", "threshold": 0.5, "noise": 0.1, "floor": 0.1}},
            "graded",
        ),
    ],
)
def test_words_without_a_meaning_are_refused(change, word):
    with pytest.raises(ScenarioError, match=word):
        scenario(**change)


def test_the_noise_that_the_cases_begin_from_is_the_closed_forms():
    from ecosim.theory import grain
    from ecosim.verification.cases import standards

    assert grain.standard_noise(1, 4, 0.6) == pytest.approx(standards._EQUAL, rel=1e-12)
