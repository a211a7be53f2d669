"""From agents to an interaction web: which agents count as one species, and what they use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ecosim.scenario import Scenario

WAYS = ("group", "lineage", "strategy")


def web_of(
    population: pd.DataFrame, by: str, groups: Sequence[str] = (), niches: int | None = None
) -> pd.DataFrame:
    """Return the web of a population: niches x species, sums of allocation over agents.

    Args:
        population: one row an agent, with `group`, `lineage` and `allocation_0`..`allocation_K-1`,
            or `place_0`.. and `share_0`.. (see `ecosim.recording.table_of`).
        by: `group` (named by `groups` where there are names), `lineage`, or `strategy`
            (allocations that are equal to the nearest tenth; named by their tenths).
        groups: names of the founders' groups, by index.
        niches: K; needed where the population holds places.

    Raises:
        ValueError: another word for `by`.

    """
    if by not in WAYS:
        raise ValueError(f"a web is taken by one of {', '.join(WAYS)}; got {by!r}")
    allocation = _allocation(population, niches)
    if by == "strategy":
        labels = _strategies(allocation.to_numpy())
    else:
        values = population[by].tolist()
        named = by == "group" and len(groups) > 0
        labels = [groups[v] if named and 0 <= v < len(groups) else str(v) for v in values]
    web = allocation.groupby(labels, sort=True).sum().T
    web.index = web.index.str.replace("allocation_", "niche ")
    return web.rename_axis(index="niche", columns=by)


def _allocation(population: pd.DataFrame, niches: int | None) -> pd.DataFrame:
    columns = [name for name in population.columns if name.startswith("allocation_")]
    if columns or niches is None:
        return population[columns]
    import pandas as pd

    from ecosim.scenario import sparse

    names = [f"allocation_{k}" for k in range(niches)]
    return pd.DataFrame(sparse.allocations(population, niches), population.index, names)


def _strategies(allocation: np.ndarray) -> list[str]:
    """Name each row by its tenths, `3:7 5:3` for 0.7 on niche 3 and 0.3 on niche 5."""
    names = []
    for row in (allocation * 10 + 0.5).astype(int):
        used = row.nonzero()[0]
        names.append(" ".join(f"{niche}:{row[niche]}" for niche in used) or "thin")
    return names


def against_observed(population: pd.DataFrame, scenario: Scenario) -> dict[str, Any] | None:
    """Return breadth, H2' and NODF of the observed web and of the final one; None without a web.

    Both webs hold what agents use, niches x species: the observed one in interactions, the final
    one in sums of allocation over the survivors of each observed species. Breadth is the mean
    over interactions (agents) of exp(H); an index that a web does not define is None.
    """
    groups = scenario.population.groups
    if scenario.population.web is None:
        return None
    import numpy as np

    columns = [np.array(g.allocation, float) * g.share for g in groups]
    observed = np.column_stack(columns)
    inherited = population[population["group"] >= 0]
    final = web_of(inherited, "group", [g.name for g in groups], scenario.niches.count).to_numpy(
        float
    )
    return {
        "species": {"observed": observed.shape[1], "simulated": final.shape[1]},
        **{
            name: {"observed": measure(observed), "simulated": measure(final)}
            for name, measure in _INDICES.items()
        },
    }


def _breadth(web: np.ndarray) -> float:
    from ecosim.webs import indices

    share = web.sum(axis=0) / web.sum()
    return float(share @ indices.niche_breadth(web)["breadth"])


def _h2(web: np.ndarray) -> float:
    from ecosim.webs import indices

    return indices.h2_prime(_occupied(web))


def _nodf(web: np.ndarray) -> float:
    from ecosim.webs import structure

    return structure.nodf(_occupied(web)).total


def _occupied(web: np.ndarray) -> np.ndarray:
    return web[web.sum(axis=1) > 0][:, web.sum(axis=0) > 0]


_INDICES = {"breadth_mean": _breadth, "h2": _h2, "nodf": _nodf}
