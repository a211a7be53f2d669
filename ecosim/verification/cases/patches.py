"""Soft and hard selection over patches: Levene's model with individuals that settle (E3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecosim.theory import grain, patches
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import late_mean, wright_fisher

STARTS = float(np.exp(-8) / 2)  # what is left of the start after the burn-in
SAFETY = 1000  # mean time to a loss in runs: of 20 runs one has a loss with probability 2 %


def _levene(v: Values, *, regulation: str, start: float, steps: int) -> dict[str, Any]:
    """Two patches with one niche each, in which types are 1+s : 1 and 1 : 1+s; even mixing."""
    s, c = v["s"], v["c"]
    high, low = (1 + s) / (2 + s), 1 / (2 + s)
    groups = [
        {"name": "type 1", "allocation": [high, low], "share": start},
        {"name": "type 2", "allocation": [low, high], "share": 1 - start},
    ]
    return wright_fisher(
        supply=[1.0, 1.0],
        size=v["N"],
        exponent=1.0,
        steps=steps,
        population={"groups": groups, "budget": 2 + s},
        patches={
            "count": 2,
            "graph": "complete",
            "dispersal": 0.5,
            "supply": [[c, 0.0], [0.0, 1 - c]],
            "regulation": regulation,
        },
        competition={"kind": "additive"},
        mutation={"rate": 0.0},
    )


def _burn_in(v: Values) -> int:
    return int(np.ceil(8 * grain.levene_relaxation(v["c"], v["s"])))


def _start(v: Values) -> float:
    """Return a frequency far from the equilibrium, a quarter or more: it must be found."""
    rest = grain.levene_equilibrium(v["c"], v["s"])
    return rest / 2 if rest > 0.5 else (1 + rest) / 2


def _observed_soft(v: Values, seeds: Sequence[int]) -> Any:
    burn = _burn_in(v)
    start = _start(v)
    raw = _levene(v, regulation="local", start=start, steps=burn + v["T"])
    return late_mean(raw | {"record": {"every": 10}}, seeds, "group_share_0", burn)


def _soft_bias(v: Values) -> float:
    mean, _ = patches.levene_patches(v["c"], v["s"], v["N"])
    return abs(mean - grain.levene_equilibrium(v["c"], v["s"])) + STARTS


def _soft_refuses(v: Values) -> str | None:
    low, high = grain.levene_band(v["s"])
    if not low < v["c"] < high:
        return f"both types persist only for {low:.4f} < c < {high:.4f} (1/(2+s), (1+s)/(2+s))"
    _, loss = patches.levene_patches(v["c"], v["s"], v["N"])
    run = _burn_in(v) + v["T"]
    if loss < SAFETY * run:
        return (
            f"a type is lost after {loss:.3g} generations on average (chain of N), which must be "
            f"{SAFETY} times the {run} generations of a run: take larger N or s, or c nearer "
            "to 1/2"
        )
    return None


def _hard_steps(v: Values) -> int:
    return int(np.ceil(4 * np.log(v["N"]) / abs(grain.hard_advantage(v["c"], v["s"]))))


def _hard_refuses(v: Values) -> str | None:
    advantage = abs(grain.hard_advantage(v["c"], v["s"]))
    if v["N"] * advantage < 20:
        return f"N |log fitness ratio| = {v['N'] * advantage:.3g} must be 20 or more, or drift wins"
    return None


def _observed_hard(v: Values, seeds: Sequence[int]) -> Any:
    steps = _hard_steps(v)
    raw = _levene(v, regulation="global", start=0.5, steps=steps)
    return late_mean(raw | {"record": {"every": steps}}, seeds, "group_share_0", steps - 1)


_C = Parameter("c", 0.6, "share of patch 1 in the supply", above=0, below=1)
_S = Parameter("s", 1.0, "advantage at home", above=0, most=20)
_SOFT = (
    _C,
    _S,
    Parameter("N", 1000, "agents", least=2, most=3000, whole=True),
    Parameter("T", 300, "generations observed", least=100, most=100_000, whole=True),
)

CASES = (
    Case(
        name="levene-patches-soft",
        labels=("E3",),
        family="core",
        title="haploid Levene model in two patches, local regulation: frequency of type 1",
        source="Levene 1953, Am Nat 87:331; Christiansen 1975, Am Nat 109:11; haploid",
        parameters=_SOFT,
        expected=lambda v: grain.levene_equilibrium(v["c"], v["s"]),
        observe=_observed_soft,
        bias=_soft_bias,
        refuses=_soft_refuses,
        note="bias: quasi-stationary mean of the chain of N with binomial numbers in the patches, "
        "minus the closed form",
        curve=Curve("c", (0.4, 0.44, 0.48, 0.52, 0.56, 0.6), "frequency of type 1"),
    ),
    Case(
        name="levene-patches-chain",
        labels=("E3",),
        family="core",
        title="the same against the quasi-stationary mean of the chain of N",
        source="Levene 1953; Darroch & Seneta 1965, J Appl Prob 2:88",
        # Few enough that the chain and the limit of many are told apart.
        parameters=(
            replace(_SOFT[0], default=0.6),
            replace(_SOFT[1], default=2.0),
            replace(_SOFT[2], default=200),
            replace(_SOFT[3], default=3000),
        ),  # fmt: skip
        expected=lambda v: patches.levene_patches(v["c"], v["s"], v["N"])[0],
        observe=_observed_soft,
        bias=lambda v: STARTS,
        refuses=_soft_refuses,
    ),
    Case(
        name="levene-patches-hard",
        labels=("E3",),
        family="core",
        title="the same types under global regulation: the better one is fixed",
        source="Dempster 1955, Cold Spring Harb Symp 20:25; Christiansen 1975, Am Nat 109:11",
        parameters=(
            _C,
            _S,
            Parameter("N", 1000, "agents", least=100, most=20_000, whole=True),
        ),
        expected=lambda v: float(v["c"] > 0.5),
        failure=lambda v: float(
            np.exp(-abs(grain.hard_advantage(v["c"], v["s"])) * v["N"]) + v["N"] ** -3.0
        ),
        observe=_observed_hard,
        refuses=_hard_refuses,
    ),
)
