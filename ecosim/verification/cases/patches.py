"""Soft and hard selection over patches: Levene's model with individuals that settle (E3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecosim.theory import grain, patches
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases import levene


def _patches(v: Values, regulation: str) -> dict[str, Any]:
    """Two patches with one niche each, in which types are 1+s : 1 and 1 : 1+s; even mixing."""
    return {
        "patches": {
            "count": 2,
            "graph": "complete",
            "dispersal": 0.5,
            "supply": [[v["c"], 0.0], [0.0, 1 - v["c"]]],
            "regulation": regulation,
        },
        "competition": {"kind": "additive"},
    }


def _observed_soft(v: Values, seeds: Sequence[int]) -> Any:
    return levene.settled(v, _patches(v, "local"), seeds)


def _soft_bias(v: Values) -> float:
    return levene.chain_bias(v, patches.levene_patches(v["c"], v["s"], v["N"])[0])


def _observed_hard(v: Values, seeds: Sequence[int]) -> Any:
    return levene.ended(v, _patches(v, "global"), seeds, rate=levene.advantage(v))


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
        refuses=levene.lasting(patches.levene_patches),
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
        bias=lambda v: levene.STARTS,
        refuses=levene.lasting(patches.levene_patches),
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
        refuses=levene.hard_refuses,
    ),
)
