"""Planes of two axes on which specialists win or lose, one entry a world and a map."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ecosim.errors import Problem, ScenarioError
from ecosim.studies.claim import Size

type Map = Literal["crowding", "grain", "evaluations", "transfer", "rank"]
# What of a world is another's; the last four are controls, of the ecology and one of the market.
type Variant = Literal["", "selection", "competition", "mutation-off", "mutation-rare", "numbers",
                       "imitation"]  # fmt: skip
type Kind = Literal["own", "swapped", "control"]
type Point = dict[str, Any]

MAPS: tuple[Map, ...] = ("crowding", "grain", "evaluations", "transfer", "rank")
KINDS: dict[Variant, Kind] = {
    "": "own", "selection": "swapped", "competition": "swapped",
    "mutation-off": "control", "mutation-rare": "control", "numbers": "control",
    "imitation": "control",
}  # fmt: skip


SIDES = ("specialists", "generalists")


@dataclass(frozen=True)
class Axis:
    """One axis: what it is, and the rising values at which it is simulated (whole: only those)."""

    label: str
    quick: tuple[float, ...]
    full: tuple[float, ...]
    log: bool = False
    whole: bool = False

    def values(self, size: Size) -> tuple[float, ...]:
        """Return the values of a size."""
        return self.quick if size == "quick" else self.full


@dataclass(frozen=True)
class Boundary:
    """A closed form: the x above which the first side wins at each y (infinite: nowhere)."""

    label: str
    at: Callable[[float], float]


@dataclass(frozen=True)
class Plane:
    """A world's plane.

    `point(x, y)` are the keys of `scenario` that change; the first side's share is the metric, or
    1 - metric where `rest`. The first of `boundaries` is the one that the runs are
    held against; none: there is no closed form. `expects` adds in words what was expected before
    the first run; `note` is what a reader must know; `before` tells of runs that were seen before
    the plane was registered (nothing: there were none); `history` of what was changed since it was
    first registered. `sides` are the two that contend, specialists and generalists but for one
    plane; the first one's share is mapped. `given` says what of the map holds by construction, and
    `counted` whether statement 16 is counted over it.
    """

    world: str
    map: Map
    title: str
    across: Axis
    up: Axis
    scenario: dict[str, Any]
    point: Callable[[float, float], Point]
    metric: str
    rest: bool
    boundaries: tuple[Boundary, ...]
    shares: tuple[str, ...]
    own: tuple[str, ...]
    replicates: dict[Size, int]
    note: str = ""
    variant: Variant = ""
    expects: str = ""
    before: str = ""
    history: str = ""
    given: str = ""
    counted: bool = False
    sides: tuple[str, str] = SIDES

    @property
    def name(self) -> str:
        """Return what names the plane: world, map and what is another's."""
        return "-".join(part for part in (self.world, self.map, self.variant) if part)

    @property
    def kind(self) -> Kind:
        """Return whether all is the world's own, or part is swapped, or it is a control."""
        return KINDS[self.variant]

    def expected(self, size: Size, number: int = 0) -> list[str]:
        """Return what a closed form says of each cell, a row of s and g (and -: none) for each y.

        s: the first side wins, specialists; g: the second, generalists.
        """
        x = self.across.values(size)
        found = []
        for y in self.up.values(size):
            edge = self.boundaries[number].at(y)
            found.append("".join(_letter(value, edge) for value in x))
        return found


def _letter(x: float, edge: float) -> str:
    if math.isnan(edge):
        return "-"
    return "s" if x > edge else "g"


def chosen(worlds: tuple[str, ...], *, kind: Kind = "own") -> list[Plane]:
    """Return the planes of worlds, all maps of each.

    Args:
        worlds: names; none, or `all`: all that there are.
        kind: swapped: after the worlds' own planes those where selection or competition is
            another's, which are held against them; control: likewise with the controls.

    Raises:
        ScenarioError: a world without a plane, named with those that there are.

    """
    from ecosim.studies import classic_planes, measured_planes, own_axes_planes, swapped_planes

    modules = (classic_planes, measured_planes, own_axes_planes, swapped_planes)
    every = [plane for module in modules for plane in module.PLANES]
    known = list(dict.fromkeys(plane.world for plane in every if plane.kind == kind))
    unknown = [world for world in worlds if world not in (*known, "all")]
    if unknown:
        rule = f"has no map of this kind ({kind}); worlds: all, {', '.join(known)}"
        raise ScenarioError([Problem("--world", word, rule) for word in unknown], "phase-diagram")
    wanted = set(known) if not worlds or "all" in worlds else set(worlds)
    some = [plane for plane in every if plane.kind == kind and plane.world in wanted]
    if kind == "own":
        return some
    maps = {(plane.world, plane.map) for plane in some}
    own = [plane for plane in every if plane.kind == "own" and (plane.world, plane.map) in maps]
    return own + some
