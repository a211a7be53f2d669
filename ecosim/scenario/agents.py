"""Who lives there: the population at the start, the trade-off and the competition."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Strict
from pydantic.dataclasses import dataclass

from ecosim.scenario.interactions import Kernel, Resources, filled
from ecosim.scenario.numbers import (
    CONFIG,
    Counted,
    Exponent,
    Frozen,
    NonNegative,
    Positive,
    Real,
    Share,
    SignedShare,
    Text,
    Weights,
    Whole,
)

type PopulationSize = Annotated[int, Strict(), Ge(1), Le(2**30), Counted]


@dataclass(frozen=True, config=CONFIG)
class Group:
    """Agents that start alike: a weight in the population, an allocation and a budget.

    On an axis a `position`, and a `width` if it is not population.width, stand for the allocation.
    `budget` multiplies population.budget (ecology) or the starting capital (market); `stock`
    multiplies population.stock (the abundance of a strain where selection.kind = 'growth').
    `method` names what its agents search or learn with (absent: one at random each).
    """

    name: Text
    allocation: Weights | None = None
    position: Real | None = None
    width: Positive | None = None
    share: Positive = 1.0
    budget: Positive = 1.0
    stock: Positive = 1.0
    method: Text | None = None


@dataclass(frozen=True, config=CONFIG)
class Population:
    """The agents at step 0.

    `start`: `even` spreads the budget over all niches, `random` over a random subset, `specialists`
    puts it on one niche, in turn, `random-specialists` on one at random, `pareto` evenly on k
    niches drawn at random, k with the probability [k^-a - (k+1)^-a] / [1 - (K+1)^-a], a being
    `breadth_exponent` (Forister et al. 2015); or give `allocation`, `groups` or a `web` file.
    `variation` is the standard deviation of a Gaussian step applied once to each allocation.
    `stock` is the reserve or abundance (ecology) or capital (market) an agent starts with, uniform
    within +- `stock_variation` of itself. On an axis `position` and `width` are the Gaussian
    utilisation (absent: a generalist in the middle, as wide as the axis is long).
    `community` names the folder of a finished run, or its population.parquet: the founders are
    the agents that it ended with, as they are, numbered anew in the order of their ids.
    `limit` caps the number of agents; births it turns away are counted in the results.
    """

    size: PopulationSize = 1000
    budget: Positive = 1.0
    start: Literal["even", "random", "specialists", "random-specialists", "pareto"] = "even"
    breadth_exponent: Exponent | None = None
    allocation: Weights | None = None
    variation: NonNegative = 0.0
    groups: Annotated[tuple[Group, ...], Frozen] = ()
    web: Text | None = None
    community: Text | None = None
    stock: Positive = 1.0
    stock_variation: Share = 0.5
    position: Real | None = None
    width: Positive | None = None
    limit: Whole | None = None


@dataclass(frozen=True, config=CONFIG)
class Tradeoff:
    """Budget to competence, niche by niche; e = budget x allocation is the effort.

    `power`: e^s; `saturating`: e^s / (e^s + half_saturation^s); `threshold`: e^s, or nothing when
    below `threshold`; `standard`: a niche is passed, competence 1 or 0, when e^s and a Gaussian
    `noise` (its standard deviation; new each step, agent and niche) exceed `threshold`.
    `measured`: what agents that search with e evaluations, or learn from e examples, really reach
    (tables [search], [training]); below `threshold`, where given, it counts as nothing.
    Only niches with e > 0 are tried. Competence is never below `floor`. `transfer` adds that share
    of the competence in related niches (negative: interference) over the graph of relatedness.
    `breadth_cost` shrinks the budget by exp(-cost (breadth - 1)).
    """

    kind: Literal["power", "saturating", "threshold", "standard", "measured"] = "power"
    exponent: Exponent = 2.0
    half_saturation: Positive | None = None
    threshold: Positive | None = None
    noise: NonNegative | None = None
    floor: NonNegative = 0.0
    transfer: SignedShare = 0.0
    breadth_cost: NonNegative = 0.0


@dataclass(frozen=True, config=CONFIG)
class Competition:
    """`contest`: each niche divides its supply by competence^exponent (soft selection).

    `additive`: payoffs add over niches and the whole supply is divided by their sum (hard
    selection). `independent`: nobody competes, a niche pays each its supply times its competence,
    and emits what is received. `unclaimed` is a rival mass that nobody embodies: what it wins
    stays unclaimed.
    `resources`: the table of that name; `lotka-volterra`: the table `kernel`.
    `circular` (market): consumers spread evenly over a circle of circumference niches.length, as
    many as are supplied, each buy one unit from the firm that costs them least (Salop 1979).
    `cournot` (market): firms choose quantities; consumers spend what is supplied whatever the
    price, and pay in proportion to quality (Sutton 1991); at most 4096 firms.
    """

    kind: Literal[
        "contest", "additive", "independent", "resources", "lotka-volterra", "circular", "cournot"
    ] = "contest"
    exponent: Exponent = 1.0
    unclaimed: NonNegative = 0.0
    kernel: Kernel | None = None
    resources: Resources | None = None

    def __post_init__(self) -> None:
        """Fill in the defaults of the table that the kind reads."""
        for table in ("kernel", "resources"):
            object.__setattr__(self, table, filled(self.kind, table, getattr(self, table)))
