"""Specialisation of a leaderboard: agents in rows, benchmarks in columns, scores of any scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ecosim.errors import WebError
from ecosim.webs import indices
from ecosim.webs.measure import SHOWN, check_names, read_lines

RULE = "every cell must be a finite number, or empty where there is no score"
RESCALING = "per benchmark: 0 = the worst score on it, 1 = the best (of those measured)"
_PAIRED = 3  # agents measured on both benchmarks, at least, for a correlation of ranks
_ABSENT = frozenset({"", "-", "na", "n/a", "nan"})


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read a leaderboard.

    Args:
        path: a comma-separated UTF-8 file: a header with the benchmarks' names, then one line an
            agent with its name first. A score that is missing is empty, `-`, `NA` or `nan`.

    Returns:
        float64 `[agents, benchmarks]`, nan where a score is missing.

    Raises:
        WebError: no such file, not CSV text, ragged lines, missing or repeated names, fewer than
            two agents, no benchmark, or a cell that breaks `RULE`.

    """
    lines = read_lines(path)
    if len(lines) < 3 or len(lines[0][1]) < 2:
        got = f"{max(len(lines) - 1, 0)} and {max(len(lines[0][1]) - 1, 0) if lines else 0}"
        raise WebError(
            path,
            "a leaderboard needs two agents (lines) or more and a benchmark (column after the "
            f"names); got {got}. Is the file separated by commas, with a header?",
        )
    (_, header), body = lines[0], lines[1:]
    for line, cells in body:
        if len(cells) != len(header):
            raise WebError(
                path,
                f"line {line} has {len(cells)} cells and the header {len(header)}; every line "
                "needs one cell per column, empty where a score is missing",
            )
    agents, benchmarks = [cells[0] for _, cells in body], header[1:]
    check_names("agent", agents, path)
    check_names("benchmark", benchmarks, path)
    values = _numbers([cells[1:] for _, cells in body], agents, benchmarks, path)
    return pd.DataFrame(values, index=pd.Index(agents, name="agent"), columns=benchmarks)


def _numbers(
    cells: Sequence[Sequence[str]], agents: list[str], benchmarks: list[str], path: str | Path
) -> indices.Floats:
    values = np.full((len(agents), len(benchmarks)), math.nan)
    bad = []
    for row, agent in enumerate(agents):
        for column, benchmark in enumerate(benchmarks):
            text = cells[row][column]
            if text.lower() in _ABSENT:
                continue
            try:
                values[row, column] = math.nan if "_" in text else float(text)
            except ValueError:
                pass
            if not math.isfinite(values[row, column]):
                bad.append(f"{agent!r} on {benchmark!r}: {text!r}")
    if bad:
        more = "; and more" if len(bad) > SHOWN else ""
        raise WebError(path, f"{RULE}; got {'; '.join(bad[:SHOWN])}{more}")
    return values


def rescaled(scores: pd.DataFrame, lower: Sequence[str] = ()) -> pd.DataFrame:
    """Return scores between 0, the worst on a benchmark, and 1, the best, and nan where missing.

    Args:
        scores: as `read_scores` returns them.
        lower: benchmarks on which less is better.

    """
    signed = scores.copy()
    signed[list(lower)] = -signed[list(lower)]
    low, high = signed.min(), signed.max()
    # Halved, so that the difference of two large scores does not overflow.
    half = high / 2 - low / 2
    return (signed / 2 - low / 2) / half.where(half > 0)


def measure_leaderboard(
    table: str | Path | pd.DataFrame, *, lower: Sequence[str] = ()
) -> dict[str, Any]:
    """Measure how specialised the agents of a leaderboard are.

    Scores are rescaled (`RESCALING`); a benchmark on which all score alike tells nobody apart and
    is left out. An agent's rescaled scores are its use of the benchmarks, as a species uses niches.

    Args:
        table: a file for `read_scores`, or what it returns.
        lower: benchmarks on which less is better.

    Returns:
        JSON-ready numbers, None where a quantity has no value and `undefined` says why.
        Of the table: `h2` (H2', 0 all agents use the benchmarks alike, 1 each has its own),
        `rank_correlation` (mean Spearman correlation of two benchmarks over the agents measured on
        both: 1 where one order holds everywhere), `first_component` (share of the variance of
        standardised scores along their first principal component: a general factor). `per_agent`:
        `measured` (number of benchmarks), `mean` (rescaled score), `breadth` (exp of the entropy
        of its rescaled scores, an effective number of benchmarks), `d` (d'), `led` (share of
        benchmarks on which nobody is better; ties divide it). H2', d' and the component take the
        agents that are measured on every benchmark: `incomplete` names the others.

    Raises:
        WebError: as for `read_scores`, or an unknown benchmark in `lower`.

    """
    scores = read_scores(table) if not isinstance(table, pd.DataFrame) else table
    source = "leaderboard" if isinstance(table, pd.DataFrame) else table
    unknown = [name for name in lower if name not in scores.columns]
    if unknown:
        known = ", ".join(map(str, scores.columns))
        raise WebError(source, f"no benchmark {unknown[0]!r}; the table has: {known}")
    unit = rescaled(scores, lower)
    flat = [str(name) for name in unit.columns[unit.isna().all()]]
    unit = unit.drop(columns=flat)
    if unit.empty:
        raise WebError(source, "no benchmark tells two agents apart: all scores on each are equal")
    whole = unit.dropna()
    d, h2 = _web(whole)
    numbers = {"h2": h2, "rank_correlation": _ranks(unit), "first_component": _component(whole)}
    return {
        **{name: _json(value) for name, value in numbers.items()},
        "agents": len(unit.index),
        "benchmarks": len(unit.columns),
        "rescaling": RESCALING,
        "flat": flat,
        "incomplete": [str(name) for name in unit.index[unit.isna().any(axis=1)]],
        "undefined": _reasons(numbers, unit),
        "per_agent": _per_agent(unit, d),
    }


def _web(whole: pd.DataFrame) -> tuple[dict[Any, float], float]:
    """Return d' by agent and H2' of the rescaled scores, of agents that score at all."""
    some = whole[whole.sum(axis=1) > 0]
    counts = some.to_numpy(float).T  # benchmarks are niches: rows
    counts = counts[counts.sum(axis=1) > 0] if counts.size else counts
    if min(counts.shape) < 2:
        return {}, math.nan
    # Shares of one, so that scores of 0 and 1 are not taken for counts of interactions.
    counts = counts / counts.sum()
    return dict(zip(some.index, indices.d_prime(counts), strict=True)), indices.h2_prime(counts)


def _ranks(unit: pd.DataFrame) -> float:
    """Return the mean Spearman correlation over pairs of benchmarks; nan where there is none."""
    found = []
    for first, second in combinations(unit.columns, 2):
        pair = unit[[first, second]].dropna()
        if len(pair) >= _PAIRED and (pair.nunique() > 1).all():
            found.append(stats.spearmanr(pair[first], pair[second]).statistic)
    return float(np.mean(found)) if found else math.nan


def _component(whole: pd.DataFrame) -> float:
    """Return the largest eigenvalue of the benchmarks' correlation matrix over their number."""
    values = whole.to_numpy(float)
    values = values[:, np.ptp(values, axis=0) > 0] if len(values) else values
    if len(values) < _PAIRED or values.shape[1] < 2:
        return math.nan
    correlation = np.corrcoef(values, rowvar=False)
    return float(np.linalg.eigvalsh(correlation)[-1] / values.shape[1])


def _per_agent(unit: pd.DataFrame, d: dict[Any, float]) -> list[dict[str, Any]]:
    best = unit.eq(unit.max())
    led = best.div(best.sum()).mean(axis=1)
    rows = []
    for (name, score), lead in zip(unit.iterrows(), led, strict=True):
        use = score.dropna().to_numpy(float)
        total = use.sum()
        shares = use[use > 0] / total if total > 0 else np.array([math.nan])
        rows.append({
            "agent": str(name), "measured": int(use.size),
            "mean": _json(float(use.mean()) if use.size else math.nan),
            "breadth": _json(float(np.exp(-np.sum(shares * np.log(shares))))),
            "d": _json(float(d.get(name, math.nan))), "led": float(lead),
        })  # fmt: skip
    return rows


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _reasons(numbers: dict[str, float], unit: pd.DataFrame) -> dict[str, str]:
    whole = len(unit.dropna())
    reasons = {
        "h2": f"needs two agents that are measured on every benchmark and score above the worst "
        f"somewhere, two benchmarks, and a choice between them ({whole} agents are complete)",
        "rank_correlation": f"needs two benchmarks that share {_PAIRED} agents or more",
        "first_component": f"needs {_PAIRED} complete agents ({whole} are) and two benchmarks that "
        "vary among them",
    }
    return {name: reasons[name] for name, value in numbers.items() if math.isnan(value)}
