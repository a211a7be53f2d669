"""Real search algorithms, measured, and as a world: where selection finds nothing (O1, O2, E6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecosim.scenario.measured import ALGORITHMS
from ecosim.theory import fixation
from ecosim.theory import no_free_lunch as theory
from ecosim.verification.case import Case, Curve, Parameter, Values, numbered

_WOLPERT = "Wolpert & Macready 1997, IEEE Trans Evol Comput 1:67-82"
_POINTS, _LEVELS = 1024, 100
_APART = 10**6  # seeds of the replicates of two seeds never meet
_SEARCHED = 20  # replicates a seed where each of them searches on instances of its own
_ALGORITHM = Parameter("a", 10, f"algorithm: {numbered(ALGORITHMS)}", least=0, most=13, whole=True)
_OTHER = Parameter("b", 1, "the other algorithm, as a", least=0, most=13, whole=True)
_SIZE = Parameter("N", 20, "agents", least=3, most=100, whole=True)


def _names() -> list[str]:
    from ecosim.search.algorithms import ALGORITHMS

    return list(ALGORITHMS)


def _found(problem: str, v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return what an algorithm found on each of 64 instances a seed, after m evaluations."""
    import jax

    from ecosim.compilation import prepared
    from ecosim.search import profile

    with prepared():
        found = [
            np.asarray(profile.profiles(
                [_names()[v["a"]]], [problem], budget=v["m"], instances=64,
                key=jax.random.key(seed),
            )[0, 0, :, -1])
            for seed in seeds
        ]  # fmt: skip
    return np.concatenate(found).astype(float)


def _rivals(v: Values, problem: str, groups: Sequence[dict[str, Any]], **run: Any) -> Any:
    """Return a world of one class of problems in which only the method or the budget differs."""
    used = list(dict.fromkeys(group["method"] for group in groups))
    return {
        "world": "optimisation",
        "niches": {"count": 1},
        "tradeoff": {"kind": "measured"},
        "search": {"algorithms": used, "problems": [problem]},
        "competition": {"exponent": v.get("c", 1.0)},
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.0},
        "population": {
            "size": v["N"], "budget": float(v["m"]),
            "groups": [{"allocation": [1.0], **group} for group in groups],
        },
        "run": {"precision": "float64", **run},
        "record": {"every": 2**30},
    }  # fmt: skip


def _shares(raw: dict[str, Any], seeds: Sequence[int], each: int) -> np.ndarray:
    from ecosim.scenario import validate
    from ecosim.simulate import replicates

    own = [seed * _APART + number for seed in seeds for number in range(each)]
    return np.asarray(replicates(validate(raw), own)["group_share_0"], float)


def _methods(v: Values) -> list[dict[str, Any]]:
    names, first = _names(), v["n"]
    return [
        {"name": "one", "method": names[v["a"]], "share": first},
        {"name": "other", "method": names[v["b"]], "share": v["N"] - first},
    ]


def _fixed(problem: str, v: Values, seeds: Sequence[int]) -> ArrayLike:
    raw = _rivals(v, problem, _methods(v), steps=1000 * v["N"], until="fixed")
    each = max(5, 2000 // v["N"])
    return _shares(raw, seeds, each if problem == "uniform-mean" else min(each, _SEARCHED))


def _drifted(v: Values, seeds: Sequence[int]) -> ArrayLike:
    v = {**v, "n": v["N"] // 2}
    share = _shares(_rivals(v, "uniform-mean", _methods(v), steps=v["t"]), seeds, 50)
    return 2 * share * (1 - share)


def _heterozygosity(v: Values) -> float:
    share = (v["N"] // 2) / v["N"]
    return fixation.heterozygosity(2 * share * (1 - share), v["N"], v["t"])


def _richer(v: Values, seeds: Sequence[int]) -> ArrayLike:
    name = _names()[v["a"]]
    groups = [
        {"name": "rich", "method": name, "share": 1, "budget": (v["m"] + v["d"]) / v["m"]},
        {"name": "poor", "method": name, "share": v["N"] - 1},
    ]
    raw = _rivals(v, "uniform-mean", groups, steps=1000 * v["N"], until="fixed")
    return _shares(raw, seeds, max(5, 2000 // v["N"]))


def _mutant(v: Values) -> float:
    better, usual = (theory.expected_best(_POINTS, _LEVELS, m) for m in (v["m"] + v["d"], v["m"]))
    return fixation.wright_fisher(v["N"], (better / usual) ** v["c"] - 1)


def _same(v: Values) -> str | None:
    if v["a"] == v["b"]:
        return "needs a != b"
    return None if v.get("n", 1) < v["N"] else "needs n < N"


def _m(default: int, most: int = 128) -> Parameter:
    return Parameter("m", default, "evaluations", least=1, most=most, whole=True)


_FIRST = Parameter("n", 6, "agents of the first algorithm at the start", least=1, whole=True)
_CLAIM = Parameter("c", 8.0, "contest exponent", above=0, most=32)

CASES = (
    Case(
        name="search-uniform", labels=("O1", "O3"), family="optimisation",
        title="What a real algorithm finds on functions drawn uniformly from all",
        source=_WOLPERT, parameters=(_m(16), _ALGORITHM),
        expected=lambda v: theory.expected_best(_POINTS, _LEVELS, v["m"]) / (_LEVELS - 1),
        observe=lambda v, seeds: _found("uniform", v, seeds), bias=lambda v: 1e-6,
        note="1,024 points, 100 levels; each of the fourteen, also those that draw at random, "
        "since none tries a point twice",
        curve=Curve("m", (1, 2, 4, 8, 16, 32, 64), "best value", log=True),
    ),
    Case(
        name="search-needle", labels=("O2",), family="optimisation",
        title="Chance that a real algorithm finds a needle",
        source="Schumacher, Vose & Whitley 2001: needles are closed under permutation; m/|X|",
        parameters=(_m(192, 1024), _ALGORITHM), expected=lambda v: v["m"] / _POINTS,
        observe=lambda v, seeds: _found("needle", v, seeds), bias=lambda v: 1e-6,
    ),
    Case(
        name="nfl-world-fixation", labels=("O1", "E6"), family="optimisation",
        title="Under all functions alike an algorithm is fixed with its initial share",
        source=f"{_WOLPERT}; Kimura 1962, Genetics 47:713",
        parameters=(_SIZE, _FIRST, _m(16), _CLAIM, _ALGORITHM, _OTHER), refuses=_same,
        expected=lambda v: v["n"] / v["N"],
        observe=lambda v, seeds: _fixed("uniform-mean", v, seeds),
        note="competence is the exact mean over all functions",
    ),
    Case(
        name="nfl-world-searched", labels=("O1",), family="optimisation",
        title="On functions drawn from all and really searched, no algorithm is favoured",
        source=_WOLPERT,
        parameters=(
            Parameter("N", 20, "agents, half of each algorithm", least=4, most=100, whole=True),
            _m(16), _CLAIM, _ALGORITHM, _OTHER,
        ),
        refuses=lambda v: "needs an even N" if v["N"] % 2 else _same(v),
        expected=lambda v: 0.5,
        observe=lambda v, seeds: _fixed("uniform", {**v, "n": v["N"] // 2}, seeds),
        note="each run draws 512 instances of its own; luck on them lasts a run and no longer",
    ),
    Case(
        name="nfl-world-drift", labels=("O1", "E6"), family="optimisation",
        title="Under all functions alike shares of algorithms drift as if neutral",
        source=f"{_WOLPERT}; Wright 1931, Genetics 16:97",
        parameters=(
            Parameter("N", 40, "agents", least=2, most=500, whole=True),
            Parameter("t", 30, "generations", least=1, most=500, whole=True),
            _m(16), _CLAIM, _ALGORITHM, _OTHER,
        ),
        refuses=lambda v: (
            "needs t <= 3 N: beyond, little is left" if v["t"] > 3 * v["N"] else _same(v)
        ),
        expected=_heterozygosity, observe=_drifted,
        note="H = 2 p (1 - p) of two algorithms that start with N/2 each: it holds the variance",
    ),
    Case(
        name="nfl-world-budget", labels=("O1", "E6"), family="optimisation",
        title="Under all functions alike one agent with more evaluations is fixed more often",
        source=f"{_WOLPERT}; exact Wright-Fisher chain, 1 + s = (E[best of m+d]/E[best of m])^c",
        parameters=(
            _SIZE, _m(4), Parameter("d", 2, "evaluations more", least=1, most=128, whole=True),
            _CLAIM, _ALGORITHM,
        ),
        expected=_mutant, observe=_richer,
        note="the size of a budget pays where the choice of the algorithm cannot",
        curve=Curve("d", (1, 2, 4, 8), "probability of fixation"),
    ),
    Case(
        name="structured-world-fixation", labels=("O2", "E6"), family="optimisation",
        relation="above",
        title="On smooth functions a fitted algorithm is fixed more often than by its share",
        source="Schumacher, Vose & Whitley 2001; Nelder & Mead 1965",
        parameters=(_SIZE, _FIRST, _m(16, 64), _CLAIM), 
        refuses=lambda v: (
            "needs m >= 6, c >= 1 and n <= .8 N: room for a difference"
            if v["m"] < 6 or v["n"] > 0.8 * v["N"] or v["c"] < 1 else None
        ),
        expected=lambda v: v["n"] / v["N"],
        observe=lambda v, seeds: _fixed("smooth", {**v, "a": 10, "b": 1}, seeds),
        note="the simplex of Nelder and Mead against the sweep: the power of `nfl-world-fixation`",
    ),
)  # fmt: skip
