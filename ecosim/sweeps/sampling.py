"""Designs that sample a box: scipy's quasi-random sequences, SALib's for sensitivity."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from ecosim.errors import Problem, ScenarioError
from ecosim.sweeps.definition import Sweep
from ecosim.sweeps.ranges import Range


def sampled(sweep: Sweep) -> list[dict[str, Any]]:
    """Return the points that the sample of a sweep means; one empty point without a sample.

    `random` and `sobol` designs are prefixes of longer ones: with more samples the old points
    stay. The Sobol sequence is scrambled (Owen 1995) from the sweep's seed.

    Raises:
        ScenarioError: the method needs a package that is not installed.

    """
    if sweep.sample is None:
        return [{}]
    return placed(sweep.ranges, design(sweep))


def design(sweep: Sweep) -> np.ndarray:
    """Return the rows `[points, keys]` of a sweep's sample in the unit cube.

    Raises:
        ScenarioError: no key to draw, or the method needs a package that is not installed.

    """
    assert sweep.sample is not None
    ranges = sweep.ranges
    if not ranges:
        problem = Problem("sample.over", "{}", "needs one key or more, as in 'low:high'")
        raise ScenarioError([problem], "sweep")
    return _units(sweep.sample.method, ranges, sweep.sample.samples, _stream(sweep))


def placed(ranges: dict[str, Range], rows: np.ndarray) -> list[dict[str, Any]]:
    """Return the values that rows `[points, keys]` of the unit cube stand for."""
    return [
        {key: _rounded(ranges[key].at(float(u))) for key, u in zip(ranges, row, strict=True)}
        for row in rows
    ]


def _rounded(value: float | int) -> float | int:
    return value if isinstance(value, int) else float(f"{value:.12g}")


def _stream(sweep: Sweep) -> int:
    """Return a seed for the design that differs from those of its runs."""
    text = f"design {sweep.seed}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _units(method: str, ranges: dict[str, Range], count: int, seed: int) -> np.ndarray:
    """Return positions `[points, keys]` in the unit cube."""
    from scipy.stats import qmc

    dimensions = len(ranges)
    if method == "random":
        rows = [np.random.default_rng([seed, row]).random(dimensions) for row in range(count)]
        return np.array(rows)
    if method == "latin-hypercube":
        cube = qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed))
        return np.asarray(cube.random(count))
    if method == "sobol":
        sequence = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
        whole = sequence.random_base2(max(math.ceil(math.log2(count)), 0))
        return np.asarray(whole[:count])
    return _sensitivity(method, dimensions, count, seed)


def problem_of(dimensions: int, names: list[str] | None = None) -> dict[str, Any]:
    """Return SALib's description of the unit cube."""
    names = names or [f"x{i}" for i in range(dimensions)]
    return {"num_vars": dimensions, "names": names, "bounds": [[0.0, 1.0]] * dimensions}


def _sensitivity(method: str, dimensions: int, count: int, seed: int) -> np.ndarray:
    try:
        from SALib.sample import morris, sobol
    except ImportError:
        fix = "pip install 'ecosim[sensitivity]'"
        lacking = Problem("sample.method", method, "needs the package SALib", fix)
        raise ScenarioError([lacking], "sweep") from None
    problem = problem_of(dimensions)
    if method == "morris":
        return np.asarray(morris.sample(problem, count, seed=seed))
    return np.asarray(sobol.sample(problem, count, calc_second_order=False, seed=seed))
