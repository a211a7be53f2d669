"""Where a sweep is written: in a file, a shipped sweep, or a scenario that flags vary."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario import shipped as scenarios
from ecosim.scenario.files import parse
from ecosim.scenario.observed import located
from ecosim.sweeps import shipped as sweeps

# Keys that a sweep has and a scenario has not.
_OWN = frozenset({"scenario", "replicates", "seed", "common_random_numbers", "set", "grid", "zip",
                  "points", "sample", "batch"})  # fmt: skip
_SEARCH = frozenset({"metric", "trials", "over", "direction"})
_VARYING = ("set", "grid", "zip")  # tables whose keys are those of a scenario
_BOXES = ("sample", "search")  # tables whose `over` has keys of a scenario


def load(source: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a source says, not yet validated; a scenario is a sweep that varies nothing.

    Args:
        source: a file of a sweep or of a scenario, or the name of a shipped one. A scenario, web or
            community that a sweep's file names by a relative path is looked for beside it.

    Returns:
        The tables of a sweep; a `name` where the source is a sweep.

    Raises:
        ScenarioError: no such source, with the nearest name, or a file that is not TOML.

    """
    path = Path(source)
    if not path.is_file():
        found = sweeps.find(str(source))
        if found is None and scenarios.find(str(source)) is not None:
            return {"scenario": str(source)}
        path = found or _nowhere(str(source))
    raw = parse(path)
    if not raw:
        rule = "is empty: a sweep names a scenario"
        raise ScenarioError([Problem("", "", rule, 'scenario = "soft-selection"')], str(path))
    if not _is_sweep(raw):
        return {"scenario": str(source)}
    beside = path.parent / str(raw.get("scenario", ""))
    if beside.is_file():
        raw["scenario"] = str(beside)
    raw["name"] = raw.get("name") or path.stem
    tables = flattened(raw, str(path))
    fixed = tables.get("set", {})
    for key in ("population.community", "population.web"):
        if isinstance(fixed.get(key), str):
            fixed[key] = located(fixed[key], path)
    return tables


def _is_sweep(raw: Mapping[str, Any]) -> bool:
    search = raw.get("search")
    searches = isinstance(search, dict) and not _SEARCH.isdisjoint(search)
    return not _OWN.isdisjoint(raw) or (searches and "world" not in raw)


def _nowhere(source: str) -> Path:
    known = [*sweeps.names(), *scenarios.names()]
    close = difflib.get_close_matches(source, known, n=1)
    fix = f"did you mean {close[0]}?" if close else (
        f"shipped sweeps: {', '.join(sweeps.names())}; `ecosim scenarios` lists the scenarios"
    )  # fmt: skip
    raise ScenarioError([Problem("", source, "no such file, sweep or scenario", fix)], "sweep")


def flattened(raw: Mapping[str, Any], source: str = "sweep") -> dict[str, Any]:
    """Return a sweep whose tables have key paths, whether they were quoted or not.

    `[grid] tradeoff.exponent = ...` is to TOML a table in a table, and means the same key as
    `"tradeoff.exponent"`. What a table in [set] gives are numbers of it; the others stay.

    Raises:
        ScenarioError: what should be a table is none.

    """
    found = dict(raw)
    problems: list[Problem] = []

    def flat(name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return dict(paths(value))
        rule = 'is a table of keys of the scenario, as in "tradeoff.exponent" = "0.5:2:16"'
        problems.append(Problem(name, repr(value)[:60], rule))
        return {}

    for name in _VARYING:
        if name in found:
            found[name] = flat(name, found[name])
    if isinstance(found.get("points"), list | tuple):
        found["points"] = [flat(f"points.{i}", row) for i, row in enumerate(found["points"])]
    for name in _BOXES:
        box = found.get(name)
        if isinstance(box, Mapping) and "over" in box:
            found[name] = {**box, "over": flat(f"{name}.over", box["over"])}
    if problems:
        raise ScenarioError(problems, source)
    return found


def paths(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path of each value and the value; an empty table is a value."""
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
