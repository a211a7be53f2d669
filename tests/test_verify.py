"""The machinery of verification: domains, verdicts, the choice of cases, the command."""

import dataclasses
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ecosim.cli import main
from ecosim.errors import RunError, ScenarioError
from ecosim.verification import power, registry, runner
from ecosim.verification.case import FAMILIES, Case, Curve, Parameter
from ecosim.verification.conditions import CONDITIONS
from ecosim.verification.judgement import allowance, judged, spread, verdict
from ecosim.verification.registry import cases


def mean_of_draws(values, seeds):
    """Observe normal numbers around the parameter m: a simulator that is right."""
    return [np.random.default_rng(seed).normal(values["m"], 1.0) for seed in seeds]


RIGHT = Case(
    name="right", labels=("X1",), family="core", title="The mean of draws", source="here",
    parameters=(Parameter("m", 2.0, "mean", above=0, below=10),
                Parameter("n", 3, "number", least=1, whole=True)),
    expected=lambda values: values["m"], observe=mean_of_draws,
    curve=Curve("m", (1.0, 2.0, 3.0), "mean"),
)  # fmt: skip
OTHER = dataclasses.replace(
    RIGHT, name="other", labels=("X1", "X2"), parameters=(Parameter("m", 20.0, "mean", least=15),)
)
WRONG = dataclasses.replace(
    RIGHT, name="wrong", labels=("X3",), expected=lambda values: values["m"] + 2
)
LONG = dataclasses.replace(RIGHT, name="long", labels=("X4",), full=True)
BROKEN = dataclasses.replace(
    RIGHT, name="broken", labels=("X5",),
    observe=lambda values, seeds: (_ for _ in ()).throw(RunError("step 3: no")),
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def declared():
    """The cases made up here have a power that nothing falls short of."""
    with pytest.MonkeyPatch.context() as patch:
        for case in (RIGHT, OTHER, WRONG, LONG, BROKEN):
            patch.setitem(power.POWER, case.name, float("inf"))
        yield


@pytest.fixture
def five(monkeypatch):
    monkeypatch.setattr(registry, "cases", lambda: (RIGHT, OTHER, WRONG, LONG, BROKEN))


def command(*words):
    return CliRunner().invoke(main, ["verify", *words], prog_name="ecosim")


# Domains


@pytest.mark.parametrize("value", [0, 10, -1, float("nan"), float("inf"), "a", True])
def test_numbers_outside_the_domain_are_refused(value):
    with pytest.raises(ScenarioError, match="m"):
        RIGHT.values({"m": value})


def test_whole_numbers_stay_whole_and_all_problems_come_at_once():
    assert RIGHT.values({"n": 4.0}) == {"m": 2.0, "n": 4}
    with pytest.raises(ScenarioError) as caught:
        RIGHT.values({"m": 11, "n": 0.5, "k": 1})
    assert len(caught.value.problems) == 3
    assert "it has: m, n" in str(caught.value)


def test_a_rule_between_numbers_is_told():
    tied = dataclasses.replace(
        RIGHT, refuses=lambda v: "m must exceed n" if v["m"] <= v["n"] else None
    )
    with pytest.raises(ScenarioError, match=r"m, n: m must exceed n.*m=2, n=3.*--set"):
        tied.values()
    assert tied.values({"m": 4}) == {"m": 4.0, "n": 3}


def test_each_rule_between_numbers_is_told_beforehand():
    """In words of the case's own parameters; and only where there is one."""
    cases = registry.cases()
    assert {case.name for case in cases if case.refuses} == set(CONDITIONS)
    for case in cases:
        words = set(re.findall(r"\w+", case.joint))
        names = {p.name for p in case.parameters}
        assert not case.joint or names & words or case.name.startswith("metrics-"), case.name
        assert case.as_dict()["joint"] == case.joint
    tied = registry.named("neutral-fixation")
    with pytest.raises(ScenarioError) as caught:
        tied.values({"m": 50, "N": 20})
    (problem,) = caught.value.problems
    assert problem.key == "N, m" and "its numbers need: m < N" in problem.fix


def test_the_list_tells_joint_rules_and_computes_nothing(monkeypatch):
    def never(values):
        raise AssertionError("the list computes")

    tied = dataclasses.replace(RIGHT, name="levene-hard", refuses=never, expected=never)
    monkeypatch.setattr(registry, "cases", lambda: (tied,))
    told = command("--list", "X1").stdout
    assert "together: N |log fitness ratio| >= 20" in told
    assert json.loads(command("--list", "--json").stdout)[0]["joint"].startswith("N |log")


def test_the_list_loads_neither_jax_nor_the_runner():
    code = "from ecosim.cli import main; main(['verify', '--list', 'E3'], standalone_mode=False)"
    loaded = f"import sys\ntry:\n  {code}\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True)
    modules = set(done.stdout.splitlines()[-1].split())
    assert "ecosim.verification.registry" in modules
    assert not modules & {"jax", "matplotlib", "pandas", "ecosim.verification.runner"}


@pytest.mark.parametrize("word", ["", " "])
def test_an_empty_name_is_not_all_of_them(five, word):
    refused = command(word)
    assert refused.exit_code == 2 and "the name of a case is empty" in refused.stderr


def test_a_figure_does_not_run_over_what_was_set(five, tmp_path):
    picture = tmp_path / "x.png"
    refused = command("right", "--set", "m=3", "--figure", str(picture), "--seeds", "10")
    assert refused.exit_code == 2 and not picture.exists()
    assert "m: the figure of right runs along m, from 1 to 3" in refused.stderr
    drawn = command("right", "--set", "n=4", "--figure", str(picture), "--json", "--seeds", "10")
    assert [r["parameters"]["n"] for r in json.loads(drawn.stdout)] == [4, 4, 4]


def test_a_file_that_cannot_be_drawn_is_refused_before_anything_is_computed(five, tmp_path):
    (tmp_path / "file").touch()
    for name in ("x.xyz", "x", "file/x.png"):
        refused = command("broken", "--figure", str(tmp_path / name))
        assert refused.exit_code == 2 and "--figure" in refused.stderr, refused.stderr


def test_a_closed_form_that_refuses_is_a_matter_of_the_domain():
    def never(values):
        raise ValueError("needs an even number")

    refusing = dataclasses.replace(RIGHT, expected=never, observe=None)
    with pytest.raises(ScenarioError, match="even number"):
        runner.check(refusing)


# Verdicts


def test_a_right_simulator_passes_and_a_wrong_one_fails():
    assert runner.check(RIGHT).passed
    result = runner.check(WRONG)
    assert not result.passed
    assert result.detects < 2 and result.expected == 4.0


def test_the_family_of_cases_holds_its_error_rate():
    # A correct simulator, many suites: a case fails at FAMILY_WISE / SUITE = 1e-4.
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((20_000, 20))
    means, errors = draws.mean(axis=1), draws.std(axis=1, ddof=1) / np.sqrt(20)
    fails = np.mean(np.abs(means) > allowance(20) * errors)
    assert fails < 6e-4  # 12 of 20,000 where 2 are expected
    assert 4 < allowance(20) < 5 and 3.8 < allowance(100_000) < 4


def test_equal_outcomes_of_yes_and_no_leave_doubt():
    assert spread(np.zeros(20), 0.1) == pytest.approx(np.sqrt(0.09 / 20))
    assert spread(np.ones(20), 1.0) == 0.0
    assert spread(np.array([3.0]), 3.0) == 0.0


def test_whole_numbers_that_agree_leave_doubt_about_a_mean_between_them():
    assert spread(np.full(20, 8.0), 7.9) == pytest.approx(np.sqrt(0.09 / 20))
    assert spread(np.full(20, 8.1), 7.9) == pytest.approx(0, abs=1e-12)  # no whole numbers


@pytest.mark.parametrize(("failure", "wrong", "passes"), [
    (1e-9, 0, True), (1e-9, 1, False),
    # P(more than 3 of 20) = 4.9e-5 at .01: within 1e-4; of more than 2, 1e-3.
    (0.01, 3, True), (0.01, 4, False),
])  # fmt: skip
def test_chance_allows_wrong_ends_by_their_derived_probability_not_by_their_number(
    failure, wrong, passes
):
    ends = dataclasses.replace(RIGHT, expected=lambda v: 1.0, failure=lambda v: failure)
    data = np.ones(20)
    data[:wrong] = 0
    assert judged(ends, ends.values(), data, 0.0).passed is passes


def test_a_simulation_that_spreads_more_than_declared_does_not_pass_by_it(monkeypatch):
    monkeypatch.setitem(power.POWER, RIGHT.name, 0.5)
    wide = 2 + np.tile([-3.0, 3.0], 10)
    result = judged(RIGHT, RIGHT.values(), wide, 0.0)
    assert not result.passed and "detects only" in result.error
    # Of fewer seeds than its own, as along a curve, the case's power is not asked.
    assert judged(RIGHT, RIGHT.values(), wide, 0.0, fewer=True).passed
    narrow = 2 + np.tile([-0.1, 0.1], 10)
    assert judged(RIGHT, RIGHT.values(), narrow, 0.0).passed
    # At other parameters nothing is declared: it passes, and is called weak.
    elsewhere = judged(RIGHT, RIGHT.values({"m": 4}), wide + 2, 0.0)
    assert elsewhere.passed and elsewhere.weak and elsewhere.as_dict()["weak"]
    sharp = judged(RIGHT, RIGHT.values({"m": 4}), narrow + 2, 0.0)
    assert sharp.passed and not sharp.weak


def test_a_case_of_chance_that_declares_no_power_fails_and_says_so(monkeypatch):
    narrow = 2 + np.tile([-0.1, 0.1], 10)
    monkeypatch.delitem(power.POWER, RIGHT.name)
    result = judged(RIGHT, RIGHT.values(), narrow, 0.0)
    assert (
        not result.passed and f"declares no power: it detects {result.detects:.3g}" in result.error
    )
    assert judged(RIGHT, RIGHT.values({"m": 4}), narrow + 2, 0.0).passed
    assert judged(RIGHT, RIGHT.values(), np.array([2.0]), 0.0).passed  # nothing is left to chance


def test_every_case_of_chance_declares_its_power_and_nothing_else_does():
    assert {case.name for case in registry.cases() if case.seeds > 1} == set(power.POWER) - {
        case.name for case in (RIGHT, OTHER, WRONG, LONG, BROKEN)
    }


@pytest.mark.parametrize("values", [[2.0, np.nan], [2.0, np.inf], []])
def test_observations_that_are_not_numbers_fail_and_say_so(values):
    result = judged(RIGHT, RIGHT.values(), np.array(values), 0.0)
    assert not result.passed and "not finite" in result.error


def test_bias_and_rounding_widen_the_tolerance_and_are_told():
    one = dataclasses.replace(RIGHT, seeds=1, rounding=1e-3, bias=lambda values: 0.5)
    result = judged(one, one.values(), np.array([2.4]), 0.0)
    assert result.passed and result.tolerance == pytest.approx(0.502)
    assert not judged(one, one.values(), np.array([2.6]), 0.0).passed


@pytest.mark.parametrize(
    ("relation", "observed", "passes"),
    [("equal", 1.05, True), ("equal", 1.2, False), ("above", 1.05, False), ("above", 1.2, True),
     ("below", 0.95, False), ("below", 0.8, True), ("equal", np.nan, False),
     ("above", np.nan, False), ("below", np.nan, False)],
)  # fmt: skip
def test_relations(relation, observed, passes):
    assert bool(verdict(relation, 1.0, observed, 0.1)) is passes


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30), st.floats(-4, 4))
def test_a_shift_beyond_what_a_case_detects_fails_it(observations, shift):
    data = np.array(observations)
    moved = dataclasses.replace(RIGHT, expected=lambda values: float(data.mean()))
    here = judged(moved, moved.values(), data, 0.0)
    away = judged(moved, moved.values(), data + shift, 0.0)
    assert here.passed
    if abs(shift) > here.detects + 1e-9:
        assert not away.passed


# The choice of cases


def test_names_labels_and_everything(five):
    def names(*words, **options):
        return [case.name for case in registry.chosen(words, {}, **options)[0]]

    assert names() == ["right", "other", "wrong", "broken"]
    assert names(full=True) == ["right", "other", "wrong", "long", "broken"]
    assert names("x1") == ["right", "other"] and names("X2", "wrong") == ["other", "wrong"]
    assert names("long") == ["long"] and names("X4") == ["long"]


def test_a_label_leaves_out_cases_that_do_not_admit_the_numbers(five):
    kept, left = registry.chosen(["X1"], {"m": 3})
    assert [case.name for case in kept] == ["right"]
    assert [(case.name, "m >= 15" in why or "15 <= m" in why) for case, why in left] == [
        ("other", True)
    ]
    with pytest.raises(ScenarioError):
        registry.chosen(["X1"], {"m": 12})  # neither admits it


@pytest.mark.parametrize(
    ("words", "numbers"), [(["rigth"], {}), ([], {"m": 1}), (["right"], {"q": 1})]
)
def test_wrong_words_are_refused(five, words, numbers):
    with pytest.raises(ScenarioError):
        registry.chosen(words, numbers)


# The command


def test_the_command_prints_a_table_and_says_by_its_code_what_happened(five):
    done = command("right", "--jobs", "1")
    assert done.exit_code == 0, done.output
    assert "right" in done.stdout and "passed" in done.stdout
    failed = command("X3", "X5", "--jobs", "1", "--json")
    assert failed.exit_code == 1
    wrong, broken = json.loads(failed.stdout)
    assert wrong["passed"] is False and wrong["expected"] == 4.0
    assert broken["error"] == "step 3: no" and broken["observed"] is None


def test_json_has_every_key(five):
    (told,) = json.loads(command("right", "--json", "--set", "m=3.5", "--seeds", "30").stdout)
    assert {"case", "parameters", "expected", "observed", "stderr", "tolerance", "passed",
            "source"} <= set(told)  # fmt: skip
    assert told["parameters"] == {"m": 3.5, "n": 3} and told["observations"] == 30
    assert abs(told["observed"] - told["expected"]) <= told["tolerance"]


@pytest.mark.parametrize(
    "words", [("right", "--set", "m=-1"), ("right", "--set", "m=no"), ("nothing",),
              ("--set", "m=1"), ("right", "--seeds", "1"), ("right", "--set", "m"),
              ("right", "--figure", "a.txt"), ("other", "wrong", "--figure", "a.png")],
)  # fmt: skip
def test_wrong_usage_exits_with_2(five, words):
    done = command(*words, "--json")
    assert done.exit_code == 2, done.output
    assert json.loads(done.stdout)["error"]


def test_the_list_gives_defaults_and_domains(five):
    listed = json.loads(command("--list", "--json").stdout)
    assert [entry["case"] for entry in listed] == ["right", "other", "wrong", "long", "broken"]
    assert listed[0]["parameters"][0]["domain"] == "0 < m < 10"
    assert listed[0]["parameters"][1]["domain"] == "whole 1 <= n"
    assert "m = 2" in command("--list").stdout


def test_the_figure_shows_points_on_the_line(five, tmp_path):
    path = tmp_path / "curve.png"
    done = command("right", "--figure", str(path))
    assert done.exit_code == 0, done.output
    assert path.stat().st_size > 5000


# The real cases


def test_several_processes_give_the_results_of_one():
    measures = [case for case in cases() if case.family == "metrics" and not case.full]
    some = [runner.Job(case.name) for case in measures[:2]]
    alone, together = (runner.check_all(some, processes=count) for count in (1, 2))
    assert [(r.case, r.observed) for r in alone] == [(r.case, r.observed) for r in together]


def test_cases_are_well_described():
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)
    for case in cases():
        assert case.family in FAMILIES and case.labels and case.source and case.title, case.name
        assert not set(case.name) - set("abcdefghijklmnopqrstuvwxyz0123456789-"), case.name
        values = case.values()
        assert np.isfinite(case.expected(values)), case.name
        assert case.seeds == 1 or case.seeds >= 20 or case.full, case.name
        if case.curve:
            for value in case.curve.values:
                case.values(dict(case.curve.fixed) | {case.curve.parameter: value})


CORE = [f"T{n}" for n in range(1, 8)]
LITERATURE = CORE + [f"E{n}" for n in range(1, 10)] + [f"M{n}" for n in range(1, 8)]
LITERATURE += [f"O{n}" for n in range(1, 4)] + [f"L{n}" for n in range(1, 5)]


@pytest.mark.parametrize("label", LITERATURE)
def test_every_entry_of_the_list_is_a_case(label):
    assert any(label in case.labels and not case.full for case in cases())
