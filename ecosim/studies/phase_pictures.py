"""Phase diagrams drawn: shares as heat maps, theory's boundary and the simulated contour on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import NullLocator

from ecosim.analysis.figure import STYLE, Picture
from ecosim.analysis.panels import MAP, ORANGE
from ecosim.studies.cells import Floats
from ecosim.studies.contours import contour
from ecosim.studies.phase_diagram import Diagram
from ecosim.studies.planes import Boundary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 5.0, 4.0  # inches, of one panel
_ABREAST = 2  # panels
_OUTLINE = "white"
_DASHES = ("--", ":", "-.")


def draw(diagrams: Sequence[Diagram]) -> Figure:
    """Draw planes of one map, one panel a world, two abreast.

    Args:
        diagrams: of one map.

    Returns:
        A figure of its own (no pyplot), at 150 dpi. Black: theory's boundary. Orange: where half
        are specialists, with its 95 % interval; an arrow where it lies beyond the axis.

    """
    with matplotlib.rc_context(STYLE):
        abreast = min(len(diagrams), _ABREAST)
        rows = -(-len(diagrams) // abreast)
        size = _WIDTH * abreast + 0.6, _HEIGHT * rows + 0.5
        figure = Picture(figsize=size, dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(rows, abreast, i + 1) for i in range(len(diagrams))]
        for number, (ax, diagram) in enumerate(zip(axes, diagrams, strict=True)):
            mesh = _panel(ax, diagram)
            if number % abreast:
                ax.set_ylabel("")
            if number + abreast < len(diagrams):
                ax.set_xlabel("")
        bar = figure.colorbar(mesh, ax=axes, pad=0.015, aspect=32)
        first = dict.fromkeys(diagram.plane.sides[0] for diagram in diagrams)
        bar.set_label(f"Share of {' / '.join(first)}")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center",
                      ncols=abreast, frameon=False)  # fmt: skip
        return figure


def _panel(ax: Axes, diagram: Diagram) -> QuadMesh:
    plane = diagram.plane
    across = _edges(diagram.x, log=plane.across.log)
    up = _edges(diagram.y, log=plane.up.log)
    mesh = ax.pcolormesh(across, up, diagram.mean, cmap=MAP, vmin=0, vmax=1, rasterized=True)
    if plane.across.log:
        ax.set_xscale("log")
        ax.set_xticks(diagram.x, [f"{value:g}" for value in diagram.x])
        ax.xaxis.set_minor_locator(NullLocator())
    if plane.up.log:
        ax.set_yscale("log")
    found = contour(diagram)
    ends = float(across[0]), float(across[-1])
    low, high = (np.clip(edge, *ends) for edge in (found.low, found.high))
    ax.fill_betweenx(diagram.y, low, high, color=ORANGE, alpha=0.35, linewidth=0)
    inside = np.where(np.isfinite(found.x), found.x, np.nan)
    for colour, width in ((_OUTLINE, 3.6), (ORANGE, 1.9)):
        ax.plot(inside, diagram.y, color=colour, linewidth=width, marker="o", markersize=4,
                label=f"Simulated: half are {plane.sides[0]}, 95 % interval"
                if colour == ORANGE else None)  # fmt: skip
    for end, arrow, beyond in zip(ends, "<>", (-np.inf, np.inf), strict=True):
        rows = diagram.y[found.x == beyond]
        (arrows,) = ax.plot(np.full(rows.size, end), rows, linestyle="none", marker=arrow,
                            markersize=7, color=ORANGE, markeredgecolor=_OUTLINE,
                            clip_on=False)  # fmt: skip
        arrows.set_in_layout(False)  # an unclipped line without points has no bounds
    for form, dash in zip(plane.boundaries, _DASHES, strict=False):
        x, y = _boundary(diagram, form, (float(up[0]), float(up[-1])))
        for colour, width in ((_OUTLINE, 3.2), ("black", 1.6)):
            ax.plot(x, y, color=colour, linewidth=width, linestyle=dash,
                    label=form.label if colour == "black" else None)  # fmt: skip
    ax.set_xlim(across[0], across[-1])
    ax.set_ylim(up[0], up[-1])
    ax.set_yticks(diagram.y, [f"{value:g}" for value in diagram.y])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(plane.across.label)
    ax.set_ylabel(plane.up.label)
    ax.set_title(plane.title, fontsize=10.5)
    return mesh


def _boundary(diagram: Diagram, form: Boundary, ends: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return points of a boundary: a curve, or, where y is whole, its values there."""
    low, high = ends
    y = diagram.y
    if not diagram.plane.up.whole:
        y = np.geomspace(low, high, 200) if diagram.plane.up.log else np.linspace(low, high, 200)
    x = np.array([form.at(float(value)) for value in y])
    return np.where(np.isfinite(x), x, np.nan), y


def _edges(values: Floats, *, log: bool) -> Floats:
    """Return the edges of cells around values: half way between neighbours."""
    at = np.log(values) if log else values
    middle = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(edges) if log else edges
