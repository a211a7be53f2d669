"""What is expected of statement 16, registered before its first run, and the verdict on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from ecosim.studies.cells import LEVEL
from ecosim.studies.convergence import NEAR, Agreement, Where, agreement, with_theory
from ecosim.studies.phase_diagram import Diagram
from ecosim.studies.plane_registration import Registered, folder, held, write
from ecosim.studies.planes import Map
from ecosim.studies.verdict import Verdict, together

NAME = "statement-16"
SAYS = "Convergence: the four worlds, driven to comparable regimes, agree in sign."
_ALL = ("ecology", "market", "optimisation", "learning")
# By construction optimisation and learning agree with the ecology on grain: not counted there.
WORLDS: dict[Map, tuple[str, ...]] = {"crowding": _ALL, "grain": _ALL[:2]}
HISTORY = (
    "First registered before any map of optimisation and learning was run. Maps of ecology and "
    "market had been run and seen. Before, agreement was a table without an expectation."
)


@dataclass(frozen=True)
class Expected:
    """An expectation: over which cells, and whether of pairs of worlds or worlds and theory."""

    name: str
    says: str
    where: Where
    pairs: bool


EXPECTED = (
    Expected(
        "worlds", "Between each pair of worlds Cohen's kappa over the cells decided in both is "
        "above 0: its two-sided 95 % interval has a lower bound > 0. Far from the closed forms, "
        "among many rivals, this is by construction wherever optimisation or learning is one of "
        "the two.", "all", pairs=True,
    ),
    Expected(
        "theory", "In each world kappa of the observed winner against the closed form's is above "
        "0, likewise.", "all", pairs=False,
    ),
    Expected(
        "worlds-around", "So it is between each pair of worlds around the closed forms, where "
        "large crowds do not give the sign by construction.", "around", pairs=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """The outcome of an expectation.

    Attributes:
        expected: which.
        rows: each comparison with its verdict; the names of those that were not run, undecided.
        verdict: met if all are, not met if one is not.

    """

    expected: Expected
    rows: list[tuple[tuple[str, ...], Agreement | None, Verdict]]
    verdict: Verdict


def document() -> str:
    """Return the file of what is expected."""
    import tomli_w

    rows = [{"name": one.name, "says": one.says} for one in EXPECTED]
    return tomli_w.dumps({
        "statement": 16, "says": SAYS, "level": LEVEL, "around": NEAR, "history": HISTORY,
        "worlds": {name: list(worlds) for name, worlds in WORLDS.items()}, "expected": rows,
    })  # fmt: skip


def registered(where: Path | None = None) -> Registered:
    """Return the commit that last touched the file, and whether it is what is judged."""
    return held((where or folder()) / f"{NAME}.toml", document())


def register(where: Path | None = None) -> list[Path]:
    """Write the file where there is none, and return its path.

    Raises:
        ScenarioError: it is there and says something else.

    """
    return write({(where or folder()) / f"{NAME}.toml": document()})


def judged(diagrams: Sequence[Diagram]) -> list[Judged]:
    """Return the outcome of each expectation on the worlds' own maps."""
    own = {d.plane.name: d for d in diagrams if d.plane.kind == "own" and d.plane.counted}
    found = []
    for expected in EXPECTED:
        rows = [
            (names, *_outcome(names, own, expected.where))
            for kind, worlds in WORLDS.items()
            for names in combinations(
                (f"{world}-{kind}" for world in worlds), 2 if expected.pairs else 1
            )
        ]
        found.append(Judged(expected, rows, together([verdict for *_, verdict in rows])))
    return found


def verdict_of(one: Agreement | None) -> Verdict:
    """Return met where kappa's interval is above 0, not met where it is not above 0 at all."""
    if one is None or math.isnan(one.kappa):
        return "undecided"
    return "met" if one.low > 0 else "not met" if one.high <= 0 else "undecided"


def _outcome(
    names: tuple[str, ...], own: dict[str, Diagram], where: Where
) -> tuple[Agreement | None, Verdict]:
    if any(name not in own for name in names):
        return None, "undecided"
    some = [own[name] for name in names]
    one = agreement(some, where) if len(some) > 1 else with_theory(some[0], where)
    return one, verdict_of(one)
