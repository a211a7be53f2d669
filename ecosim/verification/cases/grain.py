"""Heterogeneous selection: Levene's niches, fine and coarse grain (E3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecosim.theory import budget, grain
from ecosim.verification.case import Case, Parameter, Values
from ecosim.verification.cases import levene
from ecosim.verification.cases.observing import VARIANCE_RATE, late_mean, wright_fisher

LEVENE = "Levene 1953, Am Nat 87:331; haploid"


def _observed_soft(v: Values, seeds: Sequence[int]) -> Any:
    return levene.settled(v, {"competition": {"kind": "contest"}}, seeds)


def _chain_bias(v: Values) -> float:
    return levene.chain_bias(v, grain.levene_quasi_stationary(v["c"], v["s"], v["N"])[0])


def _observed_hard(v: Values, seeds: Sequence[int]) -> Any:
    tables = {"competition": {"kind": "additive"}}
    return levene.ended(v, tables, seeds, rate=levene.advantage(v))


def _outside(v: Values) -> float:
    """Return the log growth rate of the type that should be lost, when it is rare."""
    s, c = v["s"], v["c"] if v["c"] > 0.5 else 1 - v["c"]
    return float(np.log(c / (1 + s) + (1 - c) * (1 + s)))


def _outside_refuses(v: Values) -> str | None:
    low, high = grain.levene_band(v["s"])
    if low <= v["c"] <= high:
        return f"c must lie outside [{low:.4f}, {high:.4f}], where both types persist"
    if _outside(v) > -0.02:
        return (
            f"the rare type must shrink by 2 % a generation or more (it does by {-_outside(v):.3g})"
        )
    if v["N"] * -_outside(v) < 20:
        return f"N |log growth rate| = {v['N'] * -_outside(v):.3g} must be 20 or more"
    return None


def _wrong_end(rate: float, size: int) -> float:
    """Return a bound on the chance that, from one half, the better of two types is lost.

    Kimura (1962): 2 N rate p = N rate at p = 1/2, or that the worse lives on: N e^(-rate t) = N^-3
    after 4 ln N / rate generations.
    """
    return float(np.exp(-rate * size) + size**-3.0)


def _observed_outside(v: Values, seeds: Sequence[int]) -> Any:
    return levene.ended(v, {"competition": {"kind": "contest"}}, seeds, rate=-_outside(v))


def _observed_fine(v: Values, seeds: Sequence[int]) -> Any:
    """Alternating states within a window: each niche feeds in half of its steps."""
    window = 2 * v["L"]
    raw = wright_fisher(
        supply=[v["kappa"], 1 - v["kappa"]],
        size=v["N"],
        exponent=v["s"],
        steps=v["T"] * window,
        competition={"kind": "independent"},
        environment={"switching": {"spell": v["L"], "amplitude": 1.0, "order": "alternating"}},
    )
    raw["selection"] = {"kind": "wright-fisher", "window": window}
    raw["record"] = {"every": 10 * window}
    return late_mean(raw, seeds, "allocation_0", v["T"] * window // 2)


def _fine_bias(v: Values) -> float:
    return 2 * abs(budget.hard_mutation_balance(v["kappa"], v["s"], VARIANCE_RATE)[0])


def _fine_refuses(v: Values) -> str | None:
    x = budget.hard_repeller(v["kappa"], v["s"])
    spread = budget.hard_mutation_balance(v["kappa"], v["s"], VARIANCE_RATE)[1] ** 0.5
    if min(x, 1 - x) < 2 * spread:
        return f"x* = {x:.3f} must lie two standard deviations ({2 * spread:.3f}) inside [0, 1]"
    return None


def _observed_coarse(v: Values, seeds: Sequence[int]) -> Any:
    """Each generation lives in one state, drawn with probability p."""
    raw = wright_fisher(
        supply=[0.5, 0.5],
        size=v["N"],
        exponent=v["s"],
        steps=v["T"],
        competition={"kind": "independent"},
        environment={"switching": {"spell": 1, "amplitude": 1.0, "probability": v["p"]}},
    )
    return late_mean(raw, seeds, "allocation_0", v["T"] // 2)


def _coarse_bias(v: Values) -> float:
    """As under soft selection: each state divides by its own mean, E x^s."""
    return 2 * abs(budget.soft_mutation_shift(v["p"], v["s"], VARIANCE_RATE))


_C = Parameter("c", 0.55, "share of niche 1", above=0, below=1)
_S = Parameter("s", 0.5, "advantage at home", above=0, most=20)
_N = Parameter("N", 1500, "agents", least=2, most=3000, whole=True)
_T = Parameter("T", 300, "generations observed", least=100, most=100_000, whole=True)
_SOFT = (_C, _S, _N, _T)


def _few(*, c: float, s: float) -> tuple[Parameter, ...]:
    return (
        replace(_C, default=c), replace(_S, default=s), replace(_N, default=150),
        replace(_T, default=3000),
    )  # fmt: skip


CASES = (
    Case(
        name="levene-soft",
        labels=("E3",),
        family="core",
        title="haploid Levene model, soft selection: frequency of type 1",
        source=LEVENE,
        parameters=_SOFT,
        expected=lambda v: grain.levene_equilibrium(v["c"], v["s"]),
        observe=_observed_soft,
        bias=_chain_bias,
        refuses=levene.lasting(grain.levene_quasi_stationary),
        note="bias: quasi-stationary mean of the exact chain at N minus the closed form",
    ),
    Case(
        name="levene-chain",
        labels=("E3",),
        family="core",
        title="the same against the quasi-stationary mean of the exact chain of N",
        source=LEVENE + "; Darroch & Seneta 1965, J Appl Prob 2:88",
        # Few enough that the chain and the limit of many are told apart.
        parameters=_few(c=0.6, s=2.0),
        expected=lambda v: grain.levene_quasi_stationary(v["c"], v["s"], v["N"])[0],
        observe=_observed_soft,
        bias=lambda v: levene.STARTS,
        refuses=levene.lasting(grain.levene_quasi_stationary),
    ),
    Case(
        name="levene-outside",
        labels=("E3",),
        family="core",
        title="haploid Levene model outside the band: type 1 alone, or none of it",
        source=LEVENE,
        parameters=(
            Parameter("c", 0.75, "share of niche 1", above=0, below=1),
            _S,
            Parameter("N", 1000, "agents", least=100, most=20_000, whole=True),
        ),
        expected=lambda v: float(v["c"] > 0.5),
        failure=lambda v: _wrong_end(-_outside(v), v["N"]),
        observe=_observed_outside,
        refuses=_outside_refuses,
    ),
    Case(
        name="levene-hard",
        labels=("E3",),
        family="core",
        title="the same types under hard selection: the better one is fixed",
        source="Dempster 1955, Cold Spring Harb Symp 20:25",
        parameters=(
            _C,
            _S,
            Parameter("N", 1000, "agents", least=100, most=20_000, whole=True),
        ),
        expected=lambda v: float(v["c"] > 0.5),
        failure=lambda v: _wrong_end(levene.advantage(v), v["N"]),
        observe=_observed_hard,
        refuses=levene.hard_refuses,
    ),
    Case(
        name="grain-fine",
        labels=("E3",),
        family="core",
        title="fine grain, both states within a window: mean allocation to niche 1",
        source="Levins 1968, Evolution in Changing Environments",
        parameters=(
            Parameter("kappa", 0.6, "supply of niche 1", least=0.3, most=0.7),
            Parameter("s", 0.5, "returns exponent", least=0.1, most=0.5),
            Parameter("L", 1, "steps of a spell, half a window", least=1, most=10, whole=True),
            Parameter("N", 500, "agents", least=500, most=20_000, whole=True),
            Parameter("T", 2000, "generations", least=2000, most=100_000, whole=True),
        ),
        expected=lambda v: budget.hard_repeller(v["kappa"], v["s"]),
        observe=_observed_fine,
        bias=_fine_bias,
        refuses=_fine_refuses,
        seeds=20,
        note="bias: twice the shift by mutation, -V w'''/2w''",
    ),
    Case(
        name="grain-coarse",
        labels=("E3",),
        family="core",
        title="coarse grain, a generation in one state: mean allocation to niche 1",
        source="Levins 1968; Cohen 1966, J Theor Biol 12:119",
        parameters=(
            Parameter("p", 0.7, "probability of state 1", least=0.2, most=0.8),
            Parameter("s", 0.5, "returns exponent", least=0.3, most=0.8),
            Parameter("N", 500, "agents", least=500, most=20_000, whole=True),
            Parameter("T", 3000, "generations", least=3000, most=100_000, whole=True),
        ),
        expected=lambda v: v["p"],
        observe=_observed_coarse,
        bias=_coarse_bias,
        seeds=20,
        note="bias: twice the shift by mutation, as under soft selection",
    ),
)
