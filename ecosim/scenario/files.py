"""Scenarios in and out: TOML, shipped names, overrides, JSON Schema and the digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import TypeAdapter, ValidationError

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario.community import fingerprint, with_room
from ecosim.scenario.observed import located
from ecosim.scenario.problems import problems_of, prune
from ecosim.scenario.schema import Scenario
from ecosim.scenario.shipped import find, names

_ADAPTER = TypeAdapter(Scenario)
_NUMBER = re.compile(r"[+-]?(\.\d+|\d+\.)(e[+-]?\d+)?")  # decimals that TOML does not admit
_LIVING = ("ecology", "optimisation", "learning")
_ONLY_IN = {"market": ("market",), "selection": _LIVING, "mutation": _LIVING}


def read(source: str | os.PathLike[str] | Scenario, overrides: Any = None) -> Scenario:
    """Return a validated scenario from a TOML file, a shipped scenario's name or a Scenario.

    Args:
        source: path, shipped name, or Scenario.
        overrides: a mapping or a sequence of "key.path=value" texts (values as in TOML; a word
            that is no TOML value is taken as text).

    Raises:
        ScenarioError: with every problem found, its key, value, rule and suggestion.

    """
    changes = parse_overrides(overrides)
    if isinstance(source, Scenario):
        return override(source, changes)
    path = locate(source)
    raw = parse(path)
    raw.setdefault("name", path.stem)
    files = raw.get("population", {})
    for key in ("web", "community"):
        if isinstance(files, dict) and isinstance(files.get(key), str):
            files[key] = located(files[key], path)
    return validate(_merge(raw, changes), f"{path} with overrides" if changes else str(path))


def locate(source: str | os.PathLike[str]) -> Path:
    """Return the path of a scenario given as a file or as a shipped name."""
    path = Path(source)
    if path.is_file():
        return path
    shipped = find(str(source))
    if shipped is not None:
        return shipped
    import difflib

    close = difflib.get_close_matches(str(source), names(), n=1)
    fix = f"did you mean {close[0]}?" if close else "`ecosim scenarios` lists the shipped ones"
    raise ScenarioError([Problem("", str(source), "no such file or shipped scenario", fix)])


def parse(path: Path) -> dict[str, Any]:
    """Return what a TOML file says, not validated.

    Raises:
        ScenarioError: it cannot be read, or is not TOML.

    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError([Problem("", "", f"not valid TOML: {error}")], str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError([Problem("", "", f"cannot be read: {error}")], str(path)) from None


def validate(raw: Mapping[str, Any], source: str = "") -> Scenario:
    """Return the Scenario that a nested mapping describes, or raise ScenarioError."""
    try:
        return _ADAPTER.validate_python(dict(raw))
    except ValidationError as error:
        problems = problems_of(error)
    # Combination rules run only on valid fields: look again without the keys that are wrong.
    rest = prune(raw, problems)
    rest.setdefault("world", "ecology")
    try:
        _ADAPTER.validate_python(rest)
    except ValidationError as error:
        known = {problem.key for problem in problems}
        # A list is taken out whole for one wrong entry: it is not missing.
        known |= {key.rpartition(".")[0] for key in known if key.rpartition(".")[2].isdigit()}
        problems += [p for p in problems_of(error) if p.key and p.key not in known]
    raise ScenarioError(problems, source) from None


def override(scenario: Scenario, changes: Any) -> Scenario:
    """Return a scenario with `key.path: value` changes, validated again."""
    changes = parse_overrides(changes)
    return validate(_merge(to_dict(scenario), changes), scenario.name) if changes else scenario


def parse_overrides(overrides: Mapping[str, Any] | Sequence[str] | None) -> dict[str, Any]:
    """Return {key path: value} from texts `key.path=value` or from a mapping."""
    if overrides is None:
        return {}
    if isinstance(overrides, Mapping):
        return dict(overrides)
    return {key: value_of(value) for key, value in pairs(overrides).items()}


def pairs(texts: Sequence[str], form: str = "key.path=value") -> dict[str, str]:
    """Return {key path: text} from texts `key.path=text`, each key once.

    Raises:
        ScenarioError: a text of another form, or a key given twice.

    """
    found: dict[str, str] = {}
    problems = []
    for text in texts:
        key, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not key:
            problems.append(Problem("", text, f"is written {form}"))
        elif key in found:
            both = f"{found[key]} and {value}"
            problems.append(
                Problem(key, both, "is given twice; a key is given once", "leave one out")
            )
        else:
            found[key] = value
    if problems:
        raise ScenarioError(problems, "command line")
    return found


def value_of(text: str) -> Any:
    """Return the value that a text means in TOML; .5 and 5. are numbers too.

    What is neither, as soft, is a word.
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return float(text) if _NUMBER.fullmatch(text) else text


def _merge(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = with_room(json.loads(json.dumps(raw, default=str)), changes)
    for path, value in changes.items():
        node: Any = merged
        keys = path.split(".")
        for key in keys[:-1]:
            node = _descend(node, key, path)
        if isinstance(node, list):
            _descend(node, keys[-1], path)
            node[int(keys[-1])] = value
        else:
            node[keys[-1]] = value
    return merged


def _descend(node: Any, key: str, path: str) -> Any:
    if isinstance(node, list):
        if not key.isdigit() or int(key) >= len(node):
            rule = f"'{key}' is no index of a list of {len(node)}"
            raise ScenarioError([Problem(path, "", rule)])
        return node[int(key)]
    if not isinstance(node.setdefault(key, {}), dict | list):
        raise ScenarioError([Problem(path, "", f"'{key}' is a value, not a table")])
    return node[key]


def to_dict(scenario: Scenario) -> dict[str, Any]:
    """Return the scenario as nested plain data, without absent keys and tables of other worlds."""
    raw = _plain(dataclasses.asdict(scenario))
    for table, worlds in _ONLY_IN.items():
        if scenario.world not in worlds:
            del raw[table]
    if scenario.population.web is not None:
        del raw["population"]["groups"]
    return dict(raw)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def to_toml(scenario: Scenario) -> str:
    """Return the scenario as TOML with every default spelled out."""
    return tomli_w.dumps(to_dict(scenario))


def digest(scenario: Scenario) -> str:
    """Return 16 hex digits that name what the scenario computes.

    Covered is every key that can change a number, and the content of an observed web or of a
    community; not covered are words, the expectation and the seed, which a run's name holds
    beside the digest.
    """
    raw = _plain(dataclasses.asdict(scenario))
    for key in ("name", "about", "expectation"):
        del raw[key]
    for table, worlds in _ONLY_IN.items():
        if scenario.world not in worlds:
            del raw[table]
    raw["run"].pop("seed")
    raw["population"].pop("web", None)
    if scenario.population.community is not None:
        raw["population"]["community"] = fingerprint(scenario.population.community)
    text = json.dumps(raw, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, for editors."""
    schema = _ADAPTER.json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ecosim scenario"
    return schema
