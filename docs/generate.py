"""Write docs/scenarios.md and docs/metrics.md from the definitions in the code: `make docs`."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecosim.analysis import glossary, species
from ecosim.scenario import Scenario
from ecosim.scenario.problems import part_class

HERE = Path(__file__).parent


def scenarios() -> str:
    """Return the page of all keys of a scenario."""
    lines = [
        "# The keys of a scenario",
        "",
        "Made from `ecosim/scenario/` by `make docs`. A table that is absent has its defaults;",
        "tables of `environment` are absent by default and act together when present.",
        "",
    ]
    for path, part in _parts(Scenario, ""):
        lines += [f"## {path or 'top level'}", "", inspect.getdoc(part) or "", ""]
        lines += ["| key | default | rule |", "|---|---|---|"]
        lines += list(_rows(part))
        lines += [""]
    return "\n".join(lines)


def _parts(owner: type, path: str) -> Iterator[tuple[str, type]]:
    yield path, owner
    for field in dataclasses.fields(owner):
        inner = part_class(owner, field.name)
        if inner is not None:
            yield from _parts(inner, f"{path}.{field.name}" if path else field.name)


def _rows(part: type) -> Iterator[str]:
    hints = typing.get_type_hints(part, include_extras=True)
    for field in dataclasses.fields(part):
        default = _default(field)
        rule = "a table" if part_class(part, field.name) else _rule(hints[field.name])
        yield f"| `{field.name}` | {default} | {rule} |"


def _default(field: Any) -> str:
    if field.default is dataclasses.MISSING:
        return "required"
    if dataclasses.is_dataclass(field.default):
        return "see below"
    value = getattr(field.default, "default", field.default)
    return "absent" if value is None else f"`{value!r}`"


def _rule(hint: Any) -> str:
    """Return a type and its bounds in words."""
    if isinstance(hint, typing.TypeAliasType):
        return _rule(hint.__value__)
    if typing.get_origin(hint) is typing.Annotated:
        base, *rules = typing.get_args(hint)
        bounds = [words for rule in rules if (words := _bound(rule))]
        return " ".join([_rule(base), *bounds])
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        inner = [_rule(item) for item in typing.get_args(hint) if item is not Ellipsis]
        return f"list of {inner[0]}" if ... in typing.get_args(hint) else f"[{', '.join(inner)}]"
    inner = [item for item in typing.get_args(hint) if item is not type(None)]
    if inner:
        return " or ".join(dict.fromkeys(_rule(item) for item in inner))
    return {"float": "number", "int": "whole number", "str": "text", "bool": "true or false"}.get(
        getattr(hint, "__name__", ""), str(hint)
    )


def _bound(rule: Any) -> str:
    signs = {"Ge": "≥", "Gt": ">", "Le": "≤", "Lt": "<"}
    name = type(rule).__name__
    return f"{signs[name]} {getattr(rule, name.lower())}" if name in signs else ""


def metrics() -> str:
    """Return the page of all recorded metrics."""
    lines = [
        "# What is recorded",
        "",
        "Made from `ecosim/analysis/glossary.py` by `make docs`. One row a recorded step in",
        "`metrics.parquet`; names that end in a number are of one niche, counted from 0.",
        "",
        "| metric | unit | what it is |",
        "|---|---|---|",
    ]
    for name, metric in glossary.METRICS.items():
        lines.append(f"| `{name}` | {metric.unit} | {metric.definition} |")
    lines += ["", "## Species", "", inspect.getdoc(species) or ""]
    return "\n".join([*lines, ""])


PAGES = {"scenarios.md": scenarios, "metrics.md": metrics}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
