"""The clocks: which function takes a state one step on."""

from __future__ import annotations

from collections.abc import Callable

from ecosim.model import continuous, gillespie
from ecosim.model.step import Parameters, State, World, step
from ecosim.model.structure import Kinds

type Stepper = Callable[[World, Kinds, Parameters, State], State]

# Selections that do not act once a step on everybody together; all others do.
_OWN_CLOCK: dict[str, Stepper] = {
    "growth": continuous.step,
    "birth-death": gillespie.step,
}


def stepper(kinds: Kinds) -> Stepper:
    """Return the function that takes a state of these kinds one step on."""
    return _OWN_CLOCK.get(kinds.selection, step)
