"""All cases, by name and by label."""

from __future__ import annotations

import importlib

from ecosim.verification.case import Case

_MODULES: tuple[str, ...] = (
    "budget",
    "grain",
)


def cases() -> list[Case]:
    """Return all cases, in the order of their modules."""
    found: list[Case] = []
    for name in _MODULES:
        found += importlib.import_module(f"ecosim.verification.cases.{name}").CASES
    return found
