"""What a numbered metric is about, by the names that the scenario gives: type, method or niche."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecosim.analysis import abundance, glossary, methods

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ecosim.scenario import Scenario


def columns(scenario: Scenario, names: Iterable[str]) -> list[str]:
    """Return the numbered metrics among names that a run of this scenario is told by."""
    listed = list(names)
    told = abundance.columns(listed) if abundance.counts_densities(scenario) else []
    return told + methods.columns(listed) if methods.are_measured(scenario) else told


def unit(scenario: Scenario, name: str) -> str:
    """Return a metric's unit, and of what or whom it is."""
    of = abundance.type_of(scenario, name) or methods.subject(scenario, name)
    return glossary.describe(name).unit + (f" of {of}" if of else "")
