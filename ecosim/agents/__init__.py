"""The Mesa front: models and agents that are Mesa's, over columns that are arrays."""

from ecosim.agents.agent_set import ColumnAgentSet
from ecosim.agents.models import EcologyModel, LearningModel, MarketModel, OptimisationModel
from ecosim.agents.organisms import Algorithm, Firm, Learner, Organism
from ecosim.agents.population_model import PopulationModel
from ecosim.agents.run import model_for, simulate_mesa

__all__ = [
    "Algorithm",
    "ColumnAgentSet",
    "EcologyModel",
    "Firm",
    "Learner",
    "LearningModel",
    "MarketModel",
    "OptimisationModel",
    "Organism",
    "PopulationModel",
    "model_for",
    "simulate_mesa",
]
