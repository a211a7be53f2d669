"""The figure of a case: simulated points with error bars on the theoretical line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecosim.errors import Problem, ScenarioError
from ecosim.verification.case import Case
from ecosim.verification.judgement import Result
from ecosim.verification.runner import Job, check

_LINE = 120  # points of the theoretical line


def trace(case: Case, given: Mapping[str, Any], seeds: int | None = None) -> list[Result]:
    """Return the results of a case at each point of its curve.

    Raises:
        ScenarioError: parameters outside the case's domain.

    """
    return [check(case, job.given, job.seeds) for job in points(case, given, seeds)]


def points(case: Case, given: Mapping[str, Any], seeds: int | None = None) -> list[Job]:
    """Return what is to be checked along the curve of a case; none where it has no curve.

    Raises:
        ScenarioError: the parameter along which it runs is given.

    """
    curve = case.curve
    if curve is None:
        return []
    if curve.parameter in given:
        rule = f"the figure of {case.name} runs along {curve.parameter}, from {curve.values[0]:g} "
        rule += f"to {curve.values[-1]:g}, and cannot hold it"
        fix = "set other parameters, or leave --figure out"
        raise ScenarioError([Problem(curve.parameter, f"{given[curve.parameter]}", rule, fix)],
                            f"verify {case.name}")  # fmt: skip
    fixed = dict(curve.fixed) | {k: v for k, v in given.items() if k != curve.parameter}
    count = seeds if seeds is not None else curve.seeds
    return [Job(case.name, {**fixed, curve.parameter: value}, count) for value in curve.values]


def theory(case: Case, results: Sequence[Result]) -> tuple[np.ndarray, np.ndarray]:
    """Return the closed form between the first and the last point; NaN outside its domain."""
    assert case.curve is not None
    name = case.curve.parameter
    at = [float(result.parameters[name]) for result in results]
    whole = next(p.whole for p in case.parameters if p.name == name)
    if whole:
        line = np.unique(np.round(np.linspace(min(at), max(at), _LINE)))
    elif case.curve.log:
        line = np.geomspace(min(at), max(at), _LINE)
    else:
        line = np.linspace(min(at), max(at), _LINE)
    values = []
    for value in line:
        number = int(value) if whole else float(value)
        try:
            point = case.values({**results[0].parameters, name: number})
            values.append(float(case.expected(point)))
        except (ScenarioError, ValueError):
            values.append(np.nan)
    return line, np.array(values)


def draw(case: Case, results: Sequence[Result], path: Path) -> None:
    """Write the figure of a case traced along its curve."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    assert case.curve is not None
    name = case.curve.parameter
    meaning = next(p.meaning for p in case.parameters if p.name == name)
    at = np.array([float(result.parameters[name]) for result in results])
    figure, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    line, values = theory(case, results)
    word = "theory" if case.relation == "equal" else f"bound: {case.relation} this"
    ax.plot(line, values, color="#0072B2", linewidth=1.8, label=word, zorder=1)
    # Where the domain has gaps the line is broken, and theory shows only at the points.
    own = [result.expected for result in results]
    ax.plot(
        at,
        own,
        "s",
        color="#0072B2",
        markerfacecolor="none",
        markersize=8,
        zorder=1,
        label="theory at these points",
    )
    for good, colour, label in ((True, "black", "simulated"), (False, "#D55E00", "failed")):
        some = np.array([result.passed is good for result in results])
        if some.any():
            ax.errorbar(
                at[some], np.array([r.observed for r in results])[some],
                yerr=2 * np.array([r.stderr for r in results])[some], fmt="o", markersize=4.5,
                capsize=2.5, linewidth=1, color=colour, label=f"{label}, +- 2 s.e.", zorder=2,
            )  # fmt: skip
    if case.curve.log:
        ax.set_xscale("log")
    ax.set_xlabel(f"{name}: {meaning}")
    ax.set_ylabel(case.curve.label)
    ax.set_title(f"{', '.join(case.labels)}  {case.title}", fontsize=10, loc="left", wrap=True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    plt.close(figure)
