"""Where numbers are regulated: in each patch, or over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecosim.errors import Problem

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

CONSTANT = ("wright-fisher", "moran")  # life cycles of constant total numbers
_DIVIDED = ("contest", "additive")  # competition in which a patch divides its own supply
_POOLED = ("additive", "independent")  # competition whose payoffs add up over all patches


def rules(s: Scenario) -> Iterator[Problem]:
    """Find regulation that a life cycle or a competition cannot have."""
    given, several = s.patches.regulation, s.patches.count > 1
    constant = s.world == "ecology" and s.selection.kind in CONSTANT
    if several and s.world == "ecology" and not (constant or s.selection.kind == "energy"):
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
