"""The panels of a run's figure: each draws one subject from the columns that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

type Style = tuple[str, str, Any]

# Okabe and Ito's palette, which readers with any colour vision tell apart.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
MAP = "YlGnBu"  # light where nothing is: legible on paper, ordered in lightness
_CELLS = 400
_POINTS = 120


def thin(step: np.ndarray, values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return means over blocks of records, `most` of them or fewer; rows of values are records."""
    blocks = min(len(step), most)
    parts = np.array_split(np.arange(len(step)), blocks)
    return (
        np.array([step[part].mean() for part in parts]),
        np.array([values[part].mean(axis=0) for part in parts]),
    )


def _edges(step: np.ndarray) -> np.ndarray:
    if len(step) == 1:
        return np.array([step[0] - 0.5, step[0] + 0.5])
    middle = (step[1:] + step[:-1]) / 2
    return np.concatenate([[2 * step[0] - middle[0]], middle, [2 * step[-1] - middle[-1]]])


def per_niche(metrics: pd.DataFrame, name: str) -> np.ndarray | None:
    """Return the columns `name_0`, `name_1` ... as an array (records, niches), or None."""
    columns: list[str] = []
    while f"{name}_{len(columns)}" in metrics.columns:
        columns.append(f"{name}_{len(columns)}")
    return metrics[columns].to_numpy(float) if columns else None


def absent(ax: Axes, what: str) -> None:
    """Say in the panel's place that something was not recorded."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, f"{what}\nnot recorded", ha="center", va="center", transform=ax.transAxes)


def heat(ax: Axes, step: np.ndarray, shares: np.ndarray, top: float) -> QuadMesh:
    """Draw shares (records, niches) as a map with one row a niche; niche 0 is at the bottom."""
    centre, values = thin(step, shares, _CELLS)
    niches = np.arange(shares.shape[1] + 1) - 0.5
    mesh = ax.pcolormesh(
        _edges(centre), niches, values.T, cmap=MAP, vmin=0, vmax=top, rasterized=True
    )
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1))
    _time(ax, step)
    return mesh


def breadth(ax: Axes, step: np.ndarray, counts: np.ndarray, *, niches: int, mean: Any) -> QuadMesh:
    """Draw the histogram of breadth (records, bins) as a map, and its mean as a line."""
    total = counts.sum(axis=1, keepdims=True)
    # Of nobody there are no shares: nothing is drawn.
    own = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    centre, shares = thin(step, own, _CELLS)
    edges = np.linspace(1, max(niches, 2), counts.shape[1] + 1)
    # A compressed scale shows the few beside the many.
    norm = PowerNorm(0.4, 0, float(shares[np.isfinite(shares)].max(initial=0)) or 1.0)
    mesh = ax.pcolormesh(_edges(centre), edges, shares.T, cmap=MAP, norm=norm, rasterized=True)
    centre, mean = thin(step, np.asarray(mean, float), _CELLS)
    outline = [Stroke(linewidth=3.4, foreground="white"), Normal()]
    ax.plot(centre, mean, color=ORANGE, path_effects=outline)
    ax.set_ylabel("Breadth (niches)")
    ax.set_ylim(edges[0], edges[-1])
    _time(ax, step)
    return mesh


def lines(ax: Axes, metrics: pd.DataFrame, styles: dict[str, Style]) -> bool:
    """Draw the columns that are there as {column: (label, colour, dash)}; say whether any was."""
    step = metrics["step"].to_numpy(float)
    present = [name for name in styles if name in metrics.columns]
    for name in present:
        label, colour, dash = styles[name]
        centre, values = thin(step, metrics[name].to_numpy(float), _POINTS)
        marker = "o" if len(centre) == 1 else ""
        ax.plot(centre, values, color=colour, linestyle=dash, label=label, marker=marker)
    if len(present) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    _time(ax, step)
    return bool(present)


def turnover(ax: Axes, metrics: pd.DataFrame) -> bool:
    """Draw births and deaths, or entries and exits, a step; say whether they were recorded."""
    pairs = [("births", "deaths"), ("entries", "exits")]
    names = next((pair for pair in pairs if set(pair) <= set(metrics.columns)), None)
    if names is None or len(metrics) < 2:
        return False
    # The first record precedes all steps; a count covers the steps since the record before.
    rates = metrics[[*names]].div(metrics["step"].diff(), axis=0).assign(step=metrics["step"])
    gain, loss = names
    styles: dict[str, Style] = {gain: (gain, BLUE, "-"), loss: (loss, ORANGE, (0, (2, 1.5)))}
    lines(ax, rates.iloc[1:], styles)
    _time(ax, metrics["step"].to_numpy(float))
    ax.set_ylabel("Agents a step" if gain == "births" else "Firms a step")
    ax.set_ylim(bottom=0)
    return True


def _time(ax: Axes, step: np.ndarray) -> None:
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if len(step) > 1:
        ax.set_xlim(step[0], step[-1])
