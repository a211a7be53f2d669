"""The worlds by name: one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ecosim.model import searching
from ecosim.model.measured import MEASURES
from ecosim.model.step import World
from ecosim.scenario import Scenario
from ecosim.worlds import ecology, learning, market, optimisation


class Entry(NamedTuple):
    """A world and how its selection reads a scenario."""

    world: World
    parameters: Callable[[Scenario], Any]


WORLDS = {
    "ecology": Entry(ecology.WORLD, ecology.parameters),
    "market": Entry(market.WORLD, market.parameters),
    "optimisation": Entry(optimisation.WORLD, optimisation.parameters),
    "learning": Entry(learning.WORLD, learning.parameters),
}

MEASURES["search"] = searching.SEARCH
