"""Rules that hold between the words of a market's population of firms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecosim.errors import Problem

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario


def check(s: Scenario) -> Iterator[Problem]:
    """Find broken rules between founding, exit, costs and mergers."""
    if s.world != "market":
        return
    market = s.market
    if market.entry.form == "power" and market.entry.density < 0:
        yield Problem(
            "market.entry.density",
            f"{market.entry.density:g}",
            "founding N^density in an empty market is finite only with density >= 0",
            "use density >= 0, or market.entry.form = 'exponential'",
        )
    for name in ("density", "density_squared"):
        value = getattr(market.exit, name)
        if market.exit.hazard is None and value != 0:
            yield Problem(
                f"market.exit.{name}",
                f"{value:g}",
                "has an effect only on a hazard of random exit",
                "set market.exit.hazard",
            )
    if market.mergers is not None and s.niches.space == "axis":
        yield Problem(
            "market.mergers",
            "present",
            "on an axis allocations follow from position and width, and cannot be added up",
            "set niches.space = 'set' or 'graph'",
        )
    if s.niches.productivity is None and market.costs.upkeep == market.costs.fixed == 0:
        yield Problem(
            "niches.productivity",
            "absent",
            "supply defaults to what firms cost, and here they cost nothing",
            "give niches.productivity a number",
        )
