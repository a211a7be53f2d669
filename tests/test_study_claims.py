"""Claims: registered before they are run, resumable, and a false one is reported as not met."""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

from ecosim.cli import main
from ecosim.errors import ScenarioError
from ecosim.studies import claim as definition
from ecosim.studies import claims as study
from ecosim.studies.closed_forms import evaluate
from ecosim.studies.registration import claims, registered
from ecosim.studies.trying import Stopped, attempt, contrast, read_off
from ecosim.studies.verdict import LEVEL, decided, together

SMALL = """
statement = "{statement}"
says = "Sixteen founders, half specialists of each niche"
citation = "none"
replicates = {{ quick = 3, full = 4 }}

[scenarios.ecology]
world = "ecology"
niches = {{ count = 2 }}
population = {{ size = 16, start = "specialists" }}
selection = {{ kind = "wright-fisher" }}
mutation = {{ rate = 0.0 }}
run = {{ steps = 2 }}

[conditions]
specialists = {{}}
even = {{ set = {{ "population.start" = "even" }} }}

[[expect]]
says = "specialists are more often specialists"
metric = "specialist_share"
contrast = {{ specialists = 1.0, even = -1.0 }}
direction = "{direction}"
value = 0.5
"""


@pytest.fixture
def folder(tmp_path):
    where = tmp_path / "mine"
    where.mkdir()
    (where / "01-true.toml").write_text(SMALL.format(statement="1", direction="above"))
    (where / "02-false.toml").write_text(SMALL.format(statement="2", direction="below"))
    (where / "03-later.toml").write_text(
        'statement = "3"\nsays = "Later"\ncitation = "none"\nwaits_for = "the world optimisation"\n'
    )
    return where


def run(*words):
    words = ["study", "claims", "--workers", 1, *words]
    return CliRunner(catch_exceptions=False).invoke(main, [*map(str, words)])


def test_a_false_claim_is_reported_and_is_no_error(folder, tmp_path):
    out = tmp_path / "out"
    done = run("--from", folder, "--out", out, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["verdicts"] == {
        "01-true": "met", "02-false": "not met", "03-later": "not yet built",
    }  # fmt: skip
    for ending in ("md", "json", "csv"):
        assert (out / f"claims.{ending}").is_file()
    table = pd.read_csv(out / "claims.csv")
    assert list(table["verdict"]) == ["met", "not met", "not yet built"]
    assert table["observed"].iloc[0] == 1.0
    assert "not met" in (out / "claims.md").read_text()
    assert run("--from", folder, "--out", out, "--strict").exit_code == 1
    assert run("--from", folder, "--out", out, "--strict", "--only", "1").exit_code == 0


def test_runs_that_are_there_are_not_run_again(folder, tmp_path, monkeypatch):
    first = study.carry_out(claims(where=folder), "quick", tmp_path / "out", where=folder)

    def never(*given):
        raise AssertionError("nothing was missing")

    monkeypatch.setattr("ecosim.sweeps.execution.compute", never)
    again = study.carry_out(claims(where=folder), "quick", tmp_path / "out", where=folder)
    assert again.rows == first.rows
    with pytest.raises(AssertionError):  # the full size asks for one replicate more
        study.carry_out(claims(where=folder), "full", tmp_path / "out", where=folder)


@pytest.mark.slow
def test_side_by_side_is_one_after_the_other(folder, tmp_path):
    found = claims(where=folder)
    told = []
    together = study.carry_out(
        found, "quick", tmp_path / "a", where=folder, workers=2,
        told=lambda tried, verdict: told.append((tried.claim.name, verdict)),
    )  # fmt: skip
    assert together.rows == study.carry_out(found, "quick", tmp_path / "b", where=folder).rows
    assert sorted(told) == sorted(together.verdicts.items())
    (folder / "01-true.toml").write_text(
        (folder / "01-true.toml").read_text().replace("size = 16", "size = 3.5")
    )
    with pytest.raises(ScenarioError, match="size"):
        study.carry_out(claims(where=folder), "quick", tmp_path / "c", where=folder, workers=2)
    with pytest.raises(Stopped):
        study.carry_out(
            found, "full", tmp_path / "a", where=folder, workers=2, should_stop=lambda: True
        )


def test_a_study_that_was_stopped_goes_on(folder, tmp_path):
    one = claims(["1"], where=folder)[0]
    with pytest.raises(Stopped):
        attempt(one, "quick", tmp_path, should_stop=lambda: True)
    assert attempt(one, "quick", tmp_path).outcomes[0].verdict == "met"


def test_a_larger_study_before_does_not_change_a_smaller_one(folder, tmp_path):
    one = claims(["1"], where=folder)[0]
    assert attempt(one, "full", tmp_path / "a").outcomes[0].count == 4
    after, alone = (attempt(one, "quick", tmp_path / name) for name in ("a", "b"))
    assert after.outcomes == alone.outcomes
    assert after.outcomes[0].count == 3


def test_the_report_opens_what_the_table_links(folder, tmp_path):
    told = json.loads(run("--from", folder, "--out", tmp_path, "--only", "1", "--json").stdout)
    link = tmp_path / told["rows"][0]["runs"]
    done = CliRunner().invoke(main, ["report", str(link), "--metrics", "specialist_share"])
    assert done.exit_code == 0
    assert (link / "report.html").is_file()


@pytest.mark.parametrize(
    ("old", "new"),
    [("value = 0.5", "value = 0.4"), ('"above"', '"below"'), ("quick = 3", "quick = 5"),
     ("even = -1.0", "even = -2.0"), ("size = 16", "size = 18")],
)  # fmt: skip
def test_the_digest_follows_the_expectation(folder, old, new):
    path = folder / "01-true.toml"
    before = definition.read(path)
    path.write_text(path.read_text().replace(old, new))
    assert definition.read(path).digest != before.digest


def test_a_history_is_no_part_of_what_was_registered(folder):
    path = folder / "01-true.toml"
    before = definition.read(path)
    path.write_text('history = ["a key was misspelt"]\n' + path.read_text())
    after = definition.read(path)
    assert after.digest == before.digest
    assert after.history


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_of_a_claim(folder, tmp_path):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    one = claims(["1"], where=folder)[0]
    assert registered(one, folder) == "no checkout"
    git("init", "-q")
    assert registered(one, folder) == "uncommitted"
    git("add", ".")
    git("commit", "-qm", "registered")
    assert git("rev-parse", "HEAD").startswith(registered(one, folder))
    first = registered(one, folder)
    (folder / "02-false.toml").write_text("# another file\n")
    git("commit", "-qam", "later")
    assert registered(one, folder) == first
    path, text = folder / "01-true.toml", (folder / "01-true.toml").read_text()
    path.write_text("# changed\n" + text)
    assert registered(one, folder) == "uncommitted"
    git("commit", "-qam", "a comment")
    assert registered(one, folder) == first, "what is expected is as it was"
    path.write_text(text.replace("size = 16", "size = 18"))
    git("commit", "-qam", "another size")
    changed = registered(definition.read(path), folder)
    assert git("rev-parse", "HEAD").startswith(changed) and changed != first
    path.write_text(text)
    git("commit", "-qam", "back again")
    assert git("rev-parse", "HEAD").startswith(registered(one, folder))


def test_bad_input_ends_with_2(folder):
    done = run("--from", folder, "--only", "17")
    assert done.exit_code == 2
    assert "names no claim" in done.stderr
    (folder / "04-wrong.toml").write_text(
        SMALL.format(statement="4", direction="above").replace("even = -1.0", "uneven = -1.0")
    )
    done = run("--from", folder)
    assert done.exit_code == 2
    assert "uneven" in done.stderr
    assert "specialists, even" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [('direction = "above"', 'direction = "over"', "direction"),
     ("value = 0.5", 'value = { form = "coverag" }', "known"),
     ("value = 0.5", "tolerance = 1.0", "near"),
     ("[scenarios.ecology]", "[scenario.ecology]", "scenario")],
)  # fmt: skip
def test_mistakes_in_a_claim_are_named(folder, old, new, word):
    path = folder / "01-true.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ScenarioError, match=word):
        definition.read(path)


def test_verdicts_are_the_one_sided_t_test():
    random = np.random.default_rng(1)
    for shift in (-1.0, -0.4, 0.0, 0.4, 1.0):
        values = random.normal(shift, 1.0, 12)
        above = stats.ttest_1samp(values, 0.0, alternative="greater").pvalue < LEVEL
        below = stats.ttest_1samp(values, 0.0, alternative="less").pvalue < LEVEL
        word = "met" if above else "not met" if below else "undecided"
        assert decided(values, "above", 0.0).verdict == word
        word = "met" if below else "not met" if above else "undecided"
        assert decided(values, "below", 0.0).verdict == word


def test_near_takes_both_bounds():
    values = np.array([0.9, 1.0, 1.1, 1.0])
    assert decided(values, "near", 1.0, 0.5).verdict == "met"
    assert decided(values, "near", 1.0, 0.1).verdict == "undecided"
    assert decided(values, "near", 3.0, 0.5).verdict == "not met"
    assert decided(np.array([np.nan, 1.0]), "near", 1.0, 0.5).verdict == "undecided"
    assert decided(np.array([1.0]), "above", 1.0).verdict == "not met"


def test_a_claim_is_met_when_all_of_it_is():
    assert together(["met", "met"]) == "met"
    assert together(["met", "undecided"]) == "undecided"
    assert together(["undecided", "not met", "met"]) == "not met"


def _records(columns):
    return pd.concat(
        pd.DataFrame({"replicate": r, "step": [0, 10, 20, 30], "m": v})
        for r, v in enumerate(columns)
    )


def _expected(**given):
    raw = {"says": "", "metric": "m", "contrast": {"a": 1.0}, "direction": "above"} | given
    return definition.Expected(**raw)


def test_what_is_read_off_a_run():
    records = _records([[0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0]])
    assert read_off(_expected(), records)[0].tolist() == [3.0, 0.0]
    assert read_off(_expected(window=0.5), records)[0].tolist() == [2.5, 0.5]
    times, never = read_off(_expected(reaches=2.0, since=10), records)
    assert (times.tolist(), never) == ([10.0, 0.0], 0)
    times, never = read_off(_expected(reaches=0.5, rising=False, since=10), records)
    assert (times.tolist(), never) == ([20.0, 20.0], 1)


def test_contrasts_weigh_conditions():
    records = {"a": _records([[1.0] * 4, [2.0] * 4]), "b": _records([[4.0] * 4, [4.0] * 4])}
    readings = {name: (lambda metric, t=table: t) for name, table in records.items()}
    values, _ = contrast(_expected(contrast={"a": 2.0, "b": -1.0}), readings)
    assert values.tolist() == [-2.0, 0.0]
    values, _ = contrast(_expected(contrast={"a": 1.0, "b": -1.0}, log=True), readings)
    np.testing.assert_allclose(values, np.log([0.25, 0.5]))


def test_the_shipped_claims_cover_the_argument():
    shipped = claims()
    stated = {claim.statement for claim in shipped}
    assert {str(number) for number in range(1, 17)} | {"T5"} <= stated
    assert any(claim.goes == "against" for claim in shipped)
    for claim in shipped:
        assert claim.citation
        assert claim.waits_for or claim.expect


def test_the_numbers_of_the_shipped_claims_are_those_of_theory():
    sigma = evaluate({"form": "standard_noise", "budget": 1.0, "niches": 4, "threshold": 0.6})
    by_name = {claim.name: claim for claim in claims()}
    noises = by_name["07-noisy-standard"].conditions
    assert noises["clear"].set["tradeoff.noise"] == pytest.approx(0.9 * sigma, abs=1e-4)
    assert noises["noisy"].set["tradeoff.noise"] == pytest.approx(1.1 * sigma, abs=1e-4)
    four = evaluate({"form": "budget_threshold", "s": 2.0, "niches": 16})
    budgets = by_name["T5-displacing-specialists"].conditions
    assert budgets["above"].set["population.groups.0.budget"] == pytest.approx(1.05 * four)
    assert budgets["below"].set["population.groups.0.budget"] == pytest.approx(0.95 * four)


def test_every_condition_of_the_shipped_claims_is_a_scenario():
    from ecosim.scenario import override, validate

    for claim in claims():
        for name, condition in claim.conditions.items() if not claim.waits_for else ():
            base = validate(claim.scenarios[claim.scenario_of(name)])
            override(base, {**claim.full, **condition.set})
