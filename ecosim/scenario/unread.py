"""Words that were set and that nothing in this scenario reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ecosim.errors import Problem

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario


class Rule(NamedTuple):
    """Words, when they are read, and that condition in words."""

    keys: tuple[str, ...]
    read: Callable[[Scenario], bool]
    where: str


ONE_PRODUCT = ("circular", "cournot")
_POSTED = ("contest", "additive")  # competition with a rival mass and an exponent
_EVENTS = ("growth", "birth-death")  # life cycles in continuous time


def _uses_budget(s: Scenario) -> bool:
    """Say whether competition reads competence, which budgets buy."""
    return s.competition.kind not in ("lotka-volterra", *ONE_PRODUCT)


def _uses_upkeep(s: Scenario) -> bool:
    """Say whether upkeep is paid, or sets the supply, niches.productivity being absent."""
    if s.selection.kind in ("moran", "wright-fisher"):
        return s.niches.productivity is None
    return s.selection.kind != "ricker" and s.competition.kind != "lotka-volterra"


def _uses_exponent(s: Scenario) -> bool:
    kind = s.competition.kind
    own = s.world == "market" or s.tradeoff.kind == "measured"
    return kind in _POSTED or (own and kind == "independent")


_ANYWHERE = (
    Rule(
        ("niches.length",),
        lambda s: s.niches.space == "axis" or s.competition.kind == "circular",
        "niches.space = 'axis' or competition.kind = 'circular'",
    ),
    Rule(("niches.supply",), lambda s: s.patches.supply is None, "no patches.supply"),
    Rule(
        ("population.start",),
        lambda s: s.population.web is None,
        "no population.web",
    ),
    Rule(
        ("environment.switching.probability",),
        lambda s: s.environment.switching is not None and s.environment.switching.order == "random",
        "environment.switching.order = 'random'",
    ),
    Rule(
        ("competition.unclaimed",),
        lambda s: s.competition.kind in _POSTED,
        "competition.kind = 'contest' or 'additive'",
    ),
    Rule(("competition.exponent",), _uses_exponent, "competition.kind = 'contest' or 'additive'"),
    Rule(
        ("competition.exponent", "tradeoff.floor"),
        lambda s: s.tradeoff.kind != "standard",
        "a graded competence, not with tradeoff.kind = 'standard'",
    ),
    Rule(
        ("tradeoff.exponent",),
        lambda s: s.tradeoff.kind != "measured",
        "a postulated competence, not with tradeoff.kind = 'measured'",
    ),
    Rule(
        ("tradeoff.breadth_cost", "tradeoff.transfer"),
        lambda s: s.niches.count > 1,
        "two niches or more",
    ),
    Rule(
        (
            "tradeoff.kind", "tradeoff.exponent", "tradeoff.floor", "tradeoff.breadth_cost",
            "population.budget",
        ),
        _uses_budget,
        "competition by competence, not with competition.kind = 'lotka-volterra', 'circular' or "
        "'cournot'",
    ),
    Rule(
        ("run.branch_size", "run.branch_distance"),
        lambda s: s.run.until == "branched",
        "run.until = 'branched'",
    ),
    Rule(("run.settled_steps",), lambda s: s.run.until == "settled", "run.until = 'settled'"),
    Rule(
        ("patches.dispersal", "patches.graph"),
        lambda s: s.patches.count > 1 and s.world != "market",
        "patches.count > 1, where organisms are born: firms do not disperse",
    ),
)  # fmt: skip

_LIFE_CYCLE = (
    Rule(
        (
            "niches.productivity", "environment.seasonal", "environment.switching",
            "environment.shocks", "environment.drift", "environment.opening",
            "environment.fluctuation",
        ),
        lambda s: s.competition.kind != "lotka-volterra",
        "competition for a supply, not with competition.kind = 'lotka-volterra', whose places "
        "competition.kernel gives",
    ),
    Rule(("selection.order",), lambda s: s.selection.kind == "moran", "selection.kind = 'moran'"),
    Rule(
        ("selection.window",),
        lambda s: s.selection.kind == "wright-fisher",
        "selection.kind = 'wright-fisher'",
    ),
    Rule(
        ("selection.mortality", "selection.division"),
        lambda s: s.selection.kind == "energy",
        "selection.kind = 'energy'",
    ),
    Rule(
        ("selection.upkeep",),
        _uses_upkeep,
        "a life cycle that pays for gains ('energy', or 'growth' on resources), or with 'moran' "
        "and 'wright-fisher' where niches.productivity is absent",
    ),
    Rule(
        ("selection.growth_rate",),
        lambda s: s.competition.kind == "lotka-volterra",
        "competition.kind = 'lotka-volterra'",
    ),
    Rule(
        ("selection.extinction", "selection.tolerance"),
        lambda s: s.selection.kind == "growth",
        "selection.kind = 'growth'",
    ),
    Rule(
        ("mutation.rate", "mutation.step"),
        lambda s: s.selection.kind != "growth",
        "another selection.kind than 'growth'",
    ),
    Rule(
        ("mutation.rate", "mutation.step"),
        lambda s: s.mutation.kind == "step",
        "mutation.kind = 'step'",
    ),
    Rule(
        ("mutation.gain", "mutation.narrowing"),
        lambda s: s.mutation.kind == "repertoire",
        "mutation.kind = 'repertoire'",
    ),
    Rule(
        ("mutation.kind",),
        lambda s: s.niches.space != "axis" and s.selection.kind not in _EVENTS,
        "niches that are a set or a graph, and a life cycle in steps",
    ),
    Rule(
        ("mutation.width_step",),
        lambda s: s.niches.space == "axis" and s.selection.kind not in _EVENTS,
        "niches.space = 'axis' and a selection.kind in steps, not 'growth' or 'birth-death'",
    ),
)  # fmt: skip


def _conduct(name: str, *kinds: str) -> Rule:
    listed = " or ".join(f"'{kind}'" for kind in kinds)
    return Rule(
        (f"market.conduct.{name}",),
        lambda s: s.market.conduct.kind in kinds,
        f"a conduct of {listed}",
    )


_MARKET = (
    _conduct("rule", "effort", "quality"),
    _conduct("damping", "effort", "quality"),
    _conduct("rounds", "effort", "price", "quality"),
    _conduct("start", "effort"),
    _conduct("cost", "effort", "price"),
    _conduct("cost_exponent", "quality"),
    _conduct("transport", "price"),
    _conduct("sites", "price"),
    Rule(
        ("market.conduct.damping",),
        lambda s: s.market.conduct.rule == "damped",
        "market.conduct.rule = 'damped'",
    ),
    Rule(
        ("market.costs.scale",),
        lambda s: s.competition.kind not in ONE_PRODUCT,
        "output by capital, not with competition.kind = 'circular' or 'cournot'",
    ),
    Rule(
        ("market.exit.patience",),
        # The standard and its noise still count strikes, which are recorded.
        lambda s: s.market.exit.enabled,
        "market.exit.enabled = true",
    ),
    Rule(
        ("market.entry.copying_error",),
        lambda s: s.market.entry.kind == "imitation",
        "market.entry.kind = 'imitation'",
    ),
    Rule(
        ("market.entry.unmet_demand",),
        # A contest leaves the supply of a niche that nobody serves unclaimed, too.
        lambda s: s.competition.kind != "independent",
        "competition that can leave supply unclaimed, not with competition.kind = 'independent'",
    ),
    Rule(("market.incumbents.adaptation",), lambda s: s.niches.count > 1, "two niches or more"),
    Rule(
        ("market.incumbents.inertia",),
        lambda s: s.market.incumbents.adaptation != "none",
        "market.incumbents.adaptation = 'toward-demand'",
    ),
    Rule(
        (
            "market.entry.density", "market.entry.density_squared", "market.entry.unmet_demand",
            "market.entry.form", "market.entry.replacement", "market.exit.standard",
            "market.exit.basis", "market.exit.patience", "market.exit.noise", "market.exit.hazard",
            "market.investment", "market.controls", "market.costs.upkeep", "market.growth",
            "market.mergers",
        ),
        lambda s: s.market.entry.kind != "free",
        "a market without free entry",
    ),
)  # fmt: skip


def without_effect(s: Scenario) -> Iterator[Problem]:
    """Find words that are not at their defaults and that nothing in this scenario reads."""
    told = set()
    for rule in (*_ANYWHERE, *(_MARKET if s.world == "market" else _LIFE_CYCLE)):
        if rule.read(s):
            continue
        for key in rule.keys:
            value = _set(s, key)
            if value is not None and key not in told:
                told.add(key)
                yield _problem(key, value, rule.where)
    if s.competition.kind == "lotka-volterra":
        for index, group in enumerate(s.population.groups):
            if group.budget != 1:
                key = f"population.groups.{index}.budget"
                yield _problem(key, group.budget, "competition by competence")


def _set(s: Scenario, key: str) -> Any:
    """Return the value of a word, or None where it is at its default or its table is absent."""
    *path, name = key.split(".")
    table: Any = s
    for part in path:
        table = getattr(table, part)
        if table is None:
            return None
    value = getattr(table, name)
    return None if value == getattr(type(table)(), name) else value


def _problem(key: str, value: Any, where: str) -> Problem:
    shown = "present" if dataclasses.is_dataclass(value) else str(value)
    return Problem(key, shown, f"has an effect only with {where}", "leave it out")
