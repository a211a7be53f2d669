"""ecosim from Python: run a scenario and load a finished run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ecosim.devices import divide_processor, use
from ecosim.experiments.run import Run
from ecosim.experiments.store import execute, load
from ecosim.scenario import Scenario, read

if TYPE_CHECKING:
    from ecosim.sweeps.results import SweepResults

__all__ = ["load", "load_sweep", "run"]


def run(
    scenario: str | os.PathLike[str] | Scenario,
    *,
    seed: int | None = None,
    out: str | os.PathLike[str] = "runs",
    force: bool = False,
    devices: int = 1,
    device: Literal["auto", "cpu", "gpu"] = "auto",
    pictures: bool = True,
    **overrides: Any,
) -> Run:
    """Run a scenario, keep its results and return them; a finished run is not repeated.

    Args:
        scenario: a Scenario, the path of a TOML file or the name of a shipped scenario.
        seed: overrides run.seed.
        out: the folder that takes SCENARIO/DIGEST-SEED.
        force: repeat a finished run.
        devices: over how many devices the population is divided; the same bytes for any number.
            A processor counts as one, or, where nothing has used JAX yet, as one for each core.
        device: what computes: a GPU if there is one (`auto`), or the one that is named.
        pictures: draw the figure and write the report; without, `ecosim report` makes them.
        **overrides: `key__path=value`, two underscores for each dot:
            `run("soft-selection", tradeoff__exponent=0.5)`.

    Raises:
        ScenarioError: every problem of the scenario at once.
        RunError: the run broke an invariant.
        StoreError: the folder cannot be written.
        DeviceError: the devices are not there, or the scenario cannot be divided over several.

    """
    if devices > 1:
        divide_processor(devices)
    use(device)
    changes = {key.replace("__", "."): value for key, value in overrides.items()}
    resolved = read(scenario, changes)
    seed = resolved.run.seed if seed is None else seed
    return execute(
        resolved, seed=seed, out=Path(out), force=force, devices=devices, pictures=pictures
    )[0]


def load_sweep(path: str | os.PathLike[str]) -> SweepResults:
    """Return the results of a sweep in a folder: tables that are read when they are asked for.

    Raises:
        StoreError: the folder is not that of a sweep.

    """
    from ecosim.sweeps.results import SweepResults

    return SweepResults(path)
