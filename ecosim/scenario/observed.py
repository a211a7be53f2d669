"""Scenarios that start from an observed interaction web."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ecosim.errors import Problem, WebError

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario


def located(web: str, scenario_file: Path) -> str:
    """Return where a web or a run lies that a scenario file names by a relative path.

    Looked for beside the scenario, from the folder above it (the checkout of a shipped scenario)
    and from the working folder; the first is returned where there is none.
    """
    bases = (scenario_file.parent, scenario_file.parent.parent, Path.cwd())
    places = [(base / web).resolve() for base in bases]
    return str(next((place for place in places if place.exists()), places[0]))


def complete(s: Scenario) -> Iterator[Problem]:
    """Make niches and groups from population.web: rows are niches, columns are species."""
    path = s.population.web
    if path is None:
        return
    from ecosim.scenario.agents import Group
    from ecosim.webs import drop_empty, read_web

    try:
        web = drop_empty(read_web(path))[0]
    except WebError as error:
        yield Problem("population.web", path, error.problem, "name a CSV file of a web of your own")
        return
    rows = len(web)
    if s.niches.count not in (8, rows):
        yield Problem(
            "niches.count",
            str(s.niches.count),
            f"must equal the {rows} rows of the web {path}",
            "leave niches.count out",
        )
        return
    groups = tuple(
        Group(
            name=str(name),
            allocation=tuple(float(v) for v in column / column.sum()),
            share=float(column.sum()),
        )
        for name, column in web.items()
    )
    if s.population.groups and s.population.groups != groups:
        yield Problem(
            "population.groups",
            f"{len(s.population.groups)} groups",
            "cannot stand beside population.web, which makes one group a species",
            "leave one of them out",
        )
        return
    supply = s.niches.supply
    if supply is None and s.patches.supply is None:
        supply = tuple(float(v) for v in web.sum(axis=1))
    # A frozen part is completed here, once, before anyone else can see it.
    object.__setattr__(s, "niches", dataclasses.replace(s.niches, count=rows, supply=supply))
    object.__setattr__(s, "population", dataclasses.replace(s.population, groups=groups))
