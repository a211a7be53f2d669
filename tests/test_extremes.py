"""Regimes at the edge of arithmetic: each of these once gave a wrong number without an error."""

import numpy as np
import pytest

from ecosim.compilation import prepared
from ecosim.errors import RunError, ScenarioError
from ecosim.model import randomness
from ecosim.scenario import validate
from ecosim.simulate import simulate


def final(raw):
    return simulate(validate(raw)).metrics.iloc[-1]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_weak_claims_are_paid_in_full_once_the_strong_are_dead(precision):
    # Specialists die in the other state's long spell; the generalists left claim 1e-16 as much.
    groups = [
        {"name": "first", "allocation": [1.0, 0.0]},
        {"name": "leaning", "allocation": [0.99, 0.01]},
        {"name": "second", "allocation": [0.0, 1.0]},
    ]
    end = final(
        {
            "world": "ecology",
            "niches": {"count": 2},
            "environment": {
                "switching": {"spell": 400, "amplitude": 1.0, "order": "alternating"}
            },
            "population": {"size": 300, "groups": groups},
            "tradeoff": {"exponent": 8.0},
            "mutation": {"rate": 0.0},
            "run": {"steps": 450, "precision": precision},
        }
    )
    assert end["population"] > 0
    assert end["received"] == pytest.approx(end["emitted"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("niches", [700, 3000])
def test_supply_is_conserved_over_thousands_of_niches(niches):
    end = final(
        {
            "world": "ecology",
            "niches": {"count": niches},
            "population": {"size": 100},
            "run": {"steps": 3},
        }
    )
    assert end["received"] == pytest.approx(end["emitted"], rel=2e-6)
    assert end["breadth_mean"] == pytest.approx(niches, rel=1e-5)


def test_claims_that_float32_cannot_hold_are_refused_and_float64_takes_them():
    raw = {"world": "ecology", "tradeoff": {"exponent": 64.0}, "run": {"steps": 1}}
    with pytest.raises(ScenarioError, match="float64"):
        validate(raw)
    raw["run"] = {"steps": 1, "precision": "float64"}
    assert final(raw)["unclaimed"] == 0


def test_a_founding_rate_without_bound_stops_the_run():
    raw = {"world": "market", "market": {"entry": {"density": 1.0}}, "run": {"steps": 3}}
    with pytest.raises(RunError, match="do not fit"):
        simulate(validate(raw))


def test_adapting_firms_enter_a_segment_that_nobody_serves():
    end = final(
        {
            "world": "market",
            "niches": {"count": 2, "supply": [0.1, 0.9]},
            "population": {"size": 50, "allocation": [1.0, 0.0]},
            "market": {
                "incumbents": {"adaptation": "toward-demand"},
                "entry": {"rate": 0.0},
                "exit": {"enabled": False},
            },
            "run": {"steps": 30},
        }
    )
    assert end["allocation_1"] > 0.05
    assert end["unclaimed"] == 0


@pytest.mark.parametrize("probability", [0.0, 2.0**-31, 1e-3, 0.5, 1.0])
def test_small_probabilities_are_kept(probability):
    words = np.array([0, 1, 2**22, 2**31 - 1, 2**31, 2**32 - 1], np.uint32)
    with prepared():
        happens = np.asarray(randomness.below(words, np.float32(probability)))
    assert (happens == (words < np.float32(probability) * 2.0**32)).all()
    assert happens.all() == (probability == 1)


def test_specialists_start_in_every_patch():
    run = simulate(
        validate(
            {
                "world": "ecology",
                "niches": {"count": 2},
                "patches": {"count": 2},
                "population": {"size": 64, "start": "specialists"},
                "run": {"steps": 0},
            }
        )
    )
    places = run.population.groupby(["patch", "niche"]).size()
    assert len(places) == 4 and places.min() == 16


def test_an_extinct_population_meets_no_expectation():
    from ecosim.analysis.expectation import judge

    scenario = validate(
        {
            "world": "ecology",
            "niches": {"count": 2, "productivity": 1e-6},
            "population": {"size": 64},
            "run": {"steps": 60},
            "expectation": [{"metric": "breadth_mean", "direction": "below", "value": 1.5}],
        }
    )
    recording = simulate(scenario)
    assert recording.metrics["population"].iloc[-1] == 0
    assert judge(scenario, recording.metrics)[0]["met"] is False


def test_forgetting_compiled_programs_changes_nothing(monkeypatch):
    from ecosim import compilation

    scenario = validate(
        {"world": "ecology", "population": {"size": 64}, "run": {"steps": 3}}
    )
    before = simulate(scenario).metrics
    forgotten = []
    real = compilation.jax.clear_caches
    monkeypatch.setattr(compilation, "MOST_MAPS", 1)
    monkeypatch.setattr(compilation.jax, "clear_caches", lambda: forgotten.append(real()))
    after = simulate(scenario).metrics
    assert after.equals(before)
    assert forgotten or not compilation._MAPS.exists()
