"""Measured competence: agents of some method really do what their effort pays for, each step anew.

What they reach in a step, and so what is luck in it, is theirs for that step only: effort and
method are inherited, a result never is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact
from ecosim.model.traced import traced
from ecosim.scenario import Scenario, measured


class Trial(NamedTuple):
    """What is tried in one step by C agents on K niches."""

    alive: Array  # bool[C]; what the dead reach is not read
    id: Array  # uint64[C]
    method: Array  # int32[C] index in methods_of(scenario)
    effort: Array  # float[C, K] budget x share of it
    clock: Array  # int64 step number
    key: Array  # uint32[2] run key


class Reached(NamedTuple):
    """What agents showed in one step."""

    competence: Array  # float[C, K], >= 0
    told: dict[str, Array]  # float[C] by name of a metric, >= 0, NaN where it is not defined


def _nothing(static: Any) -> tuple[str, ...]:
    return ()


class Measure(NamedTuple):
    """A way to measure: how it reads a scenario, and the measurement itself."""

    static: Callable[[Scenario], Hashable]  # shapes and kinds: compiled in
    parameters: Callable[[Scenario, int], Any]  # (scenario, seed) -> a pytree of traced numbers
    sampled: Callable[[Scenario], bool]  # whether these differ between seeds
    # (static, numbers, trial) -> competence float[C, K], >= 0, or that and what else is told
    competence: Callable[[Any, Any, Trial], Array | Reached]
    tells: Callable[[Any], tuple[str, ...]] = _nothing  # names of the metrics told besides


class Parameters(NamedTuple):
    """Traced numbers of a measured trade-off."""

    own: Any
    threshold: Array  # what is below it counts as nothing; 0: none


class Method(NamedTuple):
    """What is compiled in: the table that says how to measure, and what it holds fast."""

    table: str
    static: Hashable


# By the scenario's table.
MEASURES: dict[str, Measure] = {}


def method_of(scenario: Scenario) -> Method | None:
    """Return what a scenario measures; None where competence is postulated."""
    for table in measured.TABLES.values():
        if getattr(scenario, table) is not None:
            return Method(table, MEASURES[table].static(scenario))
    return None


def _measure_of(scenario: Scenario) -> Measure | None:
    method = method_of(scenario)
    return None if method is None else MEASURES[method.table]


def sampled(scenario: Scenario) -> bool:
    """Return whether runs of a scenario with other seeds have other numbers."""
    measure = _measure_of(scenario)
    return measure is not None and measure.sampled(scenario)


def parameters(scenario: Scenario, seed: int) -> Parameters | None:
    """Return the numbers of what a run measures; None where competence is postulated."""
    measure = _measure_of(scenario)
    if measure is None:
        return None
    own = measure.parameters(scenario, seed)
    return Parameters(own, traced(scenario.tradeoff.threshold or 0.0, scenario.run.precision))


def tells(method: Method | None) -> tuple[str, ...]:
    """Return the names of the metrics that a measurement tells besides performance."""
    return () if method is None else MEASURES[method.table].tells(method.static)


def competence(method: Method, parameters: Parameters, trial: Trial) -> Reached:
    """Return what agents reach in one step; without effort, and for the dead, nothing."""
    found = MEASURES[method.table].competence(method.static, parameters.own, trial)
    reached, told = found if isinstance(found, Reached) else (found, {})
    counts = trial.alive[:, None] & (trial.effort > 0) & (reached >= parameters.threshold)
    return Reached(jnp.where(counts, reached, 0).astype(trial.effort.dtype), told)


def mean_of_those(each: Array, alive: Array) -> Array:
    """Return the mean over the living for whom `[C]` is defined, float64; NaN where there is none.

    NaN marks those for whom it is not; the others are >= 0.
    """
    some = alive & ~jnp.isnan(each)
    number = exact.count(some)
    total = exact.total(jnp.where(some, each, 0), some)
    return jnp.where(number > 0, total / jnp.maximum(number, 1), jnp.nan)


def mean_performance(reached: Array, effort: Array, alive: Array) -> Array:
    """Return the mean of what the living who tried reached `[K]`, float64; NaN where nobody did."""
    tried = alive[:, None] & (effort > 0)
    number = jnp.sum(tried, axis=0)
    kept = jnp.where(tried, reached, 0)
    total = exact.column_totals(kept, alive, jnp.maximum(jnp.max(kept), 0))
    return jnp.where(number > 0, total / jnp.maximum(number, 1), jnp.nan)
