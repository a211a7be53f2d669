"""One model for each world: of organisms, firms, search algorithms or learners."""

from __future__ import annotations

import os
from typing import Any

from ecosim.agents.opening import OWN_SEED
from ecosim.agents.organisms import Algorithm, Firm, Learner, Organism
from ecosim.agents.population_model import PopulationModel
from ecosim.scenario import Scenario


class EcologyModel(PopulationModel):
    """The ecology as a Mesa model; its agents are organisms.

    Step by step it is the headless run of the same scenario and seed, value by value.
    """

    world = "ecology"
    member = Organism

    def __init__(
        self,
        scenario: str | os.PathLike[str] | Scenario | None = None,
        *,
        rng: Any = OWN_SEED,
        organism: type[Organism] = Organism,
        **overrides: Any,
    ) -> None:
        """Create the founders and record step 0.

        Args:
            scenario: a Scenario, the path of a file or a shipped scenario's name; left out, the
                defaults.
            rng: an integer is the seed of the run; left out, the scenario's own seed counts, so
                that a model is reproducible; None, as Mesa's batch_run passes it, is a fresh
                seed for each model; from a numpy Generator a seed is drawn.
            organism: the class of the agents.
            overrides: numbers of the scenario to change, as `tradeoff__exponent=0.5`.

        Raises:
            ScenarioError: with every problem of the scenario, or when it is no ecology.

        """
        super().__init__(scenario, rng=rng, agent_class=organism, overrides=overrides)


class MarketModel(PopulationModel):
    """The market as a Mesa model; its agents are firms.

    Step by step it is the headless run of the same scenario and seed, value by value.
    """

    world = "market"
    member = Firm

    def __init__(
        self,
        scenario: str | os.PathLike[str] | Scenario | None = None,
        *,
        rng: Any = OWN_SEED,
        firm: type[Firm] = Firm,
        **overrides: Any,
    ) -> None:
        """Create the first firms and record step 0; the arguments are those of EcologyModel.

        Args:
            scenario: a Scenario, the path of a file or a shipped scenario's name; left out, the
                defaults.
            rng: seed of the run; left out, the scenario's own.
            firm: the class of the agents.
            overrides: numbers of the scenario to change, as `market__exit__standard=0.7`.

        Raises:
            ScenarioError: with every problem of the scenario, or when it is no market.

        """
        super().__init__(scenario, rng=rng, agent_class=firm, overrides=overrides)

    def _can_refill(self) -> bool:
        return self.setup.market.entry.rate > 0


class OptimisationModel(PopulationModel):
    """The world of search algorithms as a Mesa model.

    Step by step it is the headless run of the same scenario and seed, value by value.
    """

    world = "optimisation"
    member = Algorithm

    def __init__(
        self,
        scenario: str | os.PathLike[str] | Scenario,
        *,
        rng: Any = OWN_SEED,
        algorithm: type[Algorithm] = Algorithm,
        **overrides: Any,
    ) -> None:
        """Create the first agents and record step 0; the arguments are those of EcologyModel.

        Args:
            scenario: a Scenario, the path of a file or a shipped scenario's name; there are no
                defaults of what is measured.
            rng: seed of the run; left out, the scenario's own.
            algorithm: the class of the agents.
            overrides: numbers of the scenario to change, as `population__budget=64`.

        Raises:
            ScenarioError: with every problem of the scenario, or when it is of another world.

        """
        super().__init__(scenario, rng=rng, agent_class=algorithm, overrides=overrides)


class LearningModel(PopulationModel):
    """The world of learners as a Mesa model.

    Step by step it is the headless run of the same scenario and seed, value by value.
    """

    world = "learning"
    member = Learner

    def __init__(
        self,
        scenario: str | os.PathLike[str] | Scenario,
        *,
        rng: Any = OWN_SEED,
        learner: type[Learner] = Learner,
        **overrides: Any,
    ) -> None:
        """Create the first agents and record step 0; the arguments are those of EcologyModel.

        Args:
            scenario: a Scenario, the path of a file or a shipped scenario's name; there are no
                defaults of what is measured.
            rng: seed of the run; left out, the scenario's own.
            learner: the class of the agents.
            overrides: numbers of the scenario to change, as `population__budget=64`.

        Raises:
            ScenarioError: with every problem of the scenario, or when it is of another world.

        """
        super().__init__(scenario, rng=rng, agent_class=learner, overrides=overrides)
