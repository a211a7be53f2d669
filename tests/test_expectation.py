import math
import sys
import types

import pandas as pd
import pytest

from ecosim.analysis import glossary
from ecosim.analysis.expectation import judge, precheck, sentence, unjudged
from ecosim.errors import ScenarioError
from ecosim.scenario import validate

METRICS = pd.DataFrame(
    {"step": range(10), "breadth_mean": [8.0] * 8 + [2.0, 1.0], "overlap": [math.nan] * 10}
)


def scenario(*expectations, **changes):
    return validate({"world": "ecology", "expectation": list(expectations), **changes})


def expect(direction, value, *, metric="breadth_mean", **more):
    return {"metric": metric, "direction": direction, "value": value, **more}


@pytest.mark.parametrize(
    ("direction", "value", "tolerance", "met"),
    [
        ("below", 1.5, 0.0, True),
        ("below", 1.0, 0.0, False),
        ("above", 0.5, 0.0, True),
        ("above", 1.0, 0.0, False),
        ("near", 1.1, 0.2, True),
        ("near", 1.1, 0.05, False),
    ],
)
def test_each_direction_has_both_outcomes(direction, value, tolerance, met):
    (outcome,) = judge(scenario(expect(direction, value, tolerance=tolerance)), METRICS)
    assert outcome["met"] is met
    assert outcome["observed"] == 1.0
    assert outcome["source"] == "stated"
    assert set(outcome) == {
        "metric", "direction", "expected", "tolerance", "observed", "met", "source",
    }  # fmt: skip


@pytest.mark.parametrize(("window", "mean"), [(0.0, 1.0), (0.2, 1.5), (0.04, 1.0), (1.0, 6.7)])
def test_the_window_is_a_share_of_the_last_records(window, mean):
    (outcome,) = judge(scenario(expect("below", 1.0, window=window)), METRICS)
    assert outcome["observed"] == pytest.approx(mean)


def test_an_undefined_metric_meets_nothing():
    asked = [expect(direction, 0.0, metric="overlap") for direction in ("below", "above", "near")]
    assert [outcome["met"] for outcome in judge(scenario(*asked), METRICS)] == [False] * 3


def test_a_value_in_words_comes_from_theory(monkeypatch):
    asked = scenario(expect("near", "T1", tolerance=0.1))

    def predict(name, given, metric):
        assert (name, given, metric) == ("T1", asked, "breadth_mean")
        return 1.05

    module = types.ModuleType("ecosim.theory.predictions")
    module.predict = predict
    monkeypatch.setitem(sys.modules, "ecosim.theory.predictions", module)
    (outcome,) = judge(asked, METRICS)
    assert (outcome["expected"], outcome["source"], outcome["met"]) == (1.05, "T1", True)
    assert sentence(outcome) == "breadth_mean within 0.1 of 1.05 (T1); observed 1"


def test_an_unknown_metric_is_found_before_the_run_with_near_misses():
    asked = scenario(expect("below", 1.0, metric="breadth_meen"), expect("above", 0, metric="xyz"))
    with pytest.raises(ScenarioError) as caught:
        precheck(asked)
    first, second = caught.value.problems
    assert first.key == "expectation.0.metric"
    assert "breadth_mean" in first.fix
    assert second.key == "expectation.1.metric"


def test_a_metric_of_the_other_world_is_unknown():
    with pytest.raises(ScenarioError, match="'ecology'"):
        precheck(scenario(expect("below", 1.0, metric="hhi")))
    precheck(validate({"world": "market", "expectation": [expect("below", 1.0, metric="hhi")]}))


def test_a_niche_that_is_not_there_is_unknown():
    precheck(scenario(expect("below", 1.0, metric="allocation_7")))
    for name in ("allocation_8", "allocation_07", "allocation_k"):
        with pytest.raises(ScenarioError, match="expectation.0.metric"):
            precheck(scenario(expect("below", 1.0, metric=name)))


def test_judging_a_metric_that_was_not_recorded_is_an_error_that_can_be_put_off():
    asked = scenario(expect("below", 1.0, metric="coverage"))
    with pytest.raises(ScenarioError, match="coverage"):
        judge(asked, METRICS)
    (outcome,) = unjudged(asked)
    assert outcome["met"] is None


def test_the_glossary_defines_every_name_it_lists():
    for name, metric in glossary.METRICS.items():
        assert metric.definition and not metric.definition.endswith("."), name
        assert set(metric.worlds) <= set(glossary.WORLDS), name
    assert glossary.describe("allocation_3").definition.endswith("niche 3")
    assert glossary.ordered(["zzz", "coverage", "step"]) == ["step", "coverage", "zzz"]


@pytest.mark.parametrize("world", ["ecology", "market"])
def test_the_glossary_knows_every_metric_that_the_simulator_records(world):
    from ecosim.simulate import simulate

    given = validate({"world": world, "run": {"steps": 2}, "population": {"size": 20}})
    names = simulate(given).metrics.columns
    assert [n for n in names if not glossary.known(n, world, given.niches.count)] == []


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("soft-selection", {"competition.kind": "additive"}, "not contest"),
        ("soft-selection", {"tradeoff.exponent": 1.0}, "neutral"),
        ("soft-selection", {"environment.seasonal": {}}, "changing environment"),
        ("hard-selection", {"population.allocation": [0.3, 0.7]}, "basin"),
        ("hard-selection", {"niches.supply": [0.5, 0.5]}, "unique richest"),
        ("market-matching", {"market.costs.scale": 0.5}, "returns to scale"),
        ("market-matching", {"market.entry.density": -0.01}, "density"),
    ],
)
def test_a_closed_form_is_not_judged_outside_its_domain(name, changes, words):
    from ecosim.scenario import read

    asked = read(name, changes)
    columns = {e.metric: [0.5] for e in asked.expectation}
    outcome = judge(asked, pd.DataFrame({"step": [0], **columns}))[0]
    assert outcome["met"] is None and outcome["expected"] is None
    assert words in outcome["source"]


def test_t1_says_nothing_of_specialists_below_one():
    from ecosim.errors import OutsideDomain
    from ecosim.scenario import read
    from ecosim.theory.predictions import predict

    below = read("soft-selection", {"tradeoff.exponent": 0.5})
    assert predict("T1", below, "allocation_0") == pytest.approx(0.7)
    with pytest.raises(OutsideDomain, match="specialists_0"):
        predict("T1", below, "specialists_0")
