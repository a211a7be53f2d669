"""`ecosim status`: how far a sweep is, asked from any shell while it runs or after."""

from __future__ import annotations

from pathlib import Path

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table


@click.command()
@click.argument("sweep", metavar="SWEEP", type=click.Path(path_type=Path))
@arguments.as_json
def status(sweep: Path, as_json: bool) -> None:
    """Tell how far a sweep is: done, failed, running, rate, time left, per worker.

    SWEEP is its folder, or its name, which means runs/sweeps/NAME. Only names of files and their
    footers are read.
    """
    from ecosim.commands.watching import duration, line, row_of
    from ecosim.sweeps.status import status as asked

    found = asked(sweep_folder(sweep))
    if as_json:
        write_json(found.as_table())
        return
    counts = {"total": found.total, "done": found.done, "failed": found.failed}
    click.echo(f"{found.name}: {line(counts, found.rate)}")
    click.echo(f"{found.missing:,} missing, {found.running:,} of them running now")
    if found.others:
        click.echo(f"{found.others:,} more runs are there, of earlier requests")
    if found.missing and not found.rate:
        click.echo("no run ended lately: the time left is not known")
    if found.lost:
        click.echo(f"{found.lost} batches lost their process; they are tried again")
    for link in found.dashboards:
        click.echo(f"dashboard  {link}")
    if found.workers:
        rows = [
            [*row_of(told), duration(max(_now() - told["seen"], 0)) + " ago"]
            for told in found.workers
        ]
        heads = ("worker", "state", "done", "failed", "runs a second", "heard")
        write_table(heads, rows, right=(2, 3, 4))


def _now() -> float:
    import time

    return time.time()


def sweep_folder(given: Path) -> Path:
    """Return a sweep's folder, given as such or by the sweep's name."""
    if (given / "manifest.json").exists():
        return given
    named = Path("runs", "sweeps", given)
    return named if not given.is_absolute() and (named / "manifest.json").exists() else given
