"""What a run that broke an invariant says."""

from __future__ import annotations

import numpy as np

from ecosim.model.integration import MOST_TRIES
from ecosim.model.population import Population
from ecosim.model.step import State
from ecosim.model.structure import Kinds
from ecosim.worlds.vocabulary import NOUNS


def explain(state: State, kinds: Kinds) -> str:
    """Return which invariant broke, at which step and for which agent."""
    population: Population = state.population
    alive = np.asarray(population.alive)
    stock = np.asarray(population.stock)
    noun = "capital" if kinds.world == "market" else "stock"
    wrong = alive & ~(np.isfinite(stock) & (stock >= 0))
    name, values = noun, stock
    if not wrong.any():
        strength = np.asarray(population.strength)
        sound = np.isfinite(strength) & (strength >= 0)
        wrong = alive & ~sound.all(axis=1)
        name, values = "competence", np.where(sound, 0, strength).sum(axis=1)
    if not wrong.any():
        if kinds.selection == "growth" or kinds.renewal:
            return (
                f"step {int(state.clock)}: what changes in one unit of time cannot be integrated "
                f"(rule: at most {MOST_TRIES} tries of a step of integration; choose smaller "
                "rates, that is a shorter unit of time)"
            )
        return f"step {int(state.clock)}: the gain of an agent is not finite (rule: finite)"
    slot = int(np.flatnonzero(wrong)[np.argmin(np.asarray(population.id)[wrong])])
    agent = NOUNS[kinds.world]
    return (
        f"step {int(state.clock)}: the {name} of {agent} {int(population.id[slot])} is "
        f"{values[slot]} (rule: finite and not negative; {int(wrong.sum())} agents break it)"
    )
