"""What is static in a compiled step: the kinds of the parts and the counts of things."""

from __future__ import annotations

from dataclasses import dataclass

from ecosim import machine
from ecosim.errors import RunError
from ecosim.model import division, measured
from ecosim.scenario import Scenario
from ecosim.scenario.measured import methods_of
from ecosim.scenario.oligopoly import FIRMS


@dataclass(frozen=True)
class Kinds:
    """Hashable: two scenarios with equal kinds and capacity share one compiled program."""

    world: str
    niches: int
    patches: int
    dtype: str
    space: str
    tradeoff: str
    competition: str
    selection: str
    order: str
    entry: str
    adaptation: str
    exit: bool
    hazard: bool  # of random exit
    growth: str
    mergers: str
    shuffle_capital: bool
    limited: bool
    drifting: bool
    events: bool
    groups: int  # 0: the founders are not told apart
    until: str
    renewal: str  # of explicit resources; empty: none
    uptake: str
    conduct: str
    reply: str  # how firms answer one another: in sequence or damped
    demography: str  # of habitats: densities, individuals, or none
    floor: bool
    window: bool  # gains or profits add up over several steps
    regulation: str  # of numbers, in each patch or over all
    measured: measured.Method | None  # None: competence is postulated
    mutation: str
    methods: int  # that measured agents may be of; 0: none
    used: int = 0  # niches an agent uses at most, held by their places; 0: all K are held

    @property
    def oligopoly(self) -> bool:
        """Whether firms choose their conduct, or compete in a market that allows for it."""
        return self.conduct != "none" or self.competition in ("circular", "cournot")

    @property
    def choices(self) -> int:
        """Columns that hold a firm's conduct: its choice, and its site on a circle."""
        return (2 if self.conduct == "price" else 1) if self.oligopoly else 0

    @property
    def held(self) -> int:
        """Return how many shares and claims an agent's row holds."""
        return self.used or self.niches

    @property
    def lifespans(self) -> int:
        """Return how many numbers hold the age at which chance strikes an organism: 1 or 0."""
        return int(self.selection == "energy")

    @property
    def retains(self) -> int:
        """Return how many numbers a firm retains until it invests them: 1 or 0."""
        return int(self.window and self.world == "market")


def kinds_of(scenario: Scenario) -> Kinds:
    """Return the static part of a scenario."""
    market = scenario.world == "market"
    stores = scenario.competition.resources
    growth, mergers = scenario.market.growth, scenario.market.mergers
    return Kinds(
        world=scenario.world,
        niches=scenario.niches.count,
        patches=scenario.patches.count,
        dtype=scenario.run.precision,
        space=scenario.niches.space,
        tradeoff=scenario.tradeoff.kind,
        competition=scenario.competition.kind,
        selection="exit-entry" if market else scenario.selection.kind,
        order=scenario.selection.order,
        entry=scenario.market.entry.kind if market else "none",
        adaptation=scenario.market.incumbents.adaptation if market else "none",
        exit=scenario.market.exit.enabled if market else False,
        hazard=market and scenario.market.exit.hazard is not None,
        growth=growth.form if growth is not None else "none",
        mergers=mergers.partner if mergers is not None else "none",
        shuffle_capital=scenario.market.controls.shuffle_capital if market else False,
        limited=scenario.population.limit is not None,
        drifting=scenario.environment.drift is not None,
        events=scenario.record.events,
        groups=len(scenario.population.groups),
        until=scenario.run.until or "",
        renewal=stores.supply if stores else "",
        uptake=stores.uptake if stores else "",
        conduct=scenario.market.conduct.kind,
        reply=scenario.market.conduct.rule,
        demography=scenario.habitats.demography if scenario.habitats else "",
        floor=scenario.tradeoff.floor > 0,
        window=(scenario.market.investment.period if market else scenario.selection.window) > 1,
        regulation=scenario.patches.regulation,
        measured=measured.method_of(scenario),
        mutation="none" if market else scenario.mutation.kind,
        methods=len(methods_of(scenario)),
        used=scenario.niches.used or 0,
    )


def capacity_for(kinds: Kinds, size: int) -> int:
    """Return how many slots to begin with: whole blocks, with room where numbers vary."""
    # In an oligopoly firms are few, and each reply looks at all of them.
    few = kinds.oligopoly or kinds.demography == "densities"
    if few or kinds.selection in ("moran", "wright-fisher", "growth"):
        return _whole(size + 1)
    if kinds.selection == "birth-death":
        # Each event reads all slots.
        return _whole(size + size // 4 + 32)
    # A quarter more, or a 32nd of many, whom supply seldom feeds more of: each pass reads the free
    # slots too.
    room = size // 4 if size < 2**17 else size // 32
    return _whole(max(size + room, 1024))


def _whole(slots: int) -> int:
    return whole_blocks(slots, division.parts())


def whole_blocks(slots: int, devices: int) -> int:
    """Return slots rounded up to whole blocks of 64, as many on each device."""
    block = 64 * devices
    return -(-slots // block) * block


def enlarged(kinds: Kinds, capacity: int, *, births: int, step: int) -> int:
    """Return the next capacity after one that has no room for the births of a step.

    Twice as many while the arrays are small, since each capacity is compiled anew; half as many
    again when they are large, since old and new exist at once; more where the births need it.

    Raises:
        RunError: old and new would not fit the memory that may be used here, or more firms than
            can divide one market.

    """
    wanted = 2 * capacity if capacity < 2**17 else capacity + capacity // 2
    larger = _whole(max(wanted, capacity + births))
    if kinds.competition == "cournot":
        most = _whole(FIRMS)
        if capacity >= most:
            raise RunError(
                f"step {step}: {births} entries do not fit {capacity} slots (rule: 'cournot' has "
                f"at most {most} firms; set population.limit, market.costs.fixed or less supply)"
            )
        larger = min(larger, most)
    needed, memory = 2 * bytes_for(kinds, larger), machine.memory()
    if needed > memory:
        raise RunError(
            f"step {step}: {births} births do not fit {capacity} slots, and room for them takes "
            f"about {needed / 2**30:.1f} GiB of {memory / 2**30:.1f} GiB of memory "
            "(rule: a population fits the memory; set population.limit, or a lower founding "
            "rate or productivity)"
        )
    return larger


def bytes_for(kinds: Kinds, capacity: int) -> int:
    """Return about how many bytes a population of this capacity takes."""
    number = 8 if kinds.dtype == "float64" else 4
    log = 4 * 60 if kinds.events else 0
    own = 45 + 4 * kinds.used + 4 * kinds.lifespans + log
    return capacity * ((2 * kinds.held + 4) * number + own)
