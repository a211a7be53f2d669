"""From a scenario to a recording: the one loop that every run goes through."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from ecosim import devices as placing
from ecosim import engine, processes
from ecosim.breakage import explain
from ecosim.compilation import prepared, spare_memory_maps
from ecosim.errors import RunError
from ecosim.model.population import Population
from ecosim.model.step import Status
from ecosim.model.structure import enlarged, whole_blocks
from ecosim.model.traced import traced
from ecosim.recording import Recorder, Recording, events_of, table_of
from ecosim.replication import MOST, End, Replicates, ends
from ecosim.scenario import Scenario

type Progress = Callable[[int, int, dict[str, float]], None]

_GLANCE = 0.25  # seconds between two looks at progress and at requests to stop


class Simulation:
    """A run in progress, for the headless loop and for Mesa alike.

    Attributes:
        scenario: what is run.
        seed: its seed.
        kinds: static structure of the compiled step.
        parameters: traced numbers.
        state: the current state, on the device.
        recorder: what was recorded so far.

    """

    def __init__(self, scenario: Scenario, seed: int | None = None, devices: int = 1) -> None:
        """Create the founders and record step 0.

        Args:
            scenario: what to run.
            seed: overrides scenario.run.seed.
            devices: over how many devices (of each process) the population is divided.

        Raises:
            DeviceError: fewer devices are there, or the scenario cannot be divided.

        """
        self._mesh = placing.mesh_for(scenario, devices)
        self.scenario = scenario
        self.seed = scenario.run.seed if seed is None else seed
        self.recorder = Recorder(scenario)
        spare_memory_maps()
        with self._computing():
            self.kinds, self.parameters, self.state = engine.begin(scenario, self.seed)
            self._record_now()

    @property
    def clock(self) -> int:
        """Return the number of steps done."""
        return int(self.state.clock)

    @property
    def ended(self) -> bool:
        """Return whether the run is over: its steps are done or its condition holds."""
        return self.clock >= self.scenario.run.steps or int(self.state.status) == Status.ENDED

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with prepared(), placing.over(self._mesh), processes.together():
            yield

    def _record_now(self) -> None:
        found, metrics, breadth = engine.measure(self.kinds, self.parameters, self.state)
        self.names = engine.named(found)
        self._keep([self.clock], np.asarray(metrics)[None], np.asarray(breadth)[None])

    def _keep(self, step: Any, metrics: np.ndarray, breadth: np.ndarray) -> None:
        columns = dict(zip(self.names, metrics.T, strict=True))
        self.recorder.add(step, columns, breadth)

    def advance(self, until: int) -> None:
        """Run up to a step, growing the arrays and emptying the log of events as needed.

        Raises:
            RunError: when an invariant broke: the step, the quantity and the agent.

        """
        schedule = engine.schedule_of(self.scenario, until)
        with self._computing():
            while self.clock < until and int(self.state.status) != Status.ENDED:
                self.state, table = engine.advance(
                    self.kinds, self.parameters, self.state, schedule
                )
                used = int(table.used)
                self._keep(*(np.asarray(column)[:used] for column in table[1:]))
                self._attend(Status(int(self.state.status)))
            self._flush_events()

    def _attend(self, status: Status) -> None:
        """Do what the compiled loop asked the host for."""
        if status == Status.BROKEN:
            raise RunError(explain(placing.on_host(self.state), self.kinds))
        if status == Status.LOG_FULL:
            self._flush_events()
        if status == Status.FULL:
            self._flush_events()
            capacity = self.state.population.alive.shape[0]
            births, step = int(self.state.wanted), self.clock + 1
            larger = enlarged(self.kinds, capacity, births=births, step=step)
            self.state = engine.enlarged(self.kinds, self.state, larger)

    def _flush_events(self) -> None:
        log = self.state.log
        if log is not None and int(log.used):
            self.recorder.events.append(events_of(log, self.kinds.world))
            self.state = self.state._replace(log=log._replace(used=traced(0, "int64")))

    def snapshot(self) -> None:
        """Keep a table of the living at this step."""
        self.recorder.snapshots[self.clock] = table_of(self._population())

    def _population(self) -> Population:
        population: Population = placing.on_host(self.state.population)
        return population

    def founders(self) -> pd.DataFrame:
        """Return the table of the founders, made again: they are a function of the seed."""
        with self._computing():
            population = engine.begin(self.scenario, self.seed)[2].population
            return table_of(placing.on_host(population))

    def finished(self) -> Recording:
        """Return the recording so far."""
        return self.recorder.finished(
            table_of(self._population()),
            self.founders(),
            steps=self.clock,
            complete=self.ended,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return everything the simulation knows, its state as NumPy arrays."""
        return self.__dict__ | {"state": placing.on_host(self.state), "_mesh": None}

    def __setstate__(self, plain: dict[str, Any]) -> None:
        """Go on, bit for bit, from where the simulation was pickled."""
        self.__dict__.update(plain)
        with prepared():
            self.state = placing.put(plain["state"], None)

    def save(self) -> bytes:
        """Return bytes from which `restored` goes on, bit for bit."""
        return pickle.dumps(self)

    @classmethod
    def restored(cls, data: bytes, devices: int = 1) -> Simulation:
        """Return the simulation that `save` was called on, over any number of devices.

        The bytes must be one's own.
        """
        simulation = pickle.loads(data)
        assert isinstance(simulation, cls)
        simulation._divide(devices)
        return simulation

    def _divide(self, devices: int) -> None:
        mesh = placing.mesh_for(self.scenario, devices)
        if mesh is None:
            return
        with prepared():
            capacity = whole_blocks(self.state.population.alive.shape[0], mesh.size)
            state = engine.enlarged(self.kinds, self.state, capacity)
            self._mesh, self.state = mesh, placing.put(placing.on_host(state), mesh)


def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint: bytes | None = None,
    keep_checkpoint: Callable[[bytes], Any] | None = None,
    devices: int = 1,
) -> Recording:
    """Run a scenario and return what was recorded.

    Args:
        scenario: what to run.
        seed: overrides scenario.run.seed.
        progress: called now and then with (step, steps, latest metrics).
        should_stop: asked now and then; True ends the run early, incomplete.
        checkpoint: bytes of an interrupted run of the same scenario and seed, to go on from.
        keep_checkpoint: given such bytes when the run ends early.
        devices: over how many devices (of each process) the population is divided; the result is
            the same bytes for any number.

    Raises:
        RunError: when an invariant broke, with the step, the quantity and the agent.
        DeviceError: fewer devices are there, or the scenario cannot be divided.

    """
    saved = processes.handed(checkpoint)
    run = Simulation.restored(saved, devices) if saved else Simulation(scenario, seed, devices)
    steps, snapshots = scenario.run.steps, scenario.record.snapshots
    if snapshots and run.clock == 0:
        run.snapshot()
    stride = 1
    while not run.ended:
        until = min(run.clock + stride, steps)
        if snapshots:
            until = min(until, (run.clock // snapshots + 1) * snapshots)
        until = processes.agreed(until)
        began, from_step = time.perf_counter(), run.clock
        run.advance(until)
        pace = (time.perf_counter() - began) / max(run.clock - from_step, 1)
        stride = int(min(max(_GLANCE / max(pace, 1e-9), 1), 4 * stride, 2**30))
        if snapshots and run.clock % snapshots == 0:
            run.snapshot()
        if progress is not None:
            progress(run.clock, steps, run.recorder.latest)
        asked = should_stop is not None and should_stop()
        if not run.ended and processes.any_of(asked):
            data = run.save()
            if keep_checkpoint is not None:
                keep_checkpoint(data)
            break
    return run.finished()


def replicates(scenario: Scenario, seeds: Iterable[int]) -> pd.DataFrame:
    """Run a scenario once for each seed, in one compiled program, and return the ends.

    Each row is, bit for bit, the last row of `simulate(scenario, seed=seed).metrics`. Events and
    snapshots are not kept. A run that needs more room than it began with is run again by itself.

    Args:
        scenario: what to run.
        seeds: one for each replicate, whole numbers from 0 to 2^63 - 1.

    Returns:
        One row a seed, in their order: `seed`, then the metrics at the end (`step` first).

    Raises:
        RunError: when an invariant broke, with the seed, the step, the quantity and the agent.
        ValueError: a seed out of range.

    """
    every = list(seeds)
    wrong = [seed for seed in every if not 0 <= seed < 2**63]
    if wrong:
        raise ValueError(f"seed {wrong[0]} (rule: a whole number from 0 to 2^63 - 1)")
    scenario = scenario.replace(record__events=False, record__snapshots=0)
    spare_memory_maps()
    frames, done, size = [], 0, 1
    with prepared():
        runs = Replicates(scenario)
        while done < len(every):
            chunk, began = every[done : done + size], time.perf_counter()
            frames.append(ends(scenario, chunk, runs, alone=_end_of))
            done += len(chunk)
            # Few enough that the host is back soon, as in `simulate`.
            pace = (time.perf_counter() - began) / len(chunk)
            size = int(min(max(_GLANCE / max(pace, 1e-9), 1), 16 * size, MOST))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["seed"])


def _end_of(scenario: Scenario, seed: int) -> End:
    run = Simulation(scenario, seed)
    try:
        run.advance(scenario.run.steps)
    except RunError as error:
        raise RunError(f"seed {seed}: {error}") from None
    metrics = np.array([run.recorder.rows[-1][name][-1] for name in run.names])
    return End(run.clock, metrics, run.recorder.breadth[-1][-1])
