"""The ecology: organisms with inheritance and mutation, birth and death."""

from __future__ import annotations

from typing import Any

from jax import Array

from ecosim.model import continuous, gillespie
from ecosim.model.births import Turnover
from ecosim.model.competition import Exchange
from ecosim.model.population import Population
from ecosim.model.selection import energy, moran, ricker, wright_fisher
from ecosim.model.step import World
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.scenario import Scenario

_LIFE_CYCLES = {"energy": energy, "moran": moran, "wright-fisher": wright_fisher, "ricker": ricker}


def parameters(scenario: Scenario) -> Any:
    """Return the traced numbers of the scenario's life cycle."""
    if scenario.selection.kind == "growth":
        return continuous.parameters(scenario)
    if scenario.selection.kind == "birth-death":
        return gillespie.parameters(scenario)
    return _LIFE_CYCLES[scenario.selection.kind].parameters(scenario)


def _decide(kinds: Kinds, numbers: Any, population: Population, around: Surroundings) -> Turnover:
    return _LIFE_CYCLES[kinds.selection].decide(kinds, numbers, population, around)


def _flows(
    _: Any, population: Population, exchange: Exchange, turnover: Turnover
) -> dict[str, Array]:
    return {} if exchange.split is None else {"split": exchange.split}


def _counts(before: Population, turnover: Turnover, after: Population) -> dict[str, Array]:
    return {}


def _measure(_: Kinds, __: Any, population: Population) -> dict[str, Array]:
    return {}


WORLD = World(size=None, decide=_decide, flows=_flows, counts=_counts, measure=_measure)
