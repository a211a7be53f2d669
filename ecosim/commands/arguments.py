"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click


def _complete_scenario(ctx: click.Context, param: click.Parameter, start: str) -> list[str]:
    from ecosim.scenario.shipped import names

    files = [str(path) for path in Path().glob(f"{start}*.toml")]
    return [name for name in [*names(), *files] if name.startswith(start)]


scenario = click.argument("scenario", metavar="SCENARIO", shell_complete=_complete_scenario)
overrides = click.argument("overrides", metavar="[KEY.PATH=VALUE]...", nargs=-1)
out = click.option(
    "--out",
    metavar="FOLDER",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Root of the results: FOLDER/SCENARIO/DIGEST-SEED/.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _complete_run(ctx: click.Context, param: click.Parameter, start: str) -> list[str]:
    from ecosim.experiments.store import list_runs

    runs = list_runs(ctx.params.get("out") or "runs")
    return [str(run.path) for run in runs if str(run.path).startswith(start)]


run = click.argument("run", metavar="RUN", shell_complete=_complete_run)
