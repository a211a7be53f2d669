"""`ecosim study claims`: all claims tried, one table written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecosim.experiments.folders import write_atomically
from ecosim.studies import table
from ecosim.studies.claim import Claim, Size
from ecosim.studies.registration import registered
from ecosim.studies.side_by_side import attempts
from ecosim.studies.table import Row
from ecosim.studies.trying import Tried
from ecosim.studies.verdict import Verdict


@dataclass(frozen=True)
class Study:
    """All claims tried: a row an expectation, the verdict on each claim, and the files written."""

    rows: list[Row]
    verdicts: dict[str, Verdict]
    files: dict[str, Path]

    @property
    def counts(self) -> str:
        """How many claims came to which verdict, in words."""
        found = Counter(self.verdicts.values())
        return ", ".join(f"{number} {word}" for word, number in sorted(found.items()))


def carry_out(
    claims: Sequence[Claim],
    size: Size,
    folder: Path,
    *,
    where: Path | None = None,
    workers: int = 1,
    told: Callable[[Tried, Verdict], None] = lambda tried, verdict: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Study:
    """Try claims and write the table as Markdown, JSON and CSV; runs that are there are kept.

    Args:
        claims: what is tried.
        size: quick or full.
        folder: takes the runs, in a folder a claim, and the table.
        where: the folder that the claims were read from; None: the shipped ones.
        workers: processes that try claims side by side.
        told: called with each claim as it was tried, and the verdict on it.
        should_stop: asked between batches.

    Raises:
        ScenarioError: a claim whose scenario breaks rules.
        StoreError: the folder cannot be written, a run failed, or a process ended.
        Stopped: `should_stop` said so; what is done is kept.

    """
    folder.mkdir(parents=True, exist_ok=True)
    done: dict[int, Tried] = {}
    for place, tried in attempts(claims, size, folder, workers=workers, should_stop=should_stop):
        done[place] = tried
        told(tried, table.verdicts([tried])[tried.claim.name])
    commits = [registered(claim, where) for claim in claims]
    return _written([done[place] for place in range(len(claims))], commits, folder)


def _written(tried: Sequence[Tried], commits: Sequence[str], folder: Path) -> Study:
    from ecosim.experiments.manifest import commit, to_json

    found = table.rows(tried, commits, folder)
    files = {ending: folder / f"claims.{ending}" for ending in ("md", "json", "csv")}
    study = Study(found, table.verdicts(tried), files)
    size = tried[0].size if tried else "quick"
    counts = (
        f"Size: {size}. {len(study.verdicts)} claims, {len(found)} expectations: {study.counts}."
    )
    texts = {
        "md": table.as_markdown(found, counts),
        "json": to_json(
            {"verdicts": study.verdicts, "rows": table.as_json(found), "code": commit()}
        )
        + "\n",
        "csv": table.as_csv(found),
    }
    for ending, text in texts.items():
        write_atomically(files[ending], text.encode())
    return study
