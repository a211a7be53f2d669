"""Evaluations divided over tasks, searched for real on random functions (O3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ecosim.search import deterministic
from ecosim.theory import no_free_lunch as theory
from ecosim.verification.case import Case, Curve, Parameter, Values, numbered

_ALGORITHM = Parameter(
    "a", 3, f"algorithm: {numbered(deterministic.ALGORITHMS)}", least=0, most=11, whole=True
)
_WORK = 1_000_000  # comparisons of points for a seed, about: (evaluations of a task)^2 each


def _best(place: int, table: np.ndarray, evaluations: int, levels: int) -> np.ndarray:
    from ecosim.search import enumeration

    choose = list(deterministic.ALGORITHMS.values())[place]
    found = enumeration.value_sequences(choose, table, evaluations, levels=levels)
    return found.max(axis=1)


def _split(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return for each seed the mean best value over agents and their T tasks."""
    each = v["B"] // v["T"]
    agents = max(1, _WORK // (v["B"] ** 2 * v["T"]))
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        table = rng.integers(0, v["Y"], (agents * v["T"], v["B"]), dtype=np.int16)
        found.append(_best(v["a"], table, each, v["Y"]).mean() / (v["Y"] - 1))
    return found


def _duel(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return 1 for each task on which the specialist finds more; they look at disjoint points."""
    focused, spread = v["b"] * v["T"], v["b"]
    duels = max(10, _WORK // (focused + spread) ** 2)
    won = []
    for seed in seeds:
        table = np.random.default_rng(seed).random((duels, focused + spread))
        ours = _best(v["a"], table[:, :focused], focused, 0)
        theirs = _best(v["a"], table[:, focused:], spread, 0)
        won.append(ours > theirs)
    return np.concatenate(won).astype(float)


def _indivisible(v: Values) -> str | None:
    return "T must divide B" if v["B"] % v["T"] else None


CASES = (
    Case(
        name="budget-split", labels=("O3",), family="optimisation",
        title="Best value found on each of T tasks that share a budget of evaluations",
        source="closed form: E[best of B/T]; statement 2",
        parameters=(
            Parameter("B", 48, "evaluations in all", least=1, most=96, whole=True),
            Parameter("T", 4, "tasks", least=1, most=96, whole=True),
            Parameter("Y", 100, "levels of value", least=2, most=10_000, whole=True),
            _ALGORITHM,
        ),
        refuses=_indivisible,
        expected=lambda v: theory.split_best(v["B"], v["T"], v["Y"]), observe=_split,
        note="functions of B points drawn uniformly from all; by any algorithm of the family",
        curve=Curve("T", (1, 2, 3, 4, 6, 8, 12, 16, 24, 48), "best value", log=True),
    ),
    Case(
        name="specialist-duel", labels=("O3",), family="optimisation",
        title="A specialist against an even generalist over T tasks, on the specialist's task",
        source="closed form: T/(T+1)",
        parameters=(
            Parameter("T", 4, "tasks of the generalist", least=1, most=64, whole=True),
            Parameter("b", 3, "its evaluations on each", least=1, most=16, whole=True),
            _ALGORITHM,
        ),
        refuses=lambda v: "needs b T <= 64" if v["b"] * v["T"] > 64 else None,
        expected=lambda v: theory.specialist_wins(v["T"]), observe=_duel,
        note="continuous values, disjoint points; the budget is b T for either",
        curve=Curve("T", (1, 2, 4, 8, 12, 16, 21), "chance that the specialist wins", log=True),
    ),
)  # fmt: skip
