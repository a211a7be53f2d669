"""Fixation and drift: the neutral control and its exact Markov chains."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from numpy.typing import ArrayLike

from ecosim.theory import fixation
from ecosim.verification.case import Case, Curve, Parameter, Values

FULL = 5000  # replicates a seed: 1e5 with 20 seeds
_APART = 10**6  # seeds of the replicates of two seeds never meet

type Observe = Callable[[Values, Sequence[int]], ArrayLike]


def _replicated(scenario: dict[str, Any], seeds: Sequence[int], each: int, column: str) -> Any:
    """Return a final metric of `each` replicates of every seed."""
    from ecosim.scenario import validate
    from ecosim.simulate import replicates

    own = [seed * _APART + number for seed in seeds for number in range(each)]
    return replicates(validate(scenario), own)[column].to_numpy()


def _scenario(kind: str, size: int, mutants: int, fitness: float, **run: Any) -> dict[str, Any]:
    """One niche and an exponent of 1: fitness is the budget, exactly. No mutation."""
    return {
        "world": "ecology",
        "niches": {"count": 1},
        "tradeoff": {"exponent": 1.0},
        "selection": {"kind": kind},
        "mutation": {"rate": 0.0},
        "population": {
            "size": size,
            "groups": [
                {"name": "mutant", "allocation": [1.0], "share": mutants, "budget": fitness},
                {"name": "resident", "allocation": [1.0], "share": size - mutants},
            ],
        },
        "run": {"precision": "float64", **run},
        "record": {"every": 2**30},
    }


def _moran(order: Literal["birth-death", "death-birth"], each: int | None = None) -> Observe:
    def observe(values: Values, seeds: Sequence[int]) -> ArrayLike:
        size, r = values["N"], values["r"]
        scenario = _scenario("moran", size, 1, r, steps=1000 * size**2, until="fixed")
        if order != "birth-death":
            scenario["selection"]["order"] = order
        # A run takes about N (1 + ln N) steps, longer where the mutant often rises.
        steps = size * (1 + math.log(size)) * (1 + 2 * min(max(r - 1, 0), 0.5))
        count = each or max(10, min(2000, int(50_000 / steps)))
        return _replicated(scenario, seeds, count, "group_share_0")

    return observe


def _wright_fisher(each: int | None = None) -> Observe:
    def observe(values: Values, seeds: Sequence[int]) -> ArrayLike:
        size, s = values["N"], values["s"]
        scenario = _scenario("wright-fisher", size, 1, 1 + s, steps=1000 * size, until="fixed")
        count = each or max(10, min(1000, int(6e4 / (size + 64) / (2 + math.log(size)))))
        return _replicated(scenario, seeds, count, "group_share_0")

    return observe


def _neutral(values: Values, seeds: Sequence[int]) -> ArrayLike:
    size, mutants = values["N"], values["m"]
    scenario = _scenario("moran", size, mutants, 1.0, steps=1000 * size**2, until="fixed")
    each = max(10, min(2000, int(50_000 / size**2 * 3)))
    return _replicated(scenario, seeds, each, "group_share_0")


def _decay(values: Values, seeds: Sequence[int]) -> ArrayLike:
    size, t = values["N"], values["t"]
    scenario = _scenario("wright-fisher", size, size // 2, 1.0, steps=t)
    each = max(10, min(1000, int(2e5 / (size + 64) / t)))
    p = _replicated(scenario, seeds, each, "group_share_0")
    return 2 * p * (1 - p)


def _expected_decay(values: Values) -> float:
    p = (values["N"] // 2) / values["N"]
    return fixation.heterozygosity(2 * p * (1 - p), values["N"], values["t"])


_FITNESS = Parameter("r", 1.5, "fitness of the mutant over a resident's", least=0.5, most=10)
_SIZE = Parameter("N", 20, "individuals", least=3, most=200, whole=True)
_CURVE = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)
_MORAN = "Moran 1958; Lieberman, Hauert & Nowak 2005, Nature 433:312"
_NO_BIAS = (
    "The chain is exact: no bias. One observation is one replicate, the outcome 0 or 1, so that "
    "the standard error is binomial."
)


def _bd(values: Values) -> float:
    return fixation.moran_birth_death(values["N"], values["r"])


def _db(values: Values) -> float:
    return fixation.moran_death_birth(values["N"], values["r"])


def _wf(values: Values) -> float:
    return fixation.wright_fisher(values["N"], values["s"])


def _large(default: float) -> tuple[Parameter, Parameter]:
    return (
        Parameter("N", 100, "individuals", least=3, most=200, whole=True),
        Parameter("r", default, "fitness of the mutant over a resident's", least=0.5, most=10),
    )


CASES = (
    Case(
        name="moran-fixation",
        labels=("E6",),
        family="ecology",
        title="Fixation of one mutant in a Moran process, birth then death",
        source=_MORAN,
        parameters=(_SIZE, _FITNESS),
        expected=_bd,
        observe=_moran("birth-death"),
        note=_NO_BIAS,
        curve=Curve("r", _CURVE, "probability of fixation"),
    ),
    Case(
        name="moran-fixation-death-birth",
        labels=("E6",),
        family="ecology",
        title="Fixation of one mutant in a Moran process, death then birth",
        source="Kaveh, Komarova & Kohandel 2015, R Soc Open Sci 2:140465",
        parameters=(_SIZE, _FITNESS),
        expected=_db,
        observe=_moran("death-birth"),
        note=_NO_BIAS + " The dead cannot be the parent.",
        curve=Curve("r", _CURVE, "probability of fixation"),
    ),
    Case(
        name="wright-fisher-fixation",
        labels=("E6",),
        family="ecology",
        title="Fixation of one mutant in a haploid Wright-Fisher population",
        source="Fisher 1930; Wright 1931; exact chain (Kimura's diffusion is 3 % off at s = .1)",
        parameters=(
            Parameter("N", 40, "individuals", least=3, most=1000, whole=True),
            Parameter("s", 0.2, "advantage: the mutant's fitness is 1 + s", least=-0.2, most=5),
        ),
        expected=_wf,
        observe=_wright_fisher(),
        note=_NO_BIAS,
        curve=Curve("s", (0.0, 0.1, 0.2, 0.4, 0.8, 1.6), "probability of fixation"),
    ),
    Case(
        name="neutral-fixation",
        labels=("E6",),
        family="ecology",
        title="Without selection a group is fixed with its initial share",
        source="Kimura 1962, Genetics 47:713; a martingale, hence exact",
        parameters=(
            Parameter("N", 20, "individuals", least=2, most=100, whole=True),
            Parameter("m", 6, "individuals of the group at the start", least=1, whole=True),
        ),
        expected=lambda values: values["m"] / values["N"],
        observe=_neutral,
        refuses=lambda values: None if values["m"] < values["N"] else "needs m < N",
        note=_NO_BIAS,
    ),
    Case(
        name="heterozygosity",
        labels=("E6",),
        family="ecology",
        title="Drift: heterozygosity decays by 1/N a generation",
        source="Wright 1931, Genetics 16:97",
        parameters=(
            Parameter("N", 40, "individuals", least=2, most=1000, whole=True),
            Parameter("t", 30, "generations", least=1, most=1000, whole=True),
        ),
        expected=_expected_decay,
        observe=_decay,
        refuses=lambda values: (
            None if values["t"] <= 3 * values["N"] else "needs t <= 3 N: beyond, little is left"
        ),
        note="H = 1 - sum p^2 of two groups that start with N/2 each. The chain is exact: no bias.",
    ),
    Case(
        name="moran-fixation-many",
        labels=("E6",),
        family="ecology",
        title="Fixation in a Moran process, birth then death, 100,000 replicates",
        source=_MORAN,
        parameters=_large(1.1),
        expected=_bd,
        observe=_moran("birth-death", FULL),
        full=True,
        note=_NO_BIAS,
    ),
    Case(
        name="moran-fixation-death-birth-many",
        labels=("E6",),
        family="ecology",
        title="Fixation in a Moran process, death then birth, 100,000 replicates",
        source="Kaveh, Komarova & Kohandel 2015, R Soc Open Sci 2:140465",
        parameters=_large(1.1),
        expected=_db,
        observe=_moran("death-birth", FULL),
        full=True,
        note=_NO_BIAS,
    ),
    Case(
        name="wright-fisher-fixation-many",
        labels=("E6",),
        family="ecology",
        title="Fixation in a Wright-Fisher population, 100,000 replicates",
        source="Fisher 1930; Wright 1931; exact chain",
        parameters=(
            Parameter("N", 100, "individuals", least=3, most=1000, whole=True),
            Parameter("s", 0.1, "advantage: the mutant's fitness is 1 + s", least=-0.2, most=5),
        ),
        expected=_wf,
        observe=_wright_fisher(FULL),
        full=True,
        note=_NO_BIAS,
    ),
)
