"""Metrics: breadth, overlap, specialisation, nestedness and concentration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import ArrayLike

from ecosim.theory import measures as theory
from ecosim.verification.case import Case, Parameter, Values

_N = Parameter("n", 8, "resources", least=2, most=64, whole=True)
_P = Parameter("p", 0.6, "share of the first resource in a species' use", above=0.0, below=1.0)
_Q = Parameter("q", 0.25, "the same of another species", above=0.0, below=1.0)
# Relative 1e-6, and an absolute rounding for values near 0.
_EXACT: dict[str, Any] = {
    "labels": ("Metrics",), "family": "metrics", "seeds": 1, "rounding": 1e-6,
    "bias": lambda v: 1e-9,
}  # fmt: skip

type Observe = Callable[[Values, Sequence[int]], ArrayLike]


def _measured(web: theory.Web) -> dict[str, Any]:
    """Return what the public `measure_web` says of a web."""
    import pandas as pd

    from ecosim.webs import measure_web

    frame = pd.DataFrame([list(row) for row in web])
    frame.index, frame.columns = frame.index.astype(str), frame.columns.astype(str)
    return measure_web(frame)


def _evenly_offered(v: Values) -> list[list[float]]:
    """Return a species of the shares (p, rest alike), and another such that totals are alike."""
    own = theory.one_favoured(v["p"], v["n"])
    return [[x, 1.5 - x] for x in own]


def _of_species(key: str) -> Observe:
    return lambda v, seeds: [_measured(_evenly_offered(v))["per_species"][0][key]]


def _breadth(name: str, key: str, title: str, source: str, form: Any) -> Case:
    return Case(
        name=f"metrics-{name}", title=title, source=source, parameters=(_N, _P),
        expected=lambda v: form(theory.one_favoured(v["p"], v["n"]), [1 / v["n"]] * v["n"]),
        observe=_of_species(key), **_EXACT,
    )  # fmt: skip


def _pair(v: Values) -> tuple[list[float], list[float]]:
    return [v["p"], 1 - v["p"]], [v["q"], 1 - v["q"]]


def _overlap(measure: str) -> Observe:
    def observe(v: Values, seeds: Sequence[int]) -> ArrayLike:
        import numpy as np

        from ecosim.webs import indices

        return [getattr(indices, measure)(np.array(_pair(v)).T)[0, 1]]

    return observe


def _recorded(metric: str, scenario: Callable[[Values], dict[str, Any]]) -> Observe:
    """Observe a metric as a run records it of its founders."""

    def observe(v: Values, seeds: Sequence[int]) -> ArrayLike:
        from ecosim.scenario import validate
        from ecosim.simulate import simulate

        raw = {"run": {"steps": 0, "precision": "float64"}, **scenario(v)}
        return [simulate(validate(raw)).metrics[metric].iloc[0]]

    return observe


def _two_groups(v: Values) -> dict[str, Any]:
    groups = [
        {"name": name, "allocation": use, "share": float(v[name])}
        for name, use in zip(("N1", "N2"), _pair(v), strict=True)
    ]
    return {
        "world": "ecology", "niches": {"count": 2},
        "population": {"size": v["N1"] + v["N2"], "groups": groups},
    }  # fmt: skip


def _one_group(v: Values) -> dict[str, Any]:
    use = theory.one_favoured(v["p"], v["n"])
    population = {"size": 50, "allocation": use}
    return {"world": "ecology", "niches": {"count": v["n"]}, "population": population}


def _some_covered(v: Values) -> dict[str, Any]:
    """Return a scenario with a species for each of the first m niches, of share p there."""
    groups = []
    for niche in range(v["m"]):
        use = [(1 - v["p"]) / (v["n"] - 1)] * v["n"]
        use[niche] = v["p"]
        groups.append({"name": str(niche), "allocation": use})
    population = {"size": v["m"], "groups": groups}
    return {"world": "ecology", "niches": {"count": v["n"]}, "population": population}


def _firms(v: Values) -> dict[str, Any]:
    """Return a market of n firms of which one holds the share p of the capital."""
    n, p = v["n"], v["p"]
    groups = [
        {"name": "large", "allocation": [1.0], "budget": p * n, "share": 1.0},
        {"name": "small", "allocation": [1.0], "budget": (1 - p) * n / (n - 1),
         "share": float(n - 1)},
    ]  # fmt: skip
    population = {"size": n, "groups": groups, "stock_variation": 0.0}
    return {"world": "market", "niches": {"count": 1}, "population": population}


def _gini(v: Values, seeds: Sequence[int]) -> ArrayLike:
    from ecosim.analysis.concentration import gini

    return [gini(theory.one_favoured(v["p"], v["n"]))]


def _uncovered(v: Values) -> str | None:
    if v["m"] > v["n"]:
        return "m cannot exceed n"
    return "p must not lie at the limit 0.9 itself" if abs(v["p"] - 0.9) < 1e-9 else None


def _cells(names: str, defaults: Sequence[float], whole: bool) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(name, value, f"interactions in cell {name}", least=0.0, most=60.0 if whole else
                  1e4, whole=whole)
        for name, value in zip(names.split(), defaults, strict=True)
    )  # fmt: skip


def _six(v: Values) -> list[list[float]]:
    return [[v["a1"], v["a2"]], [v["b1"], v["b2"]], [v["c1"], v["c2"]]]


def _four(v: Values) -> list[list[float]]:
    return [[v["a1"], v["a2"]], [v["b1"], v["b2"]]]


def _undefined(form: Callable[[Values], float], web: Callable[[Values], Any]) -> Any:
    def refuses(v: Values) -> str | None:
        table = web(v)
        if any(0 < cell < 1e-6 for row in table for cell in row):
            return "interactions are 0 or at least 1e-6"
        if not all(map(sum, table)) or not all(map(sum, zip(*table, strict=True))):
            return "no row and no column of the web may be empty"
        try:
            form(v)
        except ValueError as error:
            return str(error)
        return None

    return refuses


def _triangle(v: Values) -> list[list[float]]:
    """Return a web in which resource i is used by the first n - i species."""
    return [[float(i + j < v["n"]) for j in range(v["n"])] for i in range(v["n"])]


def _patterned(v: Values) -> list[list[float]]:
    """Return a web with the first row and column full, and every k-th of the other cells."""
    size = range(v["n"])
    return [[float(i * j == 0 or (3 * i + 5 * j) % v["k"] == 0) for j in size] for i in size]


def _diagonal(v: Values) -> list[list[float]]:
    return [[float(v["count"] * (i == j)) for j in range(v["n"])] for i in range(v["n"])]


def _d(v: Values) -> float:
    return theory.d_prime(_six(v), 0)


def _h2(v: Values) -> float:
    return theory.h2_prime(_four(v))


_SPECIALISED = (
    Parameter("n", 6, "resources and species", least=2, most=30, whole=True),
    Parameter("count", 7, "interactions of each pair", least=2, most=1000, whole=True),
)
_HURLBERT = "Hurlbert 1978, Ecology 59:67-77"
_BLUETHGEN = "Bluethgen et al. 2006, BMC Ecology 6:9"
_NODF = "Almeida-Neto et al. 2008, Oikos 117:1227-1239"

CASES = (
    _breadth("levins", "levins_b", "Levins' B of a species that favours one resource",
             "Levins 1968", lambda p, q: theory.levins(p)),
    _breadth("levins-standardised", "levins_ba", "B_A = (B - 1)/(n - 1)", _HURLBERT,
             lambda p, q: theory.levins_standardised(p)),
    _breadth("hurlbert", "hurlbert_b", "Hurlbert's B' where resources are offered evenly",
             _HURLBERT, theory.hurlbert),
    _breadth("proportional-similarity", "ps", "PS where resources are offered evenly",
             "Feinsinger et al. 1981, Ecology 62:27-32", theory.proportional_similarity),
    _breadth("effective-number", "breadth", "exp(H), the effective number of resources",
             "Hill 1973, Ecology 54:427-432",
             lambda p, q: theory.effective_number(p)),
    Case(
        name="metrics-schoener", title="Schoener's overlap of two species on two resources",
        source="Schoener 1970, Ecology 51:408-418", parameters=(_P, _Q),
        expected=lambda v: theory.proportional_similarity(*_pair(v)),
        observe=_overlap("schoener"), **_EXACT,
    ),
    Case(
        name="metrics-pianka", title="Pianka's overlap of two species on two resources",
        source="Pianka 1973, Annu Rev Ecol Syst 4:53-74", parameters=(_P, _Q),
        expected=lambda v: theory.pianka(*_pair(v)), observe=_overlap("pianka"), **_EXACT,
    ),
    Case(
        name="metrics-recorded-overlap", title="Mean overlap that a run records of two groups",
        source="Pianka 1973, Annu Rev Ecol Syst 4:53-74",
        parameters=(
            _P, _Q,
            Parameter("N1", 30, "agents of one group", least=1, most=2000, whole=True),
            Parameter("N2", 20, "agents of the other", least=1, most=2000, whole=True),
        ),
        expected=lambda v: theory.mean_overlap(theory.pianka(*_pair(v)), v["N1"], v["N2"]),
        observe=_recorded("overlap", _two_groups), **_EXACT,
    ),
    Case(
        name="metrics-recorded-breadth", title="Mean breadth that a run records",
        source="Hill 1973, Ecology 54:427-432", parameters=(_N, _P),
        expected=lambda v: theory.effective_number(
            theory.one_favoured(v["p"], v["n"])),
        observe=_recorded("breadth_mean", _one_group), **_EXACT,
    ),
    Case(
        name="metrics-coverage", title="Coverage: niches with a specialist of 0.9 or more",
        source="Definition", parameters=(
            _N, Parameter("m", 3, "niches that a species favours", least=1, most=64, whole=True),
            Parameter("p", 0.92, "share of a species' use in its niche", least=0.5, below=1.0),
        ),
        refuses=_uncovered,
        expected=lambda v: theory.coverage(v["m"], v["n"], v["p"]),
        observe=_recorded("coverage", _some_covered), **_EXACT,
    ),
    Case(
        name="metrics-coverage-none", title="A share of 0.89 is no specialist",
        source="Definition", parameters=(
            _N, Parameter("m", 3, "niches that a species favours", least=1, most=64, whole=True),
            Parameter("p", 0.89, "share of a species' use in its niche", least=0.5, below=0.9),
        ),
        refuses=_uncovered,
        expected=lambda v: theory.coverage(v["m"], v["n"], v["p"]),
        observe=_recorded("coverage", _some_covered), **_EXACT,
    ),
    Case(
        name="metrics-d", title="d' of a species on three resources, dmin by trying all",
        source=_BLUETHGEN, parameters=_cells("a1 a2 b1 b2 c1 c2", (9, 2, 1, 7, 3, 5), True),
        refuses=_undefined(_d, _six), expected=_d,
        observe=lambda v, seeds: [_measured(_six(v))["per_species"][0]["d"]], **_EXACT,
    ),
    Case(
        name="metrics-d-specialised", title="d' = 1 where each species has a resource of its own",
        source=_BLUETHGEN, parameters=_SPECIALISED, expected=lambda v: 1.0,
        observe=lambda v, seeds: [_measured(_diagonal(v))["per_species"][0]["d"]], **_EXACT,
    ),
    Case(
        name="metrics-h2", title="H2' of two species on two resources",
        source=_BLUETHGEN, parameters=_cells("a1 a2 b1 b2", (9.5, 2.0, 1.0, 7.25), False),
        refuses=_undefined(_h2, _four), expected=_h2,
        observe=lambda v, seeds: [_measured(_four(v))["h2"]], **_EXACT,
    ),
    Case(
        name="metrics-h2-specialised", title="H2' = 1 where each species has its own resource",
        source=_BLUETHGEN, parameters=_SPECIALISED, expected=lambda v: 1.0,
        observe=lambda v, seeds: [_measured(_diagonal(v))["h2"]], **_EXACT,
    ),
    Case(
        name="metrics-nodf", title="NODF of a patterned web, pair by pair", source=_NODF,
        parameters=(
            Parameter("n", 9, "resources and species", least=2, most=40, whole=True),
            Parameter("k", 4, "every k-th inner cell is used", least=2, most=40, whole=True),
        ),
        expected=lambda v: theory.nodf(_patterned(v)),
        observe=lambda v, seeds: [_measured(_patterned(v))["nodf"]], **_EXACT,
    ),
    Case(
        name="metrics-nodf-nested", title="NODF = 100 for a perfectly nested web", source=_NODF,
        parameters=(Parameter("n", 7, "resources and species", least=2, most=40, whole=True),),
        expected=lambda v: 100.0, observe=lambda v, seeds: [_measured(_triangle(v))["nodf"]],
        **_EXACT,
    ),
    Case(
        name="metrics-herfindahl", title="Herfindahl-Hirschman index that a market records",
        source="Herfindahl 1950", parameters=(_N, _P),
        expected=lambda v: theory.herfindahl(v["p"], v["n"]),
        observe=_recorded("hhi", _firms), **_EXACT,
    ),
    Case(
        name="metrics-c4", title="Four-firm concentration that a market records",
        source="Carroll 1985, Am J Sociol 90:1262-1283", parameters=(_N, _P),
        expected=lambda v: theory.concentration(v["p"], v["n"]),
        observe=_recorded("c4", _firms), **_EXACT,
    ),
    Case(
        name="metrics-gini", title="Gini's coefficient of one large firm and alike others",
        source="Gini 1912", parameters=(_N, _P),
        expected=lambda v: theory.gini(v["p"], v["n"]), observe=_gini, **_EXACT,
    ),
)  # fmt: skip
