"""On which sets of functions No Free Lunch holds: all sets, all algorithms, by brute force (O2)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ecosim.theory import no_free_lunch as theory
from ecosim.verification.case import Case, Parameter, Values

_IGEL = "Igel & Toussaint, arXiv:cs/0108011; Schumacher, Vose & Whitley 2001, GECCO 565-570"
_PARAMETERS = (
    Parameter("X", 3, "points of the domain |X|", least=1, most=4, whole=True),
    Parameter("Y", 2, "levels of value |Y|", least=2, most=16, whole=True),
)


def _refused(v: Values) -> str | None:
    if v["Y"] ** v["X"] > 16:
        return "|Y|^|X| <= 16: all 2^(|Y|^|X|) - 1 sets are tried"
    return None


def _sets(functions: int) -> np.ndarray:
    """Return all non-empty sets of functions, bool `[2^F - 1, F]`."""
    return (np.arange(1, 2**functions)[:, None] >> np.arange(functions)) % 2 == 1


def _closed(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return the share of all sets that hold each member's permutations."""
    from ecosim.search import enumeration

    table = enumeration.all_functions(v["X"], v["Y"])
    sets = _sets(len(table))
    closed = np.ones(len(sets), bool)
    weights = v["Y"] ** np.arange(v["X"])[::-1]
    for order in itertools.permutations(range(v["X"])):
        image = table[:, list(order)] @ weights  # function f, permuted, is function image[f]
        closed &= np.all(sets[:, image] == sets, axis=1)
    return float(closed.mean())


def _lunchless(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return the share of all sets on which all algorithms see the same multiset of sequences."""
    from ecosim.search import deterministic, enumeration

    points, levels = v["X"], v["Y"]
    table = enumeration.all_functions(points, levels)
    sets = _sets(len(table)).astype(np.float32)
    # A node of the decision tree for each sequence of t values says which untried point is next.
    nodes = [range(points - t) for t in range(points) for _ in range(levels**t)]
    tried, first = len(sets), None
    for ranks in itertools.product(*nodes):
        choose = deterministic.decision_tree(np.array(ranks))
        seen = enumeration.value_sequences(choose, table, points, levels=levels)
        code = seen @ levels ** np.arange(points)
        counts = sets @ np.eye(len(table), dtype=np.float32)[code]
        first = counts if first is None else first
        same = np.all(counts == first, axis=1)
        sets, first = sets[same], first[same]  # a set that told two algorithms apart is done with
    return len(sets) / tried


def _expected(v: Values) -> float:
    return theory.closed_fraction(v["X"], v["Y"])


CASES = (
    Case(
        name="nfl-closed-fraction", labels=("O2",), family="optimisation", seeds=1,
        title="Share of all sets of functions that are closed under permutation",
        source=_IGEL, parameters=_PARAMETERS, refuses=_refused,
        expected=_expected, observe=_closed, rounding=1e-12,
    ),
    Case(
        name="nfl-sharpened", labels=("O1", "O2"), family="optimisation", seeds=1,
        title="Share of all sets of functions on which all algorithms are equal",
        source=_IGEL, parameters=_PARAMETERS, refuses=_refused,
        expected=_expected, observe=_lunchless, rounding=1e-12,
        note="all decision trees are tried (12 at 3 points of 2 levels, 576 at 4 of 2), on all "
        "sets: No Free Lunch holds on the closed ones and on no other",
    ),
)  # fmt: skip
