"""Closed forms at a scenario's own numbers, for expectations that are stated as theory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario import Scenario
from ecosim.theory import closed


def _supply(scenario: Scenario) -> list[float]:
    return list(scenario.niches.supply or [1.0] * scenario.niches.count)


def _exponent(scenario: Scenario) -> float:
    """Return the exponent of a claim in the allocation: returns times contest."""
    return scenario.tradeoff.exponent * scenario.competition.exponent


def _soft(scenario: Scenario) -> dict[str, np.ndarray | float]:
    supply, exponent = _supply(scenario), _exponent(scenario)
    allocation = closed.soft_selection_allocation(supply)
    broad = closed.breadth(allocation)
    return {
        "allocation": allocation,
        "capital": allocation,
        "specialists": closed.soft_selection_specialists(supply, exponent),
        "breadth_mean": broad if exponent < 1 else 1.0,
    }


def _hard(scenario: Scenario) -> dict[str, np.ndarray | float]:
    supply, exponent = _supply(scenario), _exponent(scenario)
    allocation = closed.hard_selection_allocation(supply, exponent)
    return {
        "allocation": allocation,
        "specialists": np.where(allocation >= 0.9, 1.0, 0.0),
        "breadth_mean": closed.breadth(allocation),
    }


def _observed(scenario: Scenario) -> dict[str, np.ndarray | float]:
    groups = scenario.population.groups
    if not groups:
        problem = Problem(
            "expectation.value",
            "observed",
            "needs groups of agents to compare with",
            "set population.web or population.groups",
        )
        raise ScenarioError([problem], scenario.name)
    share = np.array([group.share for group in groups])
    share = share / share.sum()
    table = np.array([group.allocation for group in groups])
    return {
        "allocation": share @ table,
        "breadth_mean": float(share @ [closed.breadth(row) for row in table]),
    }


_THEORIES: dict[str, Callable[[Scenario], dict[str, np.ndarray | float]]] = {
    "T1": _soft,
    "T2": _hard,
    "observed": _observed,
}


def predict(name: str, scenario: Scenario, metric: str) -> float:
    """Return what a theory predicts for a metric at the scenario's numbers.

    Args:
        name: T1 (soft selection), T2 (hard selection) or observed (the allocations given).
        scenario: gives supplies and exponents.
        metric: a recorded metric; per niche `allocation_0`, `specialists_1`, `capital_0` ...

    Raises:
        ScenarioError: an unknown theory, or one that is silent on the metric.

    """
    if name not in _THEORIES:
        known = ", ".join(_THEORIES)
        problem = Problem("expectation.value", name, f"no theory of that name; known: {known}")
        raise ScenarioError([problem], scenario.name)
    table = _THEORIES[name](scenario)
    stem, _, index = metric.rpartition("_")
    if metric in table:
        return float(table[metric])
    if stem in table and index.isdigit() and int(index) < scenario.niches.count:
        return float(np.asarray(table[stem])[int(index)])
    says = ", ".join(table)
    problem = Problem("expectation.metric", metric, f"{name} speaks only of: {says}")
    raise ScenarioError([problem], scenario.name)
