"""The keys of a scenario by their paths: which there are, and what numbers they take."""

from __future__ import annotations

import difflib
import functools
import typing
from collections.abc import Iterator
from typing import Any

from ecosim.errors import Problem
from ecosim.scenario.problems import all_keys, owner_of, suggest
from ecosim.scenario.schema import Scenario


def unknown(key: str) -> Problem | None:
    """Return what is wrong with a key path that no scenario has, with its near misses, or None.

    An index counts as an entry of a list; whether a list is that long only a scenario tells.
    """
    path: list[Any] = []
    parts = key.split(".")
    for place, part in enumerate(parts):
        owner = owner_of(path)
        path.append(int(part) if part.isdigit() else part)
        if isinstance(path[-1], int) and len(path) > 1:
            continue
        if owner is None:
            return Problem(key, "", f"'{path[-2]}' is a value, not a table")
        if part not in typing.get_type_hints(owner):
            table = place + 1 < len(parts)  # its name is wrong, and the key in it may be right
            close = difflib.get_close_matches(key, list(all_keys(Scenario)), n=1) if table else []
            fix = f"did you mean {close[0]}?" if close else suggest(path)
            return Problem(key, "", "unknown key", fix)
    return None


@functools.cache
def number_of(key: str) -> type[int] | type[float] | None:
    """Return which numbers a key takes: int, float, or None where it takes none, or either."""
    path = [int(part) if part.isdigit() else part for part in key.split(".")]
    while path and isinstance(path[-1], int):  # an entry of a list is of the kind of the list
        path.pop()
    owner = owner_of(path[:-1]) if path else None
    hint = typing.get_type_hints(owner).get(str(path[-1])) if owner else None
    found = set(_numbers(hint))
    return found.pop() if len(found) == 1 else None


def _numbers(hint: Any) -> Iterator[type[int] | type[float]]:
    if isinstance(hint, typing.TypeAliasType):
        hint = hint.__value__
    if hint in (int, float):
        yield hint
    for inner in typing.get_args(hint):
        if not isinstance(inner, str | int):
            yield from _numbers(inner)
