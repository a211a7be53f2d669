"""The sweeps that come with ecosim: scenarios/sweeps/*.toml."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario.shipped import folder


def names() -> list[str]:
    """Return the names of all shipped sweeps, sorted."""
    return sorted(path.stem for path in (folder() / "sweeps").glob("*.toml"))


def locate(source: str | os.PathLike[str]) -> Path:
    """Return the path of a sweep given as a file or as a shipped name.

    Raises:
        ScenarioError: neither, with the nearest name.

    """
    path = Path(source)
    if path.is_file():
        return path
    shipped = folder() / "sweeps" / f"{source}.toml"
    if shipped.is_file():
        return shipped
    close = difflib.get_close_matches(str(source), names(), n=1)
    fix = f"did you mean {close[0]}?" if close else f"shipped sweeps: {', '.join(names())}"
    raise ScenarioError([Problem("", str(source), "no such file or shipped sweep", fix)], "sweep")
