"""How selection works in each world: an ecology's life cycle, a market's exit and entry."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from ecosim.scenario.numbers import (
    CONFIG,
    Flag,
    NonNegative,
    Positive,
    ProperShare,
    Real,
    Share,
    Whole,
)


@dataclass(frozen=True, config=CONFIG)
class Selection:
    """The ecology's life cycle.

    `energy`: stock + gain - upkeep; an organism starves at 0, dies of other causes with
    probability `mortality`, and divides in two equal halves at a stock of `division`.
    `moran`: one birth and one death a step, the birth in proportion to gain (`birth-death`: the
    dead is drawn after, among all; `death-birth`: before, and cannot be the parent).
    `wright-fisher`: all are replaced at once by offspring in proportion to gain. With a `window`
    gains add up over so many steps before that: an arithmetic mean within a window, a geometric
    one across windows (Levins 1968). An environment whose spells are shorter is fine-grained.
    """

    kind: Literal["energy", "moran", "wright-fisher"] = "energy"
    upkeep: Positive = 0.1
    mortality: Share = 0.01
    division: Positive = 2.0
    order: Literal["birth-death", "death-birth"] = "birth-death"
    window: Whole = 1


@dataclass(frozen=True, config=CONFIG)
class Mutation:
    """With probability `rate` a birth moves the allocation by a Gaussian step of sd `step`.

    The step has sd `step` in each niche, sums to zero, and is projected to the simplex. On an axis
    it moves the position, and the logarithm of the width by sd `width_step`.
    """

    rate: Share = 0.1
    step: NonNegative = 0.02
    width_step: NonNegative = 0.1


@dataclass(frozen=True, config=CONFIG)
class Exit:
    """Firms below the standard for `patience` periods in a row leave; the insolvent leave at once.

    Switched off, only firms whose capital is used up leave. Performance is revenue per unit of
    capital, observed with Gaussian `noise`. `absolute`: the standard is `standard` itself;
    `relative`: `standard` times the market's mean performance.
    """

    enabled: Flag = True
    standard: NonNegative = 0.5
    basis: Literal["absolute", "relative"] = "relative"
    patience: Whole = 3
    noise: NonNegative = 0.0


@dataclass(frozen=True, config=CONFIG)
class Entry:
    """Foundings: Poisson, mean rate exp(density N + density_squared N^2) (1 + unmet_demand u).

    N is the number of firms and u the unclaimed share of supply. `random` entrants pick 1..K
    segments at random, `unmet` in proportion to unclaimed supply; `imitation` copies a firm drawn
    by its revenue, with a Gaussian `copying_error`.
    """

    rate: NonNegative = 1.0
    density: Real = 0.0
    density_squared: Real = 0.0
    unmet_demand: NonNegative = 0.0
    kind: Literal["random", "unmet", "imitation"] = "random"
    copying_error: NonNegative = 0.02
    capital: Positive = 1.0


@dataclass(frozen=True, config=CONFIG)
class Investment:
    """How capital moves: profits are kept, outsiders' capital follows performance.

    `reinvestment`: the share of a profit that stays in the firm; losses are borne in full.
    `flow` f: capital moves from firms below to firms above the mean performance, f times their
    relative distance from it, total unchanged.
    `defunding`: share of capital withdrawn in a period below the standard.
    `period`: all that is retained moves capital every so many steps only; in between it adds up.
    """

    reinvestment: Share = 1.0
    flow: Share = 0.0
    defunding: ProperShare = 0.0
    period: Whole = 1


@dataclass(frozen=True, config=CONFIG)
class Costs:
    """`fixed` a period and `upkeep` a unit of capital; output goes with capital^`scale`."""

    fixed: NonNegative = 0.0
    upkeep: Positive = 0.1
    scale: NonNegative = 1.0


@dataclass(frozen=True, config=CONFIG)
class Incumbents:
    """Adaptation of firms that are in the market.

    `toward-demand` moves a share 1 - inertia of the allocation a period to the segment that pays
    the most for a unit of competence.
    """

    adaptation: Literal["none", "toward-demand"] = "none"
    inertia: Share = 0.95


@dataclass(frozen=True, config=CONFIG)
class Controls:
    """`shuffle_capital` permutes capital among firms each period: size says nothing any more."""

    shuffle_capital: Flag = False


@dataclass(frozen=True, config=CONFIG)
class Market:
    """The market's selection: no inheritance, no mutation."""

    exit: Exit = Exit()
    entry: Entry = Entry()
    investment: Investment = Investment()
    costs: Costs = Costs()
    incumbents: Incumbents = Incumbents()
    controls: Controls = Controls()
