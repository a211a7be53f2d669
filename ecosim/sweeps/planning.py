"""What a sweep will take: files, disk, memory and hours, from a short pilot or nominal figures."""

from __future__ import annotations

import heapq
import sys
import time
from dataclasses import dataclass

from ecosim import machine
from ecosim.scenario import Scenario
from ecosim.sweeps.batching import Batch, batches, likeness
from ecosim.sweeps.definition import Sweep
from ecosim.sweeps.execution import shared, todo
from ecosim.sweeps.folder import SweepFolder

_PILOT_STEPS = 200
# Nominal figures, of one core; a pilot replaces them.
_STEP_S, _AGENT_S = 50e-6, 20e-9
_COMPILE_S, _BATCH_S = 20.0, 0.1
_ROW_BYTES = 500.0
_BASE_BYTES = 900 * 2**20  # JAX, pyarrow and a compiled program, before the first run
_FIXED_FILES = 6  # manifest, points (twice), runs asked for, failures, report; and one a worker


@dataclass(frozen=True)
class Plan:
    """What the missing runs of a sweep will take. Sizes in bytes; hours of the clock.

    `disk` and `files` count all runs, those that are done too.
    """

    points: int
    total: int
    missing: int
    batches: int
    files: int
    disk: int
    workers: int
    cores_per_worker: int  # that one process divides a batch over
    memory_per_worker: int
    memory: int  # that may be used here: of this machine, this cgroup or this allocation
    cores: int  # likewise
    core_hours: float
    hours: float
    pilot: bool

    @property
    def fits(self) -> bool:
        """Say whether so many workers fit the memory that may be used here."""
        return self.workers * self.memory_per_worker <= self.memory


@dataclass(frozen=True)
class _Rate:
    step_s: float  # seconds of one step of one agent-count
    batch_s: float  # that a batch takes beside its steps
    agents: int
    row_bytes: float
    compile_s: float
    base_bytes: int

    def seconds(self, scenario: Scenario) -> float:
        """Return the seconds of one run: a step costs a fixed part, and a part by its agents."""
        own, of_pilot = (_nominal(size) for size in (scenario.population.size, self.agents))
        return scenario.run.steps * self.step_s * own / of_pilot


def _nominal(agents: int) -> float:
    return _STEP_S + _AGENT_S * agents


def plan(sweep: Sweep, folder: SweepFolder, workers: int = 0, *, pilot: bool = True) -> Plan:
    """Return what the missing runs of a sweep will take.

    Args:
        sweep: what is asked for.
        folder: where its results are or would be; nothing is written.
        workers: processes that compute; 0: this process alone, with all cores it may use.
        pilot: time 200 steps of the first run; otherwise nominal figures of one core are used,
            which tell no more than the order of magnitude.

    """
    found = todo(sweep, folder)
    most = sweep.batch or shared(len(found.missing), workers or 1)
    waiting = batches(found.missing, most)
    scenarios = [run.point.scenario for run in found.runs if run.point.scenario is not None]
    missing = [run.point.scenario for run in found.missing if run.point.scenario is not None]
    rate = _piloted(missing[0]) if pilot and missing else _guessed(scenarios)
    rows = sum(scenario.most_recordings for scenario in scenarios)
    # One process alone divides each batch over its cores; a worker has one.
    devices = 1 if workers else machine.cores()
    # Each process compiles each program once, on one core, or reads it from the cache of all.
    programs = {(likeness(batch.runs[0]), _padded(len(batch.runs), devices)) for batch in waiting}
    compiling = len(programs) * rate.compile_s
    busy = len(waiting) * rate.batch_s + sum(rate.seconds(scenario) for scenario in missing)
    failures = sum(told.get("runs", 1) for told in found.failed.values())
    return Plan(
        points=len(found.points),
        total=found.counts["total"],
        missing=len(missing),
        batches=len(waiting),
        files=len(waiting) + len(folder.batch_files()) + failures + _FIXED_FILES + (workers or 1),
        disk=round(rows * rate.row_bytes + 400 * len(found.points)),
        workers=workers or 1,
        cores_per_worker=devices,
        memory_per_worker=rate.base_bytes + max((_room(batch) for batch in waiting), default=0),
        memory=machine.memory(),
        cores=machine.cores(),
        core_hours=(busy + compiling * (workers or 1)) / 3600,
        hours=(_clock(waiting, rate, devices, workers or 1) + compiling) / 3600,
        pilot=pilot and bool(missing),
    )


def _padded(runs: int, devices: int) -> int:
    """Return how many places a batch is compiled for: a power of two, and as many a device."""
    size = max(1 << (runs - 1).bit_length(), devices)
    return size + -size % devices


def _clock(waiting: list[Batch], rate: _Rate, devices: int, workers: int) -> float:
    """Return the seconds until the last worker is done; each takes the next batch when free."""
    ends = [0.0] * workers
    for batch in waiting:
        # The places are divided in one piece: the first device has the most runs.
        first = batch.runs[: _padded(len(batch.runs), devices) // devices]
        took = rate.batch_s + sum(
            rate.seconds(run.point.scenario) for run in first if run.point.scenario
        )
        heapq.heapreplace(ends, ends[0] + took)
    return max(ends)


def _room(batch: Batch) -> int:
    """Return the bytes that the recordings of a batch take while it runs, twice: as tables too."""
    total = 0
    for run in batch.runs:
        assert run.point.scenario is not None
        rows, founders = run.point.scenario.most_recordings, run.point.scenario.population.size
        total += 2 * rows * 200 * 8 + founders * 200
    return total


def _guessed(scenarios: list[Scenario]) -> _Rate:
    agents = scenarios[0].population.size if scenarios else 1
    return _Rate(_nominal(agents), _BATCH_S, agents, _ROW_BYTES, _COMPILE_S, _BASE_BYTES)


def _piloted(scenario: Scenario) -> _Rate:
    """Time short runs, with and without their compilation, and weigh their results."""
    import resource

    import jax
    import numpy as np
    import pyarrow as pa

    from ecosim.batch import run_batch
    from ecosim.sweeps.tables import table_bytes

    steps = min(scenario.run.steps, _PILOT_STEPS)
    short = scenario.replace(run__steps=steps, record__every=min(scenario.record.every, steps or 1))
    columns: object = None
    # Of a processor the time that was computed: what else it does now need not go on.
    alone = jax.local_devices()[0].platform == "cpu"
    clock = time.process_time if alone else time.perf_counter

    def timed(run: Scenario) -> float:
        nonlocal columns
        began = clock()
        (columns,) = run_batch([run], [1])
        return clock() - began

    first, again = timed(short), min(timed(short), timed(short))
    if not isinstance(columns, dict):  # the run fails; so may the sweep
        return _guessed([scenario])
    table_of = columns
    # A run of few steps with room for as many recordings is the same program: what it takes
    # is for the most part what a batch takes whatever its length.
    few = max((1 << (short.most_recordings - 1).bit_length()) // 2 - 1, 0)
    batch_s = 0.0
    if few < steps:
        fewer = short.replace(run__steps=few, record__every=1)
        least = min(timed(fewer) for _ in range(2))
        step_s = max(again - least, again / 10) / (steps - few)
        batch_s = max(again - steps * step_s, 0.0)
    # Many rows, as in a file: names and footers weigh nothing there.
    table = pa.table({name: np.tile(column, 64) for name, column in table_of.items()})
    scale = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    return _Rate(
        step_s=(again - batch_s) / max(steps, 1),
        batch_s=batch_s,
        agents=scenario.population.size,
        row_bytes=table_bytes(table) / table.num_rows + 10,
        compile_s=max(first - again, 0.0),
        base_bytes=max(peak, _BASE_BYTES // 2),
    )
