"""Runs whose competence is measured: the shares of methods, and what agents find in each niche."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecosim.scenario.measured import methods_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.axes import Axes

    from ecosim.scenario import Scenario

SHARE, FOUND = "method_share_", "performance_"
_DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)))  # of as many lines as are drawn


def are_measured(scenario: Scenario) -> bool:
    """Say whether agents are of methods that really do what their effort pays for."""
    return bool(methods_of(scenario))


def columns(names: Iterable[str]) -> list[str]:
    """Return the metrics about methods and what they find, among names: in their order."""
    found = []
    for start in (SHARE, FOUND):
        numbers = (n.removeprefix(start) for n in names if n.startswith(start))
        found += [f"{start}{k}" for k in sorted(int(n) for n in numbers if n.isdigit())]
    return found


def subject(scenario: Scenario, name: str) -> str:
    """Return the method or the niche that a metric of `columns` is about; empty for any other."""
    methods = methods_of(scenario)
    for start in (SHARE, FOUND):
        number = name.removeprefix(start)
        if methods and name.startswith(start) and number.isdigit():
            k = int(number)
            if start == SHARE:
                return methods[k]
            return scenario.search.problems[k] if scenario.search else f"task {k}"
    return ""


def draw(upper: Axes, lower: Axes, scenario: Scenario, metrics: pd.DataFrame) -> None:
    """Draw the shares of the methods that were most common, and the mean finds in each niche.

    Of both at most five; the niches are the first ones.
    """
    from ecosim.analysis import panels

    colours = (panels.BLUE, panels.ORANGE, panels.GREEN, panels.PURPLE, panels.SKY)
    names = columns(metrics.columns)
    shares = [name for name in names if name.startswith(SHARE)]
    found = [name for name in names if name.startswith(FOUND)]
    most = sorted(shares, key=lambda name: -metrics[name].mean())[: len(_DASHES)]
    for ax, chosen in ((upper, most), (lower, found)):
        styles = {
            name: (subject(scenario, name), colour, dash)
            for name, colour, dash in zip(chosen, colours, _DASHES, strict=False)
        }
        panels.lines(ax, metrics, styles)
        ax.set_ylim(-0.03, 1.06)
    upper.set_ylabel("Share of agents")
    lower.set_ylabel("Mean find\n(of 1)")
