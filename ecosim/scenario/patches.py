"""Rules of patches: their graph, their supply, and where numbers are regulated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ecosim.errors import Problem

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

_CONSTANT = ("wright-fisher", "moran")  # life cycles of constant total numbers
_DIVIDED = ("contest", "additive")  # competition in which a patch divides its own supply
_POOLED = ("additive", "independent")  # competition whose payoffs add up over all patches


def edges(key: str, graph: Any, count: int) -> Iterator[Problem]:
    """Find edges of a graph of so many nodes that do not join two of them."""
    if graph is None or isinstance(graph, str):
        return
    for edge in graph:
        if max(edge[0], edge[1]) >= count or edge[0] == edge[1]:
            yield Problem(
                key, str(list(edge)), f"an edge joins two different nodes of 0..{count - 1}"
            )


def rules(s: Scenario) -> Iterator[Problem]:
    """Find patches that do not fit together, and regulation that nothing computes."""
    patches = s.patches
    yield from edges("patches.graph", patches.graph, patches.count)
    weights = [] if isinstance(patches.graph, str) else [e[2] for e in patches.graph if len(e) == 3]
    if any(weight < 0 for weight in weights):
        yield Problem("patches.graph", "negative weights", "dispersal needs weights >= 0")
    if patches.supply is not None:
        shape = [len(row) for row in patches.supply]
        if shape != [s.niches.count] * patches.count:
            yield Problem(
                "patches.supply",
                f"rows of {shape} numbers",
                f"needs {patches.count} rows (patches.count) of {s.niches.count} (niches.count)",
            )
        elif not sum(map(sum, patches.supply)) > 0:
            yield Problem("patches.supply", "all zero", "at least one must be > 0")
    yield from _regulation(s)


def _regulation(s: Scenario) -> Iterator[Problem]:
    """Find regulation that a life cycle or a competition cannot have."""
    given, several = s.patches.regulation, s.patches.count > 1
    constant = s.world != "market" and s.selection.kind in _CONSTANT
    if several and s.world != "market" and not (constant or s.selection.kind == "energy"):
        yield Problem(
            "selection.kind",
            s.selection.kind,
            "several patches need 'energy', 'wright-fisher' or 'moran'",
        )
    if given == "global" and not (several and constant):
        yield Problem(
            "patches.regulation",
            given,
            "has an effect only with patches.count > 1 and selection.kind = 'wright-fisher' or "
            "'moran'; elsewhere each patch regulates its own numbers",
            "leave it out",
        )
    elif several and constant:
        yield from _competition(given, s.competition.kind)


def _competition(given: str, kind: str) -> Iterator[Problem]:
    if given == "local" and kind not in _DIVIDED:
        yield Problem(
            "patches.regulation",
            given,
            f"a patch's part in the next generation is fixed only where its inhabitants divide "
            f"its supply, not with competition.kind = '{kind}'",
            "set patches.regulation = 'global'"
            if kind in _POOLED
            else "set competition.kind = 'contest' or 'additive'",
        )
    elif given == "global" and kind not in _POOLED:
        yield Problem(
            "patches.regulation",
            given,
            f"payoffs do not add up over patches with competition.kind = '{kind}'",
            "set competition.kind = 'additive' or 'independent'",
        )
