"""Write docs/claims.md from the table of `ecosim study claims`: `make claims`."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecosim.studies import table
from ecosim.studies.registration import claims, registered
from ecosim.studies.table import Row

HERE = Path(__file__).parent
HEAD = (
    "claim", "world", "expectation", "observed ± SE", "verdict", "expectation from",
    "committed in", "replicates, seed",
)  # fmt: skip
ABOUT = """\
The statements of the argument, each tried on conditions that were committed before the first run.
Made by `make claims` from `ecosim study claims`; the same command makes it again, and
`ecosim study claims --only 7` one statement. The files are in
[scenarios/claims](../scenarios/claims).

An expectation names a metric and the weights of the conditions that it contrasts. Verdicts are
one-sided tests (Student's t over replicates) at a level of {level:g}: *met* where the bound lies on
the side that was expected, *not met* where the opposite bound lies on the other, *undecided*
between; *(exact)* where nothing is drawn, so that the row shows no more than that the model's
arithmetic is the closed form's. A claim is met where all of its expectations are. Where a claim is
marked \\*, the argument itself leads one to expect generalists, or nothing to select. *Committed
in* is the commit since which what is tried and expected is as it is now, with its digest."""


def page(studies: Sequence[dict[str, Any]]) -> str:
    """Return the page: what was missed first, then a section for each statement.

    Args:
        studies: contents of claims.json; of a claim in several the last counts. What was tried or
            expected of a claim that is another today is left out.

    """
    shipped = {claim.name: claim for claim in claims()}
    digests = {name: claim.digest for name, claim in shipped.items()}
    changes = {name: " ".join(claim.history) for name, claim in shipped.items()}
    rows: list[Row] = []
    verdicts: dict[str, str] = {}
    made: dict[str, str] = {}
    for study in studies:
        for name, verdict in study["verdicts"].items():
            own = [Row(**row) for row in study["rows"] if row["claim"] == name]
            if own[0].verdict == "not yet built" or own[0].digest != digests.get(name):
                continue
            commit = registered(shipped[name])
            own = [replace(row, commit=commit, history=changes[name]) for row in own]
            rows = [row for row in rows if row.claim != name] + own
            verdicts[name], made[name] = verdict, _code(study.get("code"))
    if not rows:
        raise SystemExit("nothing was tried of the claims as they are; run `ecosim study claims`")
    sizes = ", ".join(sorted({row.size for row in rows}))
    counts = {word: list(verdicts.values()).count(word) for word in sorted(set(verdicts.values()))}
    told = ", ".join(f"{number} {word}" for word, number in counts.items())
    lines = ["# Claims", "", ABOUT.format(level=table.LEVEL), ""]
    exact = sum(all(r.replicates == 1 for r in rows if r.claim == name) for name in verdicts)
    lines += [f"**{len(verdicts)} claims (size: {sizes}): {told}; {exact} of them exact.**", ""]
    for code in sorted(set(made.values())):
        names = ", ".join(name for name in sorted(made) if made[name] == code)
        lines += [f"Table made with {code}: {names}.", ""]
    waiting = ", ".join(name for name in shipped if name not in verdicts)
    lines += [f"Not tried here yet: {waiting}.", ""] if waiting else []
    lines += list(_missed(rows, verdicts))
    for statement in sorted({row.statement for row in rows}, key=_order):
        lines += _section(statement, [row for row in rows if row.statement == statement])
    return "\n".join(lines)


def _code(commit: dict[str, Any] | None) -> str:
    """Return in words which state of the code a study was made with."""
    if commit is None:
        return "an earlier state of the code"
    return f"the code of {commit['id'][:10]}" + (", changed" if commit["dirty"] else "")


def _order(statement: str) -> tuple[bool, str, int]:
    letters, number = re.fullmatch(r"(\D*)(\d+)", statement).groups()  # type: ignore[union-attr]
    return bool(letters), letters, int(number)


def _missed(rows: Sequence[Row], verdicts: dict[str, str]) -> Iterator[str]:
    for word in ("not met", "undecided"):
        names = [name for name, verdict in verdicts.items() if verdict == word]
        if not names:
            continue
        yield from (f"{word.capitalize()}:", "")
        for name in names:
            own = [row for row in rows if row.claim == name and row.verdict == word]
            for row in own:
                yield f"* `{name}`: {row.expectation}; observed {table.observed(row)}"
        yield ""


def _section(statement: str, rows: Sequence[Row]) -> list[str]:
    lines = [f"## {statement}", ""]
    citations = {claim.name: claim.citation for claim in claims()}
    for name in dict.fromkeys(row.claim for row in rows):
        row = next(row for row in rows if row.claim == name)
        star = "\\*" if row.goes == "against" else ""
        lines += [f"**{name}**{star}: {row.says}. {citations.get(name, '')}."]
        lines += [f"Changed after the first run: {row.history}"] if row.history else []
        lines += [""]
    lines += ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in rows:
        cells = (
            row.claim, row.world, row.expectation, table.observed(row),
            row.verdict if row.verdict == "met" else f"**{row.verdict}**", row.closed_form,
            f"{row.commit} ({row.digest})", f"{row.replicates}, {row.seed}",
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def main() -> None:
    """Write the page from folders of `ecosim study claims`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("runs/claims")])
    texts = [(folder / "claims.json").read_text("utf-8") for folder in parser.parse_args().folders]
    (HERE / "claims.md").write_text(page([json.loads(text) for text in texts]), encoding="utf-8")


if __name__ == "__main__":
    main()
