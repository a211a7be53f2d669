"""The scenario: the one definition of what a user may write, frozen and validated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from ecosim.scenario.agents import Competition, Population, Tradeoff
from ecosim.scenario.habitats import Habitats
from ecosim.scenario.lifecycle import Market, Mutation, Selection
from ecosim.scenario.measured import Search, Training
from ecosim.scenario.numbers import (
    CONFIG,
    Flag,
    Frozen,
    Natural,
    NonNegative,
    Positive,
    Real,
    Seed,
    Share,
    Text,
    Whole,
)
from ecosim.scenario.places import Environment, Niches, Patches


@dataclass(frozen=True, config=CONFIG)
class About:
    """What the scenario asks, in words."""

    title: Text = ""
    question: Text = ""
    citation: Text = ""


@dataclass(frozen=True, config=CONFIG)
class Expectation:
    """Pre-registered: the mean of `metric` over the last `window` of the records.

    `below` and `above` a value, or `near` it within `tolerance`; or it `rises` or `falls` from the
    first record by more than the value. A value in words (`T1`) is computed from the closed form
    at this scenario's numbers.
    """

    metric: Text
    direction: Literal["below", "above", "near", "rises", "falls"]
    value: Real | Text = 0.0
    tolerance: NonNegative = 0.0
    window: Share = 0.0


@dataclass(frozen=True, config=CONFIG)
class Timing:
    """Length, seed and arithmetic of a run.

    `until` ends a run before `steps`: `extinct` when nobody is left, `fixed` when all that live
    are of one group (without groups: descend from one founder), `branched` when two clones of
    more than `branch_size` agents each lie more than `branch_distance` apart on the axis,
    `settled` when nobody has come for `settled_steps` steps.
    """

    steps: Natural = 1000
    until: Literal["fixed", "extinct", "branched", "settled"] | None = None
    branch_size: Natural = 30
    branch_distance: Positive = 0.6
    settled_steps: Whole = 200
    seed: Seed = 0
    precision: Literal["float32", "float64"] = "float32"


@dataclass(frozen=True, config=CONFIG)
class Record:
    """What a run keeps: metrics `every` so many steps; whole populations every `snapshots` steps.

    `snapshots` = 0 keeps none; `events` keeps each birth, death, entry and exit.
    """

    every: Whole = 1
    snapshots: Natural = 0
    events: Flag = False


@dataclass(frozen=True, config=CONFIG)
class Scenario:
    """One question put to the simulator.

    Raises pydantic.ValidationError when a field or a combination of fields breaks a rule;
    `ecosim.scenario.read` turns that into a ScenarioError that lists all problems.
    """

    world: Literal["ecology", "market", "optimisation", "learning"]
    name: Text = "unnamed"
    about: About = About()
    expectation: Annotated[tuple[Expectation, ...], Frozen] = ()
    niches: Niches = Niches()
    environment: Environment = Environment()
    patches: Patches = Patches()
    population: Population = Population()
    tradeoff: Tradeoff = Tradeoff()
    competition: Competition = Competition()
    selection: Selection = Selection()
    mutation: Mutation = Mutation()
    habitats: Habitats | None = None
    search: Search | None = None
    training: Training | None = None
    market: Market = Market()
    run: Timing = Timing()
    record: Record = Record()

    @model_validator(mode="after")
    def _combinations(self) -> Scenario:
        from ecosim.scenario.combinations import check

        check(self)
        return self

    @property
    def total_supply(self) -> float:
        """What all niches emit together in one step: niches.productivity, or enough for all.

        Enough is population.size times the upkeep of one organism, or of one firm with the
        starting capital and its fixed cost.
        """
        if self.niches.productivity is not None:
            return self.niches.productivity
        if self.world == "market":
            costs = self.market.costs
            return self.population.size * (costs.upkeep * self.population.stock + costs.fixed)
        return self.population.size * self.selection.upkeep

    @property
    def densities(self) -> bool:
        """Say whether an agent is a species and its stock a density, a real number."""
        return self.habitats is not None and self.habitats.demography == "densities"

    @property
    def most_recordings(self) -> int:
        """The most recordings of a run: of step 0, of each `record.every` steps, of the end."""
        return 2 + self.run.steps // self.record.every

    def replace(self, **changes: Any) -> Scenario:
        """Return a copy with `key__path=value` (double underscores for dots) changed."""
        from ecosim.scenario.files import override

        return override(self, {key.replace("__", "."): value for key, value in changes.items()})

    def _repr_html_(self) -> str:
        from ecosim.scenario.files import to_toml

        return f"<pre>{to_toml(self)}</pre>"
