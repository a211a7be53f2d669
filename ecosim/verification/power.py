"""The power that each case of chance declares: the largest displacement that may pass by it.

Declared at the case's default parameters, about half as much again as it detected when it was
written: were a simulation's runs to spread more widely than that, its case fails, since a wrong
answer could then pass.
"""

from __future__ import annotations

import math

POWER: dict[str, float] = {}


def power_of(name: str) -> float:
    """Return the largest `detects` that a case declares; infinite where none is declared."""
    return POWER.get(name, math.inf)
