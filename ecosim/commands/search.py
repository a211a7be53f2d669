"""`ecosim sweep search`: the values at which a metric is largest or smallest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments
from ecosim.commands.engines import computing, engine_of, resumable, telling
from ecosim.commands.output import write_json, write_table
from ecosim.commands.sweep import checked, fixed, folder_of, limited, varying

if TYPE_CHECKING:
    from ecosim.sweeps.definition import Sweep
    from ecosim.sweeps.searching import Found


@click.command()
@click.argument("source", metavar="SOURCE")
@varying("--set", "One value for all trials.")
@varying("--over", "low:high[:log]; where to look.")
@click.option("--metric", metavar="METRIC", help="What is to be best: its mean at the end.")
@click.option("--maximize/--minimize", default=None, help="Largest (the default) or smallest.")
@click.option("--trials", type=click.IntRange(min=1), help="Number of points.")
@click.option("--together", type=click.IntRange(min=1), help="Points chosen at once (default: 8).")
@click.option("--replicates", type=click.IntRange(min=1), help="Runs of each point.")
@click.option("--seed", type=click.IntRange(min=0), help="Root of all seeds.")
@limited
@computing
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Folder of this search (default: runs/sweeps/NAME).")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@arguments.as_json
def search(
    *, lifetime: float | None, out: Path | None, quiet: bool, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Look for the values at which a metric is largest or smallest.

    SOURCE is a scenario, or a sweep file with a table [search]. The same command continues; more
    --trials go on from the last.
    """
    from ecosim.sweeps.searching import search as found_by

    tell = telling(quiet)
    chosen = _described(given)
    folder = folder_of(chosen, out).path

    def told(number: int, found: Found | None) -> None:
        best = "none yet" if found is None else f"{found.value:.6g} at {found.best}"
        tell(f"{number} trials, best: {best}")

    engine = engine_of(given, tell)
    with resumable(folder, lifetime, as_json=as_json) as stopping:
        found = found_by(chosen, folder, engine, should_stop=stopping, told=told)
    if as_json:
        write_json({"best": found.best, "value": found.value, "trials": found.trials,
                    "path": str(folder)})  # fmt: skip
        return
    write_table(("best", "value"), [[key, f"{value:.6g}"] for key, value in found.best.items()],
                right=(1,))  # fmt: skip
    assert chosen.search is not None
    click.echo(f"{chosen.search.metric}  {found.value:.6g}  ({len(found.trials)} trials)")
    click.echo(f"search  {folder}")


def _described(given: dict[str, Any]) -> Sweep:
    from ecosim.sweeps.definition import validate
    from ecosim.sweeps.sources import load

    source = given["source"]
    base = load(source)
    base.setdefault("name", f"{Path(source).stem}-search")
    plan = base.get("search", {})
    changes = {"metric": given["metric"], "trials": given["trials"], "together": given["together"]}
    if given["over"]:
        changes["over"] = given["over"]
    if given["maximize"] is not None:
        changes["direction"] = "maximize" if given["maximize"] else "minimize"
    if isinstance(plan, dict):
        plan = plan | {key: value for key, value in changes.items() if value is not None}
        lacking = [name for name in ("metric", "trials", "over") if name not in plan]
        if lacking:
            flags = ", ".join(f"--{name}" for name in lacking)
            raise click.UsageError(
                f"A search needs {flags}; a sweep file may give them in its table [search]."
            )
    base["search"] = plan
    base["set"] = {**base.get("set", {}), **fixed(given)}
    for name in ("replicates", "seed"):
        if given[name] is not None:
            base[name] = given[name]
    return checked(validate(base, str(source)), given["limit"])
