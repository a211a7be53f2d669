"""Where a plane's rows cross one half: the simulated boundary, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ecosim.studies.cells import LEVEL, Floats, drawn
from ecosim.studies.phase_diagram import Diagram

_DRAWS = 1000


@dataclass(frozen=True)
class Contour:
    """Where the share first rises through one half in each row.

    -inf: the row begins above one half, so that it crosses at or left of its first x, if at all;
    inf: it never rises above one half on this axis.

    Attributes:
        x: by the mean shares `[Y]`; nan: a row without values.
        low: 2.5 % quantile of `x` when each cell's mean is drawn by Student's t `[Y]`.
        high: 97.5 %.
        crosses: share of these draws in which the row crosses within the axis `[Y]`.

    """

    x: Floats
    low: Floats
    high: Floats
    crosses: Floats


def crossing(x: Floats, share: Floats) -> float:
    """Return where a row of shares `[X]` first rises through one half, by linear interpolation.

    Cells without a value are passed over. A row may fall below one half again further right.

    Returns:
        -inf where the first cell is above one half; inf where none is; nan without any value.

    """
    known = np.isfinite(share)
    x, share = x[known], share[known]
    if not share.size:
        return math.nan
    above = np.flatnonzero(share > 0.5)
    if not above.size:
        return math.inf
    first = int(above[0])
    if first == 0:
        return -math.inf
    part = (0.5 - share[first - 1]) / (share[first] - share[first - 1])
    return float(x[first - 1] + part * (x[first] - x[first - 1]))


def contour(diagram: Diagram) -> Contour:
    """Return the 50 % contour of a diagram, with its interval."""
    random = np.random.default_rng(0)
    middle = np.array([crossing(diagram.x, row) for row in diagram.mean])
    means = drawn(diagram.share, _DRAWS, random)
    found = np.array([[crossing(diagram.x, row) for row in one] for one in means])
    # Quantiles that are observations: between -inf and inf there is nothing to interpolate.
    low, high = np.quantile(found, (LEVEL / 2, 1 - LEVEL / 2), axis=0, method="inverted_cdf")
    return Contour(middle, low, high, np.isfinite(found).mean(axis=0))


def worded(value: float, x: Floats) -> str:
    """Return a crossing in words: censored at the ends of the axis x `[X]`."""
    if math.isnan(value):
        return "no value"
    if math.isinf(value):
        return f"<= {x[0]:.3g}" if value < 0 else f"> {x[-1]:.3g}"
    return f"{value:.3g}"
