"""Where agents live: niches, the environment that feeds them, and patches."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from ecosim.scenario.numbers import (
    CONFIG,
    Counted,
    Edges,
    Flag,
    NonNegative,
    Positive,
    PositiveShare,
    Real,
    Share,
    WeightRows,
    Weights,
    Whole,
)

type NicheCount = Annotated[int, Strict(), Ge(1), Le(16384), Counted]
type PatchCount = Annotated[int, Strict(), Ge(1), Le(4096), Counted]
type GraphName = Literal["cycle", "path", "complete", "star", "grid"]


@dataclass(frozen=True, config=CONFIG)
class Niches:
    """K niches: resources, market segments, habitats.

    `supply` holds relative weights (default: equal); `productivity` is what all niches emit
    together in one step (default: population.size times the upkeep of one agent).

    With `used` = m an agent uses at most m of the K niches (absent: up to all of them): of a
    newborn's shares the largest m are kept and divided by their sum, scopes that are drawn (a
    random start, entrants, repertoires) are drawn up to m, and an agent's memory and time follow
    m, not K. A population's table then has `place_0` ... (-1: none) and `share_0` ... instead of
    a column for each niche.
    """

    count: NicheCount = 8
    supply: Weights | None = None
    productivity: Positive | None = None
    used: Whole | None = None
    space: Literal["set", "axis", "graph"] = "set"
    length: Positive = 1.0
    graph: GraphName | Edges | None = None

    @property
    def most(self) -> int:
        """The most niches that an agent can use."""
        return self.count if self.used is None else self.used


@dataclass(frozen=True, config=CONFIG)
class Seasonal:
    """Supply times 1 + amplitude sin(2 pi (t/period + phase)); phases k/K when staggered."""

    amplitude: PositiveShare = 0.5
    period: Positive = 50.0
    staggered: Flag = True


@dataclass(frozen=True, config=CONFIG)
class Switching:
    """Two states; in one the first half of the niches emits 1 + amplitude times its supply.

    The other half emits 1 - amplitude times its own; in the other state it is the other way
    round. With halves of equal supply the total is constant.

    A state lasts one spell of `spell` steps (the grain of the environment). `random` draws each
    spell's state anew, the first with `probability`; `alternating` takes turns.
    """

    spell: Whole = 10
    amplitude: PositiveShare = 0.8
    probability: Share = 0.5
    order: Literal["random", "alternating"] = "random"


@dataclass(frozen=True, config=CONFIG)
class Shocks:
    """Each niche loses a share `severity` of its supply with `probability` a step, then recovers.

    The deficit shrinks by the factor 1 - recovery a step.
    """

    probability: Share = 0.01
    severity: PositiveShare = 0.8
    recovery: PositiveShare = 0.1


@dataclass(frozen=True, config=CONFIG)
class Drift:
    """Niche positions move along the axis: `velocity` a step plus a random walk of sd `noise`."""

    velocity: Real = 0.0
    noise: NonNegative = 0.0


@dataclass(frozen=True, config=CONFIG)
class Opening:
    """Only the first `initial` niches emit at first; one more opens every `interval` steps."""

    initial: Whole = 1
    interval: Whole = 100


@dataclass(frozen=True, config=CONFIG)
class Fluctuation:
    """Each niche's supply is drawn anew each step, uniform within +- range/2 of its own.

    `independent`: each niche for itself. `tied`: one draw for all; the first half of the niches
    rises as the other half falls, by the same amount.
    """

    range: Positive = 1.0
    coupling: Literal["independent", "tied"] = "independent"


@dataclass(frozen=True, config=CONFIG)
class Environment:
    """How supply changes in time. The tables that are present act together; none: constant."""

    seasonal: Seasonal | None = None
    switching: Switching | None = None
    shocks: Shocks | None = None
    drift: Drift | None = None
    opening: Opening | None = None
    fluctuation: Fluctuation | None = None


@dataclass(frozen=True, config=CONFIG)
class Patches:
    """Places, a graph independent of the niches; a newborn moves to a neighbour with `dispersal`.

    `supply[p][k]` weighs niche k in patch p (default: the niches' supply in equal parts).

    `regulation` says where competition acts if the total number of agents is constant
    (selection.kind = 'wright-fisher' or 'moran'). `local`, soft selection (Levene 1953): a patch
    divides its own supply, so that its part in the next generation is its supply, less what is
    left unclaimed there, however fit its inhabitants are. `global`, hard selection (Christiansen
    1975): parents are drawn over all patches in proportion to payoffs, so that patches with
    fitter inhabitants contribute more. Numbers in a patch vary with its supply and with dispersal.
    Levene's model mixes all newborns evenly: a complete graph and dispersal (P - 1)/P, P = count.
    """

    count: PatchCount = 1
    graph: GraphName | Edges = "complete"
    dispersal: Share = 0.1
    supply: WeightRows | None = Field(default=None)
    regulation: Literal["local", "global"] = "local"
