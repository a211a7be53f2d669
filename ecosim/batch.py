"""Many runs of one shape in one compiled program: numbers and seeds differ, kinds do not.

The runs are taken one after the other on each device, each by the very steps that a run alone
takes, so that a run's bits do not tell which batch, device or worker it was in. Where there are
several devices the runs are divided among them, except those of learners: over two devices training
by gradient is compiled differently, and thousands of steps make a last bit visible.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, PartitionSpec

from ecosim import engine
from ecosim.analysis import glossary
from ecosim.compilation import prepared, spare_memory_maps
from ecosim.errors import EcosimError, RunError
from ecosim.model import measured, tally
from ecosim.model.start import start_of
from ecosim.model.step import Parameters, State, Status
from ecosim.model.structure import Kinds, bytes_for, capacity_for, enlarged, kinds_of
from ecosim.programs import program
from ecosim.recording import check_conservation
from ecosim.scenario import Scenario
from ecosim.simulate import Simulation
from ecosim.worlds.registry import WORLDS

_DEVICE_MEMORY = 8 * 2**30  # bytes of an accelerator that does not say how many it has
_COPIES = 4  # of a population that a step holds at once

Columns = dict[str, np.ndarray]  # metric by name, one number a recording


class Recorded(Columns):
    """What one run recorded.

    Attributes:
        breadth: int64[64], agents by breadth at the end, in equal bins of [1, K].

    """

    breadth: np.ndarray


class Shape(NamedTuple):
    """What runs of one batch have in common: they share one compiled program."""

    kinds: Kinds
    start_kind: str
    founders: int
    groups: int
    capacity: int
    rows: int  # recordings that a run has room for


class Runs(NamedTuple):
    """Traced numbers of R runs; each leaf has a leading axis of R."""

    parameters: Parameters
    start: Any
    schedule: engine.Schedule
    key: Array  # uint32[R, 2]
    real: Array  # bool[R] False: added to fill the devices, not run


class Tables(NamedTuple):
    """Recordings of R runs."""

    status: Array  # int32[R] Status
    clock: Array  # int64[R] steps done
    wanted: Array  # int64[R] births that did not fit, where the status is FULL
    used: Array  # int64[R] rows that are recordings; the others are undefined
    step: Array  # int64[R, rows]
    metrics: Array  # float64[R, rows, M]
    breadth: Array  # int64[R, rows, 64]
    names: dict[str, Array]  # bool[R, *shape] of each metric: shapes alone, they tell the columns


def shape_of(scenario: Scenario) -> Shape:
    """Return the shape of a scenario's run; runs of equal shape may stand in one batch."""
    kinds = kinds_of(scenario)
    size = scenario.population.size
    return Shape(
        kinds=kinds,
        start_kind=start_of(scenario)[0],
        founders=size,
        groups=len(scenario.population.groups),
        capacity=capacity_for(kinds, size),
        rows=1 << (scenario.most_recordings - 1).bit_length(),
    )


def run_batch(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> list[Columns | RunError]:
    """Run scenarios, each with its seed, and return what they recorded.

    On a CPU a run equals `simulate(scenario, seed=seed)` bit for bit; on an accelerator sums over
    niches may differ in their last bits (see `lockstep`). One that breaks an invariant, or
    outgrows the memory, yields its RunError; the others are not touched by it. Each `shape_of`
    among them is a program.

    Args:
        scenarios: one for each run.
        seeds: one for each run.

    Returns:
        For each run its metrics `[recordings]` by name, in the glossary's order, or its error.

    """
    done: dict[int, Columns | RunError] = {}
    scenarios = list(scenarios)  # held, as what they share is known by their ids
    for shape, rows in shapes(scenarios):
        found = _run_shape(shape, [scenarios[i] for i in rows], [seeds[i] for i in rows])
        done |= {rows[row]: one for row, one in found.items()}
    return [done[index] for index in range(len(scenarios))]


def _run_shape(
    shape: Shape, scenarios: Sequence[Scenario], seeds: Sequence[int]
) -> dict[int, Columns | RunError]:
    """Run scenarios of one shape; return what they recorded, by their place."""
    done: dict[int, Columns | RunError] = {}
    waiting = list(range(len(scenarios)))
    spare_memory_maps()
    with prepared():
        while waiting:
            some = _runs([scenarios[i] for i in waiting], [seeds[i] for i in waiting])
            tables = jax.tree.map(np.asarray, computed(shape, some, lockstep(shape)))
            names = engine.named({name: one[0] for name, one in tables.names.items()})
            order = glossary.ordered(["step", *names])
            left, larger = [], 0
            for row, index in enumerate(waiting):
                status = Status(int(tables.status[row]))
                if status == Status.FULL:
                    births, step = int(tables.wanted[row]), int(tables.clock[row]) + 1
                    try:
                        own = enlarged(shape.kinds, shape.capacity, births=births, step=step)
                    except RunError as error:
                        done[index] = error
                        continue
                    left.append(index)
                    larger = max(larger, own)
                elif status == Status.BROKEN:
                    done[index] = _broken(scenarios[index], seeds[index])
                else:
                    done[index] = _columns(scenarios[index], names, order, tables, row)
            # A result does not depend on the capacity: what did not fit is run with more room.
            waiting, shape = left, shape._replace(capacity=larger)
    return done


def _runs(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> Runs:
    """Return the numbers of all runs, stacked, with as many added as fill the devices."""
    rows: list[Runs] = []
    made: dict[int, Runs] = {}  # by scenario: replicates of a point share one
    for scenario, seed in zip(scenarios, seeds, strict=True):
        own = made.get(id(scenario))
        if own is None:
            own = Runs(
                parameters=engine.parameters_of(scenario, seed),
                start=start_of(scenario)[1],
                schedule=engine.schedule_of(scenario),
                key=np.zeros(2, np.uint32),  # type: ignore[arg-type]
                real=np.ones((), bool),  # type: ignore[arg-type]
            )
            if not measured.sampled(scenario):
                made[id(scenario)] = own
        key = np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)
        rows.append(own._replace(key=key))  # type: ignore[arg-type]
    devices = jax.local_device_count()
    # Whole powers of two, so that batches of many sizes share few programs.
    size = max(1 << (len(rows) - 1).bit_length(), devices)
    size += -size % devices
    rows += [rows[0]._replace(real=np.zeros((), bool))] * (size - len(rows))  # type: ignore[arg-type]
    stacked: Runs = jax.tree.map(lambda *leaves: np.stack(leaves), *rows)
    return stacked


def lockstep(shape: Shape) -> int:
    """Return how many runs a device takes in lockstep; 1: one after the other.

    On an accelerator one run of a small population leaves most of the device idle, and as many are
    taken as fit half of its memory; on a CPU lockstep is slower. In lockstep the last bits of
    sums over niches may differ from those of the run alone.
    """
    device = jax.local_devices()[0]
    if device.platform == "cpu":
        return 1
    limit = (device.memory_stats() or {}).get("bytes_limit", _DEVICE_MEMORY)
    return int(max(1, limit // 2 // (_COPIES * bytes_for(shape.kinds, shape.capacity))))


@program(static=("shape", "together"), divides=True)
def computed(shape: Shape, runs: Runs, together: int) -> Tables:
    """Return the recordings of all runs, divided over the devices of this process.

    Args:
        shape: what all runs have in common.
        runs: their numbers.
        together: how many a device takes in lockstep.

    """
    runs = jax.tree.map(jnp.asarray, runs)
    devices = jax.local_devices()
    alone = functools.partial(_alone, shape)
    together = min(together, runs.real.shape[0] // len(devices))
    # Its own path for one: in a batch of one, sums could be compiled differently from the run's.
    each = functools.partial(jax.lax.map, alone, batch_size=together if together > 1 else None)
    trained = shape.kinds.measured is not None and shape.kinds.measured.table == "training"
    if len(devices) == 1 or trained:
        return each(runs)
    mesh = Mesh(np.array(devices), ("runs",))
    spec = PartitionSpec("runs")
    over = jax.shard_map(each, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
    tables: Tables = over(runs)
    return tables


def _alone(shape: Shape, run: Runs) -> Tables:
    """Return the recordings of one run (its leaves have no leading axis)."""
    kinds, parameters, schedule = shape.kinds, run.parameters, run.schedule
    world = WORLDS[kinds.world].world
    state = engine.begun(
        kinds, shape.start_kind, shape.capacity,
        parameters=parameters, start=run.start, key=run.key,
    )  # fmt: skip

    def more(carry: tuple[State, Tables]) -> Array:
        state, _ = carry
        return engine.goes_on(state, schedule) & run.real

    def recorded(state: State, tables: Tables) -> Tables:
        metrics, breadth = engine.row(world, kinds, parameters, state)
        place = tables.used
        return tables._replace(
            used=place + 1,
            step=tables.step.at[place].set(state.clock),
            metrics=tables.metrics.at[place].set(metrics),
            breadth=tables.breadth.at[place].set(breadth),
        )

    def one(carry: tuple[State, Tables]) -> tuple[State, Tables]:
        state, tables = carry
        state, due = engine.moved_on(world, kinds, parameters, state, schedule)
        tables = jax.lax.cond(due, recorded, lambda _, tables: tables, state, tables)
        return engine.counted_from_here(state, due), tables

    shapes = engine.shapes(kinds, parameters, state)
    zero = jnp.zeros((), jnp.int64)
    empty = Tables(
        status=state.status, clock=zero, wanted=zero, used=zero,
        step=jnp.zeros(shape.rows, jnp.int64),
        metrics=jnp.zeros((shape.rows, len(engine.named(shapes))), jnp.float64),
        breadth=jnp.zeros((shape.rows, tally.BINS), jnp.int64),
        names={name: jnp.zeros(one.shape, bool) for name, one in shapes.items()},
    )  # fmt: skip
    state, tables = jax.lax.while_loop(more, one, (state, recorded(state, empty)))
    return tables._replace(status=state.status, clock=state.clock, wanted=state.wanted)


def _columns(
    scenario: Scenario, names: Sequence[str], order: Sequence[str], tables: Tables, row: int
) -> Columns | RunError:
    used = int(tables.used[row])
    columns: Columns = {"step": np.asarray(tables.step[row, :used])}
    columns |= dict(zip(names, np.asarray(tables.metrics[row, :used]).T, strict=True))
    try:
        check_conservation(columns, scenario.run.precision)
    except RunError as error:
        return error
    recorded = Recorded((name, columns[name]) for name in order)
    recorded.breadth = np.array(tables.breadth[row, used - 1])
    return recorded


def _broken(scenario: Scenario, seed: int) -> RunError:
    """Run once more by itself, for the step, the quantity and the agent."""
    try:
        Simulation(scenario, seed).advance(scenario.run.steps)
    except RunError as error:
        return error
    except EcosimError as error:  # pragma: no cover - the same steps end the same way
        return RunError(str(error))
    return RunError(f"seed {seed}: broke in a batch and not alone; please report this")


def shapes(scenarios: list[Scenario]) -> Iterator[tuple[Shape, list[int]]]:
    """Yield each shape among scenarios and the indices of those that have it, in their order."""
    groups: dict[Shape, list[int]] = {}
    known: dict[int, Shape] = {}  # by scenario: replicates of a point share one
    for index, scenario in enumerate(scenarios):
        shape = known.get(id(scenario)) or shape_of(scenario)
        known[id(scenario)] = shape
        groups.setdefault(shape, []).append(index)
    yield from groups.items()
