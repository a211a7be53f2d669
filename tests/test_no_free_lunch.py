"""No Free Lunch: closed forms, enumeration, the family of algorithms, planted errors."""

import itertools
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from ecosim.errors import ScenarioError
from ecosim.search import deterministic, enumeration
from ecosim.theory import no_free_lunch as theory
from ecosim.verification.registry import named
from ecosim.verification.runner import check

ALGORITHMS = deterministic.ALGORITHMS


def walked(name, function, levels):
    """Search one function by the plain rules of an algorithm, in plain Python."""
    size, order, seen = len(function), [], []
    for _ in function:
        free = [x for x in range(size) if x not in order]
        spacing = {x: min((abs(x - y) for y in order), default=0) for x in free}
        best = order[seen.index(max(seen))] if seen else size // 2
        worst = order[seen.index(min(seen))] if seen else size // 2
        far = min(free, key=lambda x: (-spacing[x], x)) if seen else size // 2
        near = min(free, key=lambda x: (abs(x - best), x))
        match name:
            case "sweep":
                choice = free[0]
            case "reverse-sweep":
                choice = free[-1]
            case "bisection":
                choice = far
            case "hill-climber":
                choice = near
            case "hill-descender":
                choice = min(free, key=lambda x: (abs(x - worst), x))
            case "climber-with-restarts":
                fresh = seen and max(seen) not in seen[:-1] and seen[-1] == max(seen)
                choice = (near if fresh else far) if seen else 0
            case "alternation":
                choice = near if len(seen) % 2 else far
            case "surrogate" if seen:
                told = {
                    x: max(v for y, v in zip(order, seen, strict=True) if abs(x - y) == spacing[x])
                    for x in free
                }
                choice = min(free, key=lambda x: (-told[x], -spacing[x], x))
            case "parity":
                choice = free[-1] if sum(seen) % 2 else free[0]
            case "jumper":
                start = order[-1] + 1 + seen[-1] if seen else size - 1
                choice = next(x % size for x in range(start, start + size) if x % size in free)
            case _:
                return None
        order.append(choice)
        seen.append(function[choice])
    return seen


@pytest.mark.parametrize("name", ALGORITHMS)
def test_algorithms_do_what_their_rules_say(name):
    table = enumeration.all_functions(6, 3)
    rows = np.random.default_rng(0).permutation(len(table))[:150]
    seen = enumeration.value_sequences(ALGORITHMS[name], table[rows], 6, levels=3)
    for row, values in zip(table[rows].tolist(), seen.tolist(), strict=True):
        plain = walked(name, row, 3)
        assert plain is None or plain == values


def test_all_functions_are_all():
    table = enumeration.all_functions(4, 3)
    assert {tuple(row) for row in table.tolist()} == set(itertools.product(range(3), repeat=4))
    with pytest.raises(ScenarioError, match="131072"):
        enumeration.all_functions(18, 2)


def test_algorithms_are_really_different():
    table = enumeration.all_functions(6, 3)
    orders = {
        name: enumeration.searched(choose, table, 6, levels=3).points
        for name, choose in ALGORITHMS.items()
    }
    for one, other in itertools.combinations(orders.values(), 2):
        assert np.mean(np.any(one != other, axis=1)) > 0.3
    adaptive = [name for name, points in orders.items() if len(np.unique(points, axis=0)) > 1]
    assert len(adaptive) >= 8 and len(ALGORITHMS) >= 8
    # Every one tries each point once.
    for points in orders.values():
        assert np.all(np.sort(points, axis=1) == np.arange(6))


@pytest.mark.parametrize(("points", "levels"), [(4, 2), (5, 3), (6, 3), (5, 4)])
def test_multisets_are_equal_for_every_number_of_evaluations(points, levels):
    for m in range(1, points + 1):
        result = check(named("nfl-multisets"), {"X": points, "Y": levels, "m": m})
        assert result.passed and result.observed == 0


def again(tried):
    """Try the first point twice, then sweep: an algorithm outside the theorem."""
    t = tried.points.shape[1]
    return np.full(len(tried.points), max(t - 1, 0))


def test_an_algorithm_that_revisits_is_refused_and_would_break_the_case(monkeypatch):
    monkeypatch.setitem(ALGORITHMS, "again", again)
    with pytest.raises(ScenarioError, match="no point twice"):
        check(named("nfl-multisets"))
    real = enumeration.value_sequences
    monkeypatch.setattr(
        enumeration, "value_sequences", lambda *a, **k: real(*a, **k, revisits=True)
    )
    result = check(named("nfl-multisets"))
    assert not result.passed and result.observed > 0
    last = len(ALGORITHMS) - 1
    assert list(ALGORITHMS)[last] == "again"
    found = real(again, enumeration.all_functions(5, 4), 3, levels=4, revisits=True)
    assert found.max(axis=1).mean() < theory.expected_best(5, 4, 3)


def test_missing_functions_break_the_cases(monkeypatch):
    real = enumeration.all_functions

    def fewer(*sizes):
        table = real(*sizes)
        return table[~enumeration.smooth(table)]

    monkeypatch.setattr(enumeration, "all_functions", fewer)
    for name in ("nfl-multisets", "nfl-occurrences", "nfl-best", "nfl-conservation"):
        assert not check(named(name)).passed, name


def test_decision_trees_are_all_algorithms():
    table = enumeration.all_functions(3, 2)
    nodes = [range(3)] + [range(2)] * 2 + [range(1)] * 4
    orders = set()
    for ranks in itertools.product(*nodes):
        choose = deterministic.decision_tree(np.array(ranks))
        orders.add(enumeration.searched(choose, table, 3, levels=2).points.tobytes())
    assert len(orders) == theory.algorithms(3, 2) == 12
    assert theory.algorithms(4, 2) == 576


def test_closed_forms_against_counting():
    for points, levels in [(2, 2), (3, 2), (4, 3), (5, 4)]:
        table = np.array(list(itertools.product(range(levels), repeat=points)))
        for m in range(1, points + 1):
            mean = table[:, :m].max(axis=1).mean()
            assert theory.expected_best(points, levels, m) == pytest.approx(mean, abs=1e-12)
        steps = np.all(np.abs(np.diff(table, axis=1)) <= 1, axis=1)
        assert theory.smooth_functions(points, levels) == steps.sum()
        classes = {tuple(sorted(row)) for row in table.tolist()}
        assert theory.closed_sets(points, levels) == 2 ** len(classes) - 1
        assert len(classes) == comb(points + levels - 1, points)
    assert theory.closed_fraction(3, 2) == float(Fraction(15, 255))


def test_closed_forms_of_the_literature():
    assert theory.occurrences(5, 4, 3) == 16
    split = [theory.split_best(48, tasks, 100) for tasks in (1, 4, 12, 48)]
    assert np.round(split, 3).tolist() == [0.984, 0.927, 0.803, 0.5]
    assert theory.specialist_wins(4) == 0.8


@pytest.mark.parametrize(
    "call",
    [
        lambda: theory.expected_best(3, 2, 4),
        lambda: theory.occurrences(3, 2, 0),
        lambda: theory.occurrences(0, 2, 1),
        lambda: theory.closed_sets(2, 0.5),
        lambda: theory.mean_ratio(4, 2),
        lambda: theory.split_best(48, 5, 100),
        lambda: theory.split_best(48, 4, 1),
        lambda: theory.specialist_wins(0),
    ],
)
def test_closed_forms_refuse_what_lies_outside(call):
    with pytest.raises(ValueError, match="given|needs"):
        call()


@pytest.mark.parametrize(
    ("case", "numbers"),
    [
        ("nfl-multisets", {"X": 4, "m": 5}),
        ("nfl-multisets", {"X": 9, "Y": 5}),
        ("nfl-random-set", {"X": 3, "Y": 2}),
        ("nfl-fitted", {"Y": 2}),
        ("nfl-sharpened", {"X": 3, "Y": 3}),
        ("budget-split", {"T": 5}),
        ("specialist-duel", {"T": 64, "b": 16}),
    ],
)
def test_cases_refuse_what_lies_outside(case, numbers):
    with pytest.raises(ScenarioError):
        named(case).values(numbers)


@pytest.mark.parametrize(("points", "levels"), [(2, 2), (2, 4), (4, 2)])
def test_the_sharpened_theorem_at_other_sizes(points, levels):
    given = {"X": points, "Y": levels}
    assert check(named("nfl-closed-fraction"), given).passed
    assert check(named("nfl-sharpened"), given).passed


@pytest.mark.parametrize("algorithm", range(12))
def test_any_algorithm_finds_the_same_on_average(algorithm):
    assert check(named("nfl-best"), {"a": algorithm, "X": 6, "Y": 3, "m": 4}).passed
    assert check(named("nfl-conservation"), {"a": algorithm, "b": (algorithm + 1) % 12}).passed
