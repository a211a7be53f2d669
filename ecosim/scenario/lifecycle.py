"""How selection works in each world: an ecology's life cycle, a market's exit and entry."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic.dataclasses import dataclass

from ecosim.scenario.conduct import Conduct
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
    `growth`: an agent is a strain and its stock its abundance n, a density; in continuous time
    dn/dt = n (gain - upkeep) on explicit resources, or n growth_rate (1 - sum_j alpha_j n_j / K)
    by Lotka-Volterra competition. A step is one unit of time. `tolerance` bounds the relative
    error of each step of the integration; a strain at or below `extinction` dies.
    `birth-death`: individuals in continuous time under Lotka-Volterra competition, event by event
    (Gillespie 1977): births at rate growth_rate, deaths at growth_rate sum_j alpha_ij / K(x_i),
    itself included. A step is one unit of time.
    `ricker`: all are replaced at once; offspring by crowding in habitats, see `[habitats]`.
    """

    kind: Literal["energy", "moran", "wright-fisher", "growth", "birth-death", "ricker"] = "energy"
    upkeep: Positive = 0.1
    mortality: Share = 0.01
    division: Positive = 2.0
    order: Literal["birth-death", "death-birth"] = "birth-death"
    growth_rate: Positive = 1.0
    extinction: NonNegative = 1e-6
    tolerance: Annotated[Positive, Ge(1e-13), Le(1e-3)] = 1e-9
    window: Whole = 1


@dataclass(frozen=True, config=CONFIG)
class Mutation:
    """With probability `rate` a birth moves the allocation by a Gaussian step of sd `step`.

    The step has sd `step` in each niche, sums to zero, and is projected to the simplex. On an axis
    it moves the position, and the logarithm of the width by sd `width_step`. With probability
    `switch` a newborn takes up a method drawn at random instead of its parent's.

    With `kind` = `repertoire` agents use whole niches, evenly, and neither rate nor step is read: a
    newborn uses with probability `narrowing` one of its parent's niches, drawn at random; otherwise
    all of them, and for each with probability `gain` one more, drawn from those not in use.
    Lineages that broaden in proportion to their breadth until one is cut back have a heavy tail of
    breadths (Yule 1925; the oscillation hypothesis of Janz & Nylin 2008).
    """

    kind: Literal["step", "repertoire"] = "step"
    rate: Share = 0.1
    step: NonNegative = 0.02
    width_step: NonNegative = 0.1
    switch: Share = 0.0
    gain: Share = 0.05
    narrowing: Share = 0.1


@dataclass(frozen=True, config=CONFIG)
class Exit:
    """Firms below the standard for `patience` periods in a row leave; the insolvent leave at once.

    Switched off (`enabled`), nobody is held to the standard. Performance is revenue per unit of
    capital, observed with Gaussian `noise`. `absolute`: the standard is `standard` itself;
    `relative`: `standard` times the market's mean performance.
    `hazard` (absent: none) lets each firm also leave at random, whatever its performance, with
    probability 1 - exp(-h) a period, h = hazard exp(density N + density_squared N^2) for N firms:
    density < 0 < density_squared is legitimation, then competition (Hannan & Carroll 1992).
    """

    enabled: Flag = True
    standard: NonNegative = 0.5
    basis: Literal["absolute", "relative"] = "relative"
    patience: Whole = 3
    noise: NonNegative = 0.0
    hazard: NonNegative | None = None
    density: Real = 0.0
    density_squared: Real = 0.0


@dataclass(frozen=True, config=CONFIG)
class Entry:
    """Foundings: Poisson, mean rate exp(density N + density_squared N^2) (1 + unmet_demand u).

    N is the number of firms and u the unclaimed share of supply. The `form` is `exponential`, or
    `power`: rate N^density exp(density_squared N^2), with density >= 0 (Hannan & Carroll 1992).
    With `replacement` each firm that leaves is also replaced by one entrant.
    `random` entrants pick 1..K segments at random, `unmet` in proportion to unclaimed supply;
    `imitation` copies a firm drawn by its revenue, with a Gaussian `copying_error`.

    `free`: one candidate a step at most (with probability `rate`), drawn like a random entrant,
    enters if it foresees a profit once all firms have answered its entry; nobody enters while a
    firm makes a loss, and of those that do the worst leaves first. Firms own no more than their
    conduct: capital stays as it is, the fixed cost is all that a period costs beside it.
    """

    rate: NonNegative = 1.0
    density: Real = 0.0
    density_squared: Real = 0.0
    form: Literal["exponential", "power"] = "exponential"
    replacement: Flag = False
    unmet_demand: NonNegative = 0.0
    kind: Literal["random", "unmet", "imitation", "free"] = "random"
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
    upkeep: NonNegative = 0.1
    scale: NonNegative = 1.0


@dataclass(frozen=True, config=CONFIG)
class Growth:
    """Growth in proportion to size and by chance (Gibrat 1931), beside what profits bring.

    Each period a firm's capital is multiplied by a factor g, e standard normal: `log-normal`,
    ln g = drift - volatility^2/2 + volatility e; `arithmetic`, g = 1 + drift + volatility e (a
    firm whose factor is not positive leaves). The mean factor is exp(drift), or 1 + drift.
    """

    drift: Real = 0.0
    volatility: NonNegative = 0.1
    form: Literal["log-normal", "arithmetic"] = "log-normal"


@dataclass(frozen=True, config=CONFIG)
class Mergers:
    """Each firm seeks a partner with probability 1 - exp(-rate) a period, at most one merger each.

    The partner is drawn by its `capital`, or by its `overlap` of niches (Pianka) with the firm,
    among firms of the same patch. The larger firm acquires the smaller: capital adds up,
    allocation and budget become means weighted by capital, and the smaller firm leaves.
    """

    rate: NonNegative = 0.01
    partner: Literal["capital", "overlap"] = "capital"


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
    growth: Growth | None = None
    mergers: Mergers | None = None
    incumbents: Incumbents = Incumbents()
    controls: Controls = Controls()
    conduct: Conduct = Conduct()
