"""The tables of the phase diagrams as Markdown: theory, worlds, swaps, contours, shared code."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ecosim.studies.convergence import Agreement, between_worlds, with_own
from ecosim.studies.phase_diagram import Contour, Diagram, contour
from ecosim.studies.plane_registration import SEED, registered

HEADS = ("plane", "cells", "agree", "disagree", "undecided", "theory")


def as_markdown(diagrams: Sequence[Diagram]) -> str:
    """Return agreement with theory, agreement between worlds, contours, and what is shared."""
    lines = [
        "# When do specialists win?", "",
        "A cell agrees where the specialists' mean share lies on the side of one half that theory "
        "says; within two standard errors of one half it is undecided.", "",
        *_table(HEADS, [row for diagram in diagrams for row in rows(diagram)]),
    ]  # fmt: skip
    parts = (_registration, _convergence, _swaps, _contours, _sharing)
    for part in parts:
        lines += ["", *part(diagrams)]
    return "\n".join(lines) + "\n"


def rows(diagram: Diagram) -> list[list[str]]:
    """Return, for each closed form, the plane, counts of cells and the form's label."""
    found = []
    for number, form in enumerate(diagram.plane.boundaries):
        counts = diagram.agreement(number)
        numbers = [str(counts.get(k, 0)) for k in ("cells", "agree", "disagree", "undecided")]
        found.append([diagram.plane.name, *numbers, form.label])
    return found


def agreements(diagrams: Sequence[Diagram]) -> list[list[str]]:
    """Return rows of how far worlds agree (statement 16), then swapped maps with their own."""
    return [_row(one) for one in (*between_worlds(diagrams), *with_own(diagrams))]


AGREEMENT = ("map", "planes", "cells", "agree", "90 % interval", "of the decided", "by theory",
             "by chance")  # fmt: skip


def _row(one: Agreement) -> list[str]:
    return [
        one.map, ", ".join(one.names), str(one.cells), f"{one.share:.2f}",
        f"{one.low:.2f} to {one.high:.2f}", f"{one.alike} of {one.decided}",
        f"{one.theory:.2f}", f"{one.chance:.2f}",
    ]  # fmt: skip


def _registration(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## Registered before the first run", "",
             "Planes, seeds and the expectation of each cell are files of `scenarios/maps`; the "
             "commit is the last that touched the plane's file. A run's seed is a hash of the "
             "sweep's seed, the cell and the number of the replicate.", ""]  # fmt: skip
    table = [
        [d.plane.name, registered(d.plane).words, str(SEED), str(d.share.shape[2]),
         " ".join(filter(None, (d.plane.expects, d.plane.before, d.plane.note)))]
        for d in diagrams
    ]  # fmt: skip
    heads = ("plane", "registered", "seed", "replicates", "expected, and what a reader must know")
    return [*lines, *_table(heads, table)]


def _convergence(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## Statement 16: do the worlds agree in sign?", "",
             "Share of the cells that planes have in common where the same side wins, with the "
             "interval that resampled replicates give; beside it what the closed forms say, and "
             "what independent signs of the same frequencies would give.", ""]  # fmt: skip
    found = [_row(one) for one in between_worlds(diagrams)]
    return [*lines, *(_table(AGREEMENT, found) if found else ["One world only."])]


def _swaps(diagrams: Sequence[Diagram]) -> list[str]:
    found = [_row(one) for one in with_own(diagrams)]
    if not found:
        return ["## What stays when part is another world's", "", "See --swap and --control."]
    return ["## What stays when part is another world's", "", *_table(AGREEMENT, found)]


def _contours(diagrams: Sequence[Diagram]) -> list[str]:
    lines = []
    for diagram in diagrams:
        line: Contour = contour(diagram)
        for row, y in enumerate(diagram.y):
            between = f"{_number(line.low[row])} to {_number(line.high[row])}"
            edge = diagram.boundary()[row]
            lines.append([diagram.plane.name, f"{y:g}", _number(edge), _number(line.x[row]),
                          between])  # fmt: skip
    heads = ("plane", "y", "theory", "simulated", "90 % interval")
    return ["## Where half are specialists", "", *_table(heads, lines)]


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "none"


def _sharing(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## What code the worlds share", "",
             "Worlds that share code agree by construction in what it does; what is a finding is "
             "agreement that stays when selection or competition is another world's (--swap). "
             "Optimisation and learning have the ecology's selection; competence is their own.",
             ""]  # fmt: skip
    table = [[d.plane.name, ", ".join(d.plane.shares), ", ".join(d.plane.own)] for d in diagrams]
    return [*lines, *_table(("plane", "shared", "its own"), table)]


def _table(heads: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{' --- |' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in body),
    ]
