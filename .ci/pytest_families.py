"""A pytest plugin for `.ci/run`: how many tests of each family ran, and how long they took."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

# A test belongs to the first family whose marker it carries, and otherwise to "fast".
MARKERS = {
    "install": "install",
    "notebook": "notebooks",
    "browser": "browser",
    "slurm": "slurm",
    "verification": "verification",
    "slow": "slow",
}
ORDER = ["fast", "slow", "verification", "notebooks", "install", "browser", "slurm"]

_seconds: Counter[str] = Counter()
_outcomes: dict[str, Counter[str]] = {family: Counter() for family in ORDER}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add one phase (set-up, call or tear-down) of one test to its family."""
    family = next((MARKERS[name] for name in MARKERS if name in report.keywords), "fast")
    _seconds[family] += report.duration
    if report.when == "call" or report.outcome != "passed":
        _outcomes[family][report.outcome] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write one line per family: its name, its time and its outcomes."""
    if hasattr(session.config, "workerinput"):  # A process of xdist sees only its own part.
        return
    lines = []
    for family in ORDER:
        outcomes = ", ".join(f"{count} {name}" for name, count in _outcomes[family].items())
        lines.append(f"{family}|{_seconds[family]:.0f} s|{outcomes or 'no tests'}\n")
    Path(os.environ["ECOSIM_CI_FAMILIES"]).write_text("".join(lines), encoding="utf-8")
