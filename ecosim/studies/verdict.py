"""The outcome of an expectation: met, not met or undecided, by one-sided tests at LEVEL."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.01  # chance that a test says met, or not met, where the opposite only just holds

type Verdict = Literal["met", "not met", "undecided", "not yet built"]


@dataclass(frozen=True)
class Outcome:
    """What was observed: mean over replicates, its standard error, and its bounds.

    `low` and `high` are one-sided bounds at LEVEL each (Student's t over replicates); of a single
    replicate, which a deterministic study has, they are the mean itself.
    """

    mean: float
    stderr: float
    low: float
    high: float
    count: int
    verdict: Verdict


def decided(
    values: NDArray[np.float64], direction: str, target: float, tolerance: float = 0.0
) -> Outcome:
    """Return the outcome of a contrast.

    `above` is met where the lower bound is above the target, and not met where the upper bound is
    not; `below` likewise. `near` is met where both bounds are within the tolerance of the target
    (two one-sided tests: Schuirmann 1987), and not met where neither side of the range reaches
    them. What lies between is undecided, and so is a number that is not defined.

    Args:
        values: the contrast of each replicate `[n]`, n >= 1.
        direction: above, below or near.
        target: the value expected.
        tolerance: read only where the direction is near.

    """
    mean, count = float(np.mean(values)), int(values.size)
    stderr = float(np.std(values, ddof=1) / math.sqrt(count)) if count > 1 else 0.0
    if not math.isfinite(mean):
        return Outcome(mean, stderr, math.nan, math.nan, count, "undecided")
    reach = float(stats.t.ppf(1 - LEVEL, count - 1)) * stderr if count > 1 else 0.0
    low, high = mean - reach, mean + reach
    return Outcome(
        mean, stderr, low, high, count, _verdict(low, high, direction, target, tolerance)
    )


def _verdict(low: float, high: float, direction: str, target: float, tolerance: float) -> Verdict:
    if direction == "near":
        met = target - tolerance <= low and high <= target + tolerance
        missed = high < target - tolerance or low > target + tolerance
    elif direction == "above":
        met, missed = low > target, high <= target
    else:
        met, missed = high < target, low >= target
    return "met" if met else "not met" if missed else "undecided"


def together(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict on a claim: met if all its expectations are, not met if one is not."""
    for word in ("not met", "undecided", "not yet built"):
        if word in verdicts:
            return word
    return "met"
