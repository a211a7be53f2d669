"""Numbers of a scenario on their way into the compiled step."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from jax import Array

from ecosim.errors import Problem, ScenarioError


def traced(value: Any, dtype: str) -> Array:
    """Return a number or table as a typed array.

    It stays in NumPy until the compiled step takes it, so that preparing a run does no work on
    the device and compiles nothing; for the step it is an ordinary traced array.

    Raises:
        ScenarioError: a number too large for the precision of the run.

    """
    given = np.asarray(value)
    with np.errstate(over="ignore", under="ignore"):
        held = given.astype(dtype)
    lost = np.isfinite(given) & ~np.isfinite(held)
    if np.any(lost):
        problem = Problem(
            "run.precision",
            dtype,
            f"cannot hold the scenario's number {given[lost].ravel()[0]:g}",
            "use run.precision = 'float64', or a number nearer to 1",
        )
        raise ScenarioError([problem])
    return cast(Array, held)
