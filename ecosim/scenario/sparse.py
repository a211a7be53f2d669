"""Agents that use few of many niches: what `niches.used` goes with, and what their tables hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecosim.errors import Problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ecosim.scenario.schema import Scenario

_KEY = "niches.used"


def rules(s: Scenario) -> Iterator[Problem]:
    """Find what cannot go with a bound on the niches that an agent uses."""
    most = s.niches.used
    if most is None:
        return
    if most > s.niches.count:
        yield Problem(
            _KEY, str(most), f"cannot exceed niches.count = {s.niches.count}",
            "leave it out: then agents may use all niches",
        )  # fmt: skip
        return
    for key, value, reason in _dense(s):
        yield Problem(
            key, value, f"does not go with niches.used = {most}: {reason}",
            "leave niches.used out, or the other",
        )  # fmt: skip
    yield from _founders(s, most)


def _dense(s: Scenario) -> Iterator[tuple[str, str, str]]:
    """Yield key, value and reason of what needs a share or a claim in every niche."""
    everywhere = "agents would claim niches that they do not use"
    if s.niches.space == "graph":
        yield "niches.space", "graph", "competence in related niches lies outside those in use"
    if s.tradeoff.floor > 0:
        yield "tradeoff.floor", f"{s.tradeoff.floor:g}", everywhere
    if s.tradeoff.kind in ("standard", "measured"):
        yield "tradeoff.kind", s.tradeoff.kind, "each step judges competence niche by niche"
    if s.competition.kind not in ("contest", "additive", "independent"):
        kinds = "only 'contest', 'additive' and 'independent' read claims by the niches in use"
        yield "competition.kind", s.competition.kind, kinds
    if s.world == "ecology" and s.selection.kind not in ("energy", "moran", "wright-fisher"):
        kinds = "only 'energy', 'moran' and 'wright-fisher' read gains alone"
        yield "selection.kind", s.selection.kind, kinds
    if s.environment.drift is not None:
        yield "environment.drift", "present", "all allocations change in every step"
    if s.population.community is not None:
        yield "population.community", s.population.community, "its agents may use any niche"
    if s.world == "market":
        yield from _firms(s)


def _firms(s: Scenario) -> Iterator[tuple[str, str, str]]:
    market = s.market
    if market.incumbents.adaptation != "none":
        changes = "allocations would change every period"
        yield "market.incumbents.adaptation", market.incumbents.adaptation, changes
    if market.mergers is not None:
        yield "market.mergers", "present", "a merged firm uses the niches of both"
    if market.conduct.kind != "none":
        yield "market.conduct.kind", market.conduct.kind, "firms weigh every niche"
    if market.entry.kind == "free":
        yield "market.entry.kind", "free", "candidates weigh every niche"


def _founders(s: Scenario, most: int) -> Iterator[Problem]:
    """Find founders that use more niches than they may."""
    p, fix = s.population, f"use at most {most}, or raise niches.used"
    given = {"population.allocation": p.allocation} | {
        f"population.groups.{i}.allocation": group.allocation for i, group in enumerate(p.groups)
    }
    for key, shares in given.items():
        uses = sum(share > 0 for share in shares or ())
        if uses > most:
            rule = f"an agent uses at most {most} niches (niches.used)"
            yield Problem(key, f"shares on {uses}", rule, fix)
    listed = p.groups or p.allocation is not None or s.niches.space == "axis"
    even = p.start == "even" and not listed and not p.variation > 0
    if even and most < s.niches.count:
        yield Problem(
            "population.start",
            "even",
            f"spreads the budget over all {s.niches.count} niches, and an agent uses at most "
            f"{most} (niches.used)",
            "choose 'random', 'specialists', 'random-specialists' or 'pareto', give an "
            "allocation or groups, or a population.variation above 0",
        )


def held(table: pd.DataFrame) -> int:
    """Return how many niches each row of a population's table has places for; 0: all K."""
    return sum(str(name).startswith("place_") for name in table)


def allocations(table: pd.DataFrame, niches: int) -> np.ndarray:
    """Return the allocations `[N, K]`, float64, of a population's table of either form.

    Args:
        table: with `allocation_0` ... `allocation_K-1`, or `place_0` ... and `share_0` ... .
        niches: K.

    """
    import numpy as np

    most = held(table)
    if not most:
        names = [f"allocation_{k}" for k in range(niches)]
        return np.asarray(table[names].to_numpy(float))
    dense = np.zeros((len(table), niches))
    for j in range(most):
        place = table[f"place_{j}"].to_numpy()
        rows = np.flatnonzero(place >= 0)
        dense[rows, place[rows]] = table[f"share_{j}"].to_numpy(float)[rows]
    return dense
