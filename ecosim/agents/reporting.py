"""The data collector that a model comes with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from mesa import DataCollector

if TYPE_CHECKING:
    from ecosim.agents.population_model import PopulationModel


def _metric(model: PopulationModel, name: str) -> float:
    return model.metric(name)


def collector_of(names: Iterable[str]) -> DataCollector:
    """Return a collector of the recorded metrics; it can be pickled, as lambdas cannot."""
    # Mesa's own column "Step" says when.
    reporters = {name: partial(_metric, name=name) for name in names if name != "step"}
    return DataCollector(model_reporters=reporters)
