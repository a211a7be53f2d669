"""`ecosim run`: run a scenario, or report the finished run of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments, placement
from ecosim.commands.output import write_json, write_table
from ecosim.commands.show import summary, write_paths, write_verdicts, write_web
from ecosim.commands.trouble import FAILED, INTERRUPTED, RESUMABLE, Exit

if TYPE_CHECKING:
    from ecosim.experiments.checkpoint import Stopped
    from ecosim.experiments.run import Run
    from ecosim.scenario import Scenario


@click.command()
@arguments.scenario
@arguments.overrides
@click.option("--seed", type=click.IntRange(min=0), help="In place of the scenario's run.seed.")
@arguments.out
@click.option("--force", is_flag=True, help="Repeat a run that is finished.")
@click.option("--expect", is_flag=True, help="Exit with 1 when an expectation is missed.")
@click.option("--engine", type=click.Choice(["headless", "mesa"]), default="headless",
              show_default=True, help="mesa: the same run through a Mesa model.")  # fmt: skip
@placement.placed
@click.option("--pictures/--no-pictures", default=True,
              help="Draw figure.png and write report.html; `ecosim report` does it later."
              )  # fmt: skip
@arguments.as_json
@click.option("--quiet", "-q", is_flag=True, help="No progress, no messages; print the path only.")
@click.option("--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
              help="Stop after so long and save a checkpoint (exit code 3).")  # fmt: skip
def run(
    scenario: str, overrides: tuple[str, ...], seed: int | None, out: Path, force: bool,
    expect: bool, engine: str, pictures: bool, as_json: bool, quiet: bool,
    time_limit: float | None, **where: Any,
) -> None:  # fmt: skip
    """Run a scenario and store metrics, figure and report.

    SCENARIO is a TOML file or the name of a shipped scenario; KEY.PATH=VALUE changes a number of
    it, as in `ecosim run adaptive-radiation tradeoff.exponent=0.8`. A run that is finished is
    reported, not repeated. A run that was stopped goes on where it stopped.
    """
    from ecosim import processes
    from ecosim.commands.live import following
    from ecosim.commands.stopping import Stopping
    from ecosim.experiments.checkpoint import Stopped
    from ecosim.experiments.store import execute
    from ecosim.scenario import read

    if engine == "mesa" and time_limit is not None:
        raise click.UsageError("--time-limit needs --engine headless, which saves checkpoints.")
    chosen = read(scenario, overrides)
    placement.prepare(where, engine, chosen)
    devices = where["devices"]
    if not processes.first():
        with placement.ending_with_the_others(as_json):
            _follow(chosen, seed, devices, time_limit, as_json)
        return
    graceful = engine == "headless"
    with (
        placement.ending_with_the_others(as_json),
        Stopping(time_limit, graceful=graceful) as stopping,
    ):
        try:
            with following(chosen.name, chosen.run.steps, quiet=quiet) as progress:
                done, reused = execute(
                    chosen, seed=seed, out=out, force=force, engine=engine,  # type: ignore[arg-type]
                    progress=progress, should_stop=stopping, devices=devices, pictures=pictures,
                )  # fmt: skip
        except Stopped as stopped:
            _tell_stopped(stopped, as_json)
            raise Exit(INTERRUPTED if stopping.interrupted else RESUMABLE) from None
    if as_json:
        wall_s = done.manifest["wall_s"]
        write_json({**summary(done), "reused": reused, "wall_s": wall_s})
    elif quiet:
        click.echo(done.path)
    else:
        _write_summary(done, reused)
    if expect and any(outcome["met"] is False for outcome in done.expectation):
        raise Exit(FAILED)


def _follow(
    scenario: Scenario, seed: int | None, devices: int, time_limit: float | None, as_json: bool
) -> None:
    """Compute with process 0, which keeps and tells what comes out."""
    from ecosim.commands.stopping import Stopping
    from ecosim.experiments.store import follow

    with Stopping(time_limit, graceful=True) as stopping:
        complete = follow(scenario, seed=seed, devices=devices, should_stop=stopping)
    if as_json:
        write_json({"complete": complete, "kept_by_process": 0})
    if not complete:
        raise Exit(INTERRUPTED if stopping.interrupted else RESUMABLE)


def _tell_stopped(stopped: Stopped, as_json: bool) -> None:
    click.echo(str(stopped), err=True)
    if as_json:
        write_json({"error": str(stopped), "problems": [], "checkpoint": stopped.checkpoint,
                    "step": stopped.step, "steps": stopped.steps})  # fmt: skip


def _write_summary(run: Run, reused: bool) -> None:
    from ecosim.analysis import subjects
    from ecosim.analysis.report import changes, number

    if reused:
        made = f"{run.manifest['started'][:16].replace('T', ' ')} UTC"
        click.echo(f"already finished, begun {made}; --force repeats it", err=True)
    write_verdicts(run)
    rows = (
        [name, number(first), number(last), subjects.unit(run.scenario, name)]
        for name, first, last in changes(run)
    )
    write_table(("metric", "start", "end", "unit"), rows, right=(1, 2))
    write_web(run)
    write_paths(run)
