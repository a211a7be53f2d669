"""Pictures of a calibration: the posterior, what it predicts, and what is recovered. No pyplot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import NullLocator

from ecosim.analysis.figure import STYLE, Picture
from ecosim.analysis.panels import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ecosim.sweeps.posterior import Calibration
    from ecosim.sweeps.ranges import Range
    from ecosim.sweeps.recovery import Recovery
    from ecosim.sweeps.target import Target

_BARS = 14
_TICKS = 7  # on a logarithmic axis; more are drawn at powers of ten only
_LEAST = 0.3  # of the smallest share that is drawn, where a logarithm has no 0


def _sheet(rows: int, columns: int, width: float, height: float) -> Figure:
    figure = Picture(figsize=(width * columns, height * rows), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def posterior(found: Calibration, priors: dict[str, Range]) -> Figure:
    """Draw the marginals with their priors on the diagonal, and below it the keys in pairs."""
    keys = list(priors)
    count = len(keys)
    weights = np.array([row["weight"] for row in found.particles])
    values = {key: np.array([float(row[key]) for row in found.particles]) for key in keys}
    with matplotlib.rc_context(STYLE):
        size = 3.4 if count > 1 else 4.6
        figure = _sheet(count, count, size, size * 0.86)
        for i, up in enumerate(keys):
            for j, across in enumerate(keys[: i + 1]):
                ax = figure.add_subplot(count, count, i * count + j + 1)
                _axis(ax, "x", priors[across])
                if i == j:
                    _marginal(ax, values[up], weights, priors[up], found.posterior[up])
                else:
                    _axis(ax, "y", priors[up])
                    area = 130 * np.sqrt(weights / weights.max())
                    ax.scatter(values[across], values[up], s=area, color=BLUE, alpha=0.45,
                               linewidth=0)  # fmt: skip
                    ax.set_title(f"r = {found.correlation[i][j]:.2f}", loc="right", fontsize=9.5,
                                 fontweight="normal")  # fmt: skip
                if i == count - 1:
                    ax.set_xlabel(across)
                if j == 0 and i > 0:
                    ax.set_ylabel(up)
        if count > 1:
            ax = figure.axes[0]
            handles, labels = ax.get_legend_handles_labels()
            figure.legend(handles, labels, loc="upper right", frameon=False)
        else:
            figure.axes[0].legend(frameon=False)
        return figure


def _axis(ax: Axes, side: str, prior: Range) -> None:
    axis = ax.xaxis if side == "x" else ax.yaxis
    low, high = float(prior.at(0.0)), float(prior.at(1.0))
    if prior.log:
        (ax.set_xscale if side == "x" else ax.set_yscale)("log")
        tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [n * 10.0**ten for ten in tens for n in (1, 2, 5)]
        ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(ticks) > _TICKS:
            ticks = [tick for tick in ticks if math.log10(tick).is_integer()]
        axis.set_ticks(ticks, [f"{tick:.3g}" for tick in ticks])
        axis.set_minor_locator(NullLocator())
    if high > low:
        (ax.set_xlim if side == "x" else ax.set_ylim)(low, high)


def _marginal(
    ax: Axes, values: np.ndarray, weights: np.ndarray, prior: Range, told: dict[str, float]
) -> None:
    low, high = float(prior.at(0.0)), float(prior.at(1.0))
    edges = np.geomspace(low, high, _BARS + 1) if prior.log else np.linspace(low, high, _BARS + 1)
    heights, _ = np.histogram(values, edges, weights=weights)
    ax.stairs(heights * _BARS, edges, fill=True, color=BLUE, alpha=0.55, label="posterior")
    # Bars are equal parts of the prior: its density on this axis is 1.
    ax.axhline(1, color="black", linestyle="--", linewidth=1.2, label="prior")
    ax.axvline(told["mean"], color=ORANGE, label="mean, central 95 %")
    for side in ("low", "high"):
        ax.axvline(told[side], color=ORANGE, linestyle=":")
    ax.set_ylabel("density, prior = 1")
    ax.set_title(f"{told['mean']:.3g} [{told['low']:.3g}, {told['high']:.3g}]", fontsize=9.5)


def predictive(found: Calibration, target: Target) -> Figure:
    """Draw data against predictive draws: a distribution on logarithmic axes, or each metric."""
    draws = np.array(found.draws)
    with matplotlib.rc_context(STYLE):
        if target.distribution:
            figure = _sheet(1, 2, 5.2, 4.2)
            k = np.arange(1, len(target.values) + 1)
            left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
            _band(left, k, target.values, draws)
            left.set_ylabel("Share of this breadth")
            _band(right, k, _from_above(target.values), _from_above(draws))
            right.set_ylabel("Share of this breadth or more")
            right.legend(frameon=False, loc="best")
            return figure
        count = len(target.names)
        columns = min(count, 3)
        figure = _sheet(-(-count // columns), columns, 4.2, 3.4)
        for i, (name, check) in enumerate(found.predictive.items()):
            ax = figure.add_subplot(-(-count // columns), columns, i + 1)
            ax.hist(draws[:, i], bins=_BARS, color=BLUE, alpha=0.55, label="predicted")
            ax.axvline(check.observed, color=ORANGE, label="data")
            ax.set_xlabel(name)
            ax.set_title(f"p = {check.p:.2g}", loc="right", fontsize=9.5, fontweight="normal")
            if i == 0:
                ax.set_ylabel("draws")
                ax.legend(frameon=False)
        return figure


def _from_above(shares: np.ndarray) -> np.ndarray:
    """Return the shares of each breadth or more; sums of rounding errors are no share."""
    above = shares[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return np.where(above > 1e-12, above, 0.0)


def _band(ax: Axes, k: np.ndarray, data: np.ndarray, draws: np.ndarray) -> None:
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95], axis=0)
    some = np.concatenate([data[data > 0], draws[draws > 0]])
    floor = _LEAST * float(some.min())
    ax.fill_between(k, np.maximum(low, floor), np.maximum(high, floor), color=BLUE, alpha=0.25,
                    linewidth=0, label="90 % of the predictive draws")  # fmt: skip
    mean = draws.mean(axis=0)
    ax.plot(k[mean > 0], mean[mean > 0], color=BLUE, label="their mean")
    ax.plot(k[middle > 0], middle[middle > 0], color=BLUE, linestyle=":", label="their median")
    ax.plot(k[data > 0], data[data > 0], "o", color=ORANGE, markersize=4.5, label="data")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(floor, 1.5)
    ticks = [n for n in (1, 2, 3, 5, 10, 20, 30, 50) if n <= k[-1]]
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.minorticks_off()
    ax.set_xlabel("Breadth, niches")


def recovered(found: Recovery, priors: dict[str, Range]) -> Figure:
    """Draw what was recovered against what was known, one panel a key, with central 95 %."""
    with matplotlib.rc_context(STYLE):
        columns = min(len(priors), 3)
        rows = -(-len(priors) // columns)
        figure = _sheet(rows, columns, 3.9, 3.6)
        for place, (key, prior) in enumerate(priors.items()):
            ax = figure.add_subplot(rows, columns, place + 1)
            sets = found.each[key]
            known, mean, low, high = (
                np.array([getattr(one, name) for one in sets])
                for name in ("known", "mean", "low", "high")
            )
            held = (low <= known) & (known <= high)
            for part, colour, label in (
                (held, GREEN, "holds it"), (~held, ORANGE, "misses it"),
            ):  # fmt: skip
                error: Any = [(mean - low)[part].clip(0), (high - mean)[part].clip(0)]
                ax.errorbar(known[part], mean[part], yerr=error, fmt="o", markersize=4,
                            color=colour, label=label, capsize=2)  # fmt: skip
            _axis(ax, "x", prior)
            _axis(ax, "y", prior)
            ax.axline(*[(float(prior.at(u)),) * 2 for u in (0.0, 1.0)], color="black",
                      linestyle="--", linewidth=1)  # fmt: skip
            ax.set_title(key)
            ax.set_xlabel("known")
            ax.set_ylabel("recovered")
            if place == 0:
                ax.legend(frameon=False, title="95 % interval")
        return figure
