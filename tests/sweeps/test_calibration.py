"""Calibration: the sampler against a posterior that is known, recovery, resumption, real data."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import norm

from ecosim.cli import main
from ecosim.errors import RunError, StoreError
from ecosim.scenario.shipped import folder as scenarios
from ecosim.simulate import simulate
from ecosim.sweeps import sequential, target
from ecosim.sweeps.calibration import Question, calibrate
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here
from ecosim.sweeps.points import expand
from ecosim.sweeps.ranges import parse_range
from ecosim.sweeps.target import Target, shares
from ecosim.sweeps.trials import Paused

DIETS = scenarios() / "calibration" / "diet-breadth.toml"
SHARED = Path(os.environ.get("ECOSIM_SHARED_DATA", scenarios().parent.parent / "shared" / "data"))
COUNTS = SHARED / "butterfly_host_family_counts.csv"
TINY = {"niches.count": 4, "population.size": 60, "run.steps": 8, "record.every": 8,
        "tradeoff.exponent": 2.0}  # fmt: skip


def gaussian(units):
    """Distances of data 0.7 from draws of a normal distribution at the first position, sd 0.1."""
    rng = np.random.default_rng(np.frombuffer(units.tobytes(), np.uint32))
    return np.abs(units[:, 0] + 0.1 * rng.standard_normal(len(units)) - 0.7)


def test_the_posterior_of_a_normal_mean_is_the_known_one():
    one = sequential.first(2, 600, gaussian, seed=3, factor=2)
    for number in range(1, 5):
        one = sequential.following(one, gaussian, seed=3, number=number, quantile=0.5)
    mean = one.weights @ one.units[:, 0]
    sd = np.sqrt(one.weights @ (one.units[:, 0] - mean) ** 2)
    truth = norm(0.7, np.hypot(0.1, one.tolerance / np.sqrt(3)))  # but for the end of the prior
    assert one.tolerance < 0.05 and one.effective > 200
    assert mean == pytest.approx(truth.mean(), abs=0.015)
    assert sd == pytest.approx(truth.std(), rel=0.15)
    # What the data say nothing of keeps its prior: uniform on [0, 1]. Without weights it would
    # crowd in the middle, which the kernel reaches from both sides.
    assert one.weights @ one.units[:, 1] == pytest.approx(0.5, abs=0.06)
    low, high = sequential.interval(one.units[:, 1], one.weights)
    assert low < 0.1 and high > 0.9


def test_an_interval_holds_its_share_of_the_weight():
    values = np.arange(1000) / 1000
    assert sequential.interval(values, np.full(1000, 1e-3)) == pytest.approx(
        (0.025, 0.975), abs=2e-3
    )
    weights = np.where(values < 0.5, 2e-3, 0)
    assert sequential.interval(values, weights) == pytest.approx((0.0125, 0.4875), abs=2e-3)


def test_a_generation_that_cannot_be_filled_ends_the_fit_and_draws_that_fail_are_told():
    one = sequential.first(1, 20, gaussian, seed=0, factor=2)
    far = lambda units: np.full(len(units), 9.0)  # noqa: E731
    assert sequential.following(one, far, seed=0, number=1, quantile=0.5) is None
    with pytest.raises(RunError, match="draws of the prior"):
        sequential.first(1, 20, lambda units: np.full(len(units), np.nan), seed=0, factor=2)


def test_a_histogram_is_divided_among_whole_breadths():
    histogram = np.zeros((2, 64))
    histogram[0, 0] = histogram[0, -1] = 10  # the narrowest and the broadest
    found = shares(histogram, 4)
    assert found[0] == pytest.approx([0.5, 0, 0, 0.5]) and np.isnan(found[1]).all()
    even = shares(np.ones((1, 64)), 4)[0]
    assert even == pytest.approx([1 / 6, 1 / 3, 1 / 3, 1 / 6])


def test_a_distance_is_zero_for_the_same_and_one_for_what_has_nothing_in_common():
    one = Target(("a", "b"), np.array([1.0, 0.0]), distribution=True)
    found = one.distances(np.array([[1.0, 0.0], [0.0, 1.0]]), np.ones(2))
    assert found == pytest.approx([0, 1])
    plain = Target(("a", "b"), np.array([1.0, 2.0]), distribution=False)
    simulated = np.array([[1.0, 2.0], [3.0, 2.0], [np.nan, 1.0]])
    assert plain.distances(simulated, np.array([2.0, 1.0])) == pytest.approx(
        [0, np.sqrt(0.5), np.nan], nan_ok=True
    )


@pytest.mark.parametrize(
    ("text", "metrics", "rule"),
    [
        ("a,b\n1,2\n", ["c"], "no column 'c'; its columns are a, b"),
        ("a,b\nx,2\n", ["a"], "holds no number"),
        ("a,b\n1,2\n", ["breadth", "a"], "fitted alone"),
        ("a,b\n9,2\n", ["breadth"], "broadest class is 9"),
        ("a,b\n1.5,2\n", ["breadth"], "two columns"),
        ("a\n1\n", ["breadth"], "two columns"),
    ],
)
def test_wrong_data_say_what_is_wrong(tmp_path, text, metrics, rule):
    path = tmp_path / "data.csv"
    path.write_text(text)
    with pytest.raises(StoreError, match=rule):
        target.read(path, metrics, 4)


def test_data_that_are_nowhere_say_where_they_were_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_SHARED_DATA", str(tmp_path))
    (tmp_path / "there.csv").write_text("a\n1\n2\n")
    assert target.read("there.csv", ["a"], 4).values == pytest.approx([1.5])
    with pytest.raises(StoreError, match="ECOSIM_SHARED_DATA"):
        target.read("elsewhere.csv", ["a"], 4)


def question(observed, particles=24, **more):
    base = validate({"scenario": str(DIETS), "set": TINY} | more)
    return Question(base, observed, {"mutation.rate": parse_range("mutation.rate", "0.0:1.0")},
                    particles=particles)  # fmt: skip


def known(rate):
    """Return the distribution of breadth of runs at a known rate of mutation."""
    (point,) = expand(validate({"scenario": str(DIETS), "set": TINY,
                                "points": [{"mutation.rate": rate}]}))  # fmt: skip
    counts = sum(simulate(point.scenario, seed=10**6 + i).breadth[-1] for i in range(4))
    values = shares(counts[None, :], 4)[0]
    return Target(tuple(f"breadth {n}" for n in (1, 2, 3, 4)), values, distribution=True)


def test_what_is_known_is_recovered_and_a_stop_changes_nothing(tmp_path):
    asked = question(known(0.3))
    found = calibrate(asked, tmp_path / "whole", Here(), generations=3)
    rate = found.posterior["mutation.rate"]
    assert rate["low"] < 0.3 < rate["high"]
    assert rate["high"] - rate["low"] < 0.6  # of a prior of 0.95
    tolerances = [one["tolerance"] for one in found.generations]
    assert tolerances == sorted(tolerances, reverse=True) and tolerances[0] > tolerances[-1]
    assert found.inside > 0.5
    assert sum(row["weight"] for row in found.particles) == pytest.approx(1)

    stops = iter([False] * 2)
    with pytest.raises(Paused):
        calibrate(asked, tmp_path / "cut", Here(), generations=3,
                  should_stop=lambda: next(stops, True))  # fmt: skip
    assert calibrate(asked, tmp_path / "cut", Here(), generations=3) == found
    with pytest.raises(StoreError, match="differs in sweep"):
        calibrate(question(known(0.3), seed=5), tmp_path / "cut", Here())


def test_another_content_of_the_scenario_is_another_calibration(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(DIETS.read_text())
    seen = Target(("breadth_mean",), np.array([1.0]), distribution=False)
    asked = Question(validate({"scenario": str(path), "set": TINY}), seen, {})
    before = asked.described()
    assert asked.described() == before
    path.write_text(path.read_text().replace("[selection]", "[selection]\nupkeep = 0.5"))
    assert asked.described() != before


def test_the_command_fits_metrics_and_goes_on(tmp_path):
    data = tmp_path / "seen.csv"
    data.write_text("breadth_mean,specialist_share\n1.3,0.7\n1.4,0.6\n")
    words = ["calibrate", "diet-breadth", "--data", str(data), "--metrics",
             "breadth_mean,specialist_share", "--prior", "mutation.rate=0.01:1:log",
             "--particles", "10", "--out", str(tmp_path / "fit"),
             *(f"--set={key}={value}" for key, value in TINY.items())]  # fmt: skip
    first = CliRunner().invoke(main, [*words, "--generations", "1", "--json"], prog_name="ecosim")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert set(told["predictive"]) == {"breadth_mean", "specialist_share"}
    assert told["predictive"]["breadth_mean"]["observed"] == pytest.approx(1.35)
    more = CliRunner().invoke(main, [*words, "--generations", "2"], prog_name="ecosim")
    assert more.exit_code == 0 and "mutation.rate" in more.stdout and "inside" in more.stdout
    assert (
        json.loads((tmp_path / "fit" / "result.json").read_text())["generations"][0]
        == (told["generations"][0])
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--metrics", "breadth"],
        ["--metrics", "breadth", "--prior", "no.such=0:1"],
        ["--metrics", "breadth", "--prior", "mutation.rate=1:0"],
        ["--metrics", "breadth", "--prior", "mutation.rate=0:1", "--set", "mutation.rate=0.1"],
        ["--metrics", "breadth", "--prior", "mutation.rate=0:1", "--slurm", "--scheduler", "x"],
    ],
)
def test_wrong_usage_is_refused_before_anything_is_made(tmp_path, words):
    data = tmp_path / "counts.csv"
    data.write_text("breadth,count\n1,5\n")
    out = tmp_path / "fit"
    words = ["calibrate", "diet-breadth", "--data", str(data), "--out", str(out), *words]
    assert CliRunner().invoke(main, words, prog_name="ecosim").exit_code == 2
    assert not out.exists()


@pytest.mark.skipif(not COUNTS.is_file(), reason=f"the data are not at {SHARED}")
def test_the_butterflies_are_fitted_better_than_by_the_prior(tmp_path):
    observed = target.read(COUNTS, ["breadth"], 30)
    assert observed.values.sum() == pytest.approx(1)
    assert observed.values[0] == pytest.approx(3627 / 5016, abs=2e-3)
    # As it is shipped: with few agents a niche, drift makes all of them broad.
    base = validate({"scenario": str(DIETS)})
    priors = {key: parse_range(key, text) for key, text in
              {"tradeoff.exponent": "1.2:2.5", "mutation.rate": "0.02:0.4"}.items()}  # fmt: skip
    found = calibrate(Question(base, observed, priors, particles=12), tmp_path, Here(),
                      generations=3)  # fmt: skip
    assert found.generations[-1]["tolerance"] < 0.8 * found.generations[0]["tolerance"]
    ones = found.predictive["breadth 1"]
    assert abs(ones["mean"] - ones["observed"]) < 0.3
