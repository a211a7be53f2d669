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
from ecosim.sweeps.checks import check, failing, summarised
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here
from ecosim.sweeps.points import expand
from ecosim.sweeps.ranges import parse_range
from ecosim.sweeps.recovery import recover
from ecosim.sweeps.target import Target, shares
from ecosim.sweeps.trials import Paused

DIETS = scenarios() / "calibration" / "diet-breadth.toml"
SHARED = Path(os.environ.get("ECOSIM_SHARED_DATA", scenarios().parent.parent / "shared" / "data"))
COUNTS = SHARED / "butterfly_host_family_counts.csv"
TINY = {"niches.count": 4, "population.size": 60, "run.steps": 8, "record.every": 8}
KEY = "mutation.gain"


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
        ("a,b\n,2\n,3\n", ["a"], "'a' holds no number"),
        ('a,b\n1,2\n\n"0,7",2\n', ["a"], "line 4, column 'a': '0,7' is not a number"),
        ("a,b\ninf,2\n", ["a"], "line 2, column 'a': 'inf' is not a number"),
        ("a,b\n", ["a"], "no rows"),
        ("", ["a"], "not a table"),
        ("1,3627\n2,780\n", ["breadth"], "first line names the columns.* 1, 3627"),
        ("a,b\n1,2\n", ["breadth", "a"], "fitted alone"),
        ("a,b\n9,2\n", ["breadth"], "broadest class is 9.*raise niches.count"),
        ("a,b\n1,7\n1.5,2\n", ["breadth"], r"line 3 \(1.5, 2\): breadth is a whole number"),
        ("a,b\n0,2\n", ["breadth"], "whole number from 1"),
        ("a,b\n1,-2\n", ["breadth"], "a count is 0 or more"),
        ("a,b\n1,2\n2,\n", ["breadth"], "line 3.*an empty cell"),
        ("a,b\n1,2\n2,1\n1,4\n", ["breadth"], "several lines; add them up"),
        ("a,b\n1,0\n", ["breadth"], "all counts are 0"),
        ("a,b\nx,1\n", ["breadth"], "'x' is not a number"),
        ("a\n1\n", ["breadth"], "two columns.*it has 1: a"),
        ("a\n1,3\nabc\n", ["a"], "line 2: '1,3' has 2 cells, and the first line names 1.*a point"),
        ("a,b\n1,2\n1,3,4\n", ["a"], "line 3: '1,3,4' has 3 cells"),
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
    return Question(base, observed, {KEY: parse_range(KEY, "0.0:1.0")}, particles=particles)


def known(gain):
    """Return the distribution of breadth of runs at a known rate of gain."""
    (point,) = expand(validate({"scenario": str(DIETS), "set": TINY, "points": [{KEY: gain}]}))
    counts = sum(simulate(point.scenario, seed=10**6 + i).breadth[-1] for i in range(4))
    values = shares(counts[None, :], 4)[0]
    return Target(tuple(f"breadth {n}" for n in (1, 2, 3, 4)), values, distribution=True)


def test_what_is_known_is_recovered_and_a_stop_changes_nothing(tmp_path):
    asked = question(known(0.3))
    found = calibrate(asked, tmp_path / "whole", Here(), generations=3)
    gain = found.posterior[KEY]
    assert gain["low"] < 0.3 < gain["high"]
    assert gain["high"] - gain["low"] < 0.6  # of a prior of 0.95
    assert gain["narrowed"] == pytest.approx(1 - gain["sd"] * 12**0.5, abs=1e-3)
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
             "breadth_mean,specialist_share", "--prior", "mutation.gain=0.01:1:log",
             "--particles", "10", "--out", str(tmp_path / "fit"),
             *(f"--set={key}={value}" for key, value in TINY.items())]  # fmt: skip
    first = CliRunner().invoke(main, [*words, "--generations", "1", "--json"], prog_name="ecosim")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert told["recovery"] is None and Path(told["report"]).is_file()
    assert set(told["predictive"]) == {"breadth_mean", "specialist_share"}
    assert told["predictive"]["breadth_mean"]["observed"] == pytest.approx(1.35)
    more = CliRunner().invoke(main, [*words, "--generations", "2"], prog_name="ecosim")
    assert more.exit_code == 0 and "mutation.gain" in more.stdout and "inside" in more.stdout
    assert (
        json.loads((tmp_path / "fit" / "result.json").read_text())["generations"][0]
        == (told["generations"][0])
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--metrics", "breadth"],
        ["--metrics", "breadth", "--prior", "no.such=0:1"],
        ["--metrics", "breadth", "--prior", "mutation.gain=1:0"],
        ["--metrics", "breadth", "--prior", "mutation.gain=0:1", "--set", "mutation.gain=0.1"],
        ["--metrics", "breadth", "--prior", "mutation.gain=0:1", "--slurm", "--scheduler", "x"],
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
    base = validate({"scenario": str(DIETS), "set": {"population.size": 200, "run.steps": 30}})
    ranges = {"mutation.gain": "0.01:0.3:log", "mutation.narrowing": "0.05:0.5:log"}
    priors = {key: parse_range(key, text) for key, text in ranges.items()}
    found = calibrate(Question(base, observed, priors, particles=12), tmp_path, Here(),
                      generations=3)  # fmt: skip
    assert found.generations[-1]["tolerance"] < 0.8 * found.generations[0]["tolerance"]
    ones = found.summaries["share of breadth 1"]
    assert abs(ones.mean - ones.observed) < 0.2
    # The tail is within reach: steps on the simplex leave next to nobody above 10.
    assert found.summaries["share above 3"].p > 0.05


def test_a_p_value_is_that_of_both_sides_and_ties_count_half():
    drawn = np.arange(100.0)
    assert check(49.5, drawn).p == 1 and check(4.5, drawn).p == pytest.approx(0.1)
    assert check(94.5, drawn).p == pytest.approx(0.1)
    assert check(-1.0, drawn).p == 0.01  # rarer than one in a hundred: no more is known
    assert check(2.0, np.array([1.0, 2.0, 2.0, 2.0])).p == pytest.approx(0.75)
    assert check(3.0, np.array([3.0, 3.0])).p == 1
    assert np.isnan(check(3.0, np.array([np.nan])).p)
    found = {"a": check(-1.0, drawn), "b": check(50.0, drawn),
             "c": check(0.0, np.zeros(9), share=True)}  # fmt: skip
    assert found["c"].empty and found["a"].outside and not found["b"].outside
    assert failing(found) == ["a"]


def test_a_distribution_is_summed_up_by_its_specialists_mean_and_tail():
    shares_of = np.zeros((2, 12))
    shares_of[0, [0, 1, 3, 11]] = 0.7, 0.2, 0.08, 0.02
    shares_of[1] = np.nan
    found = {name: values[0] for name, values in summarised(shares_of).items()}
    assert found == pytest.approx({
        "share of breadth 1": 0.7, "mean breadth": 0.7 + 0.4 + 0.32 + 0.24, "90% quantile": 2,
        "95% quantile": 4, "99% quantile": 12, "share above 3": 0.1, "share above 10": 0.02,
    })  # fmt: skip
    assert all(np.isnan(values[1]) for values in summarised(shares_of).values())


def test_known_numbers_are_recovered_from_simulated_data_and_more_sets_go_on(tmp_path):
    asked, told = question(known(0.3)), []
    first = recover(asked, tmp_path, Here(), sets=4, particles=12, told=told.append)
    assert first.sets == 4 and first.failed == 0 and told == [1, 2, 3, 4]
    each = first.each[KEY]
    assert len({one.known for one in each}) == 4
    assert first.keys[KEY]["covered_95"] == np.mean([o.low <= o.known <= o.high for o in each])
    # Far better than the prior, whose mean would be wrong by one sd of it: an error of 1.
    assert first.keys[KEY]["error"] < 0.7 and first.keys[KEY]["narrowed"] > 0.3
    before = (tmp_path / "recovery-12" / "000" / "generations" / "02.json").stat().st_mtime_ns
    more = recover(asked, tmp_path, Here(), sets=5, particles=12)
    assert more.each[KEY][:4] == each and more.sets == 5
    after = (tmp_path / "recovery-12" / "000" / "generations" / "02.json").stat().st_mtime_ns
    assert before == after
    assert json.loads((tmp_path / "recovery.json").read_text())["sets"] == 5


def test_a_calibration_is_drawn_and_told(tmp_path):
    data = tmp_path / "counts.csv"
    data.write_text("breadth,count\n1,70\n2,20\n4,30\n")
    words = ["calibrate", "diet-breadth", "--data", str(data), "--metrics", "breadth",
             "--prior", "mutation.gain=0.01:0.05", "--prior", "mutation.narrowing=0.4:0.5:log",
             "--particles", "10", "--generations", "1", "--recovery", "1",
             "--recovery-particles", "10", "--out", str(tmp_path / "fit"),
             *(f"--set={key}={value}" for key, value in TINY.items())]  # fmt: skip
    done = CliRunner().invoke(main, words, prog_name="ecosim")
    assert done.exit_code == 0, done.output
    # The prior leaves out all that could make so many broad ones, and it is said.
    assert "not reproduced (p < 0.05): " in done.stdout and "share above 3" in done.stdout
    assert "recovery, 1 sets" in done.stdout
    page = (tmp_path / "fit" / "report.html").read_text()
    assert "Not reproduced" in page and page.count("data:image/png;base64,") == 3
    for name in ("posterior", "predictive", "recovery"):
        png = (tmp_path / "fit" / "pictures" / f"{name}.png").read_bytes()
        assert png.startswith(b"\x89PNG") and len(png) > 10_000


def test_metrics_that_no_run_has_are_refused_before_anything_is_run(tmp_path):
    data = tmp_path / "seen.csv"
    data.write_text("breadth_maen\n1.3\n")
    words = ["calibrate", "diet-breadth", "--data", str(data), "--prior", "mutation.gain=0:1",
             "--out", str(tmp_path / "fit"), "--metrics"]  # fmt: skip
    done = CliRunner().invoke(main, [*words, "breadth_maen"], prog_name="ecosim")
    assert done.exit_code == 2 and "did you mean breadth_mean" in done.output
    assert CliRunner().invoke(main, [*words, ","], prog_name="ecosim").exit_code == 2
    assert not (tmp_path / "fit").exists()
