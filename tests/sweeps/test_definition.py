"""Sweeps as they are written: values, ranges, designs, points and seeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosim.errors import ScenarioError
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


def test_a_file_finds_the_scenario_beside_it(tmp_path):
    (tmp_path / "mine.toml").write_text('world = "ecology"\n')
    (tmp_path / "wide.toml").write_text('scenario = "mine.toml"\n[grid]\n"niches.count" = [2, 4]\n')
    found = read(tmp_path / "wide.toml")
    assert found.name == "wide" and len(expand(found)) == 2
