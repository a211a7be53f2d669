"""`ecosim sweep`: many runs, described in a file or by flags; what is done is not repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments
from ecosim.commands.engines import computing, engine_of, resumable, telling
from ecosim.commands.output import write_json
from ecosim.commands.trouble import FAILED, INTERRUPTED, RESUMABLE, Exit

if TYPE_CHECKING:
    from ecosim.sweeps.definition import Sweep
    from ecosim.sweeps.execution import Todo
    from ecosim.sweeps.folder import SweepFolder


class _Group(click.Group):
    """A group whose first word may also be a sweep: `ecosim sweep soft-selection --grid ...`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks = {"-h", "--help"}
        if args and args[0].startswith("-") and args[0] not in asks:
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of `run` too, which may follow SOURCE at once."""
        click.Command.format_options(self.commands["run"], ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=_Group, options_metavar="", subcommand_metavar="SOURCE [OPTIONS] | COMMAND ...")
def sweep() -> None:
    """Run many variants of a scenario; `ecosim sweep SOURCE` is `ecosim sweep run SOURCE`.

    SOURCE is a sweep file (TOML), a shipped sweep, or a scenario that flags vary:
    `ecosim sweep soft-selection --grid tradeoff.exponent=0.5:2:16 --replicates 20`. KEY.PATH=VALUE
    sets a number for all points, as for `ecosim run`.
    """


def _pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    if not value:
        return {}
    from ecosim.errors import ScenarioError
    from ecosim.scenario.files import pairs

    try:
        return pairs(value, "KEY=VALUES")
    except ScenarioError as error:
        raise click.BadParameter("; ".join(map(str, error.problems))) from None


def _part(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int]:
    if value is None:
        return 1, 1
    try:
        index, count = (int(word) for word in value.split("/"))
        if not 1 <= index <= count:
            raise ValueError
    except ValueError:
        raise click.BadParameter(f"{value!r} is not I/N with 1 <= I <= N") from None
    return index, count


def varying(flag: str, text: str) -> Any:
    """Return an option that takes KEY=VALUES any number of times."""
    return click.option(flag, metavar="KEY=VALUES", multiple=True, callback=_pairs, help=text)


limited = click.option("--limit", type=click.IntRange(min=1), metavar="RUNS",
                       help="Most runs that are begun at once (default: 100000).")  # fmt: skip
_SAMPLES = ("random", "latin-hypercube", "sobol", "morris", "saltelli")


def design(command: Any) -> Any:
    """Add the argument and the options that describe a sweep."""
    options = [
        click.argument("source", metavar="SOURCE"),
        click.argument("overrides", metavar="[KEY.PATH=VALUE]...", nargs=-1, callback=_pairs),
        varying("--set", "One value for all points, as KEY.PATH=VALUE alone."),
        varying("--grid", "start:stop:number or a,b,c; all combinations."),
        varying("--zip", "As --grid, but all keys in step."),
        *(varying(f"--{name}", f"low:high[:log]; {name} points.") for name in _SAMPLES),
        click.option("--samples", type=click.IntRange(min=1), help="Number of sampled points."),
        click.option("--replicates", type=click.IntRange(min=1), help="Runs of each point."),
        click.option("--seed", type=click.IntRange(min=0), help="Root of all seeds."),
        click.option("--common-random-numbers", is_flag=True,
                     help="Replicate r of every point shares its draws."),
        click.option("--batch", type=click.IntRange(min=1), help="Runs computed together."),
        limited,
        click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER",
                     help="Folder of this sweep (default: runs/sweeps/NAME)."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def described(given: dict[str, Any]) -> Sweep:
    """Return the sweep that a command's arguments mean: a file, changed by flags, or a scenario."""
    from ecosim.sweeps import definition
    from ecosim.sweeps.sources import load

    source = given["source"]
    base = load(source)
    changes: dict[str, Any] = {}
    for part, values in (("set", fixed(given)), ("grid", given["grid"]), ("zip", given["zip"])):
        if values:
            changes[part] = {**base.get(part, {}), **values}
    methods = [name for name in _SAMPLES if given[name.replace("-", "_")]]
    if len(methods) > 1:
        raise click.UsageError(f"Only one of {', '.join('--' + m for m in methods)} at a time.")
    if methods:
        if given["samples"] is None:
            raise click.UsageError(f"--{methods[0]} needs --samples.")
        over = given[methods[0].replace("-", "_")]
        changes["sample"] = {"method": methods[0], "samples": given["samples"], "over": over}
    elif given["samples"] is not None and isinstance(base.get("sample"), dict):
        changes["sample"] = {**base["sample"], "samples": given["samples"]}
    elif given["samples"] is not None:
        raise click.UsageError("--samples needs --random, --sobol or another way of sampling.")
    for name in ("replicates", "seed", "batch"):
        if given[name] is not None:
            changes[name] = given[name]
    if given["common_random_numbers"]:
        changes["common_random_numbers"] = True
    return checked(definition.validate({**base, **changes}, str(source)), given["limit"])


def checked(sweep: Sweep, limit: int | None) -> Sweep:
    """Return a sweep that is neither too large nor without a valid point."""
    from ecosim.sweeps import beforehand

    beforehand.check_size(sweep, limit or beforehand.LIMIT)
    beforehand.check_points(sweep)
    return sweep


def fixed(given: dict[str, Any]) -> dict[str, Any]:
    """Return the values that --set gives, and those given as `ecosim run` takes them."""
    from ecosim.scenario.files import value_of

    alone = given.get("overrides", {})
    if twice := sorted(given["set"].keys() & alone.keys()):
        raise click.UsageError(
            f"{twice[0]}: is given twice, with --set and without it; say it once."
        )
    return {key: value_of(text) for key, text in (given["set"] | alone).items()}


def folder_of(described: Sweep, out: Path | None) -> SweepFolder:
    """Return the folder of a sweep; one that holds another experiment is refused."""
    from ecosim.experiments.folders import slug
    from ecosim.sweeps import experiment
    from ecosim.sweeps.definition import named
    from ecosim.sweeps.folder import SweepFolder

    found = SweepFolder(out if out is not None else Path("runs", "sweeps", slug(named(described))))
    experiment.check(found, described)
    return found


@sweep.command("run")
@design
@computing
@click.option("--array-task", metavar="I/N", callback=_part,
              help="Only the I-th of N parts (job arrays, workflow managers).")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what is missing; run nothing.")
@click.option("--fail-fast", is_flag=True, help="End at the first failure.")
@click.option("--retry-failed", is_flag=True, help="Run again what failed before.")
@click.option("--quiet", "-q", is_flag=True, help="No progress; print the folder only.")
@arguments.as_json
def run(
    *, array_task: tuple[int, int], dry_run: bool, fail_fast: bool, retry_failed: bool,
    lifetime: float | None, quiet: bool, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Run what is missing of a sweep.

    Exit codes: 0 all runs are there; 1 some failed (failures.parquet says why); 2 wrong usage;
    3 stopped early, the same command continues; 130 interrupted.
    """
    from ecosim.commands.watching import watching
    from ecosim.sweeps.execution import carry_out, todo

    tell = telling(quiet)
    engine = engine_of(given, tell)
    chosen = described(given)
    if chosen.search is not None:
        raise click.UsageError(
            f"{given['source']} describes a search: ecosim sweep search {given['source']}"
        )
    folder = folder_of(chosen, given["out"])
    if dry_run:
        _tell(folder, todo(chosen, folder, array_task), as_json)
        return

    def began(found: Todo) -> None:
        text = "{missing} of {total} runs are missing; {done} done, {failed} failed"
        tell(text.format(**found.counts))

    with (
        resumable(folder.path, lifetime, as_json=as_json) as stopping,
        watching(folder.path, quiet=quiet) as told,
    ):
        try:
            after = carry_out(
                chosen, folder, engine, part=array_task, retry_failed=retry_failed,
                fail_fast=fail_fast, should_stop=stopping, began=began, told=told,
            )  # fmt: skip
        except KeyboardInterrupt:  # asked twice: what had begun is given up
            after = todo(chosen, folder, array_task)
    if array_task == (1, 1):  # the last of many parts cannot be told from the others
        _draw(folder)
    if quiet and not as_json:
        click.echo(folder.path)
    else:
        _tell(folder, after, as_json)
    counts = after.counts
    if counts["missing"] and not (fail_fast and counts["failed"]):
        raise Exit(INTERRUPTED if stopping.interrupted else RESUMABLE)
    if counts["failed"]:
        raise Exit(FAILED)


def _draw(folder: SweepFolder) -> None:
    """Write the report; what cannot be drawn takes nothing from the results."""
    from ecosim.errors import EcosimError
    from ecosim.sweeps.page import write_page
    from ecosim.sweeps.results import SweepResults

    try:
        write_page(SweepResults(folder.path))
    except (EcosimError, OSError) as error:
        click.echo(f"no report.html: {error}", err=True)


def _tell(folder: SweepFolder, found: Todo, as_json: bool) -> None:
    counts = found.counts
    if as_json:
        write_json({**counts, "points": len(found.points), "path": str(folder.path)})
        return
    text = "{done} of {total} runs done, {missing} missing, {failed} failed"
    click.echo(f"{text.format(**counts)}: {folder.path}")
    for name, told in list(found.failed.items())[:3]:
        click.echo(f"failed {name} {told.get('values')}: {told.get('error')}", err=True)
