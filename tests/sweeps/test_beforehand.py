"""What is refused before anything runs: too large, nothing valid, another experiment's folder."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import ecosim
from ecosim import machine
from ecosim.cli import main
from ecosim.errors import ScenarioError, StoreError
from ecosim.experiments.folders import temporary_name
from ecosim.scenario.files import parse_overrides
from ecosim.sweeps import beforehand, experiment
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here, carry_out
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.points import settings
from ecosim.sweeps.sources import load

SMALL = {"run.steps": 4, "population.size": 40, "record.every": 4}


def sweep(**changes):
    base = {"scenario": "soft-selection", "set": SMALL, "grid": {"tradeoff.exponent": "1:2:2"}}
    return validate(base | changes)


def command(*words):
    return CliRunner().invoke(main, list(words), prog_name="ecosim")


def box(method, samples):
    over = {"mutation.rate": "0:1", "mutation.step": "0:1"}
    return {"method": method, "samples": samples, "over": over}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"points": [{"mutation.rate": 0.1}, {"mutation.rate": 0.2}, {}]},
        {"zip": {"mutation.rate": [0.1, 0.2, 0.3], "mutation.step": [0.1, 0.2, 0.3]}},
        *({"sample": box(method, 4)} for method in ("sobol", "morris", "saltelli")),
    ],
)
def test_points_are_counted_as_they_are_made(changes):
    if changes.get("sample", {}).get("method") in ("morris", "saltelli"):
        pytest.importorskip("SALib", reason="SALib is not installed")
    given = sweep(**changes)
    assert beforehand.count(given) == len(list(settings(given)))


@pytest.mark.parametrize("words", [["sweep", "run", "--dry-run"], ["sweep", "plan", "--no-pilot"]])
def test_an_absurd_design_is_refused_before_it_is_made(monkeypatch, words):
    monkeypatch.setattr("ecosim.sweeps.beforehand.settings", lambda sweep: pytest.fail("made"))
    words = [*words, "soft-selection", "--sobol", "mutation.rate=0:1", "--samples", "100000000"]
    refused = command(*words)
    assert refused.exit_code == 2 and "--limit 100000000" in refused.stderr
    refused = command(*words, "--limit", "1000000000")
    assert refused.exit_code == 2 and "GiB" in refused.stderr and "--out" in refused.stderr


def test_a_calibration_of_absurdly_many_particles_is_refused_too(tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("births\n1\n2\n")
    refused = command(
        "calibrate", "soft-selection", "--data", str(data), "--metrics", "births",
        "--prior", "mutation.rate=0:1", "--particles", "100000000", "--out", str(tmp_path / "a"),
    )  # fmt: skip
    assert refused.exit_code == 2 and "--limit 100000000" in refused.stderr
    assert not (tmp_path / "a").exists()


def test_help_of_a_sweep_tells_the_options_that_may_follow_a_source():
    told = command("sweep", "--help").output
    assert all(word in told for word in ("SOURCE [OPTIONS]", "--grid", "--workers", "compact"))


def test_the_limit_counts_runs_and_the_memory_counts_points(monkeypatch):
    wide = sweep(replicates=60_000)
    with pytest.raises(ScenarioError, match="2 points x 60,000 replicates"):
        beforehand.check_size(wide)
    beforehand.check_size(wide, 120_000)
    monkeypatch.setattr(machine, "memory", lambda: 2**20)
    with pytest.raises(ScenarioError, match="memory"):
        beforehand.check_size(wide, 120_000)
    searching = {"metric": "births", "trials": 10**6, "over": {"mutation.rate": "0:1"}}
    with pytest.raises(ScenarioError, match="1,000,000 points"):
        beforehand.check_size(sweep(grid={}, search=searching))


def test_a_sweep_of_which_no_point_is_valid_says_why(tmp_path):
    words = ["sweep", "soft-selection", "--out", str(tmp_path / "out")]
    refused = command(*words, "--grid", "tradeoff.kind=powr,exact")
    assert refused.exit_code == 2 and "did you mean 'power'" in refused.stderr
    assert command(*words, "--grid", "mutation.rate=2:3:2").exit_code == 2
    # One valid point is a sweep, wherever it stands.
    assert command(*words, "--grid", "mutation.rate=2,3,0.1", "--dry-run").exit_code == 0
    search = ["sweep", "search", *words[1:], "--metric", "births", "--trials", "8"]
    refused = command(*search, "--over", "mutation.rate=2:3")
    assert refused.exit_code == 2 and "every trial is refused" in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "soft-selection", "--dry-run", "--set", "mutation.rate=0.1",
         "--set", "mutation.rate=0.2"],
        ["sweep", "soft-selection", "mutation.rate=0.1", "--dry-run", "--set", "mutation.rate=0.2"],
        ["sweep", "soft-selection", "mutation.rate=0.1", "mutation.rate=0.2", "--dry-run"],
        ["sweep", "soft-selection", "--dry-run", "--grid", "mutation.rate=0.1",
         "--grid", "mutation.rate=0.1"],
        ["sweep", "search", "soft-selection", "--over", "mutation.rate=0:1",
         "--over", "mutation.rate=0:0.5", "--metric", "births", "--trials", "2"],
        ["calibrate", "diet-breadth", "--data", "x", "--metrics", "breadth",
         "--prior", "mutation.rate=0:1", "--prior", "mutation.rate=0:0.5"],
        ["run", "soft-selection", "mutation.rate=0.1", "mutation.rate=0.2"],
        ["check", "soft-selection", "mutation.rate=0.1", "mutation.rate=0.2"],
        ["verify", "levene-soft", "--set", "mutation.rate=0.1", "--set", "mutation.rate=2"],
    ],
)  # fmt: skip
def test_a_key_given_twice_is_refused_everywhere(words):
    refused = command(*words)
    assert refused.exit_code == 2
    assert "mutation.rate: is given twice" in " ".join(refused.stderr.split())


def test_a_sweep_takes_numbers_as_a_run_does(tmp_path):
    """KEY.PATH=VALUE is --set: the same experiment, found again in its folder."""
    words = ["sweep", "soft-selection", "--out", str(tmp_path), "--replicates", "2", "--json"]
    few = ["population.size=40", "run.steps=4"]
    done = command(*words, *few)
    assert done.exit_code == 0, done.stderr
    again = command(*words, "--set", few[0], "--set", few[1], "--dry-run")
    assert json.loads(again.stdout)["missing"] == 0
    assert command(*words, few[0], "run.steps=5", "--dry-run").exit_code == 2
    assert "unknown key. did you mean population.size?" in command(
        "sweep", "soft-selection", "population.siez=4", "--dry-run"
    ).stderr


def test_each_key_that_is_given_twice_is_told():
    with pytest.raises(ScenarioError, match="given: 1 and 2"):
        parse_overrides(["a=1", "b=1", "a=2"])
    assert parse_overrides(["a=1", "b = x"]) == {"a": 1, "b": "x"}


# One folder, one experiment


def test_another_experiment_is_refused_and_an_extension_is_not(tmp_path):
    folder = SweepFolder(tmp_path / "one")
    carry_out(sweep(), folder, Here())
    others = {
        "population.size is 40 there and 50 here": {"set": SMALL | {"population.size": 50}},
        "seed is 0 there and 1 here": {"seed": 1},
        "common_random_numbers is False there": {"common_random_numbers": True},
        "not of hard-selection": {"scenario": "hard-selection"},
    }
    for told, changes in others.items():
        with pytest.raises(StoreError, match=f"{told}.*another --out|{told}.*Choose another"):
            carry_out(sweep(**changes), folder, Here())
    assert len(folder.done()) == 2
    todos = []
    more = carry_out(sweep(replicates=2), folder, Here(), began=todos.append)
    assert more.counts["done"] == 4 and todos[0].counts["missing"] == 2
    carry_out(sweep(grid={"mutation.rate": [0.0, 0.5]}), folder, Here())
    results = ecosim.load_sweep(folder.path)
    # Whoever asked for one key has the scenario's own value of the other.
    assert len(results.points) == 4 and not results.points.isna().any(axis=None)
    own = results.points.loc[lambda table: table["mutation.rate"].isin([0.0, 0.5])]
    assert np.array_equal(own["tradeoff.exponent"], [2.0, 2.0])
    assert not results.final("births").duplicated(["point", "replicate"]).any()


def test_what_is_only_asked_about_is_refused_too(tmp_path):
    carry_out(sweep(), SweepFolder(tmp_path), Here())
    out = ["--out", str(tmp_path), *(f"--set={key}={value}" for key, value in SMALL.items())]
    for words in (["sweep", "run", "--dry-run"], ["sweep", "plan", "--no-pilot"]):
        there = command(*words, "soft-selection", "--grid", "mutation.rate=0:1:2", *out)
        assert there.exit_code == 0, there.output
        other = command(*words, "soft-selection", "--seed", "5", *out)
        assert other.exit_code == 2 and "seed is 0 there and 5 here" in other.stderr


def test_a_folder_without_a_base_is_compared_by_its_seed(tmp_path):
    folder = SweepFolder(tmp_path)
    carry_out(sweep(), folder, Here())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    del manifest["base"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    experiment.check(folder, sweep(set={}))
    with pytest.raises(StoreError, match="seed is 0 there"):
        experiment.check(folder, sweep(seed=3))
    carry_out(sweep(seed=3, replicates=1), folder, Here(), mixed=True)
    assert len(folder.done()) == 4


def test_a_folder_of_other_things_is_refused_and_left_as_it_was(tmp_path):
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(StoreError, match=r"holds no sweep but thesis.docx; choose a new --out"):
        experiment.check(SweepFolder(tmp_path), validate({"scenario": "soft-selection"}))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]
    (tmp_path / "thesis.docx").rename(tmp_path / "sweep.toml")
    experiment.check(SweepFolder(tmp_path), validate({"scenario": "soft-selection"}))


@pytest.mark.parametrize("name", ["manifest.json", "points.parquet", "probe"])
def test_a_folder_in_which_another_task_begins_is_no_folder_of_other_things(tmp_path, name):
    half_written = temporary_name(tmp_path / name)
    half_written.touch()
    experiment.check(SweepFolder(tmp_path), validate({"scenario": "soft-selection"}))
    temporary_name(tmp_path / "thesis.docx").touch()
    with pytest.raises(StoreError, match=r"holds no sweep but \.thesis\.docx"):
        experiment.check(SweepFolder(tmp_path), validate({"scenario": "soft-selection"}))


def test_a_metric_that_no_trial_will_have_is_refused_before_any_is_run():
    raw = {"scenario": "soft-selection", "search": {
        "metric": "breadth_men", "trials": 2, "over": {"mutation.rate": "0.1:0.2"},
    }}  # fmt: skip
    with pytest.raises(ScenarioError, match="breadth_men.*did you mean breadth_mean"):
        beforehand.check_points(validate(raw))


def test_an_empty_file_is_no_scenario(tmp_path):
    (tmp_path / "empty.toml").touch()
    with pytest.raises(ScenarioError, match='names a scenario.*scenario = "soft-selection"'):
        load(tmp_path / "empty.toml")
    (tmp_path / "blank.toml").write_text('name = ""\nscenario = "soft-selection"\n')
    assert load(tmp_path / "blank.toml")["name"] == "blank"
