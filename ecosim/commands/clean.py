"""`ecosim clean`: remove what dead processes left, and on request compiled programs."""

from __future__ import annotations

from pathlib import Path

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json


@click.command()
@click.argument("sweep", required=False, type=click.Path(path_type=Path))
@click.option("--cache", is_flag=True, help="Remove compiled programs too (ECOSIM_CACHE).")
@arguments.as_json
def clean(*, sweep: Path | None, cache: bool, as_json: bool) -> None:
    """Remove temporary files and marks of dead processes; results are never touched.

    SWEEP is a sweep's folder (default: all in runs/sweeps). Scratch folders in TMPDIR go too.
    Without its mark, a batch that ended its process is tried again as if for the first time.
    """
    from ecosim.compilation import cache_folder
    from ecosim.sweeps import cleaning
    from ecosim.sweeps.folder import SweepFolder

    if sweep is not None:
        folders = [SweepFolder.opened(sweep)]
    else:
        every = sorted(Path("runs", "sweeps").glob("*/manifest.json"))
        folders = [found for path in every if (found := SweepFolder(path.parent)).is_sweep]
    paths = [path for folder in folders for path in cleaning.left_in(folder)]
    paths += cleaning.left_in_scratch()
    if cache:
        paths += list(cleaning.cached(cache_folder()))
    freed = cleaning.remove(paths)
    if as_json:
        write_json({"removed": [str(path) for path in paths], "bytes": freed})
        return
    for path in paths:
        click.echo(path)
    click.echo(f"{len(paths)} removed, {freed / 1e6:.3g} MB freed", err=True)
