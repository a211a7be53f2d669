"""From pydantic's errors to problems that teach: key path, value, rule, near-miss suggestion."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ecosim.errors import Problem
from ecosim.scenario.combinations import CombinationError
from ecosim.scenario.schema import Scenario


def problems_of(error: ValidationError, root: type = Scenario) -> list[Problem]:
    """Translate a validation error into problems, one a broken rule.

    Args:
        error: of a Scenario, or of another dataclass.
        root: that dataclass; near misses are looked for among its keys.

    """
    found: list[Problem] = []
    for item in error.errors():
        known = {problem.key for problem in found}
        # A field that may be of several types fails once for each: the first says enough.
        new = _translate(item, root)
        found += [p for p in new if p not in found and not _repeats(item, p, known)]
    return found


def _repeats(item: Any, problem: Problem, known: set[str]) -> bool:
    return problem.key in known and "error" not in item.get("ctx", {})


def _translate(item: Any, root: type) -> Iterator[Problem]:
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, CombinationError):
        yield from cause.problems
        return
    path = _key_path(item["loc"], root)
    key = ".".join(map(str, path))
    if item["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        yield Problem(key, "", "unknown key", suggest(path, root))
    elif item["type"] in ("missing", "missing_argument"):
        choices = _choices(path, root)
        yield Problem(key, "", "required but missing", f"one of {choices}" if choices else "")
    else:
        given = repr(item["input"])
        short = given if len(given) <= 60 else given[:57] + "..."
        yield Problem(key, short, _rule(item["msg"]), _near_choice(path, item["input"], root))


def _key_path(location: tuple[Any, ...], root: type) -> list[Any]:
    """Keep keys and indices that a user wrote; drop pydantic's names of union branches."""
    path: list[Any] = []
    for part in location:
        owner = owner_of(path, root)
        index = isinstance(part, int)
        if index or (owner is None and not path) or owner is not None and _is_key(owner, part):
            path.append(part)
        elif not _is_branch(part):
            path.append(part)
    return path


def _is_branch(part: Any) -> bool:
    text = str(part)
    return any(mark in text for mark in ("[", "(", "literal", "'")) or text in (
        "float",
        "int",
        "str",
        "bool",
        "tuple",
        "none",
    )


def _is_key(owner: type, part: Any) -> bool:
    return part in {field.name for field in dataclasses.fields(owner)}


def _rule(message: str) -> str:
    told = message.removeprefix("Input ").removeprefix("Value error, ").replace("Input", "it")
    return told.replace("a valid tuple", "a list")


def suggest(path: list[Any], root: type = Scenario) -> str:
    """Return the near misses of an unknown key, or the keys allowed in its place."""
    owner = owner_of(path[:-1], root)
    if owner is None:
        return ""
    names = [field.name for field in dataclasses.fields(owner)]
    wrong = str(path[-1])
    elsewhere = [key for key in all_keys(root) if key.rsplit(".", 1)[-1] == wrong]
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close and not elsewhere:
        prefix = ".".join(map(str, path[:-1]))
        return f"did you mean {prefix + '.' if prefix else ''}{close[0]}?"
    if elsewhere:
        return f"did you mean {' or '.join(elsewhere[:3])}?"
    return f"allowed here: {', '.join(names)}"


def _near_choice(path: list[Any], given: Any, root: type) -> str:
    choices = _choices(path, root)
    close = difflib.get_close_matches(str(given), choices, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else ""


def all_keys(owner: type, prefix: str = "") -> Iterator[str]:
    """Yield the paths of all keys, of tables and of what is in them."""
    for field in dataclasses.fields(owner):
        yield prefix + field.name
        inner = part_class(owner, field.name)
        if inner is not None:
            yield from all_keys(inner, f"{prefix}{field.name}.")


def owner_of(path: list[Any], root: type = Scenario) -> type | None:
    """Return the dataclass that a path of names and indices leads to; None: it is a value."""
    owner: type | None = root
    for part in path:
        if owner is None:
            return None
        if not isinstance(part, int):
            owner = part_class(owner, str(part))
    return owner


def part_class(owner: type, name: str) -> type | None:
    """Return the dataclass behind a field, looking through optionals, unions and tuples."""
    hints = typing.get_type_hints(owner, include_extras=False)
    return next(_dataclasses_in(hints.get(name)), None)


def _dataclasses_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, typing.TypeAliasType):
        hint = hint.__value__
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
    for inner in typing.get_args(hint):
        if not isinstance(inner, str | int) and inner is not types.NoneType:
            yield from _dataclasses_in(inner)


def _choices(path: list[Any], root: type) -> list[str]:
    owner = owner_of(path[:-1], root)
    if owner is None:
        return []
    hint = typing.get_type_hints(owner).get(str(path[-1]))
    return list(_literals(hint))


def _literals(hint: Any) -> Iterator[str]:
    if isinstance(hint, typing.TypeAliasType):
        hint = hint.__value__
    if typing.get_origin(hint) is typing.Literal:
        yield from map(str, typing.get_args(hint))
    else:
        for inner in typing.get_args(hint):
            if not isinstance(inner, str | int):
                yield from _literals(inner)


def prune(raw: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the raw scenario without the keys that broke a rule, to look for more problems."""
    result: dict[str, Any] = {}
    bad = {problem.key for problem in problems}
    for key, value in raw.items():
        if key in bad or not isinstance(value, Mapping) and _below(key, bad):
            continue
        inner = {Problem(b.removeprefix(f"{key}."), "", "") for b in bad if b.startswith(f"{key}.")}
        result[key] = prune(value, list(inner)) if isinstance(value, Mapping) else value
    return result


def _below(key: str, bad: set[str]) -> bool:
    return any(b.startswith(f"{key}.") for b in bad)
