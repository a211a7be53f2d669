"""`ecosim report`: the figures and the report of a finished run, or of a sweep, made again."""

from __future__ import annotations

from pathlib import Path

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json
from ecosim.commands.show import find
from ecosim.commands.status import sweep_folder


@click.command()
@arguments.run
@arguments.out
@click.option("--metrics", metavar="A,B", help="What a sweep's pictures show.")
@arguments.as_json
def report(run: str, out: Path, metrics: str | None, as_json: bool) -> None:
    """Write report.html and the pictures of a run or a sweep again and print the report's path.

    RUN is a run's folder, or a scenario's name, which means its newest run under --out; or the
    folder of a sweep, or its name.
    """
    from ecosim.sweeps.folder import SweepFolder

    folder = sweep_folder(Path(run))
    if SweepFolder(folder).is_sweep:
        _of_sweep(folder, metrics, as_json)
        return
    if metrics:
        raise click.UsageError(f"--metrics is for the report of a sweep; {run} is none.")
    from ecosim.experiments.pictures import illustrate

    found = find(run, out)
    page = illustrate(found)
    if as_json:
        figure = found.path / "figure.png"
        write_json({"run": str(found.path), "report": str(page), "figure": str(figure)})
    else:
        click.echo(page)


def _of_sweep(folder: Path, metrics: str | None, as_json: bool) -> None:
    from ecosim.sweeps.page import write_page
    from ecosim.sweeps.results import SweepResults

    names = [name.strip() for name in (metrics or "").split(",") if name.strip()]
    page = write_page(SweepResults(folder), names)
    if as_json:
        pictures = sorted(str(path) for path in (folder / "pictures").glob("*.png"))
        write_json({"sweep": str(folder), "report": str(page), "pictures": pictures})
    else:
        click.echo(page)
