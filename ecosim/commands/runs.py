"""`ecosim runs`: the finished runs under a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table

if TYPE_CHECKING:
    from ecosim.experiments.run import Run


@click.command()
@arguments.out
@arguments.as_json
def runs(out: Path, as_json: bool) -> None:
    """List the finished runs, oldest first."""
    from ecosim.analysis.report import number
    from ecosim.experiments.store import list_runs

    found = list_runs(out)
    if as_json:
        write_json({"runs": [brief(run) for run in found]})
        return
    if not found:
        click.echo(f"no finished runs under {out}", err=True)
        return
    rows = [
        [
            run.manifest["scenario"], str(run.seed), f"{run.steps}",
            number(run.final["breadth_mean"]), number(run.final["coverage"]), _met(run),
            run.manifest["started"][:16].replace("T", " "), str(run.path),
        ]
        for run in found
    ]  # fmt: skip
    heads = ("scenario", "seed", "steps", "breadth", "coverage", "expected", "started (UTC)", "run")
    write_table(heads, rows, right=(1, 2, 3, 4))


def brief(run: Run) -> dict[str, Any]:
    """Return what tells a run from others."""
    manifest = run.manifest
    return {
        "run": str(run.path),
        **{key: manifest[key] for key in ("scenario", "world", "seed", "steps", "digest")},
        **{key: manifest[key] for key in ("result_digest", "started", "wall_s", "engine")},
        "met": [outcome["met"] for outcome in run.expectation],
    }


def _met(run: Run) -> str:
    verdicts = [outcome["met"] for outcome in run.expectation]
    return f"{sum(map(bool, verdicts))} of {len(verdicts)} met" if verdicts else "-"
