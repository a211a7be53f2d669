"""What a case of verification is: a closed form, a simulation, and how close they must come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import ArrayLike

from ecosim.errors import Problem, ScenarioError
from ecosim.verification.conditions import CONDITIONS

type Number = float | int
type Values = Mapping[str, Any]  # a value for each parameter of a case, int where it is whole
type Relation = Literal["equal", "above", "below"]

FAMILIES = ("core", "ecology", "market", "optimisation", "learning", "metrics")


def numbered(names: Iterable[str]) -> str:
    """Return names with the numbers that a parameter chooses them by."""
    return ", ".join(f"{number} {name}" for number, name in enumerate(names))


@dataclass(frozen=True)
class Parameter:
    """An open number of a case and its domain; the bounds that are given hold together."""

    name: str
    default: Number
    meaning: str
    above: float | None = None  # value > above
    below: float | None = None  # value < below
    least: float | None = None  # value >= least
    most: float | None = None  # value <= most
    whole: bool = False

    @property
    def domain(self) -> str:
        """Return the domain in words, such as `0 < c < 1` or `whole N >= 2`."""
        left = (
            f"{self.above:g} < " if self.above is not None
            else f"{self.least:g} <= " if self.least is not None else ""
        )  # fmt: skip
        right = (
            f" < {self.below:g}" if self.below is not None
            else f" <= {self.most:g}" if self.most is not None else ""
        )  # fmt: skip
        return f"{'whole ' if self.whole else ''}{left}{self.name}{right}"

    def admits(self, value: Number) -> bool:
        """Say whether a number lies in the domain."""
        return (
            value == value
            and abs(value) != float("inf")
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (not self.whole or value == int(value))
        )


@dataclass(frozen=True)
class Curve:
    """A figure of a case: expectation as a line and simulations as points over one parameter."""

    parameter: str
    values: tuple[Number, ...]  # at which it is simulated
    label: str  # of the vertical axis
    fixed: tuple[tuple[str, Number], ...] = ()  # other parameters, where not at their defaults
    seeds: int | None = None
    log: bool = False  # horizontal axis


@dataclass(frozen=True)
class Case:
    """One published result against the simulation.

    `expected` is the closed form at the parameters' values and calls ecosim.theory only.
    `observe` simulates at them, through ecosim.simulate, and returns one observation for each
    seed (or each replicate, where one seed yields many): their mean is held against `expected`,
    their spread gives the standard error. A deterministic case returns one observation.

    A case passes where |mean - expected| <= tolerance (relation `equal`), or where the mean lies
    `above` or `below` `expected` by more than the tolerance. The tolerance is what chance allows
    (see `runner`), plus `bias`: a bound, derived beforehand, on how far a correct simulation's
    mean lies from the closed form (finite numbers, mutation, time step), plus the relative
    `rounding` of its arithmetic. Where each run ends in one of two ways, `expected` is 0 or 1 and
    `failure` bounds, derived beforehand, the chance that a correct run ends the other way: chance
    then allows what that makes likely, whatever the runs' own spread.
    """

    name: str
    labels: tuple[str, ...]  # in the literature's list: T1, E3, M7
    family: Literal["core", "ecology", "market", "optimisation", "learning", "metrics"]
    title: str
    source: str
    parameters: tuple[Parameter, ...]
    expected: Callable[[Values], float]
    observe: Callable[[Values, Sequence[int]], ArrayLike]
    relation: Relation = "equal"
    bias: Callable[[Values], float] | None = None
    rounding: float = 0.0
    failure: Callable[[Values], float] | None = None
    seeds: int = 20  # 1: deterministic
    refuses: Callable[[Values], str | None] | None = None  # the rule between numbers that breaks
    full: bool = False  # too long for the default set
    note: str = ""  # what a reader must know: a disagreement with the literature, a limit
    curve: Curve | None = None

    @property
    def joint(self) -> str:
        """Return what the numbers must meet together, in words; empty where each stands alone."""
        return CONDITIONS.get(self.name, "")

    def as_dict(self) -> dict[str, Any]:
        """Return what the case is, as plain data."""
        bounds = ("default", "meaning", "domain", "above", "below", "least", "most", "whole")
        return {
            "case": self.name, "labels": list(self.labels), "family": self.family,
            "title": self.title, "source": self.source, "full": self.full,
            "relation": self.relation, "seeds": self.seeds, "note": self.note,
            "curve": None if self.curve is None else self.curve.parameter,
            "joint": self.joint,
            "parameters": [
                {"name": p.name} | {key: getattr(p, key) for key in bounds}
                for p in self.parameters
            ],
        }  # fmt: skip

    def values(self, given: Mapping[str, Number] | None = None) -> dict[str, Any]:
        """Return the parameters' values, the defaults but for those given.

        Raises:
            ScenarioError: an unknown parameter, or numbers outside the domain, all at once.

        """
        given = dict(given or {})
        problems = [
            Problem(name, f"{value}", f"{self.name} has no parameter of that name",
                    f"it has: {', '.join(p.name for p in self.parameters) or 'none'}")
            for name, value in given.items() if name not in {p.name for p in self.parameters}
        ]  # fmt: skip
        result: dict[str, Any] = {}
        for parameter in self.parameters:
            value = given.get(parameter.name, parameter.default)
            if isinstance(value, bool) or not isinstance(value, int | float):
                problems.append(Problem(parameter.name, repr(value), "must be a number"))
            elif not parameter.admits(value):
                problems.append(
                    Problem(parameter.name, f"{value:g}", f"the domain is {parameter.domain}")
                )
            else:
                result[parameter.name] = int(value) if parameter.whole else float(value)
        if not problems and self.refuses is not None:
            rule = self.refuses(result)
            if rule:
                problems.append(self._together(result, rule))
        if problems:
            raise ScenarioError(problems, f"verify {self.name}")
        return result

    def _together(self, values: Values, rule: str) -> Problem:
        """Return the problem of numbers that break a rule between them."""
        shown = ", ".join(f"{name}={value:g}" for name, value in values.items())
        need = f"its numbers need: {self.joint}; " if self.joint else ""
        return Problem(", ".join(values), shown, rule, f"{need}change them with --set")
