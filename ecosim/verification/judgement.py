"""How a case is judged: what chance allows, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from ecosim.verification.case import Case, Relation

FAMILY_WISE = 0.01  # chance that a correct simulator fails any case of a whole suite
SUITE = 100  # cases that share it (Bonferroni); more than there are, so that they may grow


@dataclass(frozen=True)
class Result:
    """The outcome of one case.

    `tolerance` is what |observed - expected| may be (relation equal), or by how much `observed`
    must lie beyond `expected` (above, below). `detects` is the power: the smallest displacement
    of a simulation's true mean that would fail the case nine times in ten, whatever its sign.
    """

    case: str
    labels: tuple[str, ...]
    parameters: Mapping[str, Any]
    relation: Relation
    expected: float
    observed: float
    stderr: float
    tolerance: float
    detects: float
    passed: bool
    observations: int
    source: str
    seconds: float
    note: str = ""
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return asdict(self) | {"labels": list(self.labels), "parameters": dict(self.parameters)}


def allowance(observations: int) -> float:
    """Return how many standard errors chance may move a mean of so many observations.

    Student's t, two-sided, at FAMILY_WISE over SUITE cases: 4.8 for 20 observations, 3.9 for many.
    """
    return float(stats.t.ppf(1 - FAMILY_WISE / SUITE / 2, observations - 1))


def spread(observations: np.ndarray, expected: float) -> float:
    """Return the standard error of the mean of observations `[n]`; 0 of a single one.

    Where all are 0 or 1 it is at least the binomial one at the expected probability, since twenty
    equal outcomes do not make an outcome certain.
    """
    count = observations.size
    if count == 1:
        return 0.0
    error = float(np.std(observations, ddof=1) / math.sqrt(count))
    if 0 < expected < 1 and np.all((observations == 0) | (observations == 1)):
        error = max(error, math.sqrt(expected * (1 - expected) / count))
    return error


def judged(
    case: Case, values: Mapping[str, Any], observations: np.ndarray, seconds: float
) -> Result:
    """Return the verdict on observations `[n]` of a case at its parameters' values."""
    expected = float(case.expected(values))
    observed = float(np.mean(observations)) if observations.size else math.nan
    error = spread(observations, expected) if observations.size else math.nan
    chance = allowance(observations.size) * error if observations.size > 1 else 0.0
    slack = case.rounding * abs(expected) + (case.bias(values) if case.bias else 0.0)
    tolerance = chance + slack
    return Result(
        case=case.name, labels=case.labels, parameters=values, relation=case.relation,
        expected=expected, observed=observed, stderr=error, tolerance=tolerance,
        # A shift may run against the bias: it is caught beyond both.
        detects=tolerance + (slack if case.relation == "equal" else 0.0) + 1.2816 * error,
        passed=verdict(case.relation, expected, observed, tolerance),
        observations=observations.size, source=case.source, seconds=seconds, note=case.note,
    )  # fmt: skip


def verdict(relation: Relation, expected: float, observed: float, tolerance: float) -> bool:
    """Return whether an observed mean agrees; what is not a number never does."""
    if relation == "equal":
        return abs(observed - expected) <= tolerance
    difference = observed - expected
    return (difference if relation == "above" else -difference) > tolerance
