"""The tables of the phase diagrams as Markdown: theory, worlds, swaps, contours, shared code."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ecosim.studies import agreement_registration as statement
from ecosim.studies.contours import Contour, contour, worded
from ecosim.studies.convergence import (
    Agreement,
    agreement,
    between_worlds,
    calibrated,
    with_own,
    with_theory,
)
from ecosim.studies.phase_diagram import Diagram
from ecosim.studies.plane_registration import SEED, registered

HEADS = ("plane", "cells", "agree", "disagree", "undecided", "no value", "theory")
AGREEMENT = ("map", "planes", "cells of", "cells", "no value", "alike of the decided", "kappa",
             "95 % interval", "by theory")  # fmt: skip
VERDICTS = ("expected of statement 16", "planes", "kappa", "95 % interval", "alike of the decided",
            "verdict")  # fmt: skip

_RULE = (
    "A cell agrees where the first side's mean share lies on the side of one half that theory "
    "says. It is decided by Student's t over replicates at 5 %, two-sided, so that of the cells "
    "that lie on one half one in twenty is called decided; where all replicates are alike, by "
    "the sign test. A cell with a replicate that is empty at its end has no value and counts for "
    "neither."
)
_KAPPA = (
    "Cohen's kappa over the cells decided in both: 1 is full agreement, 0 what independent signs "
    "of the same frequencies would give. Its interval takes each cell's sign as wrong with the "
    "chance that its t test leaves, and draws cells with replacement. `around`: cells from the "
    "least of the closed forms in a row, over 1.25, to the greatest, times 1.25."
)
_CALIBRATED = (
    "Optimisation and learning have no exponent of their own. Their x is the returns exponent to "
    "which the contest was **calibrated**: on 512 other instances of the problems than a run "
    "draws, and on the mean over all tasks, of which a run has a few. Given by construction is "
    "therefore that with many rivals r = 1 is break-even, and, on grain, the whole payoff table. "
    "A finding is what crowding, drift, luck and whole evaluations or examples do to it, and "
    "what another selection or competition leaves of it. The grain maps of these two worlds are "
    "a check of the calibration and are not counted."
)


def as_markdown(diagrams: Sequence[Diagram]) -> str:
    """Return agreement with theory, agreement between worlds, contours, and what is shared."""
    lines = [
        "# When do specialists win?", "", _RULE, "",
        *_table(HEADS, [row for diagram in diagrams for row in rows(diagram)]),
    ]  # fmt: skip
    parts = (_statement, _convergence, _check, _swaps, _contours, _registration, _sharing)
    for part in parts:
        lines += ["", *part(diagrams)]
    return "\n".join(lines) + "\n"


def rows(diagram: Diagram) -> list[list[str]]:
    """Return, for each closed form, the plane, counts of cells and the form's label."""
    found = []
    for number, form in enumerate(diagram.plane.boundaries):
        counts = diagram.agreement(number)
        found.append(
            [diagram.plane.name, *(str(counts.get(k, 0)) for k in HEADS[1:-1]), form.label]
        )
    return found


def agreements(diagrams: Sequence[Diagram]) -> list[list[str]]:
    """Return rows of how far worlds agree, then calibrated and swapped maps with their own."""
    some = (*between_worlds(diagrams), *calibrated(diagrams), *with_own(diagrams))
    return _compared(some)


def verdicts(diagrams: Sequence[Diagram]) -> list[list[str]]:
    """Return rows of what was expected of statement 16: the whole, then each comparison."""
    found = []
    for one in statement.judged(diagrams):
        found.append([one.expected.name, "all", "", "", "", one.verdict])
        for names, counted, verdict in one.rows:
            numbers = _numbers(counted) if counted else ["", "", "not run, or no cell"]
            found.append([one.expected.name, ", ".join(names), *numbers, verdict])
    return found


def _compared(some: Iterable[Sequence[Diagram]]) -> list[list[str]]:
    found = [agreement(few, where) for few in some for where in ("all", "around")]
    return [_row(one) for one in found if one is not None]


def _row(one: Agreement) -> list[str]:
    kappa, interval, alike = _numbers(one)
    names = ", ".join(one.names)
    return [one.map, names, one.where, str(one.cells), str(one.empty), alike, kappa, interval,
            f"{one.theory:.2f}"]  # fmt: skip


def _numbers(one: Agreement) -> list[str]:
    known = not math.isnan(one.kappa)
    return [
        f"{one.kappa:.2f}" if known else "one sign only",
        f"{one.low:.2f} to {one.high:.2f}" if known else "",
        f"{one.alike} of {one.decided}",
    ]


def _statement(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## Statement 16: do the worlds agree in sign?", "", _CALIBRATED, "", _KAPPA, "",
             f"Expected (`scenarios/maps/{statement.NAME}.toml`, registered: "
             f"{statement.registered().words}):", ""]  # fmt: skip
    lines += [f"* `{one.name}`: {one.says}" for one in statement.EXPECTED]
    return [*lines, "", *_table(VERDICTS, verdicts(diagrams))]


def _convergence(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## Worlds held against one another, and against theory", "",
             "All maps that statement 16 counts, those with another's competition or selection "
             "too. Ecology and market are their selection: with the other's each would be the "
             "other, and that pair is not compared.", ""]  # fmt: skip
    found = _compared(between_worlds(diagrams))
    forms = [with_theory(d, where) for d in diagrams for where in ("all", "around")]
    found += [_row(one) for one in forms if one is not None]
    return [*lines, *_table(AGREEMENT, found)]


def _check(diagrams: Sequence[Diagram]) -> list[str]:
    found = _compared(calibrated(diagrams))
    if not found:
        return ["## Check of the calibration", "", "No calibrated map with the ecology's."]
    return ["## Check of the calibration", "",
            "Agreement here is by construction: what is left to differ is luck and drift. Not "
            "counted in statement 16.", "", *_table(AGREEMENT, found)]  # fmt: skip


def _swaps(diagrams: Sequence[Diagram]) -> list[str]:
    found = _compared(with_own(diagrams))
    if not found:
        return ["## What stays when part is another world's", "", "See --swap and --control."]
    return ["## What stays when part is another world's", "", *_table(AGREEMENT, found)]


def _contours(diagrams: Sequence[Diagram]) -> list[str]:
    lines = []
    for diagram in diagrams:
        line: Contour = contour(diagram)
        for row, y in enumerate(diagram.y):
            found = [worded(float(each[row]), diagram.x)
                     for each in (diagram.boundary(), line.x, line.low, line.high)]  # fmt: skip
            lines.append([diagram.plane.name, f"{y:g}", *found[:2], f"{found[2]} to {found[3]}",
                          f"{line.crosses[row]:.2f}"])  # fmt: skip
    heads = ("plane", "y", "theory", "simulated", "95 % interval", "share that crosses")
    return ["## Where half are on the first side", "",
            "Where the share first rises through one half, cells interpolated. `<=` an axis's "
            "first value: it is above one half there already; `>` its last: it never is. The last "
            "column: draws of the cells' means, by Student's t, that cross within the axis.", "",
            *_table(heads, lines)]  # fmt: skip


def _registration(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## Registered before the first run", "",
             "Planes, seeds and the expectation of each cell are files of `scenarios/maps`; the "
             "commit is the last that touched the plane's file. A run's seed is a hash of the "
             "sweep's seed, the cell and the number of the replicate.", ""]  # fmt: skip
    table = [
        [d.plane.name, " / ".join(d.plane.sides), registered(d.plane).words, str(SEED),
         str(d.share.shape[2]), d.plane.given,
         " ".join(filter(None, (d.plane.expects, d.plane.before, d.plane.note))), d.plane.history]
        for d in diagrams
    ]  # fmt: skip
    heads = ("plane", "sides", "registered", "seed", "replicates", "given by construction",
             "expected, and what a reader must know", "changed since")  # fmt: skip
    return [*lines, *_table(heads, table)]


def _sharing(diagrams: Sequence[Diagram]) -> list[str]:
    lines = ["## What code the worlds share", "",
             "Worlds that share code agree by construction in what it does; what is a finding is "
             "agreement that stays when selection or competition is another world's (--swap). "
             "Optimisation and learning have the ecology's selection; competence is their own, "
             "but its returns are calibrated (see statement 16). Mutation is the same wherever it "
             "means the same: on the crowding maps one birth in ten in ecology, optimisation and "
             "learning, with a step of .3, which is also the error of entrants that copy; no "
             "mutation on the grain maps. Only searches have another algorithm to switch to (one "
             "birth in a hundred); a market's firms never change, a hundredth of them enters anew "
             "in a period.", ""]  # fmt: skip
    table = [[d.plane.name, ", ".join(d.plane.shares), ", ".join(d.plane.own)] for d in diagrams]
    return [*lines, *_table(("plane", "shared", "its own"), table)]


def _table(heads: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{' --- |' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in body),
    ]
