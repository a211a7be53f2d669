"""Niches as habitats that agents choose among: crowding, choice and growth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt, Le
from pydantic import AllowInfNan, Strict
from pydantic.dataclasses import dataclass

from ecosim.errors import Problem
from ecosim.scenario.numbers import CONFIG, Share

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario

type GrowthRate = Annotated[float, Strict(), AllowInfNan(False), Gt(0), Le(8)]


@dataclass(frozen=True, config=CONFIG)
class Habitats:
    """Habitat choice under `selection.kind = "ricker"` (Wilson & Yoshimura 1994).

    Each niche is a habitat whose supply is its carrying capacity K_j for a competence of 1; a
    species of competence c_ij could number K_ij = c_ij K_j there. Each species spreads over the
    habitats so that none is less crowded for it than those it uses (ideal free choice); a share
    `random` of its members ends up anywhere. In habitat j a member leaves
    exp(`growth` (1 - N_j / K_ij)) offspring and dies.

    `densities`: an agent is a species, its stock the number of its members, a real number; groups
    start with numbers in proportion to their shares. `individuals`: an agent is a member of its
    group, which is a species, and its offspring are a Poisson number.
    """

    growth: GrowthRate = 1.3
    random: Share = 0.0
    demography: Literal["densities", "individuals"] = "densities"


def rules(s: Scenario) -> Iterator[Problem]:
    """Find what habitats cannot be combined with."""
    chosen = s.world != "market" and s.selection.kind == "ricker"
    if chosen != (s.habitats is not None):
        yield Problem(
            "habitats",
            "absent" if s.habitats is None else "present",
            "goes with selection.kind = 'ricker', and only with it",
        )
        return
    if s.habitats is None:
        return
    if s.niches.productivity is None:
        yield Problem(
            "niches.productivity",
            "absent",
            "is the carrying capacity of all habitats together, which 'ricker' needs",
            "set niches.productivity",
        )
    if s.competition != type(s.competition)():
        yield Problem(
            "competition",
            "present",
            "habitats are divided by choice and crowding, not by a contest",
            "leave [competition] out",
        )
    if s.habitats.demography == "densities" and s.mutation != type(s.mutation)():
        yield Problem(
            "mutation",
            "present",
            "densities have no births, hence no mutants",
            "leave [mutation] out, or set habitats.demography = 'individuals'",
        )
