"""`ecosim sweep plan`: what a sweep will take, before it is run."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import Any

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table
from ecosim.commands.sweep import described, design, folder_of


@click.command()
@design
@click.option("--workers", type=click.IntRange(min=1), metavar="N",
              help="Processes or jobs that compute (default: this one).")  # fmt: skip
@click.option("--no-pilot", is_flag=True, help="Simulate nothing; nominal figures.")
@arguments.as_json
def plan(*, workers: int | None, no_pilot: bool, as_json: bool, **given: Any) -> None:
    """Estimate memory, disk, files and hours of what is missing of a sweep.

    Without --workers one process divides each batch over the cores that may be used here, as
    `ecosim sweep` does; the time counts on them being idle. A worker has one core.
    A pilot runs 200 steps of the first missing run. Nothing is written but the compilation cache.
    """
    from ecosim.compilation import cache_folder
    from ecosim.sweeps.planning import plan as planned

    # The pilot is to speak for one worker: one device, one thread.
    chosen = described(given)
    folder = folder_of(chosen, given["out"])
    found = planned(chosen, folder, workers or 0, pilot=not no_pilot)
    cache = cache_folder()
    places = {"path": str(folder.path), "cache": None if cache is None else str(cache),
              "temporary": os.environ.get("TMPDIR") or tempfile.gettempdir()}  # fmt: skip
    if as_json:
        write_json({**dataclasses.asdict(found), "fits": found.fits, **places})
        return
    rows: list[list[str]] = [
        ["points", str(found.points)],
        ["runs", f"{found.total}, of which {found.missing} are missing"],
        ["batches", f"{found.batches}, computed by {_count(found.workers, 'process', 'processes')} "
                    f"on {_count(found.cores_per_worker, 'core')} each"],
        ["files", str(found.files)],
        ["disk", _size(found.disk)],
        ["memory", f"{_size(found.memory_per_worker)} for each process; "
                   f"{_size(found.memory)} may be used here"],
        ["cores", f"{found.cores} may be used here"],
        ["time", f"{_duration(found.hours)}; {_duration(found.core_hours)} of one core"],
        ["from", "a pilot of the first run" if found.pilot else "nominal figures"],
        ["results", str(folder.path)],
        ["cache", f"{places['cache'] or 'none'} (ECOSIM_CACHE)"],
        ["temporary", f"{places['temporary']} (TMPDIR)"],
    ]  # fmt: skip
    write_table(("what", "estimate"), rows)
    if not found.fits:
        click.echo("so many workers do not fit the memory that may be used here", err=True)


def _count(number: int, one: str, more: str = "") -> str:
    return f"{number} {one}" if number == 1 else f"{number} {more or one + 's'}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _duration(hours: float) -> str:
    if hours < 1 / 60:
        return f"{hours * 3600:.2g} s"
    return f"{hours * 60:.2g} min" if hours < 1 else f"{hours:.3g} h"
