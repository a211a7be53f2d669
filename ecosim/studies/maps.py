"""`ecosim study phase-diagram`: the planes of worlds simulated, drawn and compared with theory."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecosim.experiments.folders import write_atomically
from ecosim.studies.cells import Floats
from ecosim.studies.claim import Size
from ecosim.studies.contours import contour, worded
from ecosim.studies.map_tables import as_markdown
from ecosim.studies.phase_diagram import Diagram, simulated
from ecosim.studies.plane_registration import SEED, registered
from ecosim.studies.planes import Kind, Plane


@dataclass(frozen=True)
class Atlas:
    """The diagrams, and the files that were written: pictures, table, cells."""

    diagrams: list[Diagram]
    files: list[Path]


def carry_out(
    planes: Sequence[Plane],
    size: Size,
    folder: Path,
    *,
    told: Callable[[Plane], None] = lambda plane: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Atlas:
    """Simulate planes, and write a picture a map, a table of agreement and the cells.

    Args:
        planes: what is simulated.
        size: quick or full.
        folder: takes the sweeps and the files.
        told: called with each plane that is done.
        should_stop: asked between batches.

    Raises:
        StoreError: the folder cannot be written, or a run failed.
        Stopped: `should_stop` said so; what is done is kept.

    """
    diagrams = []
    for plane in planes:
        diagrams.append(simulated(plane, size, folder, should_stop=should_stop))
        told(plane)
    return Atlas(diagrams, _written(diagrams, folder))


def _written(diagrams: Sequence[Diagram], folder: Path) -> list[Path]:
    from ecosim.experiments.manifest import to_json
    from ecosim.studies.phase_pictures import draw

    kinds: list[Kind] = [d.plane.kind for d in diagrams if d.plane.kind != "own"]
    ending = f"-{kinds[0]}" if kinds else ""
    texts = {
        f"phase-diagram{ending}.md": as_markdown(diagrams),
        f"phase-diagram{ending}.json": to_json([as_dict(one) for one in diagrams]) + "\n",
        f"cells{ending}.csv": _cells(diagrams),
    }
    files = []
    for name, text in texts.items():
        write_atomically(folder / name, text.encode())
        files.append(folder / name)
    for name, some in _pictures(diagrams).items():
        buffer = io.BytesIO()
        draw(some).savefig(buffer, format="png", metadata={"Software": None})
        files.append(folder / f"{name}.png")
        write_atomically(files[-1], buffer.getvalue())
    return files


def _pictures(diagrams: Sequence[Diagram]) -> dict[str, list[Diagram]]:
    """Return the panels of each picture: one a map and variant; controls of one map together."""
    found: dict[str, list[Diagram]] = {}
    for diagram in diagrams:
        plane = diagram.plane
        last = plane.variant if plane.kind == "swapped" else plane.kind.replace("own", "")
        found.setdefault("-".join(filter(None, (plane.map, last))), []).append(diagram)
    return found


def as_dict(diagram: Diagram) -> dict[str, Any]:
    """Return a diagram as plain data: axes, shares, boundary, contour, agreement, shared code."""
    plane, line = diagram.plane, contour(diagram)
    return {
        "name": plane.name, "world": plane.world, "map": plane.map, "variant": plane.variant,
        "title": plane.title, "metric": plane.metric, "sides": list(plane.sides),
        "expects": plane.expects, "given": plane.given, "statement_16": plane.counted,
        "registered": registered(plane).words, "seed": SEED, "before": plane.before,
        "history": plane.history,
        "across": plane.across.label, "up": plane.up.label, "x": diagram.x, "y": diagram.y,
        "mean": diagram.mean, "stderr": diagram.stderr, "replicates": diagram.share.shape[2],
        "boundaries": [
            {"label": form.label, "x": diagram.boundary(i), "agreement": diagram.agreement(i)}
            for i, form in enumerate(plane.boundaries)
        ],
        "contour": {
            "x": _places(line.x, diagram), "low": _places(line.low, diagram),
            "high": _places(line.high, diagram), "crosses": line.crosses,
        },
        "runs": str(diagram.folder), "note": plane.note,
        "shared_code": list(plane.shares), "own_code": list(plane.own),
    }  # fmt: skip


def _places(values: Floats, diagram: Diagram) -> list[float | str]:
    """Return crossings as numbers, and in words where they are beyond the axis."""
    return [float(v) if math.isfinite(v) else worded(float(v), diagram.x) for v in values]


def _cells(diagrams: Sequence[Diagram]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("world", "map", "variant", "x", "y", "share", "stderr", "theory", "observed"))
    for diagram in diagrams:
        signs = diagram.signs()
        for row, y in enumerate(diagram.y):
            for col, x in enumerate(diagram.x):
                writer.writerow(
                    (diagram.plane.world, diagram.plane.map, diagram.plane.variant, x, y,
                     diagram.mean[row, col], diagram.stderr[row, col], *signs[row][col])
                )  # fmt: skip
    return buffer.getvalue()
