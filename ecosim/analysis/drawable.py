"""What a picture of a run needs of it; here, so that a report in words loads no matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.scenario import Scenario


class Drawable(Protocol):
    """What the figure needs of a run."""

    @property
    def scenario(self) -> Scenario:
        """The scenario."""

    @property
    def metrics(self) -> pd.DataFrame:
        """One row a record, `step` first."""

    @property
    def breadth(self) -> pd.DataFrame:
        """One row a record: `step`, then counts of agents in equal bins of breadth in [1, K]."""
