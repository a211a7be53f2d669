"""`ecosim report`: the figure and the report of a finished run, made again."""

from __future__ import annotations

from pathlib import Path

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json
from ecosim.commands.show import find


@click.command()
@arguments.run
@arguments.out
@arguments.as_json
def report(run: str, out: Path, as_json: bool) -> None:
    """Write a run's figure.png and report.html again and print the report's path.

    RUN is its folder, or a scenario's name, which means its newest run under --out.
    """
    from ecosim.experiments.pictures import illustrate

    found = find(run, out)
    page = illustrate(found)
    if as_json:
        figure = found.path / "figure.png"
        write_json({"run": str(found.path), "report": str(page), "figure": str(figure)})
    else:
        click.echo(page)
