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
from ecosim.studies.claim import Size
from ecosim.studies.phase_diagram import Contour, Diagram, contour, simulated
from ecosim.studies.planes import MAPS, WAITING, Plane


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

    swapped = "-swapped" if any(d.plane.world.endswith("-swapped") for d in diagrams) else ""
    texts = {
        f"phase-diagram{swapped}.md": as_markdown(diagrams),
        f"phase-diagram{swapped}.json": to_json([as_dict(one) for one in diagrams]) + "\n",
        f"cells{swapped}.csv": _cells(diagrams),
    }
    files = []
    for name, text in texts.items():
        write_atomically(folder / name, text.encode())
        files.append(folder / name)
    for kind in MAPS:
        some = [diagram for diagram in diagrams if diagram.plane.map == kind]
        if some:
            buffer = io.BytesIO()
            draw(some).savefig(buffer, format="png", metadata={"Software": None})
            files.append(folder / f"{kind}{swapped}.png")
            write_atomically(files[-1], buffer.getvalue())
    return files


def as_dict(diagram: Diagram) -> dict[str, Any]:
    """Return a diagram as plain data: axes, shares, boundary, contour, agreement, shared code."""
    plane, line = diagram.plane, contour(diagram)
    return {
        "world": plane.world, "map": plane.map, "title": plane.title, "metric": plane.metric,
        "across": plane.across.label, "up": plane.up.label, "x": diagram.x, "y": diagram.y,
        "mean": diagram.mean, "stderr": diagram.stderr, "replicates": diagram.share.shape[2],
        "boundaries": [
            {"label": form.label, "x": diagram.boundary(i), "agreement": diagram.agreement(i)}
            for i, form in enumerate(plane.boundaries)
        ],
        "contour": {"x": line.x, "low": line.low, "high": line.high},
        "runs": str(diagram.folder), "note": plane.note,
        "shared_code": list(plane.shares), "own_code": list(plane.own),
    }  # fmt: skip


def _cells(diagrams: Sequence[Diagram]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("world", "map", "x", "y", "share", "stderr", "theory", "observed"))
    for diagram in diagrams:
        signs = diagram.signs()
        for row, y in enumerate(diagram.y):
            for col, x in enumerate(diagram.x):
                writer.writerow(
                    (diagram.plane.world, diagram.plane.map, x, y, diagram.mean[row, col],
                     diagram.stderr[row, col], *signs[row][col])
                )  # fmt: skip
    return buffer.getvalue()


def as_markdown(diagrams: Sequence[Diagram]) -> str:
    """Return agreement with theory, agreement between worlds, contours, and what is shared."""
    lines = [
        "# When do specialists win?", "",
        "A cell agrees where the specialists' mean share lies on the side of one half that theory "
        "says; within two standard errors of one half it is undecided.", "",
        "| world | map | cells | agree | disagree | undecided | theory |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for diagram in diagrams:
        lines += [f"| {' | '.join(row)} |" for row in rows(diagram)]
    lines += ["", *(f"{d.plane.name}: {d.plane.note}" for d in diagrams if d.plane.note)]
    lines += ["", *_convergence(diagrams), "", *_contours(diagrams), "", *_sharing(diagrams)]
    lines += ["", "## Not yet built", ""]
    lines += [f"* {world}: {plane}." for world, plane in WAITING.items()]
    return "\n".join(lines) + "\n"


def rows(diagram: Diagram) -> list[list[str]]:
    """Return, for each closed form, world, map, counts of cells and the form's label."""
    plane, found = diagram.plane, []
    for number, form in enumerate(plane.boundaries):
        counts = diagram.agreement(number)
        numbers = [str(counts.get(k, 0)) for k in ("cells", "agree", "disagree", "undecided")]
        found.append([plane.world, plane.map, *numbers, form.label])
    return found


def convergence(first: Diagram, second: Diagram) -> tuple[int, int]:
    """Return in how many cells two worlds of one map agree in sign, of those decided in both."""
    pairs = [
        (a, b)
        for one, other in zip(first.signs(), second.signs(), strict=True)
        for (_, a), (_, b) in zip(one, other, strict=True)
        if "undecided" not in (a, b)
    ]
    return sum(a == b for a, b in pairs), len(pairs)


def _convergence(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## Do the worlds agree in sign?", ""]
    for place, first in enumerate(diagrams):
        for second in diagrams[place + 1 :]:
            same = first.plane.map == second.plane.map
            if same and first.mean.shape == second.mean.shape:
                alike, decided = convergence(first, second)
                names = f"{first.plane.world} and {second.plane.world}"
                lines.append(f"* {first.plane.map}, {names}: {alike} of {decided} decided cells.")
    return lines if len(lines) > 2 else [*lines, "One world only: nothing to compare."]


def _contours(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## Where half are specialists", "",
             "| world | map | y | theory | simulated | 90 % interval |",
             "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for diagram in diagrams:
        line: Contour = contour(diagram)
        for row, y in enumerate(diagram.y):
            between = f"{_number(line.low[row])} to {_number(line.high[row])}"
            lines.append(
                f"| {diagram.plane.world} | {diagram.plane.map} | {y:g} | "
                f"{_number(diagram.boundary()[row])} | {_number(line.x[row])} | {between} |"
            )
    return lines


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "none"


def _sharing(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## What code the worlds share", "",
             "Worlds that share code agree by construction in what it does; what is a finding is "
             "agreement that stays when selection or competition is another world's (--swap).",
             ""]  # fmt: skip
    for diagram in diagrams:
        plane = diagram.plane
        lines.append(
            f"* {plane.name}: shared {', '.join(plane.shares)}; its own {', '.join(plane.own)}."
        )
    return lines
