"""The sweep as a user writes it: a scenario, what of it varies and how, and replicates."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario import Scenario
from ecosim.scenario.keys import unknown
from ecosim.scenario.numbers import CONFIG, Flag, Natural, Seed, Text, Whole
from ecosim.scenario.problems import problems_of
from ecosim.sweeps.ranges import Range, Values, parse_range, parse_values
from ecosim.sweeps.sources import flattened, load

type Method = Literal["random", "latin-hypercube", "sobol", "morris", "saltelli"]


@dataclass(frozen=True, config=CONFIG)
class Sample:
    """Points drawn from a box: `over` gives low:high for each key (`low:high:log` on a log scale).

    `samples` is the number of points; for `morris` the number of trajectories and for `saltelli`
    the base sample N, from which N (k + 2) points are made for k keys.
    """

    method: Method
    samples: Whole
    over: dict[str, Any]


@dataclass(frozen=True, config=CONFIG)
class Search:
    """Points chosen one batch after the other for the best mean of a metric at the end.

    `over` gives low:high for each key, as a sample does; `trials` is the number of points and
    `together` how many of them run before the next are chosen.
    """

    metric: Text
    trials: Whole
    over: dict[str, Any]
    direction: Literal["maximize", "minimize"] = "maximize"
    together: Whole = 8

    @property
    def ranges(self) -> dict[str, Range]:
        """Return the range of each key."""
        return {key: parse_range(key, given) for key, given in self.over.items()}


@dataclass(frozen=True, config=CONFIG)
class Sweep:
    """A scenario, what varies, and replicates.

    The points are all combinations of the parts that are given: each key of `grid` crossed with
    each other, the keys of `zip` in step, the list of `points`, and a `sample`. `set` holds for
    every point; a key of it that also varies takes the values that vary. Values may be any of the
    scenario's, words too.
    """

    scenario: Text
    name: Text = ""
    replicates: Whole = 1
    seed: Seed = 0
    common_random_numbers: Flag = False
    set: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, Any] = Field(default_factory=dict)
    zip: dict[str, Any] = Field(default_factory=dict)
    points: Annotated[tuple[dict[str, Any], ...], Field(default=())] = ()
    sample: Sample | None = None
    search: Search | None = None
    batch: Natural = 0

    @property
    def axes(self) -> dict[str, Values]:
        """Return the values of each key of the grid."""
        return {key: parse_values(key, given) for key, given in self.grid.items()}

    @property
    def strands(self) -> dict[str, Values]:
        """Return the values of each key of the zip, all of one length."""
        return {key: parse_values(key, given) for key, given in self.zip.items()}

    @property
    def ranges(self) -> dict[str, Range]:
        """Return the range of each key of the sample."""
        over = {} if self.sample is None else self.sample.over
        return {key: parse_range(key, given) for key, given in over.items()}

    @property
    def keys(self) -> list[str]:
        """Return the keys that vary, in the order in which they are written."""
        listed = [key for point in self.points for key in point]
        return list(dict.fromkeys([*self.grid, *self.zip, *listed, *self.ranges]))


_ADAPTER = TypeAdapter(Sweep)


def validate(raw: Mapping[str, Any], source: str = "sweep") -> Sweep:
    """Return the sweep that a nested mapping describes; keys need not be dotted paths.

    Raises:
        ScenarioError: every problem, with key, value, rule and fix; a key that no scenario has is
            one.

    """
    try:
        sweep = _ADAPTER.validate_python(flattened(raw, source))
    except ValidationError as error:
        problems = [_of_sweep(problem) for problem in problems_of(error, Sweep)]
        raise ScenarioError(problems, source) from None
    problems = list(_problems(sweep))
    if problems:
        raise ScenarioError(problems, source)
    return sweep


def _of_sweep(problem: Problem) -> Problem:
    """Return a problem with the fix that a sweep needs."""
    if problem.key == "scenario" and "missing" in problem.rule:
        fix = 'name a scenario or its file: scenario = "soft-selection"'
    elif problem.rule == "unknown key" and problem.key in _SCENARIO:
        rule = "is a key of a scenario, and this is a sweep of one"
        fix = f'write it in the table [set], as "{problem.key}..." = VALUE, or in the scenario'
        return dataclasses.replace(problem, rule=rule, fix=fix)
    elif problem.key.startswith("search.") and "missing" in problem.rule:
        flag = f"--{problem.key.partition('.')[2]}"
        fix = f"write it in the table [search], or give {flag} to `ecosim sweep search`"
    else:
        return problem
    return dataclasses.replace(problem, fix=fix)


_SCENARIO = frozenset(field.name for field in dataclasses.fields(Scenario))


def _problems(sweep: Sweep) -> list[Problem]:
    problems: list[Problem] = []
    readers: list[tuple[Any, str]]
    parts = {"set": sweep.set, "grid": sweep.grid, "zip": sweep.zip,
             "sample.over": {} if sweep.sample is None else sweep.sample.over,
             "search.over": {} if sweep.search is None else sweep.search.over}  # fmt: skip
    listed = {key for point in sweep.points for key in point}
    seen: dict[str, str] = {}
    for part, keys in [*parts.items(), ("points", dict.fromkeys(listed))]:
        for key in keys:
            if key in seen and "set" not in (part, seen[key]):
                rule = f"is varied by {seen[key]} and by {part}; a key varies in one way"
                problems.append(Problem(key, "", rule))
            seen[key] = part
            if key in ("run.seed", "name"):
                rule = "is given by the sweep itself (seed and replicates)"
                problems.append(Problem(key, "", rule))
    problems += [problem for key in seen if (problem := unknown(key)) is not None]
    wrong = {problem.key for problem in problems}
    readers = [(sweep, "axes"), (sweep, "strands"), (sweep, "ranges"), (sweep.search, "ranges")]
    for holder, reader in readers:
        try:
            found = {} if holder is None else getattr(holder, reader)
        except ScenarioError as error:
            problems += [problem for problem in error.problems if problem.key not in wrong]
            continue
        if reader == "strands" and len({len(values) for values in found.values()}) > 1:
            given = ", ".join(f"{key}: {len(values)}" for key, values in found.items())
            problems.append(Problem("zip", given, "all lists of a zip have one length"))
    return problems


def read(source: str | os.PathLike[str]) -> Sweep:
    """Return the sweep in a TOML file, or a shipped one by its name; see `sources.load`.

    Raises:
        ScenarioError: every problem of the file.

    """
    return validate(load(source), str(source))


def named(sweep: Sweep) -> str:
    """Return the sweep's name, by default that of its scenario."""
    return sweep.name or Path(sweep.scenario).stem


def definition(sweep: Sweep) -> dict[str, Any]:
    """Return the sweep as plain data, without what is absent or empty."""
    raw = dataclasses.asdict(sweep)
    return {key: _listed(value) for key, value in raw.items() if value not in (None, {}, ())}


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
