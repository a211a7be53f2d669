"""No Free Lunch: what search without repetition finds on all functions X -> {0 .. |Y|-1}."""

from __future__ import annotations

from fractions import Fraction
from math import comb, prod


def _finite(points: int, levels: int, evaluations: int = 1) -> None:
    if points != int(points) or points < 1:
        raise ValueError(f"|X| must be a whole number >= 1 (given: {points!r})")
    if levels != int(levels) or levels < 1:
        raise ValueError(f"|Y| must be a whole number >= 1 (given: {levels!r})")
    if evaluations != int(evaluations) or not 1 <= evaluations <= points:
        raise ValueError(
            f"m must be a whole number, 1 <= m <= |X|, since no point is tried twice "
            f"(given: m = {evaluations!r}, |X| = {points!r})"
        )


def occurrences(points: int, levels: int, evaluations: int) -> int:
    """Return how many of all functions show a given sequence of m values: |Y|^(|X|-m).

    The same for every sequence and every deterministic algorithm that tries no point twice
    (Wolpert & Macready 1997, IEEE Trans Evol Comput 1:67-82, theorem 1).

    Raises:
        ValueError: a number outside 1 <= m <= |X|, |Y| >= 1; so in all functions below.

    """
    _finite(points, levels, evaluations)
    return int(levels) ** int(points - evaluations)


def expected_best(points: int, levels: int, evaluations: int) -> float:
    """Return the mean over all functions of the best of m values.

    (|Y|-1) - sum_{j<|Y|} (j/|Y|)^m: over all functions m values are independent and uniform, and
    the best of them is below j with probability (j/|Y|)^m. It rises with m, whatever the algorithm.
    """
    _finite(points, levels, evaluations)
    lost = sum(Fraction(j, int(levels)) ** int(evaluations) for j in range(1, int(levels)))
    return float(levels - 1 - lost)


def algorithms(points: int, levels: int) -> int:
    """Return how many deterministic algorithms without repetition there are.

    After t values, of which |Y|^t sequences exist, the next point is one of |X| - t:
    prod_t (|X| - t)^(|Y|^t).
    """
    _finite(points, levels)
    return prod((int(points) - t) ** int(levels) ** t for t in range(int(points)))


def closed_sets(points: int, levels: int) -> int:
    """Return how many non-empty sets of functions are closed under permutation of the points.

    Such a set is a union of classes of functions with one histogram of values, of which there are
    C(|X|+|Y|-1, |X|) (Schumacher, Vose & Whitley 2001, GECCO 565-570; Igel & Toussaint 2003).
    """
    _finite(points, levels)
    return 2 ** comb(int(points) + int(levels) - 1, int(points)) - 1


def closed_fraction(points: int, levels: int) -> float:
    """Return the share of all non-empty sets of functions on which No Free Lunch holds.

    (2^C(|X|+|Y|-1, |X|) - 1) / (2^(|Y|^|X|) - 1) (Igel & Toussaint, arXiv:cs/0108011).
    """
    all_sets = 2 ** int(levels) ** int(points) - 1
    return float(Fraction(closed_sets(points, levels), all_sets))


def smooth_functions(points: int, levels: int) -> int:
    """Return how many functions on a line change by at most one level from point to point.

    Walks of |X| - 1 steps on the path of levels with a loop at each: the entries of A^(|X|-1),
    A tridiagonal with ones, added up.
    """
    _finite(points, levels)
    ways = [1] * int(levels)
    for _ in range(int(points) - 1):
        ways = [sum(ways[max(y - 1, 0) : y + 2]) for y in range(int(levels))]
    return sum(ways)


def mean_ratio(points: int, levels: int) -> float:
    """Return mean gain on the smooth functions over mean loss on all others: |rest| / |smooth|.

    One algorithm's gain over another on a set and its loss on the complement are equal in total,
    since they cancel over all functions; in the mean they differ by the sizes of the two sets.

    Raises:
        ValueError: all functions are smooth (|X| = 1 or |Y| <= 2): there is no complement.

    """
    smooth = smooth_functions(points, levels)
    rest = int(levels) ** int(points) - smooth
    if not rest:
        raise ValueError("every function is smooth where |X| = 1 or |Y| <= 2: needs |Y| >= 3")
    return rest / smooth


def split_best(budget: int, tasks: int, levels: int) -> float:
    """Return the mean best value on each of T tasks of budget/T evaluations, over |Y| - 1.

    Values are independent and uniform on |Y| levels (O3: 48 evaluations, |Y| = 100: T = 1 .984,
    4 .927, 12 .803, 48 .500).

    Raises:
        ValueError: T does not divide the budget, or |Y| < 2.

    """
    if tasks < 1 or budget < tasks or budget % tasks:
        raise ValueError(f"T must divide the budget (given: {budget!r} over {tasks!r})")
    if levels < 2:
        raise ValueError(f"|Y| must be >= 2 (given: {levels!r})")
    each = int(budget // tasks)
    return expected_best(each, levels, each) / (levels - 1)


def specialist_wins(tasks: int) -> float:
    """Return the chance T/(T+1) that a specialist beats an even generalist on its own task.

    The specialist puts m values there and the generalist m/T, all independent draws from one
    continuous distribution: the best of all is the specialist's with probability m/(m + m/T).
    """
    if tasks < 1:
        raise ValueError(f"T must be >= 1 (given: {tasks!r})")
    return tasks / (tasks + 1)
