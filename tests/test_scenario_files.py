"""Scenario files: every rule says what it wants, good files survive a round trip."""

import dataclasses
import json
import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import KINDS, scenarios

from ecosim.errors import ScenarioError
from ecosim.scenario import (
    Niches,
    Population,
    Scenario,
    digest,
    json_schema,
    override,
    read,
    to_toml,
    validate,
)
from ecosim.scenario.shipped import names

ECOLOGY = {"world": "ecology"}
MARKET = {"world": "market"}
SIDES = {"count": 3, "space": "graph"}


def problems(raw):
    with pytest.raises(ScenarioError) as caught:
        validate(raw)
    return {problem.key: str(problem) for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        ({}, "world", "required"),
        ({"world": "ecolgy"}, "world", "did you mean 'ecology'"),
        (ECOLOGY | {"niches": {"cuont": 3}}, "niches.cuont", "did you mean niches.count?"),
        (ECOLOGY | {"exponent": 2.0}, "exponent", "tradeoff.exponent"),
        (ECOLOGY | {"niches": {"count": 0}}, "niches.count", "greater than or equal to 1"),
        (ECOLOGY | {"niches": {"count": 10**6}}, "niches.count", "less than or equal to 16384"),
        (ECOLOGY | {"niches": {"count": 2.5}}, "niches.count", "integer"),
        (ECOLOGY | {"niches": {"count": True}}, "niches.count", "integer"),
        (ECOLOGY | {"niches": 3}, "niches", "dictionary"),
        (ECOLOGY | {"population": {"size": "many"}}, "population.size", "'many'"),
        (ECOLOGY | {"population": {"size": -1}}, "population.size", "-1"),
        (ECOLOGY | {"tradeoff": {"exponent": math.nan}}, "tradeoff.exponent", "finite"),
        (ECOLOGY | {"tradeoff": {"exponent": math.inf}}, "tradeoff.exponent", "inf"),
        (ECOLOGY | {"tradeoff": {"exponent": 0.0}}, "tradeoff.exponent", "greater than 0"),
        (ECOLOGY | {"tradeoff": {"kind": "pwer"}}, "tradeoff.kind", "did you mean 'power'"),
        (ECOLOGY | {"run": {"precision": "float16"}}, "run.precision", "float32"),
        (ECOLOGY | {"run": {"seed": -3}}, "run.seed", "-3"),
        (ECOLOGY | {"mutation": {"rate": 1.5}}, "mutation.rate", "less than or equal to 1"),
        (ECOLOGY | {"niches": {"count": 2, "supply": [1, -1]}}, "niches.supply.1", "-1"),
        (ECOLOGY | {"niches": {"count": 2, "supply": [0, 0]}}, "niches.supply", "> 0"),
        (ECOLOGY | {"niches": {"count": 2, "supply": [1, 2, 3]}}, "niches.supply", "2 niches"),
        (ECOLOGY | {"niches": {"graph": "cycle"}}, "niches.graph", "niches.space = 'graph'"),
        (ECOLOGY | {"niches": SIDES}, "niches.graph", "name a graph"),
        (ECOLOGY | {"niches": SIDES | {"graph": [[0, 3]]}}, "niches.graph", "0..2"),
        (ECOLOGY | {"niches": SIDES | {"graph": [[1, 1]]}}, "niches.graph", "two different"),
        (ECOLOGY | {"environment": {"drift": {}}}, "environment.drift", "axis"),
        (
            ECOLOGY | {"environment": {"opening": {"initial": 9}}},
            "environment.opening.initial",
            "8",
        ),
        (
            ECOLOGY | {"niches": {"count": 1}, "environment": {"switching": {}}},
            "environment.switching",
            "two niches",
        ),
        (
            ECOLOGY | {"patches": {"count": 2, "supply": [[1] * 8]}},
            "patches.supply",
            "2 rows",
        ),
        (
            ECOLOGY | {"patches": {"count": 2}, "selection": {"kind": "ricker"}},
            "selection.kind",
            "energy",
        ),
        (
            ECOLOGY | {"population": {"start": "random", "allocation": [1.0]}},
            "population",
            "only one of",
        ),
        (
            ECOLOGY | {"niches": {"space": "axis"}, "population": {"start": "random"}},
            "population.start",
            "position",
        ),
        (ECOLOGY | {"population": {"position": 0.5}}, "population.position", "axis"),
        (
            ECOLOGY | {"niches": {"count": 2}, "population": {"allocation": [0.5, 0.6]}},
            "population.allocation",
            "sum to 1",
        ),
        (ECOLOGY | {"population": {"limit": 10}}, "population.limit", "1000"),
        (
            ECOLOGY | {"selection": {"kind": "moran"}, "population": {"limit": 2000}},
            "population.limit",
            "not capped",
        ),
        (
            ECOLOGY | {"population": {"groups": [{"name": "a", "allocation": [1]}]}},
            "population.groups.0.allocation",
            "8 numbers",
        ),
        (
            ECOLOGY
            | {
                "niches": {"count": 1},
                "population": {"groups": [{"name": "a", "allocation": [1]}] * 2},
            },
            "population.groups",
            "differ",
        ),
        (
            ECOLOGY | {"tradeoff": {"half_saturation": 1.0}},
            "tradeoff.half_saturation",
            "saturating",
        ),
        (ECOLOGY | {"tradeoff": {"kind": "threshold"}}, "tradeoff.threshold", "threshold"),
        (ECOLOGY | {"tradeoff": {"transfer": 0.1}}, "tradeoff.transfer", "graph"),
        (ECOLOGY | {"market": {"exit": {"patience": 4}}}, "market", "world = 'market'"),
        (MARKET | {"mutation": {"rate": 0.5}}, "mutation", "no mutation"),
        (MARKET | {"selection": {"kind": "moran"}}, "selection", "[market]"),
        (MARKET | {"market": {"entry": {"kind": "unmet"}}}, "market.entry.kind", "unclaimed"),
        (ECOLOGY | {"population": {"web": "nowhere.csv"}}, "population.web", "nowhere.csv"),
        (ECOLOGY | {"population": {"stock": 5.0}}, "population.stock", "division"),
    ],
)
def test_a_broken_rule_names_key_value_and_rule(raw, key, words):
    found = problems(raw)
    assert key in found, found
    assert words in found[key], found[key]


def test_all_problems_are_reported_at_once():
    raw = {
        "world": "market",
        "niches": {"count": 3, "supply": [1, 2], "cuont": 1},
        "population": {"size": 0},
        "mutation": {"rate": 0.3},
        "run": {"steps": "many"},
    }
    expected = {"niches.cuont", "population.size", "run.steps", "niches.supply", "mutation"}
    assert set(problems(raw)) == expected


def test_a_problem_is_said_once():
    with pytest.raises(ScenarioError) as caught:
        validate(ECOLOGY | {"niches": {"count": 3, "space": "graph", "graph": "cycl"}})
    keys = [problem.key for problem in caught.value.problems]
    assert keys == ["niches.graph"]


def test_direct_construction_validates_too():
    with pytest.raises(ValidationError, match="count"):
        Niches(count=0)
    with pytest.raises(ValidationError, match="size"):
        Population(size=2.5)
    with pytest.raises(ValidationError, match=r"niches\.supply"):
        Scenario(world="ecology", niches=Niches(count=3, supply=(1.0, 2.0)))


def test_a_scenario_is_frozen_and_hashable():
    scenario = Scenario(world="ecology")
    assert hash(scenario) == hash(Scenario(world="ecology"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        scenario.world = "market"


@given(st.sampled_from(sorted(KINDS)).flatmap(scenarios))
def test_a_valid_scenario_survives_toml_and_keeps_its_digest(scenario):
    again = validate(tomllib.loads(to_toml(scenario)))
    assert again == scenario
    assert digest(again) == digest(scenario)


def test_the_digest_covers_numbers_and_nothing_else():
    scenario = read("soft-selection")
    words = {"about.question": "Other words?", "name": "other", "run.seed": 99, "expectation": []}
    assert digest(override(scenario, words)) == digest(scenario)
    for change in (
        {"tradeoff.exponent": 2.5}, {"run.steps": 10}, {"run.precision": "float64"},
        {"niches.supply": [0.6, 0.4]}, {"record.every": 3}, {"mutation.rate": 0.2},
    ):  # fmt: skip
        assert digest(override(scenario, change)) != digest(scenario), change


def test_the_digest_of_a_web_is_of_its_content(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("niche,x,y\nn1,3,0\nn2,1,2\n")
    second.write_text(first.read_text())
    one, two = (validate(ECOLOGY | {"population": {"web": str(p)}}) for p in (first, second))
    assert digest(one) == digest(two)
    second.write_text("niche,x,y\nn1,3,0\nn2,1,3\n")
    assert digest(validate(ECOLOGY | {"population": {"web": str(second)}})) != digest(one)


def test_a_web_makes_niches_supply_and_groups(tmp_path):
    path = tmp_path / "web.csv"
    path.write_text("niche,x,y,empty\nn1,3,0,0\nn2,1,2,0\nnone,0,0,0\n")
    scenario = validate(ECOLOGY | {"population": {"web": str(path)}})
    assert scenario.niches.count == 2
    assert scenario.niches.supply == (3.0, 3.0)
    assert [(g.name, g.allocation, g.share) for g in scenario.population.groups] == [
        ("x", (0.75, 0.25), 4.0),
        ("y", (0.0, 1.0), 2.0),
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["tradeoff.exponent=0.5"], 0.5),
        (["tradeoff.exponent = 3"], 3.0),
    ],
)
def test_overrides_are_read_as_toml(texts, expected):
    assert read("soft-selection", texts).tradeoff.exponent == expected


def test_overrides_reach_into_lists_and_open_tables():
    scenario = read("soft-selection", ["expectation.0.tolerance=0.5", "environment.seasonal={}"])
    assert scenario.expectation[0].tolerance == 0.5
    assert scenario.environment.seasonal is not None


def test_whole_numbers_may_be_written_as_decimals():
    given = ["population.size=1e5", "niches.count=3.0", "niches.supply=[1, 2, 3]", "run.seed=7.0"]
    few = read("soft-selection", given)
    assert (few.population.size, few.niches.count, few.run.seed) == (100_000, 3, 7)
    assert digest(few) == digest(few.replace(population__size=100_000))
    with pytest.raises(ScenarioError, match=r"population.size.*valid integer.*1000.5"):
        read("soft-selection", ["population.size=1000.5"])
    with pytest.raises(ScenarioError, match=r"population.size.*less than"):
        read("soft-selection", ["population.size=1e17"])
    for seed in ("1e18", "9007199254740993.0"):  # a decimal does not hold them exactly
        with pytest.raises(ScenarioError, match=r"run.seed.*too large to be written as a decimal"):
            read("soft-selection", [f"run.seed={seed}"])
    assert read("soft-selection", ["run.seed=9007199254740993"]).run.seed == 2**53 + 1


@pytest.mark.parametrize(
    "text",
    ["tradeoff.exponent", "=3", "tradeoff.exponnt=2", "run.steps.more=1", "expectation.7.x=1"],
)
def test_bad_overrides_are_refused(text):
    with pytest.raises(ScenarioError):
        read("soft-selection", [text])


def test_a_misspelt_scenario_gets_a_suggestion():
    with pytest.raises(ScenarioError, match="did you mean soft-selection"):
        read("soft-selction")


@pytest.mark.parametrize("content", ["", "world = ", "\x00", "[niches]\ncount = 2"])
def test_a_file_that_is_no_scenario_is_refused_by_name(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(ScenarioError, match=r"mine\.toml"):
        read(path)


def test_the_schema_accepts_shipped_scenarios_and_refuses_unknown_keys():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(json.dumps(json_schema()))
    for name in names():
        if name == "observed-web":
            continue  # its groups come from a file
        raw = tomllib.loads(to_toml(read(name)))
        jsonschema.validate(raw, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(raw | {"nihces": {}}, schema)


@pytest.mark.parametrize(
    ("text", "value"),
    [(".5", 0.5), ("-.01", -0.01), ("2.", 2.0), (".5e-3", 5e-4), ("soft", "soft"), (".", "."),
     ("1.2.3", "1.2.3"), ("infinity", "infinity")],
)  # fmt: skip
def test_decimals_that_toml_does_not_admit_are_numbers_on_the_command_line(text, value):
    from ecosim.scenario.files import value_of

    assert value_of(text) == value
