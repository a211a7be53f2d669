"""Known parameters recovered: the same fit, to data that the scenario made itself.

Parameters are drawn from the prior, data simulated with other seeds than the fit's own, and fitted.
Over many sets a central interval of a share of the posterior holds the known value in that share
of the sets (Cook, Gelman & Rubin 2006, J Comput Graph Stat 15:675-692); an interval that holds it
more often is wider than need be, as a tolerance above 0 makes it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecosim.experiments.folders import write_atomically
from ecosim.sweeps.calibration import Question, sequence
from ecosim.sweeps.execution import Engine
from ecosim.sweeps.posterior import marginals
from ecosim.sweeps.sampling import placed
from ecosim.sweeps.sequential import Generation
from ecosim.sweeps.trials import Simulator

GENERATIONS = 3  # of each set


@dataclass(frozen=True)
class Recovered:
    """One key of one set.

    Attributes:
        known: the value that the data were made with.
        mean: of the posterior.
        low: of its central 95 %.
        high: of its central 95 %.
        below: share of the posterior below the known value.

    """

    known: float
    mean: float
    low: float
    high: float
    below: float


@dataclass(frozen=True)
class Recovery:
    """How well known parameters are recovered.

    Attributes:
        sets: of simulated data that were fitted.
        failed: sets whose data, or whose fit's first draws, could not be simulated.
        particles: of each fit.
        generations: of each fit, at most.
        keys: for each `covered_50`, `covered_95` (shares of the sets whose central interval holds
            the known value), `error` (root mean square of mean - known, over the prior's sd: 1
            is what the prior alone would give) and `narrowed` (mean of 1 - sd over the prior's).
        each: for each key what was recovered of each set.

    """

    sets: int
    failed: int
    particles: int
    generations: int
    keys: dict[str, dict[str, float]]
    each: dict[str, list[Recovered]]


def recover(
    question: Question,
    folder: Path,
    engine: Engine,
    *,
    sets: int,
    particles: int,
    should_stop: Callable[[], bool] = lambda: False,
    told: Callable[[int], None] | None = None,
) -> Recovery:
    """Fit several sets of simulated data; what is done of them is not repeated.

    Args:
        question: priors, scenario and what is observed of it; the observed values are not used.
        folder: of the calibration; kept in its `recovery-N/`, and summed up in `recovery.json`.
        engine: what computes.
        sets: how many; more than before go on from the last.
        particles: of each fit.
        should_stop: asked between batches of runs.
        told: called with the number of sets that are done.

    Raises:
        Paused: stopped early; the same call goes on.

    """
    place = folder / f"recovery-{particles}"
    base, target = question.base, question.target
    rng = np.random.default_rng([base.seed, 2 * 10**6])
    known = placed(question.priors, rng.random((sets, len(question.priors))))
    other = dataclasses.replace(base, seed=base.seed + 2)
    made = Simulator(other, place / "known", engine, should_stop).statistics(known, target)
    # All sets have the same first draws of the prior, which are run once.
    simulator = Simulator(base, place / "runs", engine, should_stop)
    each: dict[str, list[Recovered]] = {key: [] for key in question.priors}
    narrowed: dict[str, list[float]] = {key: [] for key in question.priors}
    failed = 0
    for number, (row, values) in enumerate(zip(known, made, strict=True)):
        if not np.isfinite(values).all():
            failed += 1
            continue
        one = dataclasses.replace(
            question, particles=particles, target=dataclasses.replace(target, values=values)
        )
        found, _, _ = sequence(one, place / f"{number:03d}", simulator, GENERATIONS)
        summary = marginals(question.priors, found[-1])
        for key in question.priors:
            each[key].append(_recovered(question, key, float(row[key]), found[-1]))
            narrowed[key].append(summary[key]["narrowed"])
        if told is not None:
            told(number + 1)
    result = Recovery(
        sets - failed, failed, particles, GENERATIONS,
        {key: _summed(question, key, each[key], narrowed[key]) for key in each}, each,
    )  # fmt: skip
    text = json.dumps(dataclasses.asdict(result), indent=1)
    write_atomically(folder / "recovery.json", f"{text}\n".encode())
    return result


def _recovered(question: Question, key: str, known: float, one: Generation) -> Recovered:
    told = marginals(question.priors, one)[key]
    values = np.array([float(row[key]) for row in placed(question.priors, one.units)])
    below = float(one.weights @ (values < known) + one.weights @ (values == known) / 2)
    return Recovered(known, told["mean"], told["low"], told["high"], below)


def _summed(
    question: Question, key: str, found: list[Recovered], narrowed: list[float]
) -> dict[str, float]:
    if not found:
        return {name: float("nan") for name in ("covered_50", "covered_95", "error", "narrowed")}
    below = np.array([one.below for one in found])
    errors = np.array([one.mean - one.known for one in found])
    even = [question.priors[key].at(u) for u in (np.arange(1000) + 0.5) / 1000]
    wide = float(np.std(even))
    return {
        "covered_50": float(np.mean(np.abs(below - 0.5) <= 0.25)),
        "covered_95": float(np.mean([one.low <= one.known <= one.high for one in found])),
        "error": float(np.sqrt(np.mean(errors**2)) / wide) if wide > 0 else float("nan"),
        "narrowed": float(np.mean(narrowed)),
    }
