"""All functions on a small domain, and what deterministic algorithms see of them.

A function is a row of a table `[F, X]` of values, maximised over points 0 .. X-1 on a line. All
rows are searched at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecosim.errors import Problem, ScenarioError

MOST = 2**17  # functions that are enumerated: 131,072
_BLOCK = 4096  # functions searched at once: what a processor keeps at hand

type Table = NDArray[Any]
type Choice = Callable[["Tried"], NDArray[np.intp]]


class Tried(NamedTuple):
    """What an algorithm knows after t evaluations of each of F functions."""

    points: NDArray[np.int16]  # [F, t] in the order of evaluation
    values: Table  # [F, t]
    visited: NDArray[np.bool_]  # [F, X]
    levels: int  # |Y|; 0 where values are continuous


def all_functions(points: int, levels: int) -> NDArray[np.int8]:
    """Return all |Y|^|X| functions as int8 `[F, X]`, in lexicographic order.

    Raises:
        ScenarioError: fewer than one point or level, more than 127 levels, or more than 2^17
            functions.

    """
    if points < 1 or not 1 <= levels <= 127 or levels**points > MOST:
        rule = f"needs |X| >= 1, 1 <= |Y| <= 127 and |Y|^|X| <= {MOST}"
        raise ScenarioError([Problem("|X|, |Y|", f"{points}, {levels}", rule)], "enumeration")
    codes = np.arange(levels**points)[:, None]
    return (codes // levels ** np.arange(points)[::-1] % levels).astype(np.int8)


def value_sequences(
    choose: Choice, table: Table, evaluations: int, *, levels: int = 0, revisits: bool = False
) -> Table:
    """Return the values `[F, m]` that an algorithm sees on each function, in their order.

    Args:
        choose: the algorithm: from what it tried to the next point of each function, int `[F]`.
        table: functions, `[F, X]`.
        evaluations: m.
        levels: |Y|, values 0 .. |Y|-1; 0 where values are continuous.
        revisits: admit an algorithm that tries a point again.

    Raises:
        ScenarioError: m > |X|, or an algorithm that tries a point again without leave.

    """
    return searched(choose, table, evaluations, levels=levels, revisits=revisits).values


def searched(
    choose: Choice, table: Table, evaluations: int, *, levels: int = 0, revisits: bool = False
) -> Tried:
    """Return points and values that an algorithm has tried after m evaluations; see above."""
    size = table.shape[1]
    if evaluations > size and not revisits:
        rule = "without repetition there are at most |X| evaluations"
        raise ScenarioError([Problem("m", f"{evaluations}", rule, f"m <= {size}")], "search")
    blocks = [
        _searched(choose, table[start : start + _BLOCK], evaluations, levels, revisits)
        for start in range(0, len(table), _BLOCK)
    ]
    points, values, visited = (
        np.concatenate([block[part] for block in blocks]) for part in range(3)
    )
    return Tried(points, values, visited, levels)


def _searched(choose: Choice, table: Table, evaluations: int, levels: int, revisits: bool) -> Tried:
    count, size = table.shape
    rows = np.arange(count)
    points = np.zeros((count, evaluations), np.int16)
    values = np.zeros((count, evaluations), table.dtype)
    visited = np.zeros((count, size), bool)
    for t in range(evaluations):
        chosen = choose(Tried(points[:, :t], values[:, :t], visited, levels))
        if not revisits and visited[rows, chosen].any():
            rule = "No Free Lunch holds for algorithms that try no point twice"
            raise ScenarioError(
                [Problem("algorithm", f"evaluation {t + 1}", rule, "choose an untried point")],
                "search",
            )
        points[:, t], values[:, t] = chosen, table[rows, chosen]
        visited[rows, chosen] = True
    return Tried(points, values, visited, levels)


def sequence_counts(sequences: Table, levels: int) -> NDArray[np.int64]:
    """Return how often each of the |Y|^m sequences occurs in sequences `[F, m]`: a multiset."""
    weights = levels ** np.arange(sequences.shape[1], dtype=np.int64)[::-1]
    return np.bincount(sequences @ weights, minlength=levels ** sequences.shape[1])


def differences(counts: NDArray[np.int64]) -> int:
    """Return in how many sequences multisets `[A, S]` differ, added over all pairs of the A."""
    return sum(int(np.sum(own != counts[rank + 1 :])) for rank, own in enumerate(counts))


def smooth(table: Table) -> NDArray[np.bool_]:
    """Return which functions `[F, X]` change by at most one level from point to point."""
    return np.all(np.abs(np.diff(table.astype(np.int16), axis=1)) <= 1, axis=1)
