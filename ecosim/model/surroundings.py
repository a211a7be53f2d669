"""What selection sees beside the population itself in one step."""

from __future__ import annotations

from typing import NamedTuple

from jax import Array

from ecosim.model import inheritance, patches
from ecosim.model.competition import Exchange


class Surroundings(NamedTuple):
    """The step, the draws' key, the exchange that took place and the rules of inheritance."""

    clock: Array
    key: Array
    exchange: Exchange
    positions: Array
    mutation: inheritance.Parameters
    dispersal: patches.Parameters
