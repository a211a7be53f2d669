"""Pictures of a sweep: response curves, heat maps, and bars of sensitivity. No pyplot."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ecosim.analysis.figure import STYLE, Picture
from ecosim.analysis.panels import BLUE, GREEN, MAP, ORANGE, PURPLE, SKY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ecosim.sweeps.results import SweepResults
    from ecosim.sweeps.sensitivity import Sensitivity

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, "#000000")
_DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
_LINES = len(_COLOURS)  # in one panel; more are drawn as a map
_BINS = 12  # classes along an axis that was sampled


def _figure(panels: int, width: float = 5.2, height: float = 3.7) -> tuple[Figure, list[Axes]]:
    columns = min(panels, 2)
    rows = -(-panels // columns)
    figure = Picture(figsize=(width * columns, height * rows), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(rows, columns, place + 1) for place in range(panels)]
    return figure, axes


def response(final: pd.DataFrame, metrics: list[str], key: str, by: str | None = None) -> Figure:
    """Draw metrics against one varied key: mean of the replicates, and where 90 % of them lie.

    Args:
        final: one row a run, as `SweepResults.final` returns it.
        metrics: one panel each.
        key: the axis across.
        by: another key, one line for each value (six at most); all else is averaged over.

    """
    with matplotlib.rc_context(STYLE):
        figure, axes = _figure(len(metrics))
        groups: list[tuple[Any, pd.DataFrame]] = [(None, final)]
        if by is not None:
            groups = [(value, part) for value, part in final.groupby(by, sort=True)]
        for ax, metric in zip(axes, metrics, strict=True):
            for number, (value, part) in enumerate(groups[:_LINES]):
                _curve(ax, part, metric, key, number, None if by is None else _text(value))
            ax.set_title(metric)
            ax.set_xlabel(key)
            if len(groups) > 1:
                ax.legend(title=by, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure


def _curve(
    ax: Axes, part: pd.DataFrame, metric: str, key: str, number: int, label: str | None
) -> None:
    colour = _COLOURS[number]
    across, ticks = _positions(part[key])
    grouped = part[metric].groupby(across.to_numpy())
    mean = grouped.mean()
    low, high = grouped.quantile(0.05), grouped.quantile(0.95)
    ax.fill_between(mean.index, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(mean.index, mean, color=colour, linestyle=_DASHES[number], marker="o", markersize=3.5,
            label=label)  # fmt: skip
    if ticks is not None:
        ax.set_xticks(range(len(ticks)), ticks)


def _positions(values: pd.Series) -> tuple[pd.Series, list[str] | None]:
    """Return numbers to draw at, and what to write at them; many numbers are put in classes."""
    if not pd.api.types.is_numeric_dtype(values) or values.dtype == bool:
        names = sorted(map(str, values.unique()))
        return values.map(lambda value: names.index(str(value))), names
    if values.nunique() <= 4 * _BINS:
        return values.astype(float), None
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)))
    centres = (edges[1:] + edges[:-1]) / 2
    which = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(centres) - 1)
    return pd.Series(centres[which], index=values.index), None


def heat(final: pd.DataFrame, metrics: list[str], across: str, up: str) -> Figure:
    """Draw the mean of metrics over two varied keys, one map each; grey: no run there.

    Keys with many values are put in classes of equal counts of runs.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = _figure(len(metrics))
        for ax, metric in zip(axes, metrics, strict=True):
            table = _table(final, metric, across, up)
            values = np.ma.masked_invalid(table.to_numpy(float))
            ax.set_facecolor("#d0d0d0")
            mesh = ax.pcolormesh(values, cmap=MAP, rasterized=True)
            _ticks(ax, "x", list(table.columns))
            _ticks(ax, "y", list(table.index))
            ax.set_xlabel(across)
            ax.set_ylabel(up)
            ax.set_title(metric)
            figure.colorbar(mesh, ax=ax, pad=0.02, aspect=30).set_label("mean of the runs")
        return figure


def _table(final: pd.DataFrame, metric: str, across: str, up: str) -> pd.DataFrame:
    """Return means by the values of two keys; one whose runs are all undefined is kept."""
    final = final.dropna(subset=[across, up])
    frame = pd.DataFrame({metric: final[metric]})
    for key in (across, up):
        place, names = _positions(final[key])
        frame[key] = place if names is None else place.map(lambda i, n=names: n[i])
    return frame.groupby([up, across], sort=True)[metric].mean().unstack().sort_index(axis=1)


def _mostly_empty(final: pd.DataFrame, across: str, up: str) -> bool:
    """Say whether a map of two keys of few values would have runs in less than half its cells."""
    counts = [final[key].nunique() for key in (across, up)]
    run = len(final[[across, up]].drop_duplicates())
    return max(counts) <= 4 * _BINS and 2 * run < counts[0] * counts[1]


def _ticks(ax: Axes, side: str, values: list[Any]) -> None:
    """Write at most eight values in the middle of their cells."""
    step = max(-(-len(values) // 8), 1)
    at = range(0, len(values), step)
    place = ax.set_xticks if side == "x" else ax.set_yticks
    place([i + 0.5 for i in at], [_text(values[i]) for i in at])


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else str(value)


def bars(found: list[Sensitivity]) -> Figure:
    """Draw indices of sensitivity: two bars a key with intervals; for Morris mu* and sigma."""
    with matplotlib.rc_context(STYLE):
        height = 1.2 + 0.55 * max(len(one.table) for one in found)
        figure, axes = _figure(len(found), height=height)
        for ax, one in zip(axes, found, strict=True):
            shown = ("first", "total") if one.method == "saltelli" else ("mu_star", "sigma")
            place = np.arange(len(one.table))
            for offset, name, colour in zip((-0.2, 0.2), shown, (BLUE, ORANGE), strict=True):
                error = one.table[f"{name}_ci"] if f"{name}_ci" in one.table else None
                ax.barh(place + offset, one.table[name], 0.36, xerr=error, color=colour,
                        label=_LABELS[name], error_kw={"capsize": 2.5})  # fmt: skip
            ax.set_yticks(place, list(one.table.index))
            ax.invert_yaxis()
            ax.axvline(0, color="black", linewidth=0.8)
            unit = "Share of variance" if one.method == "saltelli" else "Units of the metric"
            ax.set_xlabel(unit)
            ax.set_title(one.metric)
            ax.legend(frameon=False, loc="best")
        return figure


_LABELS = {"first": "first-order", "total": "total", "mu_star": "mu*", "sigma": "sigma"}


def drawn(
    results: SweepResults, final: pd.DataFrame, metrics: list[str]
) -> list[tuple[str, str, Figure]]:
    """Return what there is to see of a sweep: (name, caption, figure) of each picture.

    One varied key: curves. More: a map for each pair of the first three, and curves of each key
    (with two keys of few values: one line for each value of the other). A picture shows the runs
    whose keys were all given. Where few pairs of values were run, as when keys were varied one at a
    time, there is no map.
    """
    keys = [key for key in results.keys if final[key].nunique() > 1]
    found = []
    band = "Points: means over replicates; band: where 90 % of them lie."
    for across, up in itertools.combinations(keys[:3], 2):
        shown = final.dropna(subset=[across, up])
        if shown.empty or _mostly_empty(shown, across, up):
            continue
        text = f"Mean of the runs by {across} and {up}; all else averaged over. Grey: no run."
        text += _left_out(final, shown)
        found.append((f"map {across} {up}", text, heat(shown, metrics, across, up)))
    for key in keys[:6]:
        shown = final.dropna(subset=[key])
        others = [other for other in keys if other != key and shown[other].nunique() > 1]
        by = others[0] if len(others) == 1 and shown[others[0]].nunique() <= _LINES else None
        if by is not None and shown[by].isna().any():
            by = None
        rest = f" One line for each {by}." if by else ""
        if others and by is None:
            rest = " Averaged over the other keys, which widen the band."
        text = band + rest + _left_out(final, shown)
        found.append((f"response {key}", text, response(shown, metrics, key, by)))
    return found


def _left_out(final: pd.DataFrame, shown: pd.DataFrame) -> str:
    """Say how many runs a picture does not show, if any."""
    count = len(final) - len(shown)
    return f" Without {count} runs of points that do not give these keys." if count else ""
