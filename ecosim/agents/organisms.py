"""What an agent is called in each world: organism, firm, algorithm or learner."""

from __future__ import annotations

import numpy as np

from ecosim.agents.attribute import Column
from ecosim.agents.columns import Columns
from ecosim.agents.row import RowAgent
from ecosim.scenario.measured import methods_of


def _first(rows: np.ndarray) -> np.ndarray:
    return rows[:, 0]


def _method_name(agent: RowAgent) -> str:
    name: str = methods_of(agent.model.setup)[agent.method]
    return name


class Organism(RowAgent):
    """An organism of an EcologyModel.

    `stock` and `allocation` may be set between steps, `allocate()` may be overridden; what else a
    model needs of its organisms goes into columns of the user's own (`model.add_column`).
    """

    __slots__ = ()


class Firm(RowAgent):
    """A firm of a MarketModel: its stock is its capital.

    `capital` and `allocation` may be set between steps, `allocate()` may be overridden.
    """

    __slots__ = ()

    capital = Column("stock", "Capital, the same as stock.", write=Columns.set_stock)
    strikes = Column(
        "strikes", "Periods in a row below the standard.", why_fixed="performance decides it"
    )


class Algorithm(RowAgent):
    """A search algorithm of an OptimisationModel; `allocation` divides its evaluations.

    `stock` and `allocation` may be set between steps, `allocate()` may be overridden. `method` is
    a number, an index in search.algorithms; `method_name` is what it is called there.
    """

    __slots__ = ()

    method = Column(
        "method",
        "Index in search.algorithms.",
        why_fixed="it is handed down, or switched at birth",
        part=_first,
    )
    method_name = property(_method_name, doc="What its method is called in the scenario.")


class Learner(RowAgent):
    """A learner of a LearningModel; `allocation` divides what it learns from over the tasks.

    `stock` and `allocation` may be set between steps, `allocate()` may be overridden. `method` is
    a number, an index in training.learners; `method_name` is what it is called there.
    """

    __slots__ = ()

    method = Column(
        "method",
        "Index in training.learners.",
        why_fixed="it is handed down, or switched at birth",
        part=_first,
    )
    method_name = property(_method_name, doc="What its method is called in the scenario.")
