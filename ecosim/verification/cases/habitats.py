"""E9: coexistence by habitat choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecosim.theory import habitats as theory
from ecosim.verification.case import Case, Curve, Parameter, Values

SOURCE = "Wilson & Yoshimura 1994, Am Nat 144:692-707; Poisot 2018 (replication)"

_K = (
    Parameter("K1", 200.0, "capacity of habitat 1", least=1.0, most=1e6),
    Parameter("K2", 100.0, "capacity of habitat 2", least=1.0, most=1e6),
)
_B = Parameter("b", 0.9, "competence of the generalist in both habitats", least=0.5, most=0.98)
_A = Parameter("a", 0.1, "competence of a specialist in the other habitat", above=0.0, most=0.4)
_R = Parameter("r", 1.3, "growth rate", least=0.2, most=1.8)
_RANGE = Parameter("range", 140.0, "range of each capacity, from least to most", least=0.0)
_TIED = Parameter("tied", 0, "1: one habitat improves as the other worsens", 
                  least=0, most=1, whole=True)  # fmt: skip
_G = Parameter("g", 0.0, "share that settles anywhere", least=0.0, most=0.5)


def _groups(v: Values) -> list[dict[str, Any]]:
    """Return both specialists, (1, a) and (a, 1), and the generalist, (b, b)."""
    a = v.get("a", 0.1)
    return [
        {"name": "specialist 1", "allocation": [1 / (1 + a), a / (1 + a)], "budget": 1 + a},
        {"name": "specialist 2", "allocation": [a / (1 + a), 1 / (1 + a)], "budget": 1 + a},
        {"name": "generalist", "allocation": [0.5, 0.5], "budget": 2 * v["b"]},
    ]


def _scenario(v: Values, groups: list[dict[str, Any]], steps: int, **more: Any) -> Any:
    from ecosim.scenario import validate

    raw: dict[str, Any] = {
        "world": "ecology",
        "niches": {
            "count": 2, "supply": [v["K1"], v["K2"]], "productivity": v["K1"] + v["K2"]
        },
        "population": {
            "size": len(groups), "groups": groups, "stock_variation": 0.0,
            "stock": min(v["K1"], v["K2"]) / 10,
        },
        "tradeoff": {"exponent": 1.0},
        "selection": {"kind": "ricker"},
        "habitats": {"growth": v["r"], "random": v.get("g", 0.0)},
        "run": {"steps": steps, "precision": "float64"},
    }  # fmt: skip
    if v.get("range"):
        coupling = "tied" if v["tied"] else "independent"
        raw["environment"] = {"fluctuation": {"range": v["range"], "coupling": coupling}}
    for table, words in more.items():
        raw[table] = {**raw.get(table, {}), **words}
    return validate(raw)


def _records(scenario: Any, seed: int) -> Any:
    from ecosim.simulate import simulate

    return simulate(scenario, seed=seed).metrics


def _resting(v: Values) -> int:
    """Return steps after which |1 - r|^t is below 1e-9, and abundances have risen."""
    return 100 + math.ceil(25 / -math.log(max(abs(1 - v["r"]), 0.05))) + math.ceil(10 / v["r"])


def _alone(column: str) -> Any:
    def observe(v: Values, seeds: Sequence[int]) -> ArrayLike:
        scenario = _scenario(v, _groups(v)[2:], _resting(v))
        return [_records(scenario, seed)[column].iloc[-1] for seed in seeds]

    return observe


def _excluding(v: Values) -> int:
    """Return steps after which the generalist is below 1e-12 of its start."""
    rate = theory.exclusion_rate(generalist=v["b"], growth=v["r"])
    return _resting(v) + math.ceil(28 / -rate)


def _specialist(v: Values, seeds: Sequence[int]) -> ArrayLike:
    scenario = _scenario(v, _groups(v), _excluding(v))
    return [_records(scenario, seed)["group_abundance_0"].iloc[-1] / v["K1"] for seed in seeds]


def _exclusion(v: Values, seeds: Sequence[int]) -> ArrayLike:
    steps = _excluding(v)
    scenario = _scenario(v, _groups(v), steps + 50)
    found = []
    for seed in seeds:
        log = np.log(_records(scenario, seed)["group_abundance_2"].to_numpy())
        found.append((log[steps + 50] - log[steps]) / 50)
    return found


def _rare(v: Values) -> tuple[float, float]:
    return theory.growth_when_rare(
        (v["K1"], v["K2"]), specialist=v["a"], generalist=v["b"], growth=v["r"],
        width=v["range"], tied=bool(v["tied"]),
    )  # fmt: skip


def _too_wide(v: Values) -> str | None:
    if v["range"] >= 2 * min(v["K1"], v["K2"]):
        return "range must be below twice the smaller capacity"
    return None


def _invading(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Growth of ln N of a generalist that stays below 1e-12 of the specialists throughout."""
    rate = _rare(v)[0]
    settle = 100
    steps = settle + max(min(int(550 / max(abs(rate), 0.055)), 10_000), 100)
    groups = _groups(v)
    # In the range of float64: from 1e-285 upwards, or from 1e-20 downwards.
    groups[2]["share"] = 1e-285 if rate > 0 else 1e-20
    scenario = _scenario(v, groups, steps, record={"every": settle})
    found = []
    for seed in seeds:
        table = _records(scenario, seed)
        log, step = np.log(table["group_abundance_2"].to_numpy()), table["step"].to_numpy()
        found.append((log[-1] - log[1]) / (step[-1] - step[1]))
    return found


_LONG = 3000


def _mean(v: Values) -> tuple[float, float]:
    mean, error = theory.mean_abundance(
        (v["K1"], v["K2"]), specialist=v["a"], generalist=v["b"], growth=v["r"],
        width=v["range"], tied=bool(v["tied"]), random_share=v["g"],
        start=min(v["K1"], v["K2"]) / 10, steps=_LONG,
    )  # fmt: skip
    return mean[2], error[2]


def _abundances(v: Values, seeds: Sequence[int]) -> np.ndarray:
    scenario = _scenario(v, _groups(v), _LONG)
    columns = [f"group_abundance_{k}" for k in range(3)]
    tables = [_records(scenario, seed)[columns].to_numpy()[-_LONG // 2 :] for seed in seeds]
    return np.array([table.mean(axis=0) for table in tables])


def _past(v: Values, seeds: Sequence[int]) -> ArrayLike:
    mean = _abundances(v, seeds)
    return np.asarray(mean[:, 2] - mean[:, :2].min(axis=1)) / (v["K1"] + v["K2"])


def _tied_less_independent(v: Values, seeds: Sequence[int]) -> ArrayLike:
    tied, free = (_abundances({**v, "tied": word}, seeds)[:, 2] for word in (1, 0))
    return np.asarray(tied - free) / (v["K1"] + v["K2"])


def _crowd(v: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return the mean number of generalist individuals over 2,500 generations after 40."""
    rest = theory.generalist_alone((v["K1"], v["K2"]), generalist=v["b"], growth=v["r"])
    scenario = _scenario(
        v, _groups(v)[2:], 2540, population={"size": round(rest), "stock": 1.0},
        habitats={"demography": "individuals"}, mutation={"rate": 0.0},
    )  # fmt: skip
    return [_records(scenario, seed)["group_abundance_0"].iloc[41:].mean() for seed in seeds]


def _individuals_bias(v: Values) -> float:
    """Return the bound 10/N* on the next order, which must fall in N* where N* is large."""
    return 10 / theory.generalist_alone((v["K1"], v["K2"]), generalist=v["b"], growth=v["r"])


def _few(v: Values) -> str | None:
    if not 100 <= v["b"] * (v["K1"] + v["K2"]) <= 5000:
        return "b (K1 + K2) must lie between 100 and 5000 individuals"
    if min(v["K1"], v["K2"]) < 30:
        return "each habitat must hold at least 30: the closed form is of large numbers"
    return None


def _ranged(default: float, least: float, most: float | None = None) -> Parameter:
    return Parameter("range", default, _RANGE.meaning, least=least, most=most)


def _at_published(observe: Any) -> Any:
    """Return the observation at the published numbers, whatever is not a parameter."""
    published = {"K1": 200.0, "K2": 100.0, "a": 0.1, "b": 0.9, "r": 1.3, "g": 0.0}
    return lambda v, seeds: observe({**published, **v}, seeds)


def _abundances_of_generalist(v: Values, seeds: Sequence[int]) -> ArrayLike:
    return _abundances(v, seeds)[:, 2]


def _pair(v: Values) -> tuple[float, float]:
    return (v["K1"], v["K2"])


CASES = (
    Case(
        name="habitat-generalist-alone", labels=("E9",), family="ecology", source=SOURCE,
        title="A generalist alone fills both habitats: N* = b (K1 + K2)",
        parameters=(*_K, _B, _R), seeds=1, rounding=1e-6,
        expected=lambda v: theory.generalist_alone(_pair(v), generalist=v["b"], growth=v["r"]),
        observe=_alone("group_abundance_0"),
    ),
    Case(
        name="habitat-split", labels=("E9",), family="ecology", source=SOURCE,
        title="A generalist alone splits as the habitats do: p = K1/(K1 + K2)",
        parameters=(*_K, _B, _R), seeds=1, rounding=1e-6,
        expected=lambda v: theory.generalist_split(_pair(v)), observe=_alone("split_0"),
    ),
    Case(
        name="habitat-specialists-exclude", labels=("E9",), family="ecology", source=SOURCE,
        title="Without variation the specialists fill their habitats: N1/K1",
        parameters=(*_K, _A, _B, _R), seeds=1, rounding=1e-6,
        expected=lambda v: 1.0, observe=_specialist,
    ),
    Case(
        name="habitat-exclusion-rate", labels=("E9",), family="ecology", source=SOURCE,
        title="Without variation the generalist goes extinct at the rate r (1 - 1/b)",
        parameters=(*_K, _A, _B, _R), seeds=1, rounding=1e-6,
        expected=lambda v: theory.exclusion_rate(generalist=v["b"], growth=v["r"]),
        observe=_exclusion,
    ),
    Case(
        name="habitat-invasion", labels=("E9",), family="ecology", source=SOURCE,
        title="Growth when rare of a generalist among specialists, habitats varying apart",
        parameters=(*_K, _A, _B, _R, _ranged(100.0, 0.0), _TIED), refuses=_too_wide,
        expected=lambda v: _rare(v)[0], observe=_invading, bias=lambda v: 4 * _rare(v)[1],
        rounding=1e-6,
        note="r (1 - (1 - E|D1 - D2|/2)/b) where specialists keep to their habitats. The bias is "
        "four standard errors of the expectation, a mean over 400,000 steps of the equations.",
        curve=Curve("range", (0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0),
                    "generalist's growth when rare"),
    ),
    Case(
        name="habitat-invasion-tied", labels=("E9",), family="ecology", source=SOURCE,
        title="Growth when rare of a generalist among specialists, habitats tied",
        parameters=(*_K, _A, _B, _R, _ranged(100.0, 0.0), Parameter(
            "tied", 1, _TIED.meaning, least=0, most=1, whole=True)),
        refuses=_too_wide, expected=lambda v: _rare(v)[0], observe=_invading,
        bias=lambda v: 4 * _rare(v)[1], rounding=1e-6,
    ),
    Case(
        name="habitat-coexistence", labels=("E9",), family="ecology", source=SOURCE,
        title="Mean abundance of the generalist beside both specialists",
        parameters=(*_K, _A, _B, _R, _RANGE, _TIED, _G), refuses=_too_wide,
        expected=lambda v: _mean(v)[0], observe=_abundances_of_generalist,
        bias=lambda v: 4 * _mean(v)[1] + 1e-9,
        note="The expectation iterates the published equations in NumPy with draws of its own; "
        "the bias is four standard errors of that.",
        curve=Curve("range", (0.0, 40.0, 80.0, 110.0, 140.0, 170.0, 195.0),
                    "mean abundance of the generalist"),
    ),
    Case(
        name="habitat-generalist-rises", labels=("E9",), family="ecology", source=SOURCE,
        title="With much variation the generalist is past the rarer specialist",
        parameters=(_ranged(185.0, 170.0, 199.0), _TIED), 
        expected=lambda v: 0.0, relation="above", observe=_at_published(_past),
    ),
    Case(
        name="habitat-generalist-behind", labels=("E9",), family="ecology", source=SOURCE,
        title="With little variation the generalist is behind both specialists",
        parameters=(_ranged(80.0, 0.0, 100.0), _TIED),
        expected=lambda v: 0.0, relation="below", observe=_at_published(_past),
    ),
    Case(
        name="habitat-tied-helps", labels=("E9",), family="ecology", source=SOURCE,
        title="Tied habitats favour the generalist: its abundance less that in independent ones",
        parameters=(_ranged(110.0, 60.0, 199.0),),
        expected=lambda v: 0.0, relation="above", observe=_at_published(_tied_less_independent),
    ),
    Case(
        name="habitat-individuals", labels=("E9",), family="ecology", source=SOURCE,
        title="Individuals follow the map: N* - 1/(2r) - (2 - r)/2 generalists on average",
        parameters=(*_K, _B, Parameter("r", 1.3, "growth rate", least=0.5, most=1.5)),
        refuses=_few, bias=_individuals_bias,
        expected=lambda v: theory.generalist_individuals(
            _pair(v), generalist=v["b"], growth=v["r"]),
        observe=_crowd,
    ),
)  # fmt: skip
