"""Optimisation: agents are search algorithms; what they reach is measured by running them.

Selection is a life cycle of the ecology: who copies whom. The method and the division of the
budget are copied; a result is not.
"""

from __future__ import annotations

from ecosim.model.step import World
from ecosim.worlds import ecology

parameters = ecology.parameters
WORLD: World = ecology.WORLD
