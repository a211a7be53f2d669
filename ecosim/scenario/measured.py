"""What is measured in the worlds of search algorithms and of learners, and the rules about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic.dataclasses import dataclass

from ecosim.errors import Problem
from ecosim.scenario.numbers import CONFIG, Frozen, Text

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario


@dataclass(frozen=True, config=CONFIG)
class Search:
    """Agents search: effort is a number of evaluations, each niche a class of problems.

    `algorithms` are the methods that agents may be of, `problems` one class for each niche.
    """

    algorithms: Annotated[tuple[Text, ...], Frozen]
    problems: Annotated[tuple[Text, ...], Frozen]


@dataclass(frozen=True, config=CONFIG)
class Training:
    """Agents learn: effort buys data, each niche is a task. `learners` are the methods."""

    learners: Annotated[tuple[Text, ...], Frozen]


TABLES = {"optimisation": "search", "learning": "training"}


def methods_of(s: Scenario) -> tuple[str, ...]:
    """Return the names of the methods that agents may be of; empty where nothing is measured."""
    if s.search is not None:
        return s.search.algorithms
    return s.training.learners if s.training is not None else ()


def rules(s: Scenario) -> Iterator[Problem]:
    """Find tables that do not go with the world, and words that nothing reads."""
    present = [name for name in TABLES.values() if getattr(s, name) is not None]
    needed = TABLES.get(s.world)
    if needed is not None and present != [needed]:
        yield Problem(
            "world", s.world, f"measures competence as the table [{needed}] says, and no other",
            f"add the table [{needed}]",
        )  # fmt: skip
    elif len(present) > 1:
        yield Problem("training", "present", "an agent searches or learns, not both")
    if (s.tradeoff.kind == "measured") != bool(present):
        yield Problem(
            "tradeoff.kind", s.tradeoff.kind,
            "'measured' goes with a table [search] or [training], and only with it",
        )  # fmt: skip
    methods = methods_of(s)
    if len(set(methods)) != len(methods) or (present and not methods):
        key = "search.algorithms" if s.search is not None else "training.learners"
        yield Problem(key, str(list(methods)), "at least one method, none twice")
    if s.search is not None and len(s.search.problems) != s.niches.count:
        yield Problem(
            "search.problems", f"{len(s.search.problems)} classes",
            f"needs one class for each of the {s.niches.count} niches (niches.count)",
        )  # fmt: skip
    for group in s.population.groups:
        if group.method is not None and group.method not in methods:
            yield Problem(
                f"population.groups.{group.name}.method", group.method,
                f"is one of {list(methods)}" if methods else "nothing is measured here",
            )  # fmt: skip
    if s.mutation.switch > 0 and len(methods) < 2:
        yield Problem("mutation.switch", f"{s.mutation.switch:g}", "needs two methods or more")
    if present and s.competition.kind not in ("contest", "additive", "independent"):
        yield Problem(
            "competition.kind", s.competition.kind,
            "measured competence competes by 'contest', 'additive' or 'independent'",
        )  # fmt: skip
