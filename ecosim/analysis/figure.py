"""The four-panel figure of a run: occupancy, breadth, population and turnover, diversity."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ecosim.analysis import abundance, methods, panels
from ecosim.analysis.panels import BLUE, GREEN, ORANGE, PURPLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.gridspec import SubplotSpec

    from ecosim.analysis.drawable import Drawable

STYLE: Any = {
    "font.size": 10.5, "axes.titlesize": 11.5, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "lines.linewidth": 1.7, "legend.fontsize": 9.5, "legend.handlelength": 1.7,
}  # fmt: skip
_SIZE = (10.0, 7.2)  # inches
_DPI = 150
_ASIDE: dict[str, Any] = {"loc": "right", "fontsize": 9.5, "fontweight": "normal"}
_STRIPS = {"use": "of allocation", "specialists": "of agents, as specialists"}


class Picture(Figure):
    """A figure that a notebook shows by itself, without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def draw(run: Drawable) -> Figure:
    """Draw a run.

    Args:
        run: a Run, or anything else that has `scenario`, `metrics` and `breadth`.

    Returns:
        A figure of its own (no pyplot), 10 x 7.2 inches, at 150 dpi. Each
        panel shows the columns that are there; long runs are drawn as means over records.

    """
    with matplotlib.rc_context(STYLE):
        figure = Picture(figsize=_SIZE, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(2, 2, hspace=0.09, wspace=0.03)
        _occupancy(figure, grid[0, 0], run)
        _breadth(figure, grid[0, 1], run)
        _population(figure, grid[1, 0], run)
        _diversity(figure, grid[1, 1], run)
        return figure


def _pair(figure: Figure, place: SubplotSpec, ratio: tuple[float, float]) -> tuple[Axes, Axes]:
    """Return two strips that share the axis of time, which is labelled below."""
    inner = place.subgridspec(2, 1, height_ratios=ratio, hspace=0.06)
    upper = figure.add_subplot(inner[0])
    lower = figure.add_subplot(inner[1], sharex=upper)
    upper.tick_params(labelbottom=False)
    lower.set_xlabel("Time (steps)")
    return upper, lower


def _occupancy(figure: Figure, place: SubplotSpec, run: Drawable) -> None:
    upper, lower = _pair(figure, place, (1, 1))
    upper.set_title("a  Niche occupancy")
    step = run.metrics["step"].to_numpy(float)
    shares = [panels.per_niche(run.metrics, name) for name in ("allocation", "specialists")]
    # Of nobody there are no shares.
    known = [share[np.isfinite(share)] for share in shares if share is not None]
    top = max((float(share.max(initial=0)) for share in known), default=1.0)
    mesh = None
    for ax, share, name in zip((upper, lower), shares, ("use", "specialists"), strict=True):
        ax.set_title(_STRIPS[name], **_ASIDE)
        if share is None:
            panels.absent(ax, name)
            continue
        mesh = panels.heat(ax, step, share, top or 1.0)
        ax.set_ylabel("Niche")
    if mesh is not None:
        # In percent, as the shares of many niches would be long numbers.
        percent = PercentFormatter(1.0, symbol=None)
        bar = figure.colorbar(mesh, ax=[upper, lower], pad=0.02, aspect=30, format=percent)
        bar.set_label("Share (%)")


def _breadth(figure: Figure, place: SubplotSpec, run: Drawable) -> None:
    ax = figure.add_subplot(place)
    ax.set_title("b  Breadth of the agents")
    ax.set_title("line: mean", **_ASIDE)
    counts = run.breadth[[name for name in run.breadth.columns if name != "step"]].to_numpy()
    mesh = panels.breadth(
        ax,
        run.metrics["step"].to_numpy(float),
        counts,
        niches=run.scenario.niches.most,
        mean=run.metrics["breadth_mean"],
    )
    ax.set_xlabel("Time (steps)")
    figure.colorbar(mesh, ax=ax, pad=0.02, aspect=30).set_label("Share of agents")


def _population(figure: Figure, place: SubplotSpec, run: Drawable) -> None:
    upper, lower = _pair(figure, place, (1.4, 1))
    if abundance.counts_densities(run.scenario) and abundance.TOTAL in run.metrics:
        upper.set_title("c  Abundance, and number of types")
        abundance.draw(upper, run.scenario, run.metrics)
        panels.lines(lower, run.metrics, {"population": ("types", BLUE, "-")})
        lower.set_ylabel("Types")
        lower.set_ylim(0, max(1.0, 1.08 * float(run.metrics["population"].max())))
        return
    if methods.are_measured(run.scenario) and methods.columns(run.metrics.columns):
        upper.set_title("c  Methods, and what they find")
        methods.draw(upper, lower, run.scenario, run.metrics)
        return
    upper.set_title("c  Population and turnover")
    market = run.scenario.world == "market"
    panels.lines(upper, run.metrics, {"population": ("population", BLUE, "-")})
    upper.set_ylabel("Firms" if market else "Agents")
    upper.set_ylim(0, max(1.0, 1.08 * float(run.metrics["population"].max())))
    if not panels.turnover(lower, run.metrics):
        panels.absent(lower, "Turnover")


def _diversity(figure: Figure, place: SubplotSpec, run: Drawable) -> None:
    upper, lower = _pair(figure, place, (1.4, 1))
    upper.set_title("d  Coverage and diversity")
    shares: dict[str, panels.Style] = {
        "coverage": ("coverage", BLUE, "-"),
        "evenness": ("evenness", GREEN, "--"),
    }
    if run.scenario.world == "market":
        upper.set_title("d  Coverage, concentration, diversity")
        shares |= {"hhi": ("HHI", ORANGE, "-."), "c4": ("C4", PURPLE, ":")}
    else:
        shares |= {"specialist_share": ("specialists", ORANGE, "-.")}
    panels.lines(upper, run.metrics, shares)
    upper.set_ylabel("Share (0 to 1)")
    upper.set_ylim(-0.03, 1.06)
    numbers: dict[str, panels.Style] = {
        "hill_1": ("main niches", BLUE, "-"),
        "strategy_diversity": ("strategies", ORANGE, "--"),
    }
    if panels.lines(lower, run.metrics, numbers):
        lower.set_ylabel("Effective\nnumber")
        lower.set_ylim(bottom=0)
    else:
        panels.absent(lower, "Diversity")
