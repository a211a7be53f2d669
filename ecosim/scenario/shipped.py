"""Where the scenarios that come with ecosim lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Return the folder of the shipped scenarios."""
    installed = _PACKAGE / "_scenarios"
    return installed if installed.is_dir() else _PACKAGE.parent / "scenarios"


def names() -> list[str]:
    """Return the shipped scenarios' names in alphabetical order."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def find(name: str) -> Path | None:
    """Return the file of a shipped scenario, or None."""
    path = folder() / f"{name}.toml"
    return path if path.parent == folder() and path.is_file() else None
