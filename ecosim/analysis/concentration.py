"""Concentration of a market and distribution of sizes.

Sizes are any non-negative quantity of shape (agents,): sales, capital, number of organisms. What
has no value (shares of a total of 0, a tail of one size) is NaN here and None in `describe_sizes`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from ecosim.errors import EcosimError

type Floats = NDArray[np.float64]

# Beyond this standardised cut-off, a normal cut off there is exponential within floating point.
FARTHEST_CUT = 60.0
# Below this one, nothing is cut off within floating point.
NEAREST_CUT = -30.0


def herfindahl(sizes: ArrayLike) -> float:
    """Return the Herfindahl-Hirschman index, sum of squared shares, in [1/n, 1]."""
    shares = _shares(sizes)
    return float(np.sum(shares**2)) if shares.size else math.nan


def concentration_ratio(sizes: ArrayLike, largest: int = 4) -> float:
    """Return C_n, the share of the total that the `largest` agents hold, in [0, 1]."""
    if largest < 1:
        raise EcosimError(f"a concentration ratio needs at least one agent; got {largest}")
    shares = np.sort(_shares(sizes))[::-1]
    # Sums of different lengths round differently: the ratio may miss 1 on either side.
    return min(float(shares[:largest].sum() / shares.sum()), 1.0) if shares.size else math.nan


def gini(sizes: ArrayLike) -> float:
    """Return Gini's coefficient, half the relative mean difference, in [0, 1 - 1/n]."""
    shares = np.sort(_shares(sizes))
    if not shares.size:
        return math.nan
    number = len(shares)
    rank = 2 * np.arange(1, number + 1) - number - 1
    return max(float(rank @ shares) / number, 0.0)


def generalist_concentration(
    sizes: ArrayLike, breadth: ArrayLike, threshold: float, *, largest: int = 4
) -> float:
    """Return C_n among the generalists, the predictor of resource partitioning (Carroll 1985).

    Args:
        sizes: Shape (agents,).
        breadth: Effective numbers of niches, shape (agents,).
        threshold: A generalist's breadth exceeds this.
        largest: n of C_n.

    Returns:
        Share of the generalists' total held by their `largest`; NaN if they hold nothing.

    Raises:
        EcosimError: Shapes differ, or a size is negative or not finite.
    """
    values, widths = _sizes(sizes), np.asarray(breadth, dtype=np.float64)
    if widths.shape != values.shape:
        raise EcosimError(f"one breadth per size is needed; got {widths.shape} and {values.shape}")
    return concentration_ratio(values[widths > threshold], largest)


def complementary_frequencies(sizes: ArrayLike) -> pd.DataFrame:
    """Return `size` (each distinct one, rising) and `frequency`, the share of sizes >= it."""
    values, counts = np.unique(_sizes(sizes), return_counts=True)
    at_least = np.cumsum(counts[::-1])[::-1]
    return pd.DataFrame({"size": values, "frequency": at_least / max(int(counts.sum()), 1)})


@dataclass(frozen=True)
class PowerLaw:
    """P(S > s) = (s/xmin)^-exponent for s >= xmin, fitted by maximum likelihood."""

    exponent: float
    """z of the upper tail; the density falls as s^-(z+1)."""
    standard_error: float
    """exponent/sqrt(number)."""
    log_likelihood: float
    """Of the sizes themselves, natural logarithm."""
    xmin: float
    """Smallest size of the tail, in the unit of the sizes."""
    number: int
    """Sizes in the tail."""


@dataclass(frozen=True)
class Lognormal:
    """ln S normal (mu, sigma), cut off below xmin, fitted by maximum likelihood."""

    mu: float
    """Mean of ln S before the cut; -inf in the limit of a power law."""
    sigma: float
    """Standard deviation of ln S before the cut; inf in the limit of a power law."""
    log_likelihood: float
    """Of the sizes themselves, natural logarithm."""
    xmin: float
    """Smallest size considered; 0 = no cut."""
    number: int
    """Sizes considered."""


def fit_power_law(sizes: ArrayLike, xmin: float) -> PowerLaw:
    """Fit the tail of the sizes above `xmin` (Hill 1975, Ann Stat 3:1163; Clauset et al. 2009).

    exponent = n/sum ln(s/xmin), biased upwards by n/(n-1).

    Raises:
        EcosimError: `xmin` is not positive, or a size is negative or not finite.
    """
    tail = _tail(sizes, xmin)
    logs = np.log(tail / xmin)
    number, total = len(tail), float(logs.sum())
    if number < 2 or total <= 0:
        return PowerLaw(math.nan, math.nan, math.nan, xmin, number)
    z = number / total
    log_likelihood = number * math.log(z) - z * total - float(np.log(tail).sum())
    return PowerLaw(z, z / math.sqrt(number), log_likelihood, xmin, number)


def fit_lognormal(sizes: ArrayLike, xmin: float = 0.0) -> Lognormal:
    """Fit a lognormal to the sizes above `xmin`, as one that is cut off there.

    With the cut, its log-likelihood compares with that of `fit_power_law` on the same tail. It is
    never smaller: a power law is the limit mu -> -inf, sigma -> inf, and it *is* the best
    lognormal once the mean square of ln(s/xmin) reaches twice the squared mean (truncated normal;
    Castillo 1994, Ann Inst Stat Math 46:57).

    Raises:
        EcosimError: `xmin` is negative, or a size is negative or not finite.
    """
    tail = _tail(sizes, xmin) if xmin != 0 else _positive(sizes)
    logs, number = np.log(tail / (xmin or 1.0)), len(tail)
    if number < 2 or logs.min() == logs.max():
        return Lognormal(math.nan, math.nan, math.nan, xmin, number)
    if xmin == 0:
        sigma, _, scale = stats.lognorm.fit(tail, floc=0)
        log_likelihood = float(stats.lognorm.logpdf(tail, sigma, scale=scale).sum())
        return Lognormal(math.log(scale), float(sigma), log_likelihood, xmin, number)
    cut = _best_cut(float(logs.var() / logs.mean() ** 2))
    if cut is None:
        limit = fit_power_law(sizes, xmin).log_likelihood
        return Lognormal(-math.inf, math.inf, limit, xmin, number)
    sigma = float(logs.mean()) / _excess(cut)
    density = stats.norm.logpdf(logs, -cut * sigma, sigma) - stats.norm.logsf(cut)
    log_likelihood = float((density - np.log(tail)).sum())
    return Lognormal(math.log(xmin) - cut * sigma, sigma, log_likelihood, xmin, number)


def _excess(cut: float) -> float:
    """Mean of a standard normal above its cut-off, minus the cut-off."""
    return math.sqrt(2.0 / math.pi) / float(special.erfcx(cut / math.sqrt(2.0))) - cut


def _best_cut(spread: float) -> float | None:
    """Standardised cut-off at which variance / squared mean of the excess is `spread`.

    The spread rises with the cut-off from 0 to 1, and both likelihood equations reduce to it.
    """

    def miss(cut: float) -> float:
        excess = _excess(cut)
        return (1.0 - cut * excess) / excess**2 - 1.0 - spread

    if miss(FARTHEST_CUT) <= 0:
        return None
    if miss(NEAREST_CUT) >= 0:
        return -1.0 / math.sqrt(spread)
    return float(optimize.brentq(miss, NEAREST_CUT, FARTHEST_CUT, xtol=1e-12))


def describe_sizes(sizes: ArrayLike, xmin: float) -> dict[str, Any]:
    """Return JSON-ready concentration and both fits: numbers, None where there is no value.

    Keys: `number`, `herfindahl`, `c4`, `gini`; `power_law` and `lognormal`, both of the sizes
    >= xmin; `lognormal_all`, of all positive sizes. An infinite parameter (the power-law limit of
    the lognormal) is None too.

    Raises:
        EcosimError: As for `fit_power_law`.
    """
    values = _sizes(sizes)
    fits = {
        "power_law": asdict(fit_power_law(values, xmin)),
        "lognormal": asdict(fit_lognormal(values, xmin)),
        "lognormal_all": asdict(fit_lognormal(values)),
    }
    whole = {"herfindahl": herfindahl(values), "c4": concentration_ratio(values)}
    whole["gini"] = gini(values)
    return {
        "number": len(values),
        **_finite(whole),
        **{name: _finite(fit) for name, fit in fits.items()},
    }


def _finite(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: n if math.isfinite(n) else None for name, n in numbers.items()}


def _sizes(sizes: ArrayLike) -> Floats:
    values = np.asarray(sizes, dtype=np.float64)
    if values.ndim != 1 or not np.all(np.isfinite(values) & (values >= 0)):
        raise EcosimError(f"sizes must be one row of finite numbers >= 0; got {values}")
    return values


def _positive(sizes: ArrayLike) -> Floats:
    values = _sizes(sizes)
    return values[values > 0]


def _tail(sizes: ArrayLike, xmin: float) -> Floats:
    if not 0 < xmin < math.inf:
        raise EcosimError(f"xmin must be a positive size; got {xmin}")
    values = _sizes(sizes)
    return values[values >= xmin]


def _shares(sizes: ArrayLike) -> Floats:
    values = _sizes(sizes)
    largest = values.max(initial=0.0)
    if largest == 0:
        return np.empty(0)
    scaled = values / largest  # the sum of sizes may overflow, that of ratios cannot
    return scaled / scaled.sum()
