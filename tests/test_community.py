"""Starting from the agents that a finished run ended with."""

import numpy as np
import pandas as pd
import pytest

from ecosim.errors import ScenarioError
from ecosim.experiments.tables import write_table
from ecosim.scenario import digest, override, read, to_toml, validate
from ecosim.simulate import simulate

KEPT = ["group", "patch", "budget", "stock", "breadth", "depth", "niche"]


def finished(tmp_path, **changes):
    """Return a scenario, the table it ended with and the folder of that table."""
    first = validate(
        {
            "world": "ecology",
            "niches": {"count": 3},
            "patches": {"count": 2},
            "population": {"size": 60, "budget": 1.7, "start": "random"},
            "run": {"steps": 15, "precision": "float64"},
        }
    ).replace(**changes)
    table = simulate(first, seed=4).population
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    write_table(folder / "population.parquet", table)
    return first, table, folder


def beginning(folder, **tables):
    raw = {"world": "ecology", "niches": {"count": 3}, "patches": {"count": 2}}
    raw |= {"run": {"steps": 0, "precision": "float64"}} | tables
    return validate(raw | {"population": {"community": str(folder)}})


def test_founders_are_the_agents_of_the_table(tmp_path):
    _, table, folder = finished(tmp_path)
    scenario = beginning(folder)
    founders = simulate(scenario, seed=9).founders
    assert scenario.population.size == len(table) == len(founders)
    assert list(founders["id"]) == list(range(1, len(table) + 1))
    columns = KEPT + [f"allocation_{k}" for k in range(3)]
    pd.testing.assert_frame_equal(founders[columns], table[columns])
    assert (founders["age"] == 0).all()


def test_positions_and_widths_are_kept_on_an_axis(tmp_path):
    axis = {"niches__space": "axis", "population__start": "even", "patches__count": 1}
    _, table, folder = finished(tmp_path, **axis)
    scenario = beginning(folder, niches={"count": 3, "space": "axis"}, patches={"count": 1})
    founders = simulate(scenario).founders
    columns = ["position", "allocation_0", "allocation_1", "allocation_2", "stock"]
    pd.testing.assert_frame_equal(founders[columns], table[columns])
    np.testing.assert_allclose(founders["width"], table["width"], rtol=1e-14)


def test_the_digest_follows_the_content_and_not_the_path(tmp_path):
    _, table, folder = finished(tmp_path)
    one = digest(beginning(folder))
    elsewhere = tmp_path / "copy.parquet"
    write_table(elsewhere, table)
    assert digest(beginning(elsewhere)) == one
    table.loc[3, "stock"] += 1e-9
    write_table(elsewhere, table)
    assert digest(beginning(elsewhere)) != one


def test_a_scenario_file_names_it_by_a_relative_path(tmp_path):
    _, table, folder = finished(tmp_path)
    file = tmp_path / "again.toml"
    text = to_toml(beginning(folder)).replace(str(folder), "run")
    file.write_text(text)
    assert read(file).population.size == len(table)


@pytest.mark.parametrize("scenario", ["soft-selection", "adaptive-radiation"])
def test_a_change_that_names_a_community_makes_room_for_it(tmp_path, scenario):
    base = read(scenario)
    _, table, folder = finished(tmp_path, niches__count=base.niches.count,
                                    niches__space=base.niches.space, patches__count=1,
                                    population__start="even")  # fmt: skip
    changes = {"population.community": str(folder)}
    for found in (read(scenario, changes), override(base, changes)):
        assert found.population.size == len(table) != base.population.size
        assert found.tradeoff == base.tradeoff and found.niches == base.niches
    assert override(found, changes) == found
    fix = f"leave it out, or give population.size = {len(table)}"
    with pytest.raises(ScenarioError, match=fix):
        read(scenario, changes | {"population.size": 7})


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"niches": {"count": 5}}, "niches.count", "is 3 in the community"),
        ({"patches": {"count": 1}}, "patches.count", "lives in 2 patches"),
        ({"niches": {"count": 3, "space": "axis"}}, "niches.space", "has no positions"),
        ({"population": {"budget": 2.0}}, "population.budget", "has no effect"),
        ({"population": {"size": 7}}, "population.size", "in the community"),
        ({"population": {"community": "nowhere"}}, "population.community", "No such file"),
        ({"population": {"community": __file__}}, "population.community", "no table of a run"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, changes, key, words):
    _, _, folder = finished(tmp_path)
    raw = {"world": "ecology", "niches": {"count": 3}, "patches": {"count": 2}} | changes
    raw["population"] = {"community": str(folder)} | changes.get("population", {})
    with pytest.raises(ScenarioError) as caught:
        validate(raw)
    found = {problem.key: str(problem) for problem in caught.value.problems}
    assert words in found[key], found
