"""Which of the varied numbers a metric depends on: Sobol indices and Morris's elementary effects.

A sweep whose sample is `saltelli` yields first-order and total indices (Saltelli et al. 2010,
Computer Physics Communications 181:259-270), one whose sample is `morris` yields mu*, mu and sigma
(Campolongo et al. 2007, Environmental Modelling & Software 22:1509-1518). SALib computes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import StoreError
from ecosim.sweeps.definition import validate
from ecosim.sweeps.points import name_of
from ecosim.sweeps.sampling import design, problem_of, sampled

if TYPE_CHECKING:
    from ecosim.sweeps.definition import Sweep
    from ecosim.sweeps.results import SweepResults

_FEWEST = 4  # blocks or trajectories below which intervals say nothing


@dataclass(frozen=True)
class Sensitivity:
    """How much a metric depends on each key.

    Attributes:
        metric: its name.
        method: `saltelli` or `morris`.
        table: indexed by key. saltelli: `first`, `total`, shares of the metric's variance over the
            box, and half-widths `first_ci`, `total_ci` of their bootstrap intervals. morris:
            `mu_star`, `mu_star_ci`, `mu`, `sigma`, in units of the metric for a move over the
            whole range of the key.
        used: blocks (saltelli: k + 2 points) or trajectories (morris: k + 1 points) that count.
        excluded: those left out because a point of them failed or was not run. What is left is
            no longer the whole design: where failures depend on the keys, the indices are biased.
        noise: share of the variance between points that is chance between replicates, estimated
            from their spread; NaN with one replicate. It enters the total indices of all keys.
        confidence: of the intervals.

    """

    metric: str
    method: str
    table: pd.DataFrame
    used: int
    excluded: int
    noise: float
    confidence: float

    def notes(self) -> list[str]:
        """Return what a reader must know besides the table, as sentences."""
        unit = "blocks" if self.method == "saltelli" else "trajectories"
        notes = [f"{self.used} {unit} of the design, intervals of {self.confidence:.0%}"]
        if self.excluded:
            lost = f"{self.excluded} {unit} are left out: a point of them failed or was not run"
            notes.append(f"{lost}; the indices are biased where that depends on the keys")
        if np.isnan(self.noise):
            notes.append("one replicate: chance cannot be told from interaction")
        else:
            notes.append(f"{self.noise:.0%} of the variance between points is chance")
        return notes

    def as_table(self) -> dict[str, Any]:
        """Return the indices as plain data."""
        return {
            "metric": self.metric, "method": self.method, "used": self.used,
            "excluded": self.excluded, "noise": self.noise, "confidence": self.confidence,
            "indices": self.table.to_dict("index"),
        }  # fmt: skip


def sensitivity(
    results: SweepResults, metric: str, *, window: float = 0.0, confidence: float = 0.95
) -> Sensitivity:
    """Return the indices of a metric's mean over replicates, at the end of the runs.

    Args:
        results: a sweep whose sample is `saltelli` or `morris`.
        metric: its name.
        window: 0: the last record; otherwise the mean over this last share of the records.
        confidence: of the intervals, between 0 and 1.

    Raises:
        StoreError: the sweep has no such sample, or varies more besides it; the metric was not
            recorded or is the same everywhere; too few whole blocks are there.

    """
    sweep = _sampled(results)
    assert sweep.sample is not None
    values = _values_of(results)
    rows = [values.get(name_of(row)) for row in sampled(sweep)]
    summary = results.summary(metric, window=window)
    mean = summary[metric]
    outcome = np.array([np.nan if point is None else mean.get(point, np.nan) for point in rows])
    noise = _noise(summary.loc[summary.index.isin(rows)], metric)
    found = indices(
        sweep.sample.method, list(sweep.ranges), design(sweep), outcome,
        metric=metric, confidence=confidence, where=str(results.path),
    )  # fmt: skip
    return replace(found, noise=noise)


def _noise(design: pd.DataFrame, metric: str) -> float:
    """Return the share of the variance between points, one row each, that is chance."""
    variance, error = float(np.nanvar(design[metric])), design[f"{metric}_se"]
    if variance <= 0 or not error.notna().any():
        return np.nan
    return min(float(np.nanmean(error**2)) / variance, 1.0)


def _sampled(results: SweepResults) -> Sweep:
    sweep = validate(results.definition, str(results.path))
    if sweep.sample is None or sweep.sample.method not in ("saltelli", "morris"):
        rule = "its sample is neither saltelli nor morris, from which sensitivity is estimated"
        raise StoreError(f"{results.path}: {rule}; run one with --saltelli or --morris")
    if sweep.grid or sweep.zip or sweep.points:
        rule = "it varies more than its sample (grid, zip or points)"
        raise StoreError(f"{results.path}: {rule}; run one sweep for each of those settings")
    return sweep


def _values_of(results: SweepResults) -> dict[str, str]:
    """Return the digest of the point of each setting; points of other designs do no harm."""
    return {name_of(values): digest for digest, values in results.settings.items()}


def indices(
    method: str,
    names: list[str],
    rows: np.ndarray,
    outcome: np.ndarray,
    *,
    metric: str = "",
    confidence: float = 0.95,
    where: str = "sensitivity",
) -> Sensitivity:
    """Return the indices of an outcome over a design.

    Args:
        method: `saltelli` or `morris`.
        names: of the keys, k of them.
        rows: the design in the unit cube, `[rows, k]`, in the order in which it was made.
        outcome: one number a row; NaN where there is none.
        metric: its name.
        confidence: of the intervals, between 0 and 1.
        where: what a message of error begins with.

    Raises:
        StoreError: too few whole blocks, or an outcome that is the same everywhere.

    """
    block = len(names) + (2 if method == "saltelli" else 1)
    whole = np.isfinite(outcome).reshape(-1, block).all(axis=1)
    used, excluded = int(whole.sum()), int((~whole).sum())
    if used < _FEWEST:
        rule = f"{used} of {len(whole)} blocks of {block} points are whole, fewer than {_FEWEST}"
        raise StoreError(f"{where}: {rule}; run what is missing, or with more --samples")
    kept = np.repeat(whole, block)
    rows, outcome = rows[kept], outcome[kept]
    if np.ptp(outcome) == 0:
        raise StoreError(f"{where}: {metric} is {outcome[0]:g} at every point: nothing to explain")
    estimate = _sobol if method == "saltelli" else _morris
    table = estimate(names, rows, outcome, confidence)
    return Sensitivity(metric, method, table, used, excluded, np.nan, confidence)


def _sobol(
    names: list[str], rows: np.ndarray, outcome: np.ndarray, confidence: float
) -> pd.DataFrame:
    from SALib.analyze import sobol

    # Centred: the estimators lose digits where the mean is large beside the spread.
    found = sobol.analyze(
        problem_of(len(names), names), outcome - outcome.mean(), calc_second_order=False,
        num_resamples=1000, conf_level=confidence, seed=1,
    )  # fmt: skip
    columns = {"first": "S1", "first_ci": "S1_conf", "total": "ST", "total_ci": "ST_conf"}
    table = {column: np.asarray(found[name]) for column, name in columns.items()}
    return pd.DataFrame(table, index=pd.Index(names, name="key"))


def _morris(
    names: list[str], rows: np.ndarray, outcome: np.ndarray, confidence: float
) -> pd.DataFrame:
    from SALib.analyze import morris

    found = morris.analyze(
        problem_of(len(names), names), rows, outcome, conf_level=confidence, num_resamples=1000,
        num_levels=4, seed=1,
    )  # fmt: skip
    columns = {"mu_star": "mu_star", "mu_star_ci": "mu_star_conf", "mu": "mu", "sigma": "sigma"}
    table = {column: np.asarray(found[name], float) for column, name in columns.items()}
    return pd.DataFrame(table, index=pd.Index(names, name="key"))
