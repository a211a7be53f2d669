"""What selection sees beside the population itself in one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jax import Array

from ecosim.model import conduct, inheritance, patches
from ecosim.model.competition import Exchange
from ecosim.model.population import Agents, Population


class Surroundings(NamedTuple):
    """The step, the draws' key, the exchange that took place and the rules of inheritance."""

    clock: Array
    key: Array
    exchange: Exchange
    positions: Array
    mutation: inheritance.Parameters
    dispersal: patches.Parameters
    agents: Agents | None = None
    conduct: conduct.Parameters | None = None
    # Choices and exchange of this step's oligopoly, were it of other firms.
    compete: Callable[[Population], tuple[Population, Exchange]] | None = None
