"""From agents to an interaction web: which agents count as one species, and what they use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

WAYS = ("group", "lineage", "strategy")


def web_of(population: pd.DataFrame, by: str, groups: Sequence[str] = ()) -> pd.DataFrame:
    """Return the web of a population: niches x species, sums of allocation over agents.

    Args:
        population: one row an agent, with `group`, `lineage` and `allocation_0`..`allocation_K-1`.
        by: `group` (named by `groups` where there are names), `lineage`, or `strategy`
            (allocations that are equal to the nearest tenth; named by their tenths).
        groups: names of the founders' groups, by index.

    Raises:
        ValueError: another word for `by`.

    """
    if by not in WAYS:
        raise ValueError(f"a web is taken by one of {', '.join(WAYS)}; got {by!r}")
    columns = [name for name in population.columns if name.startswith("allocation_")]
    allocation = population[columns]
    if by == "strategy":
        labels = _strategies(allocation.to_numpy())
    else:
        values = population[by].tolist()
        named = by == "group" and len(groups) > 0
        labels = [groups[v] if named and 0 <= v < len(groups) else str(v) for v in values]
    web = allocation.groupby(labels, sort=True).sum().T
    web.index = web.index.str.replace("allocation_", "niche ")
    return web.rename_axis(index="niche", columns=by)


def _strategies(allocation: np.ndarray) -> list[str]:
    """Name each row by its tenths, `3:7 5:3` for 0.7 on niche 3 and 0.3 on niche 5."""
    names = []
    for row in (allocation * 10 + 0.5).astype(int):
        used = row.nonzero()[0]
        names.append(" ".join(f"{niche}:{row[niche]}" for niche in used) or "thin")
    return names
