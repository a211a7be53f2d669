"""Where runs lie and how they get there: ROOT/SCENARIO/DIGEST-SEED/, whole or not at all."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ecosim import processes
from ecosim.errors import StoreError
from ecosim.experiments import manifest as manifests
from ecosim.experiments.attempt import Attempt, Place, Progress, illustrated
from ecosim.experiments.folders import slug, sweep, writable
from ecosim.experiments.run import Run

if TYPE_CHECKING:
    from ecosim.scenario import Scenario

LOG = logging.getLogger("ecosim")

type Engine = Literal["headless", "mesa"]


def place_of(scenario: Scenario, out: str | os.PathLike[str]) -> Place:
    """Return where the run of a scenario, with its `run.seed`, lies under the root `out`."""
    from ecosim.scenario import digest

    name = f"{digest(scenario)}-{scenario.run.seed}"
    parent = Path(out) / slug(scenario.name)
    return Place(parent / name, parent / f"{name}.checkpoint")


def execute(
    scenario: Scenario,
    *,
    seed: int | None = None,
    out: str | os.PathLike[str] = "runs",
    force: bool = False,
    engine: Engine = "headless",
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    devices: int = 1,
    pictures: bool = True,
) -> tuple[Run, bool]:
    """Run a scenario and store the result, or find the finished run of it.

    Args:
        scenario: what to run.
        seed: in place of the scenario's.
        out: root of the results.
        force: repeat a finished run; its folder is replaced when the new one is whole.
        engine: `headless`, or `mesa` for the same through a Mesa model.
        progress: called now and then with step, steps and the latest metrics.
        should_stop: polled between chunks of steps; when it says True, a checkpoint is saved,
            from which the next call continues bit for bit (headless only).
        devices: over how many devices (of each process) the population is divided (headless
            only); the result is the same bytes for any number.
        pictures: draw the figure and write the report, a third of a small run's time, also of a
            finished run that has none.

    Returns:
        The run, and whether it had been finished before.

    Raises:
        ScenarioError: an expectation that no run of the scenario could be judged by.
        StoreError: `out` does not take files; nothing was simulated, nothing is left behind.
        Stopped: `should_stop` said so.
        RunError: the simulation broke down, or its results could not be written.
        DeviceError: fewer devices are there, or the scenario cannot be divided.

    """
    with processes.leading() as begin:
        scenario = _checked(scenario, seed)
        place = place_of(scenario, out)
        if not force and (found := finished(place, scenario)) is not None:
            if pictures and not (found.path / "report.html").exists():
                _drawn(found)
            return found, True
        attempt = Attempt(
            scenario, place, engine=engine, forced=force, devices=devices, pictures=pictures
        )
        with writable(place.folder.parent):
            sweep(place.folder.parent, lambda folder: manifests.read(folder) is not None)
            begin()
            return attempt.store(attempt.simulate(progress, should_stop)), False


def follow(
    scenario: Scenario,
    *,
    seed: int | None = None,
    should_stop: Callable[[], bool] | None = None,
    devices: int = 1,
) -> bool:
    """Compute a run together with process 0, which calls `execute`; nothing is written here.

    Returns whether the run came to its end.

    Raises:
        RunError: the simulation broke down, another process is lost, or process 0 gave up.
        DeviceError: fewer devices are there, or the scenario cannot be divided.

    """
    scenario = _checked(scenario, seed)
    if not processes.wanted():
        return True  # process 0 has the finished run
    from ecosim.simulate import simulate

    return simulate(scenario, should_stop=should_stop, devices=devices).complete


def _checked(scenario: Scenario, seed: int | None) -> Scenario:
    from ecosim.analysis.expectation import precheck
    from ecosim.scenario import override

    if seed is not None:
        scenario = override(scenario, {"run.seed": seed})
    precheck(scenario)
    return scenario


def _drawn(run: Run) -> None:
    failure = illustrated(run)
    if failure is not None:
        LOG.warning("%s: could not be drawn: %r", run.path, failure)


def finished(place: Place, scenario: Scenario) -> Run | None:
    """Return the finished run at a place, its expectation judged as `scenario` words it now.

    An expectation that was worded otherwise before the run is reported in the log (the run's
    report and manifest keep that one), and so are other versions of what computed the run.
    """
    from ecosim.analysis.expectation import judge

    manifest = manifests.read(place.folder)
    if manifest is None:
        return None
    found = Run(place.folder, manifest)
    now = manifests.plain(judge(scenario, found.metrics) if scenario.expectation else [])
    if now != manifest["expectation"]:
        LOG.warning(
            "%s: this expectation was stated after the run; its report keeps the one stated "
            "before it (--force repeats the run under the new one)",
            place.folder,
        )
    versions = manifests.computing_versions()
    if any(manifest["versions"].get(name) != version for name, version in versions.items()):
        LOG.warning(
            "%s: was made by other versions (manifest.json); --force repeats it", place.folder
        )
    return Run(place.folder, {**manifest, "expectation": now})


def load(path: str | os.PathLike[str]) -> Run:
    """Return the finished run in a folder.

    Raises:
        StoreError: the folder is not there or holds no finished, undamaged run.

    """
    folder = Path(path)
    manifest = manifests.read(folder)
    if manifest is not None:
        return Run(folder, manifest)
    if not folder.is_dir():
        raise StoreError(f"{folder}: no such folder; `ecosim runs` lists the finished runs")
    raise StoreError(
        f"{folder}: not a finished run (its manifest.json is missing, unfinished, or lists files"
        " that are missing or cut off); `ecosim run` makes it again"
    )


def list_runs(root: str | os.PathLike[str]) -> list[Run]:
    """Return the finished runs under a root, oldest first; a root that is not there has none."""
    folders = [path.parent for path in Path(root).glob("*/*/manifest.json")]
    found = [(folder, manifests.read(folder)) for folder in folders if folder.name[0] != "."]
    runs = [Run(folder, manifest) for folder, manifest in found if manifest is not None]
    return sorted(runs, key=lambda run: (run.manifest["started"], str(run.path)))
