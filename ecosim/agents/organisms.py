"""What an agent is called: an organism of the ecology or a firm of the market."""

from __future__ import annotations

from ecosim.agents.attribute import Column
from ecosim.agents.columns import Columns
from ecosim.agents.row import RowAgent


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
