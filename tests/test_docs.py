"""The pages in docs/ say what the code says."""

import importlib.util
import re
from pathlib import Path

import pytest

from ecosim.analysis import glossary
from ecosim.scenario.shipped import names

ROOT = Path(__file__).parent.parent


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
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


EFFORT = {"market__conduct__kind": "effort"}


@pytest.mark.parametrize(("world", "kinds"), [("ecology", {}), ("market", {}), ("market", EFFORT)])
def test_every_recorded_metric_is_in_the_glossary_and_the_other_way_round(world, kinds):
    from ecosim.scenario import Scenario
    from ecosim.simulate import simulate

    scenario = Scenario(world=world).replace(run__steps=1, niches__count=2, population__size=20)
    ends = ({"name": "a", "allocation": [1.0, 0.0]}, {"name": "b", "allocation": [0.0, 1.0]})
    scenario = scenario.replace(population__groups=ends, **kinds)
    recorded = list(simulate(scenario).metrics.columns)
    assert all(glossary.known(name, world, 2, 2) for name in recorded), recorded
    general = {re.sub(r"_\d+$", "_k", n) if glossary.is_per_niche(n) else n for n in recorded}
    written = {scenario.selection.kind, scenario.competition.kind, scenario.market.conduct.kind}
    assert general == {
        name
        for name, m in glossary.METRICS.items()
        if world in m.worlds and (not m.only or written & set(m.only))
    }
