"""The table of claims: statement, expectation, what was observed, verdict, and the runs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecosim.studies.claim import Expected
from ecosim.studies.trying import Tried
from ecosim.studies.verdict import LEVEL, Verdict, together

_SIGNS = {"above": ">", "below": "<"}


@dataclass(frozen=True)
class Row:
    """One expectation of a claim and its outcome."""

    claim: str
    statement: str
    says: str
    world: str
    goes: str
    expectation: str
    closed_form: str
    expected: float | None
    direction: str
    observed: float | None
    stderr: float | None
    low: float | None
    high: float | None
    never_reached: int
    replicates: int
    seed: int
    size: str
    verdict: Verdict
    digest: str
    commit: str
    runs: str
    history: str


def rows(tried: Sequence[Tried], commits: Sequence[str], root: Path) -> list[Row]:
    """Return one row an expectation; a claim that waits for something has one row.

    Args:
        tried: the claims.
        commits: that last touched each.
        root: folder that the paths of runs are given from.

    """
    return [
        row for one, commit in zip(tried, commits, strict=True) for row in _of(one, commit, root)
    ]


def _of(tried: Tried, commit: str, root: Path) -> list[Row]:
    claim = tried.claim
    same: dict[str, Any] = {
        "claim": claim.name, "statement": claim.statement, "goes": claim.goes,
        "world": ", ".join(claim.worlds), "replicates": 0, "seed": claim.seed, "size": tried.size,
        "digest": claim.digest, "commit": commit, "history": " ".join(claim.history),
        "runs": ", ".join(folder.relative_to(root).as_posix() for folder in tried.folders),
    }  # fmt: skip
    if claim.waits_for:
        none: dict[str, Any] = dict.fromkeys(("expected", "observed", "stderr", "low", "high"))
        none |= {"closed_form": claim.theory, "direction": "", "never_reached": 0}
        waits = f"waits for {claim.waits_for}"
        return [Row(**same, **none, says=claim.says, expectation=waits, verdict="not yet built")]
    found = []
    for expected, outcome, never in zip(claim.expect, tried.outcomes, tried.never, strict=True):
        found.append(
            Row(**same | {"replicates": outcome.count}, says=claim.says,
                expectation=_expectation(expected), closed_form=expected.source or claim.theory,
                expected=expected.target, direction=expected.direction,
                observed=_finite(outcome.mean), stderr=_finite(outcome.stderr),
                low=_finite(outcome.low), high=_finite(outcome.high),
                never_reached=never, verdict=outcome.verdict)
        )  # fmt: skip
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _expectation(expected: Expected) -> str:
    sign = _SIGNS.get(expected.direction, f"within {expected.tolerance:g} of")
    return f"{expected.says} ({_measured(expected)} {sign} {expected.target:.4g})"


def _measured(expected: Expected) -> str:
    metric = expected.metric
    if expected.reaches is not None:
        sign = ">=" if expected.rising else "<="
        metric = f"steps until {metric} {sign} {expected.reaches:g}"
    if expected.log:
        metric = f"ln {metric}"
    terms = "".join(f" {weight:+g} {name}" for name, weight in expected.contrast.items())
    plain = list(expected.contrast.values()) == [1.0]
    return f"{metric}: {next(iter(expected.contrast))}" if plain else f"{metric}:{terms}"


def verdicts(tried: Sequence[Tried]) -> dict[str, Verdict]:
    """Return the verdict on each claim by its name."""
    return {
        one.claim.name: "not yet built" if one.claim.waits_for
        else together([outcome.verdict for outcome in one.outcomes])
        for one in tried
    }  # fmt: skip


def observed(row: Row) -> str:
    """Return what was observed, with its standard error."""
    if row.observed is None:
        return "" if row.verdict == "not yet built" else "undefined"
    error = f" ± {row.stderr:.2g}" if row.replicates > 1 else " (exact)"
    never = f", {row.never_reached} runs never" if row.never_reached else ""
    return f"{row.observed:.4g}{error}{never}"


def as_json(table: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows as plain data."""
    return [asdict(row) for row in table]


def as_csv(table: Sequence[Row]) -> str:
    """Return the rows as CSV text with a header."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*Row.__dataclass_fields__], lineterminator="\n")
    writer.writeheader()
    writer.writerows(as_json(table))
    return buffer.getvalue()


_HEADS = ("statement", "world", "expectation", "observed ± SE", "verdict", "closed form",
          "registered", "replicates, seed", "runs")  # fmt: skip


def as_markdown(table: Sequence[Row], counts: str) -> str:
    """Return the table as Markdown: a link to the runs of each row, and how to read it."""
    lines = [
        "# Claims", "", counts, "",
        f"Each verdict is a one-sided test (Student's t over replicates) at a level of {LEVEL:g}: "
        "met where the bound lies on the side that was expected, not met where the opposite bound "
        "lies on the other, undecided between. An expectation names a metric, and the weights of "
        "the conditions that it contrasts. Where a statement is marked *, the argument itself "
        "leads one to expect generalists, or nothing to select. One replicate: nothing is drawn, "
        "and the row shows that the model's arithmetic is the closed form's.", "",
        "| " + " | ".join(_HEADS) + " |", "|" + " --- |" * len(_HEADS),
    ]  # fmt: skip
    for row in table:
        links = ", ".join(f"[{name}]({name})" for name in row.runs.split(", ") if name)
        star = "*" if row.goes == "against" else ""
        cells = (
            f"{row.statement}{star}: {row.says}", row.world, row.expectation, observed(row),
            row.verdict, row.closed_form, f"{row.commit} ({row.digest})",
            f"{row.replicates}, {row.seed}" if row.replicates else "", links,
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    changed = {row.claim: row.history for row in table if row.history}
    if changed:
        lines += ["", "Changed after the first run:", ""]
        lines += [f"* {name}: {text}" for name, text in changed.items()]
    return "\n".join(lines) + "\n"
