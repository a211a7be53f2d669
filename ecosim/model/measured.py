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


class Measure(NamedTuple):
    """A way to measure: how it reads a scenario, and the measurement itself."""

    static: Callable[[Scenario], Hashable]  # shapes and kinds: compiled in
    parameters: Callable[[Scenario, int], Any]  # (scenario, seed) -> a pytree of traced numbers
    sampled: Callable[[Scenario], bool]  # whether these differ between seeds
    competence: Callable[[Any, Any, Trial], Array]  # (static, numbers, trial) -> float[C, K], >= 0


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


def competence(method: Method, parameters: Parameters, trial: Trial) -> Array:
    """Return what agents reach `[C, K]` in one step; without effort, and for the dead, nothing."""
    reached = MEASURES[method.table].competence(method.static, parameters.own, trial)
    counts = trial.alive[:, None] & (trial.effort > 0) & (reached >= parameters.threshold)
    return jnp.where(counts, reached, 0).astype(trial.effort.dtype)


def mean_performance(reached: Array, effort: Array, alive: Array) -> Array:
    """Return the mean of what the living who tried reached `[K]`, float64; NaN where nobody did."""
    tried = alive[:, None] & (effort > 0)
    number = jnp.sum(tried, axis=0)
    kept = jnp.where(tried, reached, 0)
    total = exact.column_totals(kept, alive, jnp.maximum(jnp.max(kept), 0))
    return jnp.where(number > 0, total / jnp.maximum(number, 1), jnp.nan)
