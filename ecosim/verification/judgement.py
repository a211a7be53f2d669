"""How a case is judged: what chance allows, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from ecosim.verification.case import Case, Relation
from ecosim.verification.power import lack_of

FAMILY_WISE = 0.01  # chance that a correct simulator fails any case of a whole suite
SUITE = 100  # cases of chance that share it (Bonferroni); there are fewer, so that they may grow


@dataclass(frozen=True)
class Result:
    """The outcome of one case.

    `tolerance` is what |observed - expected| may be (relation equal), or by how much `observed`
    must lie beyond `expected` (above, below). `detects` is the power: the smallest displacement
    of a simulation's true mean that would fail the case nine times in ten, whatever its sign
    (relation equal; above, below: the smallest distance from `expected` that passes so).
    At its default parameters a case also fails where it detects less than it declared, or has
    declared nothing: a simulation that spreads too widely does not pass by it. At other parameters
    such a case passes as `weak`.
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

    @property
    def weak(self) -> bool:
        """Whether the case would not catch a mean half as large, or half as large again."""
        wide = self.detects > abs(self.expected) / 2
        return self.relation == "equal" and self.expected != 0 and wide

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        plain = {"labels": list(self.labels), "parameters": dict(self.parameters)}
        return asdict(self) | plain | {"weak": self.weak}


def allowance(observations: int) -> float:
    """Return how many standard errors chance may move a mean of so many observations.

    Student's t, two-sided, at FAMILY_WISE over SUITE cases: 4.8 for 20 observations, 3.9 for many.
    """
    return float(stats.t.ppf(1 - FAMILY_WISE / SUITE / 2, observations - 1))


def spread(observations: np.ndarray, expected: float) -> float:
    """Return the standard error of the mean of observations `[n]`; 0 of a single one.

    Where all are whole numbers it is at least the smallest that whole numbers of the expected mean
    can have, f (1 - f) for a fraction f: twenty equal outcomes do not make an outcome certain.
    """
    count = observations.size
    if count == 1:
        return 0.0
    error = float(np.std(observations, ddof=1) / math.sqrt(count))
    if np.all(observations == np.round(observations)):
        fraction = expected - math.floor(expected)
        error = max(error, math.sqrt(fraction * (1 - fraction) / count))
    return error


def _of_outcomes(failure: float, count: int) -> tuple[float, float]:
    """Return the standard error of a share of outcomes, and by how much it may miss 0 or 1.

    Args:
        failure: chance that a correct run ends otherwise than expected.
        count: number of runs.

    """
    allowed = stats.binom.isf(FAMILY_WISE / SUITE, count, failure)
    # Half a run more, so that rounding does not decide.
    return math.sqrt(failure * (1 - failure) / count), (max(float(allowed), 0.0) + 0.5) / count


def judged(
    case: Case,
    values: Mapping[str, Any],
    observations: np.ndarray,
    seconds: float,
    *,
    fewer: bool = False,
) -> Result:
    """Return the verdict on observations `[n]` of a case at its parameters' values.

    `fewer`: they come from fewer seeds than the case's own, and need not have its power.
    """
    expected = float(case.expected(values))
    missing = int(np.sum(~np.isfinite(observations)))
    sound = observations.size > 0 and not missing
    observed = float(np.mean(observations)) if sound else math.nan
    error = spread(observations, expected) if sound else math.nan
    chance = allowance(observations.size) * error if observations.size > 1 else 0.0
    if case.failure is not None:
        error, chance = _of_outcomes(case.failure(values), observations.size)
    slack = case.rounding * abs(expected) + (case.bias(values) if case.bias else 0.0)
    tolerance = chance + slack
    # A shift may run against the bias: it is caught beyond both.
    detects = tolerance + (slack if case.relation == "equal" else 0.0) + 1.2816 * error
    passed = verdict(case.relation, expected, observed, tolerance)
    said = ""
    if not sound:
        said = f"{missing} of {observations.size} observations are not finite numbers"
    elif not fewer and values == case.values() and observations.size > 1:
        said = lack_of(case.name, detects)
        passed = passed and not said
    return Result(
        case=case.name, labels=case.labels, parameters=values, relation=case.relation,
        expected=expected, observed=observed, stderr=error, tolerance=tolerance,
        detects=detects, passed=passed, error=said,
        observations=observations.size, source=case.source, seconds=seconds, note=case.note,
    )  # fmt: skip


def verdict(relation: Relation, expected: float, observed: float, tolerance: float) -> bool:
    """Return whether an observed mean agrees; what is not a number never does."""
    if relation == "equal":
        return abs(observed - expected) <= tolerance
    difference = observed - expected
    return (difference if relation == "above" else -difference) > tolerance
