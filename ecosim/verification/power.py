"""The power that each case of chance declares: the largest displacement that may pass by it.

Declared at the case's default parameters, about half as much again as it detected when it was
written: were a simulation's runs to spread more widely than that, its case fails, since a wrong
answer could then pass.
"""

from __future__ import annotations

import math

POWER: dict[str, float] = {
    "competitive-exclusion": 0.038,
    "soft-selection-generalist": 0.043,
    "soft-selection-specialists": 0.0069,
    "soft-selection-breadth": 0.15,
    "hard-selection-generalist": 0.065,
    "hard-selection-richest": 0.012,
    "hard-selection-poorer": 0.011,
    "crowd-breadth": 1.8,
    "crowd-rivals": 0.89,
    "budget-multiple-above": 0.038,
    "budget-multiple-below": 0.038,
    "noisy-standard-below": 0.011,
    "noisy-standard-above": 0.012,
    "coverage": 0.049,
    "coverage-complete": 7.4,
    "mutation-variance": 0.00052,
    "levene-soft": 0.052,
    "levene-chain": 0.0098,
    "levene-outside": 0.038,
    "levene-hard": 0.038,
    "grain-fine": 0.086,
    "grain-coarse": 0.058,
    "levene-patches-soft": 0.038,
    "levene-patches-chain": 0.0072,
    "levene-patches-hard": 0.038,
    "birth-death-control": 0.6,
    "dimorphic-abundance": 1.8,
    "branching": 0.67,
    "no-branching": 0.67,
    "niche-width-free": 0.081,
    "niche-width-costly": 0.12,
    "niche-width-branching": 0.29,
    "moran-fixation": 0.047,
    "moran-fixation-death-birth": 0.046,
    "wright-fisher-fixation": 0.081,
    "neutral-fixation": 0.042,
    "heterozygosity": 0.043,
    "productivity-diversity": 0.034,
    "productivity-high": 1.4,
    "habitat-invasion": 0.014,
    "habitat-invasion-tied": 0.027,
    "habitat-coexistence": 5.1,
    "habitat-generalist-rises": 0.023,
    "habitat-generalist-behind": 0.0066,
    "habitat-tied-helps": 0.01,
    "habitat-individuals": 0.55,
    "diet-exponent": 0.061,
    "diet-specialists": 0.013,
    "diet-generalists": 0.0067,
    "niche-width-fine": 0.059,
    "niche-width-coarse": 0.17,
    "salop-entry": 0.67,
    "gibrat-exponent": 0.04,
    "gibrat-exit-share": 0.052,
    "gibrat-arithmetic": 0.054,
    "gibrat-lower-exponent": 0.034,
    "gibrat-lower": 0.013,
    "kelly-drift": 0.011,
    "density-founding": 0.0011,
    "density-founding-squared": 1.6e-06,
    "density-founding-peak": 13,
    "density-mortality": 0.00048,
    "density-mortality-squared": 6.4e-07,
    "power-form": 0.14,
    "power-form-peak": 25,
    "resource-release": 45,
    "resource-partitioning-founding": 0.5,
    "resource-partitioning-mortality": 1.5,
}


def power_of(name: str) -> float:
    """Return the largest `detects` that a case declares; infinite where none is declared."""
    return POWER.get(name, math.inf)
