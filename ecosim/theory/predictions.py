"""Closed forms at a scenario's own numbers, for expectations that are stated as theory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecosim.errors import OutsideDomain, Problem, ScenarioError
from ecosim.scenario import Scenario
from ecosim.theory import closed


def _supply(scenario: Scenario) -> list[float]:
    return list(scenario.niches.supply or [1.0] * scenario.niches.count)


def _exponent(scenario: Scenario) -> float:
    """Return the exponent of a claim in the allocation: returns times contest."""
    return scenario.tradeoff.exponent * scenario.competition.exponent


def _refuse(theory: str, reasons: dict[str, bool]) -> None:
    """Raise OutsideDomain naming what takes a scenario out of a theory's domain."""
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise OutsideDomain(f"{theory} does not speak of this scenario: {'; '.join(found)}")


def _modified(scenario: Scenario, competition: str) -> dict[str, bool]:
    """Return what neither T1 nor T2 covers."""
    tradeoff, env = scenario.tradeoff, scenario.environment
    budgets = {group.budget for group in scenario.population.groups}
    return {
        f"competition.kind is not {competition}": scenario.competition.kind != competition,
        "tradeoff.kind is not power": tradeoff.kind != "power",
        "transfer between niches": tradeoff.transfer != 0,
        "a cost of breadth": tradeoff.breadth_cost != 0,
        "a floor of competence": tradeoff.floor != 0,
        "unclaimed supply": scenario.competition.unclaimed != 0,
        "a changing environment": any(
            part is not None
            for part in (
                env.seasonal,
                env.switching,
                env.shocks,
                env.drift,
                env.opening,
                env.fluctuation,
            )
        ),
        "several patches": scenario.patches.count > 1 or scenario.patches.supply is not None,
        "an axis of niches": scenario.niches.space == "axis",
        "groups of unequal budgets": len(budgets) > 1,
        "the neutral exponent 1": _exponent(scenario) == 1,
        "generalists that cannot use all niches (niches.used)": _exponent(scenario) < 1
        and scenario.niches.most < scenario.niches.count,
    }


def _capital(scenario: Scenario) -> np.ndarray:
    """Return capital by niche, where entry is a steady, random inflow."""
    market = scenario.market
    entry = market.entry
    inflow = entry.rate * entry.capital
    _refuse(
        "T1 in capital",
        {
            "returns to scale": market.costs.scale != 1,
            "fixed costs": market.costs.fixed != 0,
            "a founding rate that depends on density": entry.density != 0
            or entry.density_squared != 0,
            "a founding rate that depends on unmet demand": entry.unmet_demand != 0,
            "entry that is not random": entry.kind != "random",
            "adapting incumbents": market.incumbents.adaptation != "none",
            "shuffled capital": market.controls.shuffle_capital,
            "defunding": market.investment.defunding != 0,
            "a limit of the population": scenario.population.limit is not None,
        },
    )
    return closed.capital_with_entry(_supply(scenario), scenario.total_supply, inflow)


def _soft(scenario: Scenario) -> dict[str, np.ndarray | float]:
    _refuse("T1", _modified(scenario, "contest"))
    supply, exponent = _supply(scenario), _exponent(scenario)
    allocation = closed.soft_selection_allocation(supply)
    if scenario.world == "market":
        return {"capital": _capital(scenario)}
    return {
        "allocation": allocation,
        # Below 1 all gather round x = kappa; how many lie beyond 0.9 is a matter of mutation.
        "specialists": closed.soft_selection_specialists(supply, exponent)
        if exponent > 1
        else np.full(allocation.size, np.nan),
        "breadth_mean": closed.breadth(allocation) if exponent < 1 else 1.0,
    }


def _hard(scenario: Scenario) -> dict[str, np.ndarray | float]:
    population, exponent = scenario.population, _exponent(scenario)
    start = population.allocation is None and not population.groups and population.start == "even"
    _refuse(
        "T2",
        _modified(scenario, "additive")
        | {
            "a market": scenario.world == "market",
            "a start other than even, from which another basin may be reached": exponent > 1
            and not start,
        },
    )
    allocation = closed.hard_selection_allocation(_supply(scenario), exponent)
    _refuse("T2", {"no unique richest niche": bool(np.any(np.isnan(allocation)))})
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
    _refuse("observed", {"an axis of niches": scenario.niches.space == "axis"})
    share = np.array([group.share for group in groups])
    share = share / share.sum()
    table = np.array([group.allocation for group in groups], float)
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
        OutsideDomain: the closed form does not hold for this scenario.

    """
    if name not in _THEORIES:
        known = ", ".join(_THEORIES)
        problem = Problem("expectation.value", name, f"no theory of that name; known: {known}")
        raise ScenarioError([problem], scenario.name)
    table = _THEORIES[name](scenario)
    stem, _, index = metric.rpartition("_")
    if metric in table:
        value = float(table[metric])
    elif stem in table and index.isdigit() and int(index) < scenario.niches.count:
        value = float(np.asarray(table[stem])[int(index)])
    else:
        says = ", ".join(table)
        problem = Problem("expectation.metric", metric, f"{name} speaks only of: {says}")
        raise ScenarioError([problem], scenario.name)
    if np.isnan(value):
        exponent = _exponent(scenario)
        raise OutsideDomain(f"{name} says nothing of {metric} at an exponent of {exponent:g}")
    return value
