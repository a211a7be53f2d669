"""Rules between the words of an oligopoly: conduct, the kind of competition and free entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ecosim.errors import Problem
from ecosim.scenario.conduct import Conduct
from ecosim.scenario.lifecycle import Controls, Entry, Exit, Investment, Market

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

ONE_PRODUCT = ("circular", "cournot")
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


def without_effect(s: Scenario) -> Iterator[Problem]:
    """Find words of an oligopoly, or of the rest of the market, that nothing reads here."""
    conduct, kind = s.market.conduct, s.market.conduct.kind
    readers = {
        "rule": ("effort", "quality"),
        "damping": ("effort", "quality"),
        "rounds": ("effort", "price", "quality"),
        "start": ("effort",),
        "cost": ("effort", "price"),
        "cost_exponent": ("quality",),
        "transport": ("price",),
        "sites": ("price",),
    }
    for name, kinds in readers.items():
        if kind not in kinds:
            where = " or ".join(f"'{known}'" for known in kinds)
            yield from _unread(s, f"market.conduct.{name}", Conduct(), f"a conduct of {where}")
    if conduct.rule != "damped" and kind in readers["rule"]:
        yield from _unread(s, "market.conduct.damping", Conduct(), "market.conduct.rule = 'damped'")
    if s.competition.kind in ONE_PRODUCT:
        where = "competition.kind = 'contest' or 'additive'"
        for name, default in (("exponent", 1.0), ("unclaimed", 0.0)):
            value = getattr(s.competition, name)
            if value != default:
                yield _problem(f"competition.{name}", value, where)
    if s.market.entry.kind != "free":
        return
    where = "a market without free entry"
    for name in ("density", "density_squared", "unmet_demand", "copying_error"):
        yield from _unread(s, f"market.entry.{name}", Entry(), where)
    for name in ("standard", "basis", "patience", "noise"):
        yield from _unread(s, f"market.exit.{name}", Exit(), where)
    if s.market.investment != Investment():
        yield _problem("market.investment", "present", where)
    if s.market.controls != Controls():
        yield _problem("market.controls", "present", where)
    if s.market.costs.upkeep != Market().costs.upkeep:
        yield _problem("market.costs.upkeep", s.market.costs.upkeep, where)


def _unread(s: Scenario, key: str, defaults: Any, where: str) -> Iterator[Problem]:
    _, table, name = key.split(".")
    value = getattr(getattr(s.market, table), name)
    if value != getattr(defaults, name):
        yield _problem(key, value, where)


def _problem(key: str, value: Any, where: str) -> Problem:
    return Problem(key, str(value), f"has an effect only in {where}", "leave it out")
