"""Deterministic search algorithms that try no point twice: a family, registered by name.

An algorithm sees points and values so far (`Tried`) of all functions at once and returns the next
point of each, int `[F]`. Points lie on a line; values are maximised. Ties go to the lowest point.
All but the first three choose by the values that they have seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecosim.search.enumeration import Choice, Tried

type Points = NDArray[np.intp]  # [F]


def _least(scores: NDArray[Any], tried: Tried) -> Points:
    """Return the untried point of the least score `[F, X]`."""
    return np.argmin(np.where(tried.visited, np.int16(32767), scores), axis=1)


def _line(tried: Tried) -> NDArray[np.int16]:
    return np.arange(tried.visited.shape[1], dtype=np.int16)


def _constant(tried: Tried, point: int) -> Points:
    return np.full(len(tried.points), point)


def _middle(tried: Tried) -> Points:
    return _constant(tried, tried.visited.shape[1] // 2)


def _distance(tried: Tried, points: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the distance `[F, X]` of each point from one point of each function `[F]`."""
    return np.abs(_line(tried)[None, :] - points[:, None])


def _point_of(tried: Tried, place: Points) -> NDArray[np.int16]:
    """Return the point tried at a place `[F]` in the order of evaluations."""
    return np.take_along_axis(tried.points, place[:, None], axis=1)[:, 0]


def _spacing(tried: Tried) -> NDArray[np.int16]:
    """Return the distance `[F, X]` of each point from the nearest one tried."""
    nearest = _distance(tried, tried.points[:, 0])
    for t in range(1, tried.points.shape[1]):
        nearest = np.minimum(nearest, _distance(tried, tried.points[:, t]))
    return nearest


def _untried_of_rank(tried: Tried, rank: Points) -> Points:
    """Return the untried point of a rank `[F]`, counted from 0, from the left."""
    reached = np.cumsum(~tried.visited, axis=1) > rank[:, None]
    return np.argmax(reached, axis=1)


def sweep(tried: Tried) -> Points:
    """Go from left to right."""
    return _least(_line(tried)[None, :], tried)


def reverse_sweep(tried: Tried) -> Points:
    """Go from right to left."""
    return _least(-_line(tried)[None, :], tried)


def bisection(tried: Tried) -> Points:
    """Fill the space: the point farthest from all tried, from the middle on."""
    return _least(-_spacing(tried), tried) if tried.points.shape[1] else _middle(tried)


def hill_climber(tried: Tried) -> Points:
    """Try next to the best point so far, the nearest first."""
    if not tried.points.shape[1]:
        return _middle(tried)
    return _least(_distance(tried, _point_of(tried, np.argmax(tried.values, axis=1))), tried)


def hill_descender(tried: Tried) -> Points:
    """Try next to the worst point so far: the climber's opposite."""
    if not tried.points.shape[1]:
        return _middle(tried)
    return _least(_distance(tried, _point_of(tried, np.argmin(tried.values, axis=1))), tried)


def climber_with_restarts(tried: Tried) -> Points:
    """Stay near a new best point; where the last value is none, go farthest from all tried."""
    t = tried.points.shape[1]
    if not t:
        return _constant(tried, 0)
    improved = np.argmax(tried.values, axis=1) == t - 1
    near = _distance(tried, tried.points[:, -1])
    return _least(np.where(improved[:, None], near, -_spacing(tried)), tried)


def alternation(tried: Tried) -> Points:
    """Explore and exploit in turn: farthest from all tried, then next to the best."""
    t = tried.points.shape[1]
    return bisection(tried) if t % 2 == 0 else hill_climber(tried)


def surrogate(tried: Tried) -> Points:
    """Try where the nearest point tried promises most, and of those the farthest from it.

    A one-nearest-neighbour model of the function, refitted after each evaluation.
    """
    if not tried.points.shape[1]:
        return _middle(tried)
    spacing = _spacing(tried)
    promised = np.full(tried.visited.shape, np.min(tried.values), tried.values.dtype)
    for t in range(tried.points.shape[1]):
        nearest = _distance(tried, tried.points[:, t]) == spacing
        promised = np.where(nearest, np.maximum(promised, tried.values[:, t, None]), promised)
    promised = np.where(tried.visited, np.min(tried.values), promised)
    best = promised == np.max(promised, axis=1, keepdims=True)
    return _least(np.where(best, -spacing, np.int16(0)), tried)


def secant(tried: Tried) -> Points:
    """Go on in the direction of the last move while values do not fall, and turn when they do."""
    t = tried.points.shape[1]
    if t < 2:
        return hill_climber(tried)
    last, before = tried.points[:, -1], tried.points[:, -2]
    falls = tried.values[:, -1] < tried.values[:, -2]
    ahead = np.where(falls, np.sign(before - last), np.sign(last - before))
    along = (_line(tried)[None, :] - last[:, None]) * ahead[:, None]
    behind = np.where(along < 0, np.int16(tried.visited.shape[1]), np.int16(0))
    return _least(np.abs(along) + behind, tried)


def parity(tried: Tried) -> Points:
    """Take the leftmost untried point where the values so far add up to an even number."""
    odd = np.sum(_rounded(tried), axis=1) % 2
    rank = np.where(odd == 1, np.sum(~tried.visited, axis=1) - 1, 0)
    return _untried_of_rank(tried, rank)


def jumper(tried: Tried) -> Points:
    """Jump right, round the line, by one more than the last value, to the next untried point."""
    size = tried.visited.shape[1]
    if not tried.points.shape[1]:
        return _constant(tried, size - 1)
    target = tried.points[:, -1] + 1 + _rounded(tried)[:, -1]
    return _least((_line(tried)[None, :] - target[:, None]) % size, tried)


def trie(tried: Tried) -> Points:
    """Let the whole sequence of values, read as a number, say which untried point is next."""
    number = np.ones(len(tried.points), np.int64)
    for t in range(tried.points.shape[1]):
        number = (7 * number + 3 * _rounded(tried)[:, t] + t) % 1_000_003
    return _untried_of_rank(tried, number % np.sum(~tried.visited, axis=1))


def _rounded(tried: Tried) -> NDArray[np.int64]:
    """Return values as whole numbers `[F, t]`; continuous ones in millionths."""
    if tried.levels:
        return tried.values.astype(np.int64)
    return np.floor(tried.values * 1e6).astype(np.int64)


ALGORITHMS: dict[str, Choice] = {
    "sweep": sweep, "reverse-sweep": reverse_sweep, "bisection": bisection,
    "hill-climber": hill_climber, "hill-descender": hill_descender,
    "climber-with-restarts": climber_with_restarts, "alternation": alternation,
    "surrogate": surrogate, "secant": secant, "parity": parity, "jumper": jumper, "trie": trie,
}  # fmt: skip


def decision_tree(ranks: NDArray[Any]) -> Choice:
    """Return the algorithm of a decision tree: any deterministic one is the algorithm of one.

    Args:
        ranks: after t values y_1 .. y_t, node (|Y|^t - 1)/(|Y| - 1) + sum_i y_i |Y|^(t-i) says
            which untried point is next, by its rank from the left.

    """

    def choose(tried: Tried) -> Points:
        node = np.zeros(len(tried.points), np.int64)
        for t in range(tried.points.shape[1]):
            node = node * tried.levels + tried.values[:, t] + 1
        return _untried_of_rank(tried, np.asarray(ranks)[node])

    return choose
