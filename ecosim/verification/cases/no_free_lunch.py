"""No Free Lunch by enumeration of all functions, and the sets on which it fails (O1, O2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecosim.search import deterministic
from ecosim.theory import no_free_lunch as theory
from ecosim.verification.case import Case, Curve, Parameter, Values, numbered

MOST = 2**17
_WOLPERT = "Wolpert & Macready 1997, IEEE Trans Evol Comput 1:67-82"
_SCHUMACHER = "Schumacher, Vose & Whitley 2001, GECCO 565-570"
_EXACT: dict[str, Any] = {"family": "optimisation", "seeds": 1}
_POINTS = Parameter("X", 5, "points of the domain |X|", least=2, most=17, whole=True)
_LEVELS = Parameter("Y", 4, "levels of value |Y|", least=2, most=127, whole=True)
_EVALUATIONS = Parameter("m", 3, "evaluations", least=1, most=17, whole=True)
_ALGORITHM = Parameter(
    "a", 3, f"algorithm: {numbered(deterministic.ALGORITHMS)}", least=0, most=11, whole=True
)


def _refused(v: Values) -> str | None:
    if v["Y"] ** v["X"] > MOST:
        return f"|Y|^|X| <= {MOST}: all functions are enumerated"
    return "m <= |X|: no point is tried twice" if v["m"] > v["X"] else None


def _sequences(name: str, table: np.ndarray, v: Values) -> np.ndarray:
    from ecosim.search import enumeration

    choose = deterministic.ALGORITHMS[name]
    return enumeration.value_sequences(choose, table, v["m"], levels=v["Y"])


def _names() -> list[str]:
    return list(deterministic.ALGORITHMS)


def _functions(v: Values) -> np.ndarray:
    from ecosim.search import enumeration

    return enumeration.all_functions(v["X"], v["Y"])


def _codes(table: np.ndarray, v: Values) -> np.ndarray:
    """Return each algorithm's sequence of values on each function as a number, `[A, F]`."""
    weights = v["Y"] ** np.arange(v["m"], dtype=np.int64)
    return np.array([_sequences(name, table, v) @ weights for name in _names()])


def _differences(codes: np.ndarray, v: Values) -> int:
    """Return in how many sequences the multisets of all algorithms differ, over all pairs."""
    from ecosim.search import enumeration

    counts = [np.bincount(own, minlength=v["Y"] ** v["m"]) for own in codes]
    return enumeration.differences(np.array(counts))


def _on_closed_sets(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Differences on unions of classes of one histogram, half of the classes drawn for a seed."""
    table = _functions(v)
    _, label = np.unique(np.sort(table, axis=1), axis=0, return_inverse=True)
    codes, found = _codes(table, v), []
    for seed in seeds:
        taken = np.random.default_rng(seed).random(label.max() + 1) < 0.5
        taken[seed % taken.size] = True  # never empty
        found.append(_differences(codes[:, taken[label]], v))
    return found


def _on_random_sets(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Differences on half of all functions, drawn for a seed."""
    codes = _codes(_functions(v), v)
    return [
        _differences(codes[:, np.random.default_rng(seed).permutation(codes.shape[1])[::2]], v)
        for seed in seeds
    ]


def _occurrences(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return the count of the sequence that is farthest from the mean count."""
    from ecosim.search import enumeration

    found = _sequences(_names()[v["a"]], _functions(v), v)
    counts = enumeration.sequence_counts(found, v["Y"])
    return counts[np.argmax(np.abs(counts - counts.mean()))]


def _best(name: str, table: np.ndarray, v: Values) -> np.ndarray:
    return _sequences(name, table, v).max(axis=1).astype(np.int64)


def _gains(v: Values) -> tuple[np.ndarray, np.ndarray]:
    """Return what the climber finds beyond the descender `[F]`, and which functions are smooth."""
    from ecosim.search import enumeration

    table = _functions(v)
    gain = _best("hill-climber", table, v) - _best("hill-descender", table, v)
    return gain, enumeration.smooth(table)


def _gain_where_smooth(v: Values) -> float:
    gain, smooth = _gains(v)
    return float(gain[smooth].mean())


def _ratio(v: Values, seeds: Sequence[int]) -> ArrayLike:
    gain, smooth = _gains(v)
    return -gain[smooth].mean() / gain[~smooth].mean()


def _conserved(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Gain of one algorithm over another on a set plus that on the complement, in total.

    The set is that of the smooth functions for the first seed, a random one for the others.
    """
    table, names = _functions(v), _names()
    _, smooth = _gains(v)
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        chosen = rng.random(len(table)) < rng.random() if seed else smooth
        inside, outside = table[chosen], table[~chosen]
        gains = [
            _best(names[v["a"]], part, v).sum() - _best(names[v["b"]], part, v).sum()
            for part in (inside, outside)
            if len(part)
        ]
        found.append(sum(gains))
    return found


def _structured(v: Values) -> str | None:
    if v["Y"] < 3 or v["X"] < 4 or not 3 <= v["m"] < v["X"]:
        return "needs |X| >= 4, |Y| >= 3 and 3 <= m < |X|: else nothing is learned or left to find"
    return _refused(v)


_OPEN = (_POINTS, _LEVELS, _EVALUATIONS)

CASES = (
    Case(
        name="nfl-multisets", labels=("O1",), **_EXACT,
        title="Sequences whose counts differ between any two of twelve algorithms, all functions",
        source=_WOLPERT, parameters=_OPEN, refuses=_refused, expected=lambda v: 0.0,
        observe=lambda v, seeds: _differences(_codes(_functions(v), v), v),
        note="exact: no tolerance. `nfl-random-set` is the same count where it must not be 0",
    ),
    Case(
        name="nfl-occurrences", labels=("O1",), **_EXACT,
        title="How often the most unusual of all sequences of m values occurs",
        source=_WOLPERT, parameters=(*_OPEN, _ALGORITHM), refuses=_refused,
        expected=lambda v: theory.occurrences(v["X"], v["Y"], v["m"]), observe=_occurrences,
    ),
    Case(
        name="nfl-best", labels=("O1",), **_EXACT, rounding=1e-12,
        title="Mean best of m values over all functions, by any algorithm",
        source=_WOLPERT, parameters=(*_OPEN, _ALGORITHM), refuses=_refused,
        expected=lambda v: theory.expected_best(v["X"], v["Y"], v["m"]),
        observe=lambda v, seeds: _best(_names()[v["a"]], _functions(v), v).mean(),
        curve=Curve("m", (1, 2, 3, 4, 5, 6, 7, 8), "best of m", fixed=(("X", 8), ("Y", 3))),
        note="it rises with m: the size of a budget pays where its direction cannot",
    ),
    Case(
        name="nfl-closed-set", labels=("O2",), family="optimisation",
        title="Sequences whose counts differ on random sets closed under permutation",
        source=_SCHUMACHER, parameters=_OPEN, refuses=_refused,
        expected=lambda v: 0.0, observe=_on_closed_sets,
    ),
    Case(
        name="nfl-random-set", labels=("O2",), family="optimisation", relation="above",
        title="Sequences whose counts differ on random halves of all functions",
        source=_SCHUMACHER, parameters=_OPEN,
        refuses=lambda v: (
            "needs |Y|^|X| >= 16: a smaller half is often closed" if v["Y"] ** v["X"] < 16
            else _refused(v)
        ),
        expected=lambda v: 0.0, observe=_on_random_sets,
        note="the power of the counts above: sets that are not closed are told",
    ),
    Case(
        name="nfl-fitted", labels=("O2",), **_EXACT, relation="above",
        title="What a climber finds beyond a descender on the smooth functions",
        source=_SCHUMACHER, parameters=_OPEN, refuses=_structured, expected=lambda v: 0.0,
        observe=lambda v, seeds: _gain_where_smooth(v),
        note="smooth: at most one level from point to point, a set that is not closed",
    ),
    Case(
        name="nfl-conservation",
        labels=("O2",),
        family="optimisation",
        title="Total gain of one algorithm over another on a set, plus that on its complement",
        source=_WOLPERT,
        parameters=(*_OPEN, _ALGORITHM, Parameter(
            "b", 4, "the other algorithm, as a", least=0, most=11, whole=True)),
        refuses=lambda v: (
            "needs a != b" if v["a"] == v["b"]
            else "|Y|^|X| <= 16384: twenty sets are searched" if v["Y"] ** v["X"] > 2**14
            else _refused(v)
        ),
        expected=lambda v: 0.0,
        observe=_conserved,
        note="exact; the smooth functions, where `nfl-fitted` shows a gain, and 19 random sets",
    ),
    Case(
        name="nfl-conservation-means", labels=("O2",), **_EXACT, rounding=1e-12,
        title="Mean gain on the smooth functions over mean loss on the rest",
        source="closed form: |rest| / |smooth|, since the totals agree",
        parameters=_OPEN, refuses=_structured,
        expected=lambda v: theory.mean_ratio(v["X"], v["Y"]), observe=_ratio,
        note="totals are conserved, means are not",
    ),
)  # fmt: skip
