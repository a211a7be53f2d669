"""Rules between the words of an oligopoly: conduct, the kind of competition and free entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecosim.errors import Problem
from ecosim.scenario.unread import ONE_PRODUCT

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

# Slots at most of firms that divide a market by quantity, up to whole blocks of all devices: sums
# of 1/quality, whole numbers in units of 2^-50, stay below 2^63 for fewer than 2^13.
FIRMS = 4096
_COMPETITION = {"effort": "contest", "price": "circular", "quality": "cournot"}


def combined(s: Scenario) -> Iterator[Problem]:
    """Find kinds that do not go together."""
    conduct, competition = s.market.conduct, s.competition.kind
    wanted = _COMPETITION.get(conduct.kind, competition)
    if competition != wanted:
        yield Problem(
            "market.conduct.kind",
            conduct.kind,
            f"goes with competition.kind = '{wanted}' (given: '{competition}')",
        )
    if competition in ONE_PRODUCT and s.world != "market":
        yield Problem("competition.kind", competition, "is competition of firms: world = 'market'")
    elif competition == "circular" and conduct.kind != "price":
        yield Problem(
            "competition.kind",
            competition,
            "firms on a circle choose prices",
            "set market.conduct.kind = 'price'",
        )
    if competition in ONE_PRODUCT and s.niches.count != 1:
        yield Problem("niches.count", str(s.niches.count), f"'{competition}' is one market: 1")
    if competition == "cournot" and s.population.size >= FIRMS:
        yield Problem(
            "population.size", str(s.population.size), f"'cournot' has fewer than {FIRMS} firms"
        )
    if conduct.kind == "effort" and s.tradeoff.kind != "power":
        yield Problem(
            "tradeoff.kind",
            s.tradeoff.kind,
            "effort multiplies the budget, which has a closed effect only under 'power'",
        )
    if (conduct.kind != "none" or competition in ONE_PRODUCT) and s.patches.count > 1:
        yield Problem("patches.count", str(s.patches.count), "conduct is chosen in one market: 1")
    if conduct.kind == "effort" and not conduct.cost > 0:
        yield Problem("market.conduct.cost", f"{conduct.cost:g}", "effort must cost something: > 0")
    yield from _free(s)


def _free(s: Scenario) -> Iterator[Problem]:
    entry = s.market.entry
    if entry.kind != "free":
        return
    if s.market.conduct.kind == "none" and s.competition.kind != "cournot":
        yield Problem(
            "market.entry.kind",
            "free",
            "a firm foresees its profit only where rivals' conduct is given",
            "set market.conduct.kind, or competition.kind = 'cournot'",
        )
    if entry.rate > 1:
        yield Problem(
            "market.entry.rate", f"{entry.rate:g}", "free entry has at most one candidate a step: 1"
        )
