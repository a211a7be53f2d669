"""Searches: the optimum is found, batches run together, the same command continues."""

import json

import pytest
from click.testing import CliRunner

from ecosim.cli import main
from ecosim.errors import ScenarioError
from ecosim.sweeps.definition import read, validate
from ecosim.sweeps.execution import Here
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.searching import search
from ecosim.sweeps.trials import Paused

pytest.importorskip("optuna", reason="searches need Optuna")

PLAN = {"metric": "births", "trials": 16, "together": 8, "over": {"run.steps": "1:12"}}


def plan(**changes):
    more = changes.pop("more", {})
    # Wright and Fisher replace all 30 in each step: births since the start are 30 x steps.
    return validate({"scenario": "soft-selection", "search": PLAN | changes,
                     "set": {"population.size": 30, "record.every": 50}} | more)  # fmt: skip


class Counting(Here):
    """The default engine; counts runs."""

    runs = 0

    def compute(self, folder, queue):
        for batch, error in super().compute(folder, queue):
            self.runs += len(batch.runs)
            yield batch, error


def test_the_optimum_is_found_and_what_is_done_is_not_repeated(tmp_path):
    engine, told = Counting(), []
    found = search(plan(), tmp_path, engine, told=lambda number, best: told.append(number))
    assert found.best == {"run.steps": 12} and found.value == 360
    assert told == [8, 16] and len(found.trials) == 16
    assert all(trial["value"] == 30 * trial["run.steps"] for trial in found.trials)
    assert engine.runs == len({trial["point"] for trial in found.trials})
    again = search(plan(), tmp_path, Counting())
    assert again == found
    more = Counting()
    longer = search(plan(trials=24), tmp_path, more)
    assert longer.trials[:16] == found.trials and more.runs < 9
    smallest = search(plan(direction="minimize", trials=16), tmp_path / "small", Here())
    assert smallest.best == {"run.steps": 1}


def test_a_search_that_was_stopped_goes_on_to_the_same_end(tmp_path):
    small, folder = plan(more={"batch": 3}), SweepFolder(tmp_path / "a")
    with pytest.raises(Paused):
        search(small, folder.path, Here(), should_stop=lambda: len(folder.done()) >= 3)
    assert 0 < len(folder.done()) < 16
    assert search(small, tmp_path / "a", Here()) == search(small, tmp_path / "b", Here())


def test_trials_that_fail_are_told_as_such(tmp_path):
    over = {"tradeoff.exponent": "-2.0:2.0"}
    found = search(plan(over=over, metric="population"), tmp_path, Here())
    assert found.best["tradeoff.exponent"] > 0
    assert any(trial["value"] is None for trial in found.trials)


@pytest.mark.parametrize("more", [{"search": None}, {"grid": {"mutation.rate": [0.1, 0.2]}}])
def test_what_is_no_search_is_refused(tmp_path, more):
    with pytest.raises(ScenarioError, match="search"):
        search(plan(more=more), tmp_path, Here())


def test_a_file_and_flags_say_the_same(tmp_path):
    file = tmp_path / "best.toml"
    file.write_text(
        'scenario = "soft-selection"\n[set]\n"population.size" = 30\n"record.every" = 50\n'
        '[search]\nmetric = "births"\ntrials = 8\n[search.over]\n"run.steps" = "1:12"\n'
    )
    assert read(file).search.direction == "maximize"

    def command(*words):
        return CliRunner().invoke(main, ["sweep", *words, "--json"], prog_name="ecosim")

    of_file = command("search", str(file), "--out", str(tmp_path / "file"))
    assert of_file.exit_code == 0, of_file.output
    of_flags = command("search", "soft-selection", "--metric", "births", "--trials", "8",
                       "--over", "run.steps=1:12", "--set", "population.size=30",
                       "--set", "record.every=50", "--out", str(tmp_path / "flags"))  # fmt: skip
    assert json.loads(of_flags.stdout)["trials"] == json.loads(of_file.stdout)["trials"]
    wrong = command("run", str(file))
    assert wrong.exit_code == 2 and "ecosim sweep search" in wrong.stderr
    assert command("search", "soft-selection").exit_code == 2
