"""A scenario fitted to data: particles are points of a sweep, whatever engine runs them.

calibration.json     what is fitted, to what, and how
generations/NN.json  one file a generation, whole when it is there: where a stop resumes
runs/                the sweep of all particles
predictive/          the sweep of the posterior predictive check
recovery-N/          known numbers recovered from simulated data, with N particles
result.json          the posterior and the check
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecosim.errors import StoreError
from ecosim.experiments.folders import write_atomically
from ecosim.scenario import digest, read
from ecosim.sweeps import sequential
from ecosim.sweeps.definition import Sweep, definition
from ecosim.sweeps.execution import Engine
from ecosim.sweeps.posterior import Calibration, judged
from ecosim.sweeps.ranges import Range
from ecosim.sweeps.sampling import placed
from ecosim.sweeps.sequential import Generation
from ecosim.sweeps.target import Target
from ecosim.sweeps.trials import Simulator


@dataclass(frozen=True)
class Question:
    """What is fitted, and how.

    Attributes:
        base: the scenario, what is set of it, replicates and seed.
        target: what was observed.
        priors: the range of each key, uniform (or uniform in the logarithm).
        particles: of a generation.
        quantile: of the distances of a generation that is the next tolerance.
        factor: draws of the prior for each particle of the first generation.

    """

    base: Sweep
    target: Target
    priors: dict[str, Range]
    particles: int = 100
    quantile: float = 0.5
    factor: int = 2

    def described(self) -> dict[str, Any]:
        """Return all that the result depends on, as plain data."""
        # The sweep names its scenario; what the name means may change under it.
        content = digest(read(self.base.scenario, self.base.set))
        return {
            "kind": "calibration", "sweep": definition(self.base), "scenario": content,
            "priors": {key: list(prior) for key, prior in self.priors.items()},
            "statistics": list(self.target.names), "observed": self.target.values.tolist(),
            "particles": self.particles, "quantile": self.quantile, "factor": self.factor,
        }  # fmt: skip


def calibrate(
    question: Question,
    folder: Path,
    engine: Engine,
    *,
    generations: int = 5,
    should_stop: Callable[[], bool] = lambda: False,
    told: Callable[[int, Generation], None] | None = None,
) -> Calibration:
    """Fit a scenario; what is done of it is not repeated.

    Args:
        question: what is fitted.
        folder: where it is kept.
        engine: what computes.
        generations: how many; more than before go on from the last.
        should_stop: asked between batches of runs.
        told: called with number and generation when one is whole.

    Raises:
        StoreError: the folder holds another calibration, or cannot be written.
        RunError: too few draws of the prior can be simulated.
        Paused: stopped early; the same call goes on.

    """
    _claim(folder, question)
    simulator = Simulator(question.base, folder / "runs", engine, should_stop)
    found, scales, exhausted = sequence(question, folder, simulator, generations, told=told)
    fresh = dataclasses.replace(question.base, seed=question.base.seed + 1)
    checking = Simulator(fresh, folder / "predictive", engine, should_stop)
    result = judged(
        question.priors, question.target, found, scales=scales, exhausted=exhausted,
        seed=question.base.seed,
        simulate=lambda settings: checking.statistics(settings, question.target),
    )  # fmt: skip
    text = json.dumps(dataclasses.asdict(result), indent=1)
    write_atomically(folder / "result.json", f"{text}\n".encode())
    return result


def sequence(
    question: Question,
    folder: Path,
    simulator: Simulator,
    generations: int,
    *,
    told: Callable[[int, Generation], None] | None = None,
) -> tuple[list[Generation], np.ndarray, bool]:
    """Return generations, the scales of the statistics, and whether the last was out of reach.

    Those that are in the folder are read, not made again.
    """
    (folder / "generations").mkdir(parents=True, exist_ok=True)
    found: list[Generation] = []
    scales = np.ones(len(question.target.values))
    for number in range(generations):
        path = folder / "generations" / f"{number:02d}.json"
        if path.exists():
            one, scales = _read(path)
        else:
            made = _next(question, simulator, found, scales, number)
            if made is None:
                return found, scales, True
            one, scales = made
            _write(path, one, scales)
        found.append(one)
        if told is not None:
            told(number, one)
    return found, scales, False


def _claim(folder: Path, question: Question) -> None:
    path = folder / "calibration.json"
    described = question.described()
    try:
        (folder / "generations").mkdir(parents=True, exist_ok=True)
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        if before is None:
            write_atomically(path, (json.dumps(described, indent=1) + "\n").encode())
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder}: cannot hold a calibration ({error})") from error
    if before is not None and before != json.loads(json.dumps(described)):
        other = [key for key in described if before.get(key) != described[key]]
        rule = f"{folder}: holds a calibration that differs in {', '.join(other)}"
        raise StoreError(f"{rule}; choose another --out")


def _next(
    question: Question,
    simulator: Simulator,
    found: list[Generation],
    scales: np.ndarray,
    number: int,
) -> tuple[Generation, np.ndarray] | None:
    """Return the next generation and the scales of the statistics, which the first one sets."""
    target, seed = question.target, question.base.seed
    if number == 0:
        kept = scales

        def of_prior(units: np.ndarray) -> np.ndarray:
            nonlocal kept
            simulated = simulator.statistics(placed(question.priors, units), target)
            kept = target.scales(simulated)
            return target.distances(simulated, kept)

        one = sequential.first(
            len(question.priors), question.particles, of_prior, seed=seed, factor=question.factor
        )
        return one, kept

    def of_kernel(units: np.ndarray) -> np.ndarray:
        simulated = simulator.statistics(placed(question.priors, units), target)
        return target.distances(simulated, scales)

    following = sequential.following(
        found[-1], of_kernel, seed=seed, number=number, quantile=question.quantile
    )
    return None if following is None else (following, scales)


def _write(path: Path, one: Generation, scales: np.ndarray) -> None:
    told = {key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in dataclasses.asdict(one).items()}  # fmt: skip
    write_atomically(path, json.dumps(told | {"scales": scales.tolist()}).encode())


def _read(path: Path) -> tuple[Generation, np.ndarray]:
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    scales = np.array(told.pop("scales"))
    for key in ("units", "weights", "distances"):
        told[key] = np.array(told[key])
    return Generation(**told), scales
