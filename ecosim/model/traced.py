"""Numbers of a scenario on their way into the compiled step."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from jax import Array


def traced(value: Any, dtype: str) -> Array:
    """Return a number or table as a typed array.

    It stays in NumPy until the compiled step takes it, so that preparing a run does no work on
    the device and compiles nothing; for the step it is an ordinary traced array.
    """
    return cast(Array, np.asarray(value, dtype))
