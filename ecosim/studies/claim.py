"""What a claim is: a statement, the conditions it is tried under, and what is expected of them.

A claim is a TOML file that is committed before its first run. Its expectations are contrasts:
sums of weights times a metric, over conditions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario.files import parse
from ecosim.scenario.numbers import CONFIG, NonNegative, Real, Seed, Text, Whole
from ecosim.scenario.problems import problems_of
from ecosim.studies import closed_forms

type Size = Literal["quick", "full"]
type Table = dict[str, Any]

SIZES: tuple[Size, ...] = ("quick", "full")


@dataclass(frozen=True, config=CONFIG)
class Condition:
    """One setting: the keys that are `set` in the scenario `of` (which one alone need not be)."""

    set: Table = Field(default_factory=dict)
    of: Text = ""


@dataclass(frozen=True, config=CONFIG)
class Replicates:
    """Independent runs of each condition, by size."""

    quick: Whole = 8
    full: Whole = 32


@dataclass(frozen=True, config=CONFIG)
class Expected:
    """One expectation: a contrast of conditions lies above, below or near a value.

    Of each run one number is read: the mean of `metric` over the last `window` of the records
    (0: the last record), or with `reaches` the steps from `since` until the metric is first at or
    above (`rising`) or at or below that level, or the run's end where it never is. A replicate's
    contrast is the sum of weights times these numbers (`log`: times their logarithms).
    `value` is a number or a closed form with its arguments, {form = "coverage", count = 32}.
    """

    says: Text
    metric: Text
    contrast: dict[str, Real]
    direction: Literal["above", "below", "near"]
    value: Real | Table = 0.0
    tolerance: NonNegative = 0.0
    window: Annotated[float, Field(ge=0, le=1)] = 0.0
    log: bool = False
    reaches: Real | None = None
    rising: bool = True
    since: Annotated[int, Field(ge=0)] = 0

    @property
    def target(self) -> float:
        """Return the value, computed where it is a closed form."""
        if isinstance(self.value, Mapping):
            return closed_forms.evaluate(self.value)
        return float(self.value)

    @property
    def source(self) -> str:
        """Return where the value comes from: a closed form in words, or nothing."""
        return closed_forms.worded(self.value) if isinstance(self.value, Mapping) else ""


@dataclass(frozen=True, config=CONFIG)
class Claim:
    """A statement, how it is tried and what is expected; `statement` numbers it in the argument.

    `waits_for` names what has to be built before the claim can be tried. `goes` says whether the
    argument and theory lead one to expect the statement to hold here (`with`), or generalists to
    win (`against`). `history` lists changes made after the first run, and why.
    """

    statement: Text
    says: Text
    citation: Text
    goes: Literal["with", "against"] = "with"
    theory: Text = ""
    waits_for: Text = ""
    seed: Seed = 0
    replicates: Replicates = Replicates()
    scenarios: dict[str, Table] = Field(default_factory=dict)
    conditions: dict[str, Condition] = Field(default_factory=dict)
    full: Table = Field(default_factory=dict)
    expect: tuple[Expected, ...] = ()
    history: tuple[Text, ...] = ()
    name: Text = ""

    @property
    def digest(self) -> str:
        """Return 12 hex digits that name what is tried and expected."""
        raw = TypeAdapter(Claim).dump_python(self, mode="json")
        for key in ("history", "waits_for"):
            del raw[key]
        text = json.dumps(raw, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def worlds(self) -> list[str]:
        """Return the worlds of its scenarios, in their order, each once."""
        named = [str(raw.get("world", "")) for raw in self.scenarios.values()]
        return list(dict.fromkeys(named))

    def scenario_of(self, condition: str) -> str:
        """Return which of the scenarios a condition is one of."""
        return self.conditions[condition].of or next(iter(self.scenarios))


_ADAPTER = TypeAdapter(Claim)


def read(path: Path) -> Claim:
    """Return the claim in a file.

    Raises:
        ScenarioError: every problem of the file.

    """
    raw = parse(path)
    return validate({"name": path.stem, **raw}, str(path))


def validate(raw: Mapping[str, Any], source: str = "claim") -> Claim:
    """Return the claim that a nested mapping describes, or raise ScenarioError."""
    try:
        claim = _ADAPTER.validate_python(dict(raw))
    except ValidationError as error:
        raise ScenarioError(problems_of(error), source) from None
    problems = _problems(claim)
    if problems:
        raise ScenarioError(problems, source)
    return claim


def _problems(claim: Claim) -> list[Problem]:
    if claim.waits_for:
        return []
    problems = []
    for key in ("scenarios", "conditions", "expect"):
        if not getattr(claim, key):
            problems.append(Problem(key, "none", "a claim that waits for nothing needs one"))
    for name, condition in claim.conditions.items():
        if condition.of and condition.of not in claim.scenarios:
            known = ", ".join(claim.scenarios)
            rule = f"names no scenario of the claim; it has: {known}"
            problems.append(Problem(f"conditions.{name}.of", condition.of, rule))
    for index, expected in enumerate(claim.expect):
        for name in expected.contrast:
            if name not in claim.conditions:
                known = ", ".join(claim.conditions)
                rule = f"names no condition of the claim; it has: {known}"
                problems.append(Problem(f"expect.{index}.contrast", name, rule))
        problems += _value(expected, f"expect.{index}")
    return problems


def _value(expected: Expected, key: str) -> list[Problem]:
    if not expected.contrast:
        return [Problem(f"{key}.contrast", "none", "needs one condition at least")]
    if expected.direction != "near" and expected.tolerance:
        rule = "goes with direction = 'near', and only with it"
        return [Problem(f"{key}.tolerance", f"{expected.tolerance:g}", rule)]
    try:
        expected.target  # noqa: B018  (computed for its errors)
    except ValueError as error:
        return [Problem(f"{key}.value", str(expected.value), str(error))]
    return []
