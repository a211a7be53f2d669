"""What a user writes: a frozen, validated scenario. Imports no JAX."""

from ecosim.scenario.agents import Competition, Group, Population, Tradeoff
from ecosim.scenario.conduct import Conduct
from ecosim.scenario.files import digest, json_schema, override, read, to_dict, to_toml, validate
from ecosim.scenario.habitats import Habitats
from ecosim.scenario.lifecycle import (
    Controls,
    Costs,
    Entry,
    Exit,
    Growth,
    Incumbents,
    Investment,
    Market,
    Mergers,
    Mutation,
    Selection,
)
from ecosim.scenario.places import (
    Drift,
    Environment,
    Fluctuation,
    Niches,
    Opening,
    Patches,
    Seasonal,
    Shocks,
    Switching,
)
from ecosim.scenario.schema import About, Expectation, Record, Scenario, Timing

__all__ = [
    "About", "Competition", "Conduct", "Controls", "Costs", "Drift", "Entry", "Environment",
    "Exit", "Expectation", "Fluctuation", "Group", "Growth", "Habitats", "Incumbents",
    "Investment", "Market", "Mergers", "Mutation", "Niches", "Opening", "Patches", "Population",
    "Record", "Scenario", "Seasonal", "Selection", "Shocks", "Switching", "Timing", "Tradeoff",
    "digest", "json_schema", "override", "read", "to_dict", "to_toml", "validate",
]  # fmt: skip
