"""Rules that hold between fields of a scenario, all checked before anything is reported."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecosim.errors import Problem
from ecosim.scenario import (
    community,
    firms,
    habitats,
    interactions,
    measured,
    observed,
    oligopoly,
    patches,
    reach,
    sparse,
    unread,
)
from ecosim.scenario.lifecycle import Market, Mutation, Selection

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

MAX_CELLS = 2**34


class CombinationError(ValueError):
    """The combination problems of one scenario, carried through pydantic."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems."""
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))


def check(scenario: Scenario) -> None:
    """Fill in what an observed web gives and raise CombinationError with every broken rule."""
    problems = [*observed.complete(scenario), *community.complete(scenario)]
    if not problems:
        for rule in _RULES:
            problems += rule(scenario)
    if problems:
        raise CombinationError(problems)


def _niches(s: Scenario) -> Iterator[Problem]:
    niches, k = s.niches, s.niches.count
    if niches.supply is not None:
        if len(niches.supply) != k:
            yield Problem(
                "niches.supply",
                f"{len(niches.supply)} numbers",
                f"needs one number for each of the {k} niches (niches.count)",
            )
        elif not sum(niches.supply) > 0:
            yield Problem("niches.supply", str(list(niches.supply)), "at least one must be > 0")
    if (niches.space == "graph") != (niches.graph is not None):
        yield Problem(
            "niches.graph",
            repr(niches.graph),
            "goes with niches.space = 'graph', and only with it",
            "name a graph ('cycle', 'path', 'complete', 'star', 'grid') or list its edges",
        )
    yield from patches.edges("niches.graph", niches.graph, k)
    if s.population.size * niches.most > MAX_CELLS:
        yield Problem(
            "population.size",
            f"{s.population.size} agents x {niches.most} niches",
            f"agents x niches that an agent may use must stay below {MAX_CELLS}",
        )


def _environment(s: Scenario) -> Iterator[Problem]:
    environment = s.environment
    if environment.drift is not None and s.niches.space != "axis":
        yield Problem(
            "environment.drift",
            "present",
            "niche positions drift only on an axis",
            "set niches.space = 'axis'",
        )
    if environment.opening is not None and environment.opening.initial > s.niches.count:
        yield Problem(
            "environment.opening.initial",
            str(environment.opening.initial),
            f"cannot exceed niches.count = {s.niches.count}",
        )
    if environment.switching is not None and s.niches.count < 2:
        yield Problem("environment.switching", "present", "needs two niches or more")


def _population(s: Scenario) -> Iterator[Problem]:
    p, axis = s.population, s.niches.space == "axis"
    given = [
        name
        for name, present in (
            ("start", p.start != "even"),
            ("allocation", p.allocation is not None),
            ("groups", bool(p.groups)),
        )
        if present
    ]
    if len(given) > 1:
        yield Problem(
            "population",
            " and ".join(given),
            "only one of start, allocation and groups may be given",
        )
    if axis and given and given != ["groups"]:
        yield Problem(
            f"population.{given[0]}",
            "present",
            "on an axis the allocation follows from population.position and population.width",
        )
    for name in ("position", "width"):
        if not axis and getattr(p, name) is not None:
            yield Problem(
                f"population.{name}",
                str(getattr(p, name)),
                "only has a meaning on an axis",
                "set niches.space = 'axis'",
            )
    if (p.start == "pareto") != (p.breadth_exponent is not None):
        yield Problem(
            "population.breadth_exponent",
            str(p.breadth_exponent),
            "goes with population.start = 'pareto', and only with it",
        )
    if p.allocation is not None:
        yield from _simplex("population.allocation", p.allocation, s.niches.count)
    if p.limit is not None and p.limit < p.size:
        yield Problem(
            "population.limit", str(p.limit), f"cannot be below population.size = {p.size}"
        )
    if s.world != "market" and s.selection.kind != "energy" and p.limit is not None:
        yield Problem(
            "population.limit", str(p.limit), f"with {s.selection.kind} numbers are not capped"
        )


def _groups(s: Scenario) -> Iterator[Problem]:
    axis = s.niches.space == "axis"
    for index, group in enumerate(s.population.groups):
        key = f"population.groups.{index}"
        if group.allocation is not None and not axis:
            yield from _simplex(f"{key}.allocation", group.allocation, s.niches.count)
        wanted = "position" if axis else "allocation"
        if getattr(group, wanted) is None:
            yield Problem(
                f"{key}.{wanted}", "absent", f"required: niches.space = '{s.niches.space}'"
            )
        for name in ("allocation",) if axis else ("position", "width"):
            if getattr(group, name) is not None:
                yield Problem(
                    f"{key}.{name}",
                    "present",
                    "on an axis a group has a position and a width, elsewhere an allocation",
                )
    names = [group.name for group in s.population.groups]
    if len(set(names)) < len(names):
        yield Problem("population.groups", str(names), "names must differ")
    if len(names) > s.population.size:
        yield Problem(
            "population.size",
            str(s.population.size),
            f"must hold at least one agent of each of the {len(names)} groups",
        )


def _simplex(key: str, weights: tuple[float, ...], k: int) -> Iterator[Problem]:
    total = sum(weights)
    if len(weights) != k or not math.isclose(total, 1.0, abs_tol=1e-6):
        yield Problem(
            key,
            f"{len(weights)} numbers that sum to {total:g}",
            f"an allocation is {k} numbers (niches.count) that sum to 1",
        )


def _tradeoff(s: Scenario) -> Iterator[Problem]:
    tradeoff = s.tradeoff
    for name, kinds in (
        ("half_saturation", ("saturating",)),
        ("threshold", ("threshold", "standard")),
        ("noise", ("standard",)),
    ):
        given = getattr(tradeoff, name)
        if name == "threshold" and tradeoff.kind == "measured":
            continue  # there it may be given
        if (tradeoff.kind in kinds) != (given is not None):
            listed = " or ".join(f"'{kind}'" for kind in kinds)
            yield Problem(
                f"tradeoff.{name}",
                str(given),
                f"goes with tradeoff.kind = {listed}, and only with it",
            )
    if tradeoff.transfer != 0 and s.niches.space != "graph":
        yield Problem(
            "tradeoff.transfer",
            str(tradeoff.transfer),
            "transfer runs along the graph of relatedness",
            "set niches.space = 'graph' and niches.graph",
        )


def _world(s: Scenario) -> Iterator[Problem]:
    if s.world == "market":
        for key, part, default in (
            ("mutation", s.mutation, Mutation()),
            ("selection", s.selection, Selection()),
        ):
            if part != default:
                yield Problem(
                    key,
                    "present",
                    "a market has no inheritance, no mutation and no life cycle",
                    "its selection is the table [market]",
                )
        if s.market.entry.kind == "unmet" and not s.competition.unclaimed > 0:
            yield Problem(
                "market.entry.kind",
                "unmet",
                "entrants can follow unmet demand only where some supply stays unclaimed",
                "set competition.unclaimed > 0",
            )
        if s.niches.space == "axis" and s.market.incumbents.adaptation != "none":
            yield Problem(
                "market.incumbents.adaptation",
                s.market.incumbents.adaptation,
                "on an axis allocations follow from position and width, and cannot shift freely",
            )
    elif s.market != Market():
        yield Problem("market", "present", "belongs to world = 'market'", "remove the table")
    elif s.selection.kind == "energy" and _largest_stock(s) >= s.selection.division * 2:
        yield Problem(
            "population.stock",
            str(_largest_stock(s)),
            f"must be below twice selection.division = {s.selection.division}",
        )


def _largest_stock(s: Scenario) -> float:
    return s.population.stock * max([group.stock for group in s.population.groups] or [1.0])


def _ending(s: Scenario) -> Iterator[Problem]:
    if s.run.until == "branched" and s.niches.space != "axis":
        yield Problem(
            "run.until",
            "branched",
            "branches are clones that lie apart on an axis",
            "set niches.space = 'axis'",
        )


_RULES = (
    _ending,
    _niches,
    sparse.rules,
    _environment,
    patches.rules,
    _population,
    _groups,
    _tradeoff,
    _world,
    interactions.rules,
    measured.rules,
    firms.check,
    habitats.rules,
    reach.fluctuation,
    reach.out_of_range,
    reach.vanishing,
    oligopoly.combined,
    unread.without_effect,
)
