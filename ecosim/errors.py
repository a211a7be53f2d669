"""Errors that ecosim raises on purpose: each states the rule, the value received and the fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class EcosimError(Exception):
    """Base class of every error that ecosim raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One mistake in a scenario: where it is, what was given, the rule and the nearest fix."""

    key: str
    given: str
    rule: str
    fix: str = ""

    def __str__(self) -> str:
        """Return one line for a person."""
        where = f"{self.key}: " if self.key else ""
        given = f" (given: {self.given})" if self.given else ""
        fix = f". {self.fix}" if self.fix else ""
        return f"{where}{self.rule}{given}{fix}"


class ScenarioError(EcosimError, ValueError):
    """A scenario that breaks rules; all of its problems are listed at once."""

    def __init__(self, problems: Sequence[Problem], source: str = "") -> None:
        """Keep the problems and where the scenario came from."""
        self.problems = tuple(problems)
        self.source = source
        super().__init__(tuple(problems), source)

    def __str__(self) -> str:
        """Return a heading and one line a problem."""
        count = len(self.problems)
        head = f"{self.source or 'scenario'}: {count} problem{'s' if count != 1 else ''}"
        return "\n".join([head, *(f"  - {problem}" for problem in self.problems)])


class WebError(EcosimError, ValueError):
    """An interaction web that cannot be read or measured."""

    def __init__(self, path: str | Path, problem: str) -> None:
        """Keep the file's name and what is wrong with it."""
        self.path = str(path)
        self.problem = problem
        super().__init__(self.path, problem)

    def __str__(self) -> str:
        """Return file and problem on one line."""
        return f"{self.path}: {self.problem}"


class DeviceError(EcosimError, ValueError):
    """Devices or processes that are asked for and are not there, or cannot compute a scenario."""


class OutsideDomain(EcosimError, ValueError):
    """A closed form was asked about numbers for which it does not hold."""


class RunError(EcosimError, RuntimeError):
    """A run that had to stop: a broken invariant, with step, quantity and agent named."""


class StoreError(EcosimError, OSError):
    """A results folder that cannot be written or read."""


class AgentError(EcosimError, ValueError):
    """A value that an agent cannot take: the rule, the value received and the fix."""


class DeadAgentError(EcosimError, LookupError):
    """A handle of an agent that is dead was read or written."""
