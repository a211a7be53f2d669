"""One attempt to make a run: simulated, written to a temporary folder, renamed to its place."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim import processes
from ecosim.errors import RunError, ScenarioError
from ecosim.experiments import checkpoint as checkpoints
from ecosim.experiments import manifest as manifests
from ecosim.experiments.checkpoint import Checkpoint, Stopped
from ecosim.experiments.folders import publish, sync_tree, temporary_name
from ecosim.experiments.run import Run
from ecosim.experiments.species import against_observed

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.recording import Recording
    from ecosim.scenario import Scenario

LOG = logging.getLogger("ecosim")

type Progress = Callable[[int, int, dict[str, float]], None]


@dataclass(frozen=True)
class Place:
    """Where one run of a scenario and seed lies; and its checkpoint while unfinished."""

    folder: Path
    checkpoint: Path


class Attempt:
    """One attempt to make one run: simulated, then written to a temporary folder, then renamed."""

    def __init__(
        self,
        scenario: Scenario,
        place: Place,
        *,
        engine: str,
        forced: bool,
        devices: int = 1,
        pictures: bool = True,
    ) -> None:
        """Begin an attempt: the clock starts, and an observed web is read while it is there."""
        self.scenario, self.place, self.engine, self.forced = scenario, place, engine, forced
        self.devices, self.pictures = devices, pictures
        web = scenario.population.web
        self.web = None if web is None else Path(web).read_bytes()
        self.begun = time.perf_counter()
        started = datetime.now(UTC).isoformat("T", "seconds")
        # What earlier attempts, which were stopped, add.
        self.before = Checkpoint({"wall_s": 0.0, "started": started, "attempts": 0}, b"")

    def simulate(
        self, progress: Progress | None, should_stop: Callable[[], bool] | None
    ) -> Recording:
        """Simulate to the end, or save a checkpoint and raise Stopped."""
        seed = self.scenario.run.seed
        if self.engine == "mesa":
            from ecosim.agents import simulate_mesa

            return simulate_mesa(self.scenario, seed=seed, progress=progress)
        from ecosim.simulate import simulate

        kept: list[bytes] = []
        recording = simulate(
            self.scenario,
            seed=seed,
            progress=progress,
            should_stop=should_stop,
            checkpoint=self._saved(),
            keep_checkpoint=kept.append,
            devices=self.devices,
        )
        if not recording.complete:
            raise self._stopped(recording.steps, kept)
        return recording

    def _saved(self) -> bytes | None:
        saved = checkpoints.load(self.place.checkpoint, manifests.computing_versions())
        # A forced run starts anew, unless what was stopped is that forced run.
        if saved is None or saved.header["forced"] != self.forced:
            return None
        self.before = saved
        LOG.info("continuing from step %s", saved.header["step"])
        return saved.data

    def _stopped(self, step: int, kept: list[bytes]) -> Stopped:
        if not kept:
            return Stopped(None, step, self.scenario.run.steps)
        versions = manifests.computing_versions()
        header = {"step": step, "forced": self.forced, "versions": versions, **self._times()}
        with self._writing():
            checkpoints.save(self.place.checkpoint, Checkpoint(header, kept[-1]))
        return Stopped(self.place.checkpoint, step, self.scenario.run.steps)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(f"{self.place.folder}: cannot be written: {error}") from error

    def _times(self) -> dict[str, Any]:
        earlier = self.before.header
        return {
            "started": earlier["started"],
            "wall_s": round(earlier["wall_s"] + time.perf_counter() - self.begun, 3),
            "attempts": earlier["attempts"] + 1,
        }

    def store(self, recording: Recording) -> Run:
        """Write the run, rename it to its place, and return it.

        Raises:
            RunError: it cannot be written; or it is stored, and drawing it failed.

        """
        temporary = temporary_name(self.place.folder)
        try:
            with self._writing():
                temporary.mkdir(parents=True)
                manifest = self._write(temporary, recording)
                failure = illustrated(Run(temporary, manifest)) if self.pictures else None
                text = manifests.to_json(manifest) + "\n"
                (temporary / "manifest.json").write_text(text, encoding="utf-8")
                sync_tree(temporary)
                publish(temporary, self.place.folder, keep=self._stays)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self.place.checkpoint.unlink(missing_ok=True)
        if failure is not None:
            raise RunError(
                f"{self.place.folder}: the run is finished and stored, but drawing it failed: "
                f"{failure!r}; `ecosim report` tries again"
            ) from failure
        run = Run(self.place.folder, manifest)
        run.__dict__["metrics"] = recording.metrics  # spares reading it again
        return run

    def _stays(self, target: Path) -> bool:
        """Keep the same result of another process that was faster, unless told to repeat it."""
        return not self.forced and manifests.read(target) is not None

    def _write(self, folder: Path, recording: Recording) -> dict[str, Any]:
        from ecosim.experiments.tables import write_tables

        write_tables(folder, recording)
        (folder / "scenario.toml").write_text(_resolved(self.scenario), encoding="utf-8")
        if self.web is not None:
            (folder / "web.csv").write_bytes(self.web)
        manifest = {**self._identity(recording), "files": manifests.sizes(folder)}
        return dict(manifests.plain(manifest))

    def _identity(self, recording: Recording) -> dict[str, Any]:
        from ecosim.scenario import digest

        metrics = recording.metrics
        return {
            "format": manifests.FORMAT,
            "finished": True,
            "scenario": self.scenario.name,
            "world": self.scenario.world,
            "seed": self.scenario.run.seed,
            "digest": digest(self.scenario),
            "engine": self.engine,
            "precision": self.scenario.run.precision,
            "steps": recording.steps,
            "result_digest": manifests.result_digest(metrics),
            "conservation": manifests.conservation(metrics),
            "expectation": _judged(self.scenario, metrics),
            "final": metrics.iloc[-1].to_dict(),
            "web": against_observed(recording.population, self.scenario),
            **self._times(),
            "versions": manifests.versions(),
            "commit": manifests.commit(),
            "device": manifests.device(),
            "devices": self.devices * processes.count(),
            **manifests.machine(),
        }


def illustrated(run: Run) -> Exception | None:
    """Draw a run and return what went wrong: a picture that fails must not cost the run."""
    from ecosim.experiments.pictures import illustrate

    try:
        illustrate(run)
    except Exception as error:
        return error
    return None


def _resolved(scenario: Scenario) -> str:
    """Return the scenario as TOML in which an observed web is the copy beside it."""
    import tomli_w

    from ecosim.scenario import to_dict

    raw = to_dict(scenario)
    if scenario.population.web is not None:
        raw["population"]["web"] = "web.csv"
    return tomli_w.dumps(raw)


def _judged(scenario: Scenario, metrics: pd.DataFrame) -> list[dict[str, Any]]:
    """Judge, but never lose a run that is done to an expectation that cannot be judged."""
    from ecosim.analysis.expectation import judge, unjudged

    try:
        return judge(scenario, metrics)
    except ScenarioError as error:
        LOG.error("%s", error)
        return unjudged(scenario)
