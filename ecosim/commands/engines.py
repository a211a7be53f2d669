"""Where a command's runs are computed: the options that say so, and what becomes of a stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands.output import write_json
from ecosim.commands.stopping import Stopping
from ecosim.commands.trouble import INTERRUPTED, RESUMABLE, Exit, explain

if TYPE_CHECKING:
    from ecosim.sweeps.execution import Engine


def computing(command: Any) -> Any:
    """Add the options that `engine_of` reads, and --lifetime."""
    options = [
        click.option("--workers", type=click.IntRange(min=1), metavar="N",
                     help="Processes of this machine, or jobs of the queue."),
        click.option("--scheduler", metavar="tcp://HOST:PORT", help="A Dask cluster that runs."),
        click.option("--slurm", "system", flag_value="slurm", help="Workers as jobs of Slurm."),
        click.option("--pbs", "system", flag_value="pbs", help="Workers as jobs of PBS."),
        click.option("--lsf", "system", flag_value="lsf", help="Workers as jobs of LSF."),
        click.option("--sge", "system", flag_value="sge", help="Workers as jobs of SGE."),
        click.option("--cluster-config", type=click.Path(exists=True, dir_okay=False),
                     metavar="FILE", help="TOML: queue, walltime, memory, gpus of the jobs."),
        click.option("--lifetime", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
                     help="Begin nothing new after so long (exit code 3)."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def telling(quiet: bool) -> Callable[[str], None]:
    """Return what writes a line for the user to stderr, or nothing."""

    def tell(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    return tell


def engine_of(given: dict[str, Any], tell: Callable[[str], None]) -> Engine:
    """Return where the batches are computed, as the options of `computing` say."""
    workers, scheduler, system = given["workers"], given["scheduler"], given["system"]
    config = given["cluster_config"]
    if scheduler and (workers or system):
        raise click.UsageError(
            "--scheduler has its own workers; give neither --workers nor a queue."
        )
    if config and not system:
        raise click.UsageError("--cluster-config goes with --slurm, --pbs, --lsf or --sge.")
    if system:
        from ecosim.sweeps.jobqueue import queued, read

        return queued(system, read(config, system), workers or 1, tell)
    if scheduler or workers:
        from ecosim.sweeps.cluster import existing, local

        return existing(scheduler, tell) if scheduler else local(workers or 1, tell)
    from ecosim.devices import divide_processor
    from ecosim.sweeps.execution import Here

    divide_processor()
    return Here()


@contextlib.contextmanager
def resumable(folder: Path, lifetime: float | None, *, as_json: bool) -> Iterator[Stopping]:
    """Take requests to stop; what stops early says how to go on, and ends with the code for it."""
    from ecosim.sweeps.execution import ClusterLost
    from ecosim.sweeps.trials import Paused

    with Stopping(lifetime, graceful=True) as stopping:
        try:
            yield stopping
        except Paused as paused:
            click.echo(str(paused), err=True)
            if as_json:
                write_json({"error": str(paused), "problems": [], "path": str(folder)})
            raise Exit(INTERRUPTED if stopping.interrupted else RESUMABLE) from None
        except ClusterLost as lost:
            explain(lost, as_json=as_json)
            raise Exit(RESUMABLE) from None
