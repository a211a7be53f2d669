"""`ecosim sweep sensitivity`: which of the varied numbers a metric depends on."""

from __future__ import annotations

from pathlib import Path

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table
from ecosim.commands.status import sweep_folder


@click.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--metric", metavar="METRIC", required=True, help="What is to be explained.")
@click.option("--window", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="Mean over this last share of the records; 0: the last record.")  # fmt: skip
@arguments.as_json
def sensitivity(folder: Path, metric: str, window: float, as_json: bool) -> None:
    """Tell which of the varied numbers a metric depends on.

    FOLDER is a sweep whose sample is saltelli (Sobol indices, first-order and total) or morris
    (mu*, mu and sigma of elementary effects).
    """
    from ecosim.sweeps.results import SweepResults

    found = SweepResults(sweep_folder(folder)).sensitivity(metric, window=window)
    if as_json:
        write_json(found.as_table())
        return
    heads = {name: name.replace("_ci", " ±").replace("_", " ") for name in found.table.columns}
    rows = [
        [str(key), *(f"{value:.3g}" for value in row)]
        for key, row in zip(found.table.index, found.table.to_numpy(), strict=True)
    ]
    write_table(("key", *heads.values()), rows, right=range(1, len(heads) + 1))
    for note in found.notes():
        click.echo(note)
