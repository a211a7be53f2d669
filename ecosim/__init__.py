"""ecosim: when does specialisation follow from finite budgets? An agent-based instrument.

The public names are loaded on first use, so that `import ecosim` stays instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecosim.agents import (
        Algorithm,
        EcologyModel,
        Firm,
        Learner,
        LearningModel,
        MarketModel,
        OptimisationModel,
        Organism,
    )
    from ecosim.app import load, load_sweep, run
    from ecosim.errors import EcosimError, RunError, ScenarioError
    from ecosim.experiments.run import Run
    from ecosim.invasion import invasion_fitness, pairwise_invasibility
    from ecosim.scenario import Scenario, read

__version__ = "0.2.0"

_WHERE = {
    "EcologyModel": "ecosim.agents",
    "MarketModel": "ecosim.agents",
    "Organism": "ecosim.agents",
    "Firm": "ecosim.agents",
    "OptimisationModel": "ecosim.agents",
    "LearningModel": "ecosim.agents",
    "Algorithm": "ecosim.agents",
    "Learner": "ecosim.agents",
    "invasion_fitness": "ecosim.invasion",
    "pairwise_invasibility": "ecosim.invasion",
    "run": "ecosim.app",
    "load": "ecosim.app",
    "load_sweep": "ecosim.app",
    "Run": "ecosim.experiments.run",
    "Scenario": "ecosim.scenario",
    "read": "ecosim.scenario",
    "EcosimError": "ecosim.errors",
    "RunError": "ecosim.errors",
    "ScenarioError": "ecosim.errors",
}

__all__ = [
    "Algorithm",
    "EcologyModel",
    "EcosimError",
    "Firm",
    "Learner",
    "LearningModel",
    "MarketModel",
    "OptimisationModel",
    "Organism",
    "Run",
    "RunError",
    "Scenario",
    "ScenarioError",
    "invasion_fitness",
    "load",
    "load_sweep",
    "pairwise_invasibility",
    "read",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _WHERE:
        raise AttributeError(f"module 'ecosim' has no attribute {name!r}; it has {__all__}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*globals(), *__all__])
