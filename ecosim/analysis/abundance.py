"""Runs whose agents are types with a density: their abundance, in all and by type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecosim.analysis import glossary

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.axes import Axes

    from ecosim.scenario import Scenario

TOTAL, OF_TYPE = "abundance", "group_abundance_"
_DASHES: tuple[Any, ...] = ("--", "-.", ":", (0, (5, 1)))  # of as many types as are drawn


def counts_densities(scenario: Scenario) -> bool:
    """Say whether an agent stands for a whole type, so that their number says little."""
    return scenario.densities or scenario.selection.kind == "growth"


def columns(names: Iterable[str]) -> list[str]:
    """Return the metrics of abundance among names: that of all first, then of each type."""
    return [n for n in glossary.ordered(names) if n == TOTAL or n.startswith(OF_TYPE)]


def type_of(scenario: Scenario, name: str) -> str:
    """Return the name of the type, a group of the start, that `group_abundance_k` is about."""
    number = int(name.removeprefix(OF_TYPE)) if name.startswith(OF_TYPE) else -1
    groups = scenario.population.groups
    return groups[number].name if 0 <= number < len(groups) else ""


def draw(ax: Axes, scenario: Scenario, metrics: pd.DataFrame) -> None:
    """Draw the abundance of all, and of the types that are most abundant at the end."""
    from ecosim.analysis import panels

    colours = (panels.ORANGE, panels.GREEN, panels.PURPLE, panels.SKY)
    types = [name for name in columns(metrics.columns) if name != TOTAL]
    types = sorted(types, key=lambda name: -metrics[name].iloc[-1])[: len(_DASHES)]
    styles: dict[str, panels.Style] = {TOTAL: ("all", panels.BLUE, "-")}
    for name, colour, dash in zip(types, colours, _DASHES, strict=False):
        styles[name] = (type_of(scenario, name) or name.removeprefix(OF_TYPE), colour, dash)
    panels.lines(ax, metrics, styles)
    ax.set_ylabel("Abundance\n(individuals)")
    ax.set_ylim(bottom=0)
