"""Posterior predictive checks: whether data made by a fitted scenario look like the data.

Gelman, Meng & Stern 1996 (Statistica Sinica 6:733-760). A p-value near 0 says that the fitted
scenario hardly ever makes so extreme a number; a fit that is right by construction gives values
near 1, as the same data are used twice: a high p-value proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.sweeps.target import Target

_QUANTILES = (0.9, 0.95, 0.99)
_BEYOND = (3, 10)  # breadths beyond which the tail begins


@dataclass(frozen=True)
class Check:
    """One number of the data, and what the fitted scenario makes of it.

    Attributes:
        observed: of the data.
        mean: of the draws.
        low: 5 % of the draws lie below it.
        high: 5 % of the draws lie above it.
        p: two-sided p-value; an equal draw counts half to either side.
        empty: a class of a distribution that neither the data nor the draws use.

    """

    observed: float
    mean: float
    low: float
    high: float
    p: float
    empty: bool = False

    @property
    def outside(self) -> bool:
        """Whether the data lie outside the central 90 % of the draws."""
        return not self.low <= self.observed <= self.high


def check(observed: float, drawn: np.ndarray, *, share: bool = False) -> Check:
    """Compare an observed number with draws of it, `[n]`; NaN: a run that failed.

    Args:
        observed: of the data.
        drawn: of the fitted scenario.
        share: it is the share of a class, which may be empty.

    """
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        lost = float("nan")
        return Check(observed, lost, lost, lost, lost)
    close = np.isclose(drawn, observed, rtol=1e-9, atol=1e-12)
    above = float(np.mean(np.where(close, 0.5, drawn > observed)))
    # No more is known than that it is rarer than one draw in n.
    p = max(2 * min(above, 1 - above), 1 / len(drawn))
    low, high = np.quantile(drawn, [0.05, 0.95])
    empty = share and observed == 0 and not drawn.any()
    return Check(observed, float(drawn.mean()), float(low), float(high), min(p, 1.0), empty)


def statistics(target: Target, simulated: np.ndarray) -> dict[str, Check]:
    """Check each statistic that was fitted; simulated is `[n, S]`."""
    return {
        name: check(float(target.values[i]), simulated[:, i], share=target.distribution)
        for i, name in enumerate(target.names)
    }


def summaries(target: Target, simulated: np.ndarray) -> dict[str, Check]:
    """Check the shape of a distribution: its specialists, its mean and its tail; else nothing.

    They were not fitted as such: the distance is that of the whole distribution.
    """
    if not target.distribution:
        return {}
    observed, drawn = summarised(target.values[None, :]), summarised(simulated)
    return {name: check(float(observed[name][0]), drawn[name]) for name in observed}


def summarised(shares: np.ndarray) -> dict[str, np.ndarray]:
    """Return summaries of distributions of breadth `[n, K]`, each `[n]`; NaN where one is NaN.

    A quantile is the least breadth that at least so large a share does not exceed.
    """
    count = shares.shape[1]
    breadths = np.arange(1, count + 1)
    upto = shares.cumsum(axis=1)
    found = {"share of breadth 1": shares[:, 0], "mean breadth": shares @ breadths}
    lost = np.isnan(shares).any(axis=1)
    for q in _QUANTILES:
        place = (upto < q - 1e-9).sum(axis=1) + 1.0
        found[f"{q:.0%} quantile"] = np.where(lost, np.nan, np.minimum(place, count))
    for breadth in _BEYOND:
        if breadth < count:
            found[f"share above {breadth}"] = shares[:, breadth:].sum(axis=1)
    return found


def failing(found: dict[str, Check], level: float = 0.05) -> Sequence[str]:
    """Return the names of what the fitted scenario does not reproduce: p below a level."""
    return [name for name, one in found.items() if not one.empty and one.p < level]
