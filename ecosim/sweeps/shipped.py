"""The sweeps that come with ecosim: scenarios/sweeps/*.toml."""

from __future__ import annotations

from pathlib import Path

from ecosim.scenario.shipped import folder


def names() -> list[str]:
    """Return the names of all shipped sweeps, sorted."""
    return sorted(path.stem for path in (folder() / "sweeps").glob("*.toml"))


def find(name: str) -> Path | None:
    """Return the file of a shipped sweep, or None."""
    path = folder() / "sweeps" / f"{name}.toml"
    return path if path.parent == folder() / "sweeps" and path.is_file() else None
