"""The pages in docs/ say what the code says."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from ecosim.analysis import glossary
from ecosim.scenario.shipped import names

ROOT = Path(__file__).parent.parent


def generator(name="generate"):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["scenarios.md", "metrics.md"])
def test_generated_pages_are_up_to_date(name):
    page = generator().PAGES[name]()
    assert (ROOT / "docs" / name).read_text() == page, "run `make docs`"


def test_the_readme_lists_every_shipped_scenario_and_only_these():
    table = (ROOT / "README.md").read_text().split("## Scenarios")[1].split("##")[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")][2:]
    listed = [name for cell in first for name in re.split(r",\s*", cell.strip())]
    assert sorted(listed) == names()


def test_the_readme_names_only_files_that_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


RICKER = {"niches.productivity": 20.0, "habitats.demography": "individuals",
          "selection.kind": "ricker"}  # fmt: skip
EFFORT = {"market.conduct.kind": "effort"}
GROWTH = {"competition.kind": "resources", "selection.kind": "growth"}
# One scenario of each set of recorded metrics: world, and what else to change.
RECORDERS = [("ecology", {}), ("market", {}), ("ecology", RICKER), ("ecology", GROWTH),
             ("market", EFFORT)]  # fmt: skip


@pytest.mark.parametrize(("world", "changes"), RECORDERS)
def test_every_recorded_metric_is_in_the_glossary_and_the_other_way_round(world, changes):
    from ecosim.analysis.expectation import kinds_of
    from ecosim.scenario import Scenario, override
    from ecosim.simulate import simulate

    ends = ({"name": "a", "allocation": [1.0, 0.0]}, {"name": "b", "allocation": [0.0, 1.0]})
    few = {"run.steps": 1, "niches.count": 2, "population.size": 20, "population.groups": ends}
    scenario = override(Scenario(world=world), few | changes)
    recorded = list(simulate(scenario).metrics.columns)
    kinds = kinds_of(scenario)
    assert all(glossary.known(name, world, 2, groups=2, kinds=kinds) for name in recorded), recorded
    general = {re.sub(r"_\d+$", "_k", n) if glossary.is_per_niche(n) else n for n in recorded}
    assert general == {
        name
        for name, metric in glossary.METRICS.items()
        if world in metric.worlds and (not metric.only or kinds & set(metric.only))
    }


def test_the_page_of_claims_knows_every_shipped_claim_as_it_is():
    from ecosim.studies.registration import claims

    page = (ROOT / "docs" / "claims.md").read_text()
    waiting = next((line for line in page.splitlines() if line.startswith("Not tried here")), "")
    for claim in claims():
        assert f"({claim.digest})" in page or re.search(rf"[ ,]{claim.name}[,.]", waiting), (
            f"{claim.name} is another since `make claims`"
        )


def test_the_page_of_claims_says_what_was_missed_and_leaves_out_what_is_no_more():

    from ecosim.studies import table
    from ecosim.studies.registration import claims
    from ecosim.studies.trying import Tried
    from ecosim.studies.verdict import decided

    one, other = claims(["11", "12-saturation"])
    outcomes = tuple(decided(np.zeros(1), e.direction, 1e9) for e in one.expect)
    tried = [Tried(one, "quick", outcomes, (0,) * len(outcomes))]
    rows = table.as_json(table.rows(tried, ["abc"], ROOT))
    stale = [row | {"claim": other.name, "digest": "0" * 12} for row in rows]
    verdicts = table.verdicts(tried) | {other.name: "met"}
    page = generator("claims").page([{"rows": rows + stale, "verdicts": verdicts}])
    missed = [line for line in page.splitlines() if line.startswith(f"* `{one.name}`")]
    assert len(missed) == sum(outcome.verdict == "not met" for outcome in outcomes) > 0
    assert "0" * 12 not in page
    assert other.name in next(x for x in page.splitlines() if x.startswith("Not tried here"))
