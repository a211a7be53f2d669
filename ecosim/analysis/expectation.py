"""The pre-registered expectation of a scenario, held against what a run recorded."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ecosim.analysis import glossary
from ecosim.errors import OutsideDomain, Problem, ScenarioError
from ecosim.scenario.measured import methods_of

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.scenario import Expectation, Scenario

_MET: dict[str, Callable[[float, float, float], bool]] = {
    "below": lambda observed, expected, tolerance: observed < expected,
    "above": lambda observed, expected, tolerance: observed > expected,
    "near": lambda observed, expected, tolerance: abs(observed - expected) <= tolerance,
    "rises": lambda observed, expected, tolerance: observed > expected,
    "falls": lambda observed, expected, tolerance: observed < expected,
}


def precheck(scenario: Scenario) -> None:
    """Find what would make an expectation unjudgeable, before a run is spent on it.

    Raises:
        ScenarioError: a metric that the scenario's world does not record, with near misses, or a
            value in words that theory does not know or that does not hold for this scenario.

    """
    _refuse(
        scenario,
        (i for i, e in enumerate(scenario.expectation) if not records(scenario, e.metric)),
    )
    for expectation in scenario.expectation:
        with contextlib.suppress(OutsideDomain):  # said in the outcome; the run itself is sound
            _expected(scenario, expectation)


def records(scenario: Scenario, metric: str) -> bool:
    """Say whether a run of the scenario records a metric."""
    return glossary.known(
        metric, scenario.world, scenario.niches.count, groups=len(scenario.population.groups),
        methods=len(methods_of(scenario)), kinds=kinds_of(scenario),
    )  # fmt: skip


def kinds_of(scenario: Scenario) -> set[str]:
    """Return the kinds that decide which metrics a run of the scenario records."""
    return {
        scenario.selection.kind, scenario.competition.kind, scenario.market.conduct.kind,
        scenario.tradeoff.kind,
        *(scenario.training.learners if scenario.training is not None else ()),
    }  # fmt: skip


def judge(scenario: Scenario, metrics: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one outcome for each expectation of the scenario.

    Each has `metric`, `direction`, `expected`, `tolerance`, `observed` (mean of the metric over
    the last `window` of the records, at least the last; undefined records are left out, and an
    undefined last one makes it undefined, which meets nothing), `met`,
    and `source`: `stated`, the name of the closed form that gave the value, or why it gives none
    (then `expected` and `met` are None).

    Raises:
        ScenarioError: a metric that was not recorded, or a value in words that is not known.

    """
    _refuse(
        scenario,
        (i for i, e in enumerate(scenario.expectation) if e.metric not in metrics.columns),
    )
    return [_outcome(scenario, expectation, metrics) for expectation in scenario.expectation]


def unjudged(scenario: Scenario) -> list[dict[str, Any]]:
    """Return outcomes that are neither met nor missed, for a run that could not be judged."""
    return [
        {
            "metric": e.metric, "direction": e.direction, "expected": e.value,
            "tolerance": e.tolerance, "observed": None, "met": None, "source": "not judged",
        }
        for e in scenario.expectation
    ]  # fmt: skip


def sentence(outcome: dict[str, Any]) -> str:
    """Return an outcome in words: what was expected, what was seen."""
    expected = _number(outcome["expected"])
    if outcome["direction"] == "near":
        expected = f"within {_number(outcome['tolerance'])} of {expected}"
    elif outcome["direction"] in ("rises", "falls"):
        expected = f"{outcome['direction']} from {expected}"
    else:
        expected = f"{outcome['direction']} {expected}"
    source = "" if outcome["source"] in ("stated", "not judged") else f" ({outcome['source']})"
    return f"{outcome['metric']} {expected}{source}; observed {_number(outcome['observed'])}"


def _number(value: Any) -> str:
    if value is None or isinstance(value, float) and math.isnan(value):
        return "undefined"
    return value if isinstance(value, str) else f"{value:.6g}"


def _outcome(scenario: Scenario, expectation: Expectation, metrics: pd.DataFrame) -> dict[str, Any]:
    records = max(1, math.floor(expectation.window * len(metrics) + 0.5))
    column = metrics[expectation.metric]
    # An early record may be undefined; where the last one is (nobody lives), so is the outcome.
    defined = not math.isnan(column.iloc[-1])
    observed = float(column.iloc[-records:].mean()) if defined else math.nan
    source = expectation.value if isinstance(expectation.value, str) else "stated"
    try:
        expected: float | None = _expected(scenario, expectation)
    except OutsideDomain as outside:
        expected, source = None, str(outside)
    if expected is not None and expectation.direction in ("rises", "falls"):
        # Held against the first record at which the metric is defined.
        sign = 1 if expectation.direction == "rises" else -1
        first = column.dropna()
        expected = (float(first.iloc[0]) if len(first) else math.nan) + sign * expected
    met = None
    if expected is not None:
        met = bool(_MET[expectation.direction](observed, expected, expectation.tolerance))
    return {
        "metric": expectation.metric,
        "direction": expectation.direction,
        "expected": expected,
        "tolerance": expectation.tolerance,
        "observed": observed,
        "met": met,
        "source": source,
    }


def _expected(scenario: Scenario, expectation: Expectation) -> float:
    if not isinstance(expectation.value, str):
        return float(expectation.value)
    from ecosim.theory.predictions import predict

    return float(predict(expectation.value, scenario, expectation.metric))


def _refuse(scenario: Scenario, unknown: Iterable[int]) -> None:
    problems = []
    for index in unknown:
        name = scenario.expectation[index].metric
        close = glossary.near(name, scenario.world)
        rule = f"is no metric that world '{scenario.world}' records"
        if name.startswith("method_share"):
            rule += f" with {len(methods_of(scenario))} methods, numbered from 0"
        elif glossary.is_per_niche(name):
            rule += f" with {scenario.niches.count} niches, numbered from 0"
        fix = f"did you mean {' or '.join(close)}?" if close else "docs/metrics.md lists them"
        problems.append(Problem(f"expectation.{index}.metric", repr(name), rule, fix))
    if problems:
        raise ScenarioError(problems, scenario.name)
