"""Planes of two axes on which specialists win or lose, one entry a world and a map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ecosim.errors import Problem, ScenarioError
from ecosim.studies.claim import Size

type Map = Literal["crowding", "grain"]
type Point = dict[str, Any]

MAPS: tuple[Map, ...] = ("crowding", "grain")
# Worlds whose planes are not drawn yet, and what they wait for.
WAITING = {
    "optimisation": "contest exponent against evaluations, boundary E[best of m] (O1, O3)",
    "learning": "relatedness of tasks against examples, boundary rho* (L1)",
}


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
    """A closed form: the x above which specialists win at each y (infinite: nowhere)."""

    label: str
    at: Callable[[float], float]


@dataclass(frozen=True)
class Plane:
    """A world's plane.

    `point(x, y)` are the keys of `scenario` that change; `share` reads the specialists' share from
    the metrics, 1 - metric where `rest`. The first of `boundaries` is the one that the runs are
    held against; none: there is no closed form. `note` is what a reader must know.
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

    @property
    def name(self) -> str:
        """Return what names the plane: world and map."""
        return f"{self.world}-{self.map}"


def chosen(worlds: tuple[str, ...], *, swap: bool) -> list[Plane]:
    """Return the planes of worlds, all maps of each.

    Args:
        worlds: names; none: all that are not swapped.
        swap: take the versions whose selection is another world's.

    Raises:
        ScenarioError: a world without a plane, named with those that there are.

    """
    from ecosim.studies import classic_planes

    there = [plane for plane in classic_planes.PLANES if plane.world.endswith("swapped") == swap]
    known = list(dict.fromkeys(plane.world.removesuffix("-swapped") for plane in there))
    unknown = [world for world in worlds if world not in known]
    if unknown:
        late = "".join(f"; {world} is not yet built" for world in unknown if world in WAITING)
        swapped = " with another selection" if swap else ""
        rule = f"has no map{swapped}; worlds: {', '.join(known)}{late}"
        raise ScenarioError([Problem("--world", word, rule) for word in unknown], "phase-diagram")
    return [p for p in there if not worlds or p.world.removesuffix("-swapped") in worlds]
