"""Scenarios that start from the agents that a finished run ended with."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.scenario.schema import Scenario

_KEY = "population.community"


def file_of(community: str) -> Path:
    """Return the table of agents that a run's folder, or the table itself, stands for."""
    path = Path(community)
    return path / "population.parquet" if path.is_dir() else path


def agents(community: str) -> pd.DataFrame:
    """Return the agents, in order of their ids.

    Raises:
        OSError: the table cannot be read.
        ValueError: it is no table of agents.

    """
    path = file_of(community)
    facts = path.stat()
    return _read(path, facts.st_mtime_ns, facts.st_size).copy()


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except OSError:
        raise
    except Exception as error:  # what is no Parquet file raises errors of pyarrow's own
        raise ValueError(f"is no table of a run: {error}") from error
    lacking = [name for name in (*_COLUMNS, "allocation_0") if name not in table]
    if "place_0" in table:
        raise ValueError("holds places of niches (niches.used), and founders take all allocations")
    if lacking:
        raise ValueError(f"is no population of a run: it lacks {', '.join(lacking)}")
    return table.sort_values("id", ignore_index=True)


_COLUMNS = ("id", "group", "patch", "budget", "stock")


def fingerprint(community: str) -> str:
    """Return 16 hex digits that name what the agents are, wherever their table lies."""
    table = agents(community)
    names = sorted(map(str, table.columns))
    kept = [*_COLUMNS, *(n for n in names if n.startswith(("allocation_", "position", "width")))]
    digest = hashlib.sha256(",".join(kept).encode())
    for name in kept:
        digest.update(table[name].to_numpy("float64" if name != "id" else "uint64").tobytes())
    return digest.hexdigest()[:16]


def with_room(raw: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario without what it says of its founders, where a change names a community.

    Its size and their start are those of the community; what is changed beside it stays, to be
    checked.
    """
    population = raw.get("population")
    if changes.get(_KEY) is None or not isinstance(population, dict):
        return raw
    return raw | {"population": {k: v for k, v in population.items() if k == "limit"}}


def complete(s: Scenario) -> Iterator[Problem]:
    """Set niches.count and population.size to those of the community, or say what differs."""
    path = s.population.community
    if path is None:
        return
    try:
        table = agents(path)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        yield Problem(
            _KEY, path, said or str(error), "name a run's folder or its population.parquet"
        )
        return
    niches = sum(str(name).startswith("allocation_") for name in table)
    axis = "position" in table
    if not len(table):
        yield Problem(_KEY, path, "nobody lived at the end of that run", "name another run")
        return
    for key, given, default, wanted in (
        ("niches.count", s.niches.count, 8, niches),
        ("population.size", s.population.size, 1000, len(table)),
    ):
        if given not in (default, wanted):
            yield Problem(key, str(given), f"is {wanted} in the community {path}",
                          f"leave it out, or give {key} = {wanted}")  # fmt: skip
    if axis != (s.niches.space == "axis"):
        yield Problem(
            "niches.space", s.niches.space,
            f"the community {path} {'has' if axis else 'has no'} positions on an axis",
        )  # fmt: skip
    if int(table["patch"].max()) >= s.patches.count:
        yield Problem(
            "patches.count", str(s.patches.count),
            f"the community {path} lives in {int(table['patch'].max()) + 1} patches",
        )  # fmt: skip
    yield from _beside(s)
    # A frozen part is completed here, once, before anyone else can see it.
    object.__setattr__(s, "niches", dataclasses.replace(s.niches, count=niches))
    object.__setattr__(s, "population", dataclasses.replace(s.population, size=len(table)))


def _beside(s: Scenario) -> Iterator[Problem]:
    """Find words about founders that the community's own agents make void."""
    default: Any = type(s.population)()
    free = {"size", "community", "limit"}
    for field in dataclasses.fields(s.population):
        value = getattr(s.population, field.name)
        if field.name not in free and value != getattr(default, field.name):
            yield Problem(
                f"population.{field.name}",
                str(value),
                "has no effect: the founders are the agents of population.community as they are",
                "leave it out",
            )
