"""Points chosen one batch after the other, for the best mean of a metric: Optuna's ask and tell."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import Problem, RunError, ScenarioError
from ecosim.sweeps.definition import Search, Sweep
from ecosim.sweeps.execution import Engine
from ecosim.sweeps.ranges import Range
from ecosim.sweeps.trials import Simulator

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        best: values of the best trial.
        value: its metric, the mean over replicates at the end.
        trials: for each its values, `value` (None: it failed) and `point`.

    """

    best: dict[str, Any]
    value: float
    trials: list[dict[str, Any]]


def search(
    sweep: Sweep,
    folder: Path,
    engine: Engine,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    told: Callable[[int, Found | None], None] | None = None,
) -> Found:
    """Look for the values at which a metric is largest or smallest.

    Trials are proposed by a tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS) in
    batches that run together. The same seed proposes the same trials, and what is done is not run
    again: the same command continues, and more trials go on from the last.

    Args:
        sweep: a sweep with a `search`; all else of it that varies is not allowed.
        folder: of the sweep of all trials.
        engine: what computes.
        should_stop: asked between batches of runs.
        told: called after each batch with the number of trials and what was found so far.

    Raises:
        ScenarioError: the sweep describes no search, or Optuna is not installed.
        RunError: every trial failed.
        Paused: stopped early; the same call goes on.

    """
    plan = _plan(sweep)
    study = _study(sweep, plan)
    simulator = Simulator(dataclasses.replace(sweep, search=None), folder, engine, should_stop)
    trials: list[dict[str, Any]] = []
    while len(trials) < plan.trials:
        # Whole batches always, so that the first trials do not depend on how many there will be.
        asked = [study.ask() for _ in range(plan.together)]
        settings = [_values(trial, plan.ranges) for trial in asked]
        digests = simulator.points(settings)
        means = simulator.means(settings, [plan.metric])[:, 0]
        for trial, mean in zip(asked, means, strict=True):
            _tell(study, trial, float(mean))
        trials += [
            {**row, "value": float(mean) if np.isfinite(mean) else None, "point": digest}
            for row, mean, digest in zip(settings, means, digests, strict=True)
        ]
        if told is not None:
            told(min(len(trials), plan.trials), _best(trials[: plan.trials], plan))
    found = _best(trials[: plan.trials], plan)
    if found is None:
        raise RunError(f"all {plan.trials} trials failed; failures.parquet in {folder} says why")
    return found


def _plan(sweep: Sweep) -> Search:
    problems = []
    if sweep.search is None:
        problems.append(Problem("search", "", "is needed: metric, direction, trials and over"))
    elif not sweep.search.over:
        problems.append(Problem("search.over", "{}", "needs one key or more, as in 'low:high'"))
    if sweep.grid or sweep.zip or sweep.points or sweep.sample:
        rule = "a search chooses all points; give neither grid, zip, points nor sample"
        problems.append(Problem("search", "", rule))
    if problems or sweep.search is None:
        raise ScenarioError(problems, "sweep")
    return sweep.search


def _study(sweep: Sweep, plan: Search) -> optuna.Study:
    try:
        import optuna
    except ImportError:
        fix = "pip install 'ecosim[adaptive]'"
        raise ScenarioError([Problem("search", "", "needs the package optuna", fix)]) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        # Its option that keeps the trials of one batch apart is marked as experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=sweep.seed & 0xFFFFFFFF, n_startup_trials=max(plan.together, 10),
            multivariate=True, constant_liar=True,
        )  # fmt: skip
    return optuna.create_study(direction=plan.direction, sampler=sampler)


def _values(trial: optuna.Trial, ranges: dict[str, Range]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, found in ranges.items():
        if found.whole:
            values[key] = trial.suggest_int(key, int(found.low), int(found.high), log=found.log)
        else:
            value = trial.suggest_float(key, found.low, found.high, log=found.log)
            values[key] = float(f"{value:.12g}")
    return values


def _tell(study: optuna.Study, trial: optuna.Trial, mean: float) -> None:
    from optuna.trial import TrialState

    if np.isfinite(mean):
        study.tell(trial, mean)
    else:
        study.tell(trial, state=TrialState.FAIL)


def _best(trials: list[dict[str, Any]], plan: Search) -> Found | None:
    good = [trial for trial in trials if trial["value"] is not None]
    if not good:
        return None
    sign = 1 if plan.direction == "maximize" else -1
    best = max(good, key=lambda trial: sign * trial["value"])
    values = {key: best[key] for key in plan.ranges}
    return Found(values, best["value"], trials)
