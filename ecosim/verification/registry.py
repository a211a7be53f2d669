"""All cases, by name and by label."""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from ecosim.errors import Problem, ScenarioError
from ecosim.verification.case import Case

_MODULES: tuple[str, ...] = (
    "soft_selection", "hard_selection", "breadth", "crowd", "budget_multiple", "standards",
    "mutation", "invasion", "grain", "patches",
    "consumers", "coexistence", "kernels", "branching", "width_evolution", "fixation",
    "productivity", "habitats", "diet",
    "niche_width", "contests", "oligopoly", "sizes", "wealth", "density", "partitioning",
    "measures",
    "transfer", "shared_rank", "scaling", "learning_budget", "experts", "experts_published",
    "no_free_lunch", "closed_sets", "search_budget", "search_world",
)  # fmt: skip


@functools.cache
def cases() -> tuple[Case, ...]:
    """Return all cases, in the order of their modules."""
    found: list[Case] = []
    for name in _MODULES:
        found += importlib.import_module(f"ecosim.verification.cases.{name}").CASES
    return tuple(found)


def named(name: str) -> Case:
    """Return the case of a name.

    Raises:
        ScenarioError: there is none, with the nearest name.

    """
    for case in cases():
        if case.name == name:
            return case
    raise _unknown(name)


def _unknown(name: str) -> ScenarioError:
    known = [case.name for case in cases()] + sorted({x for case in cases() for x in case.labels})
    close = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean {close[0]}?" if close else "`ecosim verify --list` lists them"
    rule = "no case has this name or label" if name.strip() else "the name of a case is empty"
    return ScenarioError([Problem("CASE", name or "''", rule, fix)], "verify")


def chosen(
    words: Sequence[str], given: Mapping[str, Any], *, full: bool = False
) -> tuple[list[Case], list[tuple[Case, str]]]:
    """Return the cases that names and labels mean, and those that the numbers given leave out.

    A name means its case, also where it is a long one. A label means all cases that share it; of
    those, the ones that lack a parameter or whose domain does not admit its value are left out,
    with the reason. No word means every case.

    Args:
        words: names (`levene-soft`) and labels (`E3`, in any case of letters).
        given: parameters that are not at their defaults.
        full: take the long cases too.

    Raises:
        ScenarioError: an unknown word, or numbers that no case of a word admits.

    """
    if given and not words:
        rule = "numbers are set for cases that are named"
        raise ScenarioError([Problem("--set", ", ".join(given), rule, "name a CASE")], "verify")
    wanted: dict[str, Case] = {}
    left: list[tuple[Case, str]] = []
    every: list[str | None] = [*words] or [None]
    for word in every:
        exact = [case for case in cases() if word is not None and case.name == word.lower()]
        shared = [c for c in cases() if word is None or word.upper() in c.labels]
        if not exact and not shared:
            raise _unknown(word or "")
        for case in exact if given else []:
            case.values(given)
        if not exact:
            short = [case for case in shared if full or not case.full]
            exact, out = _admitting(short or shared, given)
            left += out
        wanted |= {case.name: case for case in exact}
    return [case for case in cases() if case.name in wanted], left


def _admitting(
    some: Sequence[Case], given: Mapping[str, Any]
) -> tuple[list[Case], list[tuple[Case, str]]]:
    if not given:  # the defaults hold: that needs no computing
        return list(some), []
    kept, left, problems = [], [], []
    for case in some:
        try:
            case.values(given)
            kept.append(case)
        except ScenarioError as error:
            left.append((case, "; ".join(map(str, error.problems))))
            problems.append(error)
    if not kept:
        listed = [problem for error in problems for problem in error.problems]
        raise ScenarioError(listed, ", ".join(case.name for case in some))
    return kept, left
