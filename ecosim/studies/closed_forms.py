"""Closed forms that an expectation may name, with their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ecosim.theory import budget, crowd, grain, learning_budget, no_free_lunch

FORMS: dict[str, tuple[str, Callable[..., float]]] = {
    "budget_threshold": ("T5", budget.budget_threshold),
    "coverage": ("T7", budget.coverage),
    "crowd_breadth": ("T3", crowd.crowd_breadth),
    "diluted_competence": ("T4", budget.diluted_competence),
    "expected_best": ("O1", no_free_lunch.expected_best),
    "explained_by_inputs": ("L4", learning_budget.of_inputs),
    "explained_after_steps": ("L4", learning_budget.of_steps),
    "generalist_fitness": ("T5", budget.generalist_fitness),
    "invader_payoff": ("T3", budget.invader_payoff),
    "standard_noise": ("T6", grain.standard_noise),
    "standard_passes": ("T6", grain.standard_passes),
    "width_margin": ("M1", grain.width_margin),
}


def evaluate(given: Mapping[str, Any]) -> float:
    """Return a closed form at its arguments, times `times` and plus `plus` where given.

    Raises:
        ValueError: no form of that name, or arguments that it does not take.

    """
    rest = dict(given)
    name = rest.pop("form", None)
    times, plus = rest.pop("times", 1.0), rest.pop("plus", 0.0)
    if name not in FORMS:
        raise ValueError(f"no closed form of that name; known: {', '.join(sorted(FORMS))}")
    try:
        return float(times * FORMS[name][1](**rest) + plus)
    except TypeError as error:
        raise ValueError(str(error)) from None


def worded(given: Mapping[str, Any]) -> str:
    """Return a closed form in words: its label, name and arguments."""
    arguments = ", ".join(f"{key}={value}" for key, value in given.items() if key != "form")
    name = str(given["form"])
    return f"{FORMS[name][0]}: {name}({arguments})"
