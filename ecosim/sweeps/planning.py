"""What a sweep will take: files, disk, memory and hours, from a short pilot or nominal figures."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from ecosim import machine
from ecosim.scenario import Scenario
from ecosim.sweeps.batching import MOST, Batch, batches
from ecosim.sweeps.definition import Sweep
from ecosim.sweeps.execution import shared, todo
from ecosim.sweeps.folder import SweepFolder

_PILOT_STEPS = 200
# Nominal figures, of one core; a pilot replaces them.
_STEP_S, _AGENT_S = 50e-6, 20e-9
_COMPILE_S = 20.0
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
    # Each worker compiles each program once, or reads it from the cache of all.
    programs = len(batches(found.missing, MOST * 2**20))
    busy = sum(rate.seconds(scenario) for scenario in missing) + programs * rate.compile_s
    # Workers take whole batches; one process alone divides each batch over its cores.
    even = workers == 0 or not waiting
    rounds = 1.0 if even else -(-len(waiting) // workers) * workers / len(waiting)
    at_once = workers or machine.cores()
    failures = sum(told.get("runs", 1) for told in found.failed.values())
    return Plan(
        points=len(found.points),
        total=found.counts["total"],
        missing=len(missing),
        batches=len(waiting),
        files=len(waiting) + len(folder.batch_files()) + failures + _FIXED_FILES + (workers or 1),
        disk=round(rows * rate.row_bytes + 400 * len(found.points)),
        workers=workers or 1,
        memory_per_worker=rate.base_bytes + max((_room(batch) for batch in waiting), default=0),
        memory=machine.memory(),
        cores=machine.cores(),
        core_hours=busy / 3600,
        hours=busy * rounds / at_once / 3600,
        pilot=pilot and bool(missing),
    )


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
    return _Rate(_nominal(agents), agents, _ROW_BYTES, _COMPILE_S, _BASE_BYTES)


def _piloted(scenario: Scenario) -> _Rate:
    """Time a short run twice, with and without its compilation, and weigh its results."""
    import resource

    import numpy as np
    import pyarrow as pa

    from ecosim.batch import run_batch
    from ecosim.sweeps.tables import table_bytes

    steps = min(scenario.run.steps, _PILOT_STEPS)
    short = scenario.replace(run__steps=steps, record__every=min(scenario.record.every, steps or 1))
    times = []
    columns = None
    for _ in range(2):
        began = time.perf_counter()
        (columns,) = run_batch([short], [1])
        times.append(time.perf_counter() - began)
    if not isinstance(columns, dict):  # the run fails; so may the sweep
        return _guessed([scenario])
    # Many rows, as in a file: names and footers weigh nothing there.
    table = pa.table({name: np.tile(column, 64) for name, column in columns.items()})
    scale = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    return _Rate(
        step_s=times[1] / max(steps, 1),
        agents=scenario.population.size,
        row_bytes=table_bytes(table) / table.num_rows + 10,
        compile_s=max(times[0] - times[1], 0.0),
        base_bytes=max(peak, _BASE_BYTES // 2),
    )
