"""Interactions between agents that a contest for supply does not describe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic.dataclasses import dataclass

from ecosim.errors import Problem
from ecosim.scenario.numbers import CONFIG, Frozen, NonNegative, Positive, Real

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

type HalfSaturation = Positive | Annotated[tuple[Positive, ...], Frozen]


@dataclass(frozen=True, config=CONFIG)
class Kernel:
    """Lotka-Volterra competition on a trait axis (Dieckmann & Doebeli 1999).

    An agent at x loses r sum_j alpha(x - x_j) n_j / K(x) for each of itself, r being
    selection.growth_rate: alpha(d) = exp(-d^2 / (2 width^2)), K(x) = capacity
    exp(-(x - centre)^2 / (2 capacity_width^2)), or `capacity` everywhere without capacity_width.
    """

    width: Positive = 0.5
    capacity: Positive = 500.0
    capacity_width: Positive | None = None
    centre: Real = 0.0


@dataclass(frozen=True, config=CONFIG)
class Resources:
    """Explicit resources, one a niche, that consumers deplete (MacArthur 1970).

    With R the stock of a resource, s its niche's supply (niches.supply x productivity) and v =
    `rate`, it changes by s - v R (`external`), v R (1 - R/s) (`renewing`) or v (s - R)
    (`chemostat`), minus what is taken up. A consumer of competence c takes up c R (`linear`) or
    c R / (half_saturation + R) (`monod`) in a unit of time. `half_saturation` is one number, or,
    with selection.kind = 'growth', one for each of population.groups. `start` is each stock at
    step 0 (absent: what it would be without consumers).
    """

    supply: Literal["external", "renewing", "chemostat"] = "external"
    rate: Positive = 1.0
    uptake: Literal["linear", "monod"] = "linear"
    half_saturation: HalfSaturation | None = None
    start: NonNegative | None = None


_TABLES = {"kernel": "lotka-volterra", "resources": "resources"}


def rules(s: Scenario) -> Iterator[Problem]:
    """Find combinations of competition and life cycle that nothing computes."""
    c, kind = s.competition, s.selection.kind
    for table, owner in _TABLES.items():
        if c.kind != owner and getattr(c, table) is not None:
            yield Problem(
                f"competition.{table}",
                "present",
                f"goes with competition.kind = '{owner}', and only with it",
                "leave it out",
            )
    if s.world == "market" and c.kind in _TABLES.values():
        yield Problem(
            "competition.kind",
            c.kind,
            "firms contest supply: explicit resources and kernels belong to world = 'ecology'",
        )
    elif kind == "growth" and c.kind not in _TABLES.values():
        yield Problem(
            "competition.kind",
            c.kind,
            "densities grow on explicit resources or by Lotka-Volterra competition",
            "set competition.kind = 'resources' or 'lotka-volterra'",
        )
    elif c.kind == "lotka-volterra" and kind in ("energy", "moran", "wright-fisher"):
        yield Problem(
            "selection.kind",
            kind,
            "Lotka-Volterra competition sets rates in continuous time, not shares of a supply",
            "set selection.kind = 'growth' or 'birth-death'",
        )
    elif kind == "birth-death" and c.kind != "lotka-volterra" and s.world != "market":
        yield Problem(
            "competition.kind",
            c.kind,
            "individuals in continuous time meet by Lotka-Volterra competition",
            "set competition.kind = 'lotka-volterra'",
        )
    if kind == "birth-death" and s.record.events:
        yield Problem(
            "record.events",
            "true",
            "the events of individuals in continuous time are not kept one by one",
            "leave it out: births and deaths are counted, and `snapshots` keeps populations",
        )
    if c.kind == "lotka-volterra" and s.niches.space != "axis":
        yield Problem(
            "niches.space",
            s.niches.space,
            "a competition kernel needs positions",
            "set niches.space = 'axis'",
        )
    if c.resources is not None:
        yield from _resources(s, c.resources)
    if kind == "growth":
        yield from _growth(s)


def _resources(s: Scenario, r: Resources) -> Iterator[Problem]:
    given, kind = r.half_saturation, s.selection.kind
    if (r.uptake == "monod") != (given is not None):
        yield Problem(
            "competition.resources.half_saturation",
            str(given),
            "goes with competition.resources.uptake = 'monod', and only with it",
        )
    if isinstance(given, tuple):
        groups = len(s.population.groups)
        if kind != "growth" or len(given) != groups:
            yield Problem(
                "competition.resources.half_saturation",
                f"{len(given)} numbers",
                f"is one number, or with selection.kind = 'growth' one for each of the {groups} "
                "groups (population.groups)",
            )


def _growth(s: Scenario) -> Iterator[Problem]:
    p = s.population
    for key, present, rule in (
        ("patches.count", s.patches.count > 1, "densities do not disperse: one patch"),
        ("population.limit", p.limit is not None, "the number of strains cannot grow"),
    ):
        if present:
            yield Problem(key, "present", rule, "leave it out")


def filled(kind: str, table: str, value: Kernel | Resources | None) -> Kernel | Resources | None:
    """Return a table of the competition, with its defaults where the kind needs one."""
    if value is not None or _TABLES[table] != kind:
        return value
    return Kernel() if table == "kernel" else Resources()
