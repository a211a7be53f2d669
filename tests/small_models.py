"""Scenarios and a capacity shared by the tests of the Mesa front: few shapes, compiled once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecosim import engine
from ecosim.model.structure import Kinds
from ecosim.scenario import validate

# Grows from 40 to about 150 organisms: the arrays of `small_capacity` must be enlarged once.
ECOLOGY = validate({
    "world": "ecology",
    "niches": {"count": 3, "productivity": 18.0},
    "population": {"size": 40, "start": "random"},
    "mutation": {"rate": 0.5},
    "run": {"steps": 30, "seed": 3},
    "record": {"events": True, "snapshots": 7},
})  # fmt: skip
MORAN = validate({
    "world": "ecology",
    "niches": {"count": 3},
    "population": {"size": 40, "start": "random"},
    "selection": {"kind": "moran"},
    "run": {"steps": 20, "precision": "float64"},
    "record": {"every": 3},
})  # fmt: skip
MARKET = validate({
    "world": "market",
    "niches": {"count": 3},
    "population": {"size": 40, "start": "random"},
    "market": {"entry": {"rate": 3.0}},
    "run": {"steps": 30},
    "record": {"events": True, "snapshots": 10},
})  # fmt: skip
SLOTS = 128


@pytest.fixture(autouse=True, scope="module")
def small_capacity() -> Iterator[None]:
    """Begin with so few slots that a growing population needs more."""

    def slots(kinds: Kinds, size: int) -> int:
        return 64 if kinds.selection == "moran" else SLOTS

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "capacity_for", slots)
        yield
