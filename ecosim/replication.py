"""Many runs of one scenario in one compiled program: only the seed differs.

The runs are taken one after the other inside the program, each by the very steps that a single
run takes, so that a replicate equals the run of its seed bit for bit; what is saved is the
host's part between the runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import Array

from ecosim import engine
from ecosim.analysis import glossary
from ecosim.model import measured, randomness
from ecosim.model.start import start_of
from ecosim.model.step import Parameters, State, Status
from ecosim.model.structure import Kinds, capacity_for, kinds_of
from ecosim.model.traced import traced
from ecosim.recording import check_conservation
from ecosim.scenario import Scenario
from ecosim.worlds.registry import WORLDS

MOST = 1024  # replicates that one call can hold


class Finals(NamedTuple):
    """The ends of up to R = MOST replicates; rows beyond those asked for are undefined."""

    status: Array  # int32[R] Status; FULL and BROKEN are left to the host
    step: Array  # int64[R] steps done
    metrics: Array  # float64[R, M], columns as `Replicates.names` gives them
    breadth: Array  # int64[R, 64]


class End(NamedTuple):
    """The end of one run."""

    step: int
    metrics: np.ndarray  # float64[M]
    breadth: np.ndarray  # int64[64]


class Replicates:
    """A scenario prepared for many seeds.

    Attributes:
        names: of the M metrics, in the order of the columns of `Finals.metrics`.

    """

    def __init__(self, scenario: Scenario) -> None:
        """Prepare the static structure and the numbers, which replicates share unless sampled."""
        self._scenario = scenario
        self._sampled = measured.sampled(scenario)
        self._kinds = kinds_of(scenario)
        self._parameters = engine.parameters_of(scenario, seed=0)
        self._start_kind, self._start = start_of(scenario)
        self._capacity = capacity_for(self._kinds, scenario.population.size)
        self._schedule = engine.schedule_of(scenario)
        state = jax.eval_shape(
            partial(self._begun, parameters=self._parameters, start=self._start),
            key=randomness.run_key(0),
        )
        self.names = engine.named(engine.shapes(self._kinds, self._parameters, state))

    def _begun(self, **given: Any) -> State:
        return engine.begun(self._kinds, self._start_kind, self._capacity, **given)

    def run(self, seeds: np.ndarray) -> Finals:
        """Return the ends of the runs with these seeds `[n]`, n <= MOST, as NumPy arrays `[n]`."""
        if not self._sampled:
            return self._run(seeds, self._parameters)
        rows = [
            self._run(seeds[i : i + 1], engine.parameters_of(self._scenario, int(seeds[i])))
            for i in range(seeds.size)
        ]
        joined: Finals = jax.tree.map(lambda *columns: np.concatenate(columns), *rows)
        return joined

    def _run(self, seeds: np.ndarray, parameters: Parameters) -> Finals:
        padded = np.zeros(MOST, np.uint64)
        padded[: seeds.size] = seeds
        words = np.stack([padded >> np.uint64(32), padded & np.uint64(0xFFFFFFFF)], axis=1)
        finals = replicate(
            self._kinds,
            self._start_kind,
            self._capacity,
            parameters=parameters,
            start=self._start,
            schedule=self._schedule,
            keys=words.astype(np.uint32),
            count=traced(seeds.size, "int64"),
        )
        return jax.tree.map(lambda column: np.asarray(column)[: seeds.size], finals)


def ends(
    scenario: Scenario,
    seeds: list[int],
    runs: Replicates,
    *,
    alone: Callable[[Scenario, int], End],
) -> pd.DataFrame:
    """Return the last metrics of the runs with these seeds, one row each.

    Args:
        scenario: what is run.
        seeds: at most MOST.
        runs: the scenario prepared.
        alone: runs one seed with the host's help, for those that need it.

    """
    finals = runs.run(np.array(seeds, np.uint64))
    step, metrics, breadth = (np.array(column) for column in finals[1:])
    whole = np.isin(finals.status, (Status.RUNNING, Status.ENDED))
    for row in np.flatnonzero(~whole):
        step[row], metrics[row], breadth[row] = alone(scenario, seeds[row])
    columns = {"step": step} | dict(zip(runs.names, metrics.T, strict=True))
    check_conservation(columns, scenario.run.precision)
    ordered = {name: columns[name] for name in glossary.ordered(columns)}
    return pd.DataFrame({"seed": np.array(seeds, np.int64)} | ordered)


@partial(jax.jit, static_argnames=("kinds", "start_kind", "capacity"))
def replicate(
    kinds: Kinds,
    start_kind: str,
    capacity: int,
    *,
    parameters: Parameters,
    start: object,
    schedule: engine.Schedule,
    keys: Array,
    count: Array,
) -> Finals:
    """Return the ends of the runs with the first `count` of the keys `[R, 2]`.

    The number of runs is traced: it never compiles anew. Memory holds one state at a time.
    """
    world = WORLDS[kinds.world].world
    parameters = jax.tree.map(jnp.asarray, parameters)
    schedule = engine.Schedule(*(jnp.asarray(number) for number in schedule))
    keys = jnp.asarray(keys)

    goes_on = partial(engine.goes_on, schedule=schedule)

    def one(state: State) -> State:
        state, due = engine.moved_on(world, kinds, parameters, state, schedule)
        # The last recording is made after the loop, and counts since the one before.
        return engine.counted_from_here(state, due & goes_on(state))

    def alone(key: Array) -> Finals:
        state = engine.begun(
            kinds, start_kind, capacity, parameters=parameters, start=start, key=key
        )
        state = jax.lax.while_loop(goes_on, one, state)
        return Finals(state.status, state.clock, *engine.row(world, kinds, parameters, state))

    def kept(index: Array, finals: Finals) -> Finals:
        return jax.tree.map(lambda c, v: c.at[index].set(v), finals, alone(keys[index]))

    shapes = jax.eval_shape(alone, keys[0])
    empty = jax.tree.map(lambda s: jnp.zeros((keys.shape[0], *s.shape), s.dtype), shapes)
    return jax.lax.fori_loop(0, count, kept, empty)
