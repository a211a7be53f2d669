"""Sweeps as they are written: values, ranges, designs, points and seeds."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosim.errors import ScenarioError
from ecosim.scenario import Scenario
from ecosim.scenario.keys import unknown
from ecosim.scenario.problems import all_keys
from ecosim.sweeps.definition import read, validate
from ecosim.sweeps.points import expand, runs, seed_of, settings
from ecosim.sweeps.ranges import Range, parse_range, parse_values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.5:2:4", [0.5, 1.0, 1.5, 2.0]), ("1:4:4", [1, 2, 3, 4]), ("1:100:3:log", [1, 10, 100]),
        ("a,b", ["a", "b"]), ("0.5:1:2,3", [0.5, 1.0, 3]), ("[1,2],[3,4]", [[1, 2], [3, 4]]),
        ("true", [True]), ([1, 2], [1, 2]), (3, [3]), ("0:1:1", [0]),
    ],
)  # fmt: skip
def test_values(text, values):
    found = parse_values("k", text)
    assert found == values and [type(v) for v in found] == [type(v) for v in values]


@pytest.mark.parametrize("text", ["1:2", "a:b:3", "1:2:0", "-1:2:3:log", "1:2:3:4:5", "", []])
def test_wrong_values_are_refused(text):
    with pytest.raises(ScenarioError, match="k"):
        parse_values("k", text)


@given(st.integers(1, 50), st.integers(0, 30), st.booleans(), st.floats(0, 1, exclude_max=True))
def test_whole_ranges_stay_inside_and_whole(low, more, log, unit):
    number = Range(low, low + more, log, True).at(unit)
    assert isinstance(number, int) and low <= number <= low + more


@pytest.mark.parametrize("text", ["2:1", "1:1", "0:1:log", "a:b", "1", 3, "1:inf"])
def test_wrong_ranges_are_refused(text):
    with pytest.raises(ScenarioError):
        parse_range("k", text)


def sweep(**changes):
    return validate({"scenario": "soft-selection", "replicates": 2} | changes)


def test_parts_are_crossed_and_zips_go_in_step():
    found = list(settings(sweep(
        grid={"tradeoff.exponent": "1:2:2", "selection.kind": ["moran", "wright-fisher"]},
        zip={"mutation.rate": [0.1, 0.2, 0.3], "mutation.step": [0.01, 0.02, 0.03]},
    )))  # fmt: skip
    assert len(found) == 2 * 2 * 3
    assert {(v["mutation.rate"], v["mutation.step"]) for v in found} == {
        (0.1, 0.01), (0.2, 0.02), (0.3, 0.03)
    }  # fmt: skip


def test_points_are_named_by_content_and_stand_once():
    one = expand(sweep(grid={"tradeoff.exponent": [1.5, 2.0, 2.0]}))
    two = expand(sweep(points=[{"tradeoff.exponent": 2.0}, {}]))
    assert len(one) == 2
    # 2.0 is the scenario's own value: said or not, it is the same point.
    assert {p.digest for p in two} == {one[1].digest}


def test_a_refused_combination_is_a_point_with_an_error():
    points = expand(sweep(grid={"tradeoff.exponent": [1.0, -1.0]}))
    assert [bool(p.error) for p in points] == [False, True]
    assert "tradeoff.exponent" in points[1].error
    assert len(runs(sweep(), points)) == 2


def test_seeds_differ_by_point_and_replicate_and_are_common_on_request():
    plain = sweep(grid={"tradeoff.exponent": "1:2:5"})
    seeds = [run.seed for run in runs(plain, expand(plain))]
    assert len(set(seeds)) == 10 and all(0 <= seed < 2**63 for seed in seeds)
    common = sweep(grid={"tradeoff.exponent": "1:2:5"}, common_random_numbers=True)
    assert len({run.seed for run in runs(common, expand(common))}) == 2
    assert seed_of(plain, expand(plain)[0], 0) != seed_of(sweep(seed=1), expand(plain)[0], 0)


def test_a_seed_does_not_depend_on_what_else_is_swept():
    small, large = (
        sweep(grid={"tradeoff.exponent": [1.5]}),
        sweep(grid={"tradeoff.exponent": [1, 1.5]}),
    )
    ids = {run.id for run in runs(large, expand(large))}
    assert {run.id for run in runs(small, expand(small))} <= ids


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_more_samples_keep_the_points_there_are(method):
    def points(samples):
        over = {"mutation.rate": "0.01:0.2", "population.size": "100:200"}
        return list(settings(sweep(sample={"method": method, "samples": samples, "over": over})))

    assert points(16)[:5] == points(5)
    assert all(isinstance(p["population.size"], int) for p in points(5))


@pytest.mark.parametrize(
    "changes",
    [
        {"grid": {"tradeoff.exponent": "1:2:2"}, "zip": {"tradeoff.exponent": [1.0]}},
        {"zip": {"mutation.rate": [0.1], "mutation.step": [0.1, 0.2]}},
        {"grid": {"run.seed": [1, 2]}},
        {"replicates": 0},
        {"sample": {"method": "guess", "samples": 3, "over": {"mutation.rate": "0:1"}}},
        {"unknown": 1},
    ],
)
def test_wrong_sweeps_are_refused(changes):
    with pytest.raises(ScenarioError):
        sweep(**changes)


@pytest.mark.parametrize("written", ["0:1", "0.0:1.0", [0, 1]])
def test_the_key_and_not_the_bound_says_whether_numbers_are_whole(written):
    real, whole = parse_range("mutation.rate", written), parse_range("run.steps", written)
    assert not real.whole and real.at(0.25) == 0.25
    assert whole.whole and [whole.at(unit) for unit in (0.0, 0.49, 0.51)] == [0, 0, 1]


@pytest.mark.parametrize("method", ["random", "latin-hypercube", "sobol", "morris", "saltelli"])
def test_samples_of_a_real_number_lie_between_whole_bounds(method):
    if method in ("morris", "saltelli"):
        pytest.importorskip("SALib", reason="SALib is not installed")
    over = {"mutation.rate": "0:1", "run.steps": "1.0:9.0"}
    found = list(settings(sweep(sample={"method": method, "samples": 8, "over": over})))
    assert any(0 < point["mutation.rate"] < 1 for point in found)
    assert all(type(point["run.steps"]) is int for point in found)


def test_a_grid_over_a_key_is_of_its_kind():
    assert parse_values("mutation.rate", "0:1:2") == [0.0, 1.0]
    assert all(type(value) is float for value in parse_values("mutation.rate", "0:1:2"))
    assert parse_values("run.steps", "1:10:4:log") == [1, 2, 5, 10]
    assert parse_values("run.steps", "1:3:9") == [1, 2, 3]  # rounded, each once


@pytest.mark.parametrize(
    ("reader", "key", "given", "rule"),
    [
        (parse_range, "run.steps", "0.5:4", "whole"),
        (parse_values, "run.steps", "0.5:4:3", "whole"),
        (parse_range, "selection.kind", "0:1", "takes no numbers"),
        (parse_values, "mutation.rate", "0:1:100000000", "1,000,000 values at most"),
    ],
)
def test_ranges_that_a_key_cannot_take_are_refused(reader, key, given, rule):
    with pytest.raises(ScenarioError, match=rule):
        reader(key, given)


@pytest.mark.parametrize(
    "changes",
    [
        {"set": {"mutation.rat": 1}},
        {"grid": {"mutation.rat": "0:1:3"}},
        {"zip": {"mutation.rat": [0.1]}},
        {"points": [{"mutation.rate": 0.1}, {"mutation.rat": 0.1}]},
        {"sample": {"method": "sobol", "samples": 2, "over": {"mutation.rat": "0:1"}}},
        {"search": {"metric": "births", "trials": 2, "over": {"mutation.rat": "0:1"}}},
    ],
)
def test_a_misspelt_key_is_told_with_the_nearest_wherever_it_stands(changes):
    with pytest.raises(ScenarioError, match="mutation.rat: unknown key. did you mean mutation"):
        sweep(**changes)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("tradeof.exponent", "did you mean tradeoff.exponent"),
        ("mutation.exponent", "did you mean tradeoff.exponent or competition.exponent"),
        ("tradeoff.exponent.x", "'exponent' is a value"),
        ("population.groups.0.shar", "did you mean population.groups.0.share"),
    ],
)
def test_near_misses_of_key_paths(key, told):
    assert told in str(unknown(key))


def test_every_key_of_a_scenario_is_known():
    assert [key for key in all_keys(Scenario) if unknown(key) is not None] == []
    assert unknown("population.groups.3.share") is None


def test_unquoted_keys_are_the_quoted_ones(tmp_path):
    texts = [
        f'[set]\n{q}run.steps{q} = 3\n[grid]\n{q}tradeoff.exponent{q} = "1:2:2"\n'
        f'[sample]\nmethod = "sobol"\nsamples = 2\n[sample.over]\n{q}mutation.rate{q} = "0:1"\n'
        f"[[points]]\n{q}mutation.step{q} = 0.1\n"
        for q in ("", '"')
    ]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "one.toml").write_text(f'scenario = "soft-selection"\n{text}')
    one, two = (read(tmp_path / name / "one.toml") for name in ("0", "1"))
    assert one == two and one.set == {"run.steps": 3} and len(expand(one)) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[grid]\n"mutation.rate" = [0.1]', 'name a scenario or its file: scenario = "soft'),
        ('scenario = "soft-selection"\nreplicate = 2', "did you mean replicates?"),
        ('scenario = "soft-selection"\nniches.count = 3', "is a key of a scenario.*in the table"),
        ('scenario = "soft-selection"\ngrid = 3', "grid: is a table of keys"),
        ('scenario = "soft-selection"\n[search]\nmetric = "births"', "--trials to `ecosim sweep s"),
        ('scenario = "soft-selection"\n[sample]\nmethod = "sobl"', "did you mean 'sobol'"),
        ('scenario = "soft-selectoin"', "did you mean soft-selection"),
        ("scenario = ", "not valid TOML"),
    ],
)
def test_a_sweep_file_is_told_what_is_wrong_in_its_own_words(tmp_path, text, told):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=told) as caught:
        expand(read(path))
    assert "world" not in str(caught.value)


def test_a_misspelt_source_names_the_nearest_sweep_or_scenario():
    with pytest.raises(ScenarioError, match="did you mean soft-selection"):
        read("soft-selectoin")
    with pytest.raises(ScenarioError, match="did you mean selection-boundary"):
        read("selection-bondary")


def test_a_file_finds_the_scenario_beside_it(tmp_path):
    (tmp_path / "mine.toml").write_text('world = "ecology"\n')
    (tmp_path / "wide.toml").write_text('scenario = "mine.toml"\n[grid]\n"niches.count" = [2, 4]\n')
    found = read(tmp_path / "wide.toml")
    assert found.name == "wide" and len(expand(found)) == 2


def test_the_files_in_the_manual_are_valid(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs" / "sweeps.md").read_text()
    sweeps = []
    for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        (tmp_path / "mine.toml").write_text(text)
        sweeps.append(read(tmp_path / "mine.toml"))
    grid, search = sweeps
    points = expand(grid)
    assert len(points) == 16 * 2 * 3 and not any(point.error for point in points)
    assert search.search is not None and list(search.search.ranges) == list(search.search.over)
