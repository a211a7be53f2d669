"""Many runs of one scenario in one compiled program: only the seed differs.

The runs are taken one after the other inside the program, each by the very steps that a single
run takes, so that a replicate equals the run of its seed bit for bit; what is saved is the
host's part between the runs.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim import engine
from ecosim.model import randomness, tally
from ecosim.model.founders import start_of
from ecosim.model.step import Parameters, State, Status
from ecosim.model.structure import Kinds, capacity_for, kinds_of
from ecosim.model.traced import traced
from ecosim.scenario import Scenario

MOST = 1024  # replicates that one call can hold


class Finals(NamedTuple):
    """The ends of up to R = MOST replicates; rows beyond those asked for are undefined."""

    status: Array  # int32[R] Status; FULL and BROKEN are left to the host
    step: Array  # int64[R] steps done
    metrics: Array  # float64[R, M], columns as `Replicates.names` gives them
    breadth: Array  # int64[R, 64]


class Replicates:
    """A scenario prepared for many seeds.

    Attributes:
        names: of the M metrics, in the order of the columns of `Finals.metrics`.

    """

    def __init__(self, scenario: Scenario) -> None:
        """Prepare the static structure and the numbers, which all replicates share."""
        self._kinds = kinds_of(scenario)
        self._parameters = engine.parameters_of(scenario)
        self._start_kind, self._start = start_of(scenario)
        self._capacity = capacity_for(self._kinds, scenario.population.size)
        steps = scenario.run.steps
        numbers = (steps, scenario.record.every, steps)
        self._schedule = engine.Schedule(*(traced(number, "int64") for number in numbers))
        state = jax.eval_shape(
            partial(self._begun, parameters=self._parameters, start=self._start),
            key=randomness.run_key(0),
        )
        self.names = engine.names(self._kinds, self._parameters, state)

    def _begun(self, **given: Any) -> State:
        return engine.begun(self._kinds, self._start_kind, self._capacity, **given)

    def run(self, seeds: np.ndarray) -> Finals:
        """Return the ends of the runs with these seeds `[n]`, n <= MOST, as NumPy arrays `[n]`."""
        padded = np.zeros(MOST, np.uint64)
        padded[: seeds.size] = seeds
        words = np.stack([padded >> np.uint64(32), padded & np.uint64(0xFFFFFFFF)], axis=1)
        finals = replicate(
            self._kinds,
            self._start_kind,
            self._capacity,
            parameters=self._parameters,
            start=self._start,
            schedule=self._schedule,
            keys=words.astype(np.uint32),
            count=traced(seeds.size, "int64"),
        )
        return Finals(*(np.asarray(column)[: seeds.size] for column in finals))


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
    world = engine.WORLDS[kinds.world].world
    parameters = jax.tree.map(jnp.asarray, parameters)
    schedule = engine.Schedule(*(jnp.asarray(number) for number in schedule))
    keys = jnp.asarray(keys)

    def goes_on(state: State) -> Array:
        return (state.status == Status.RUNNING) & (state.clock < schedule.until)

    def one(state: State) -> State:
        state, due = engine.moved_on(world, kinds, parameters, state, schedule)
        # The last recording is made after the loop, and counts since the one before.
        return engine.counted_from_here(state, due & goes_on(state))

    def alone(index: Array, finals: Finals) -> Finals:
        state = engine.begun(
            kinds, start_kind, capacity, parameters=parameters, start=start, key=keys[index]
        )
        state = jax.lax.while_loop(goes_on, one, state)
        row = state.status, state.clock, *engine.measure(kinds, parameters, state)
        return Finals(*(c.at[index].set(v) for c, v in zip(finals, row, strict=True)))

    def first() -> tuple[Array, ...]:
        state = engine.begun(
            kinds, start_kind, capacity, parameters=parameters, start=start, key=keys[0]
        )
        return state.status, state.clock, *engine.measure(kinds, parameters, state)

    shapes = jax.eval_shape(first)
    empty = Finals(*(jnp.zeros((keys.shape[0], *s.shape), s.dtype) for s in shapes))
    assert empty.breadth.shape[1] == tally.BINS
    return jax.lax.fori_loop(0, count, alone, empty)
