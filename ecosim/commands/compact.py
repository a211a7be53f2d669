"""`ecosim sweep compact`: many small files of results made into few large ones."""

from __future__ import annotations

from pathlib import Path

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json


@click.command()
@click.argument("sweep", metavar="SWEEP", type=click.Path(path_type=Path))
@arguments.as_json
def compact(sweep: Path, as_json: bool) -> None:
    """Merge the files of results in the folder of a sweep; no run is ever without a file.

    Nothing else may write to the sweep meanwhile; readers may go on.
    """
    from ecosim.sweeps.compaction import compact as merge
    from ecosim.sweeps.folder import SweepFolder

    before, after = merge(SweepFolder.opened(sweep))
    if as_json:
        write_json({"before": before, "after": after, "path": str(sweep)})
    else:
        click.echo(f"{before} files of results are {after} now: {sweep}")
