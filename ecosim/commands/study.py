"""`ecosim study`: the claims with their table, and the map of when specialists win."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table
from ecosim.commands.trouble import FAILED, INTERRUPTED, RESUMABLE, Exit

if TYPE_CHECKING:
    from ecosim.studies.claim import Claim
    from ecosim.studies.claims import Study
    from ecosim.studies.maps import Atlas
    from ecosim.studies.planes import Plane
    from ecosim.studies.trying import Tried
    from ecosim.studies.verdict import Verdict


MOST_WORKERS = 8  # each takes about 1 GB


@click.group()
def study() -> None:
    """Answer one question with many runs; runs that are there are not repeated."""


@study.command()
@click.option("--full", is_flag=True, help="More replicates, and larger runs where a claim says.")
@click.option("--only", multiple=True, metavar="WORD",
              help="A statement (7, T5) or a claim's name; may be repeated.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              default=Path("runs/claims"), show_default=True,
              help="Takes the runs and the table (claims.md, .json, .csv).")  # fmt: skip
@click.option("--from", "where", metavar="FOLDER",
              type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Claims of your own, in place of the shipped ones.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), metavar="N",
              help="Processes side by side (default: one a core, at most 8).")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 1 when an expectation is not met.")
@click.option("--list", "listed", is_flag=True, help="List the claims only; run nothing.")
@arguments.as_json
def claims(
    full: bool, only: tuple[str, ...], out: Path, where: Path | None, workers: int | None,
    strict: bool, listed: bool, as_json: bool,
) -> None:  # fmt: skip
    """Try the statements of the argument, as they were registered before the first run.

    Writes one table: statement, world, expectation, what was observed, verdict, and the folders
    of the runs, which `ecosim report` opens. Exit code 0 whatever the verdicts: they are findings.
    """
    from ecosim.commands.stopping import Stopping
    from ecosim.devices import divide_processor
    from ecosim.machine import cores
    from ecosim.studies.claims import carry_out
    from ecosim.studies.registration import claims as registered
    from ecosim.studies.trying import Stopped

    chosen = registered(only, where)
    if listed:
        _list(chosen, as_json)
        return
    workers = min(workers or min(cores(), MOST_WORKERS), len(chosen))
    if workers == 1:
        divide_processor()

    spent: list[float] = []

    def told(tried: Tried, verdict: Verdict) -> None:
        spent.append(tried.seconds)
        claim = tried.claim
        used = f"{tried.seconds:.0f} s of processor time"
        click.echo(f"{verdict}: {claim.statement} {claim.name} ({used})", err=True)

    with Stopping(None, graceful=True) as stopping:
        try:
            done = carry_out(
                chosen, "full" if full else "quick", out, where=where, workers=workers,
                told=told, should_stop=stopping,
            )  # fmt: skip
        except Stopped:
            click.echo("stopped; the same command continues", err=True)
            raise Exit(INTERRUPTED if stopping.interrupted else RESUMABLE) from None
    click.echo(f"{sum(spent):.0f} s of processor time in all", err=True)
    _tell(done, as_json)
    if strict and "not met" in done.verdicts.values():
        raise Exit(FAILED)


def _list(chosen: list[Claim], as_json: bool) -> None:
    if as_json:
        write_json([{"statement": c.statement, "name": c.name, "says": c.says, "goes": c.goes,
                     "digest": c.digest, "waits_for": c.waits_for} for c in chosen])  # fmt: skip
        return
    for claim in chosen:
        click.echo(f"{claim.statement:>4}  {claim.name}  {claim.says}")


def _tell(done: Study, as_json: bool) -> None:
    from ecosim.studies import table

    if as_json:
        files = {ending: str(path) for ending, path in done.files.items()}
        write_json({"verdicts": done.verdicts, "rows": table.as_json(done.rows), "files": files})
        return
    write_table(
        ("statement", "world", "expectation", "observed", "verdict", "registered", "runs"),
        ([f"{row.statement}{'*' if row.goes == 'against' else ''}", row.world, row.expectation,
          table.observed(row), row.verdict, row.commit, row.runs] for row in done.rows),
    )  # fmt: skip
    sizes = " and ".join(sorted({row.size for row in done.rows}))
    click.echo(f"{len(done.verdicts)} claims ({sizes}): {done.counts}")
    click.echo(f"table  {done.files['md']}")


@study.command("phase-diagram")
@click.option("--world", "worlds", multiple=True, metavar="WORLD",
              help="A world; may be repeated (default: all that have a map).")  # fmt: skip
@click.option("--full", is_flag=True, help="A finer grid and more replicates.")
@click.option("--quick", is_flag=True, help="The coarse grid; this is the default.")
@click.option("--swap", is_flag=True,
              help="Also worlds with another's selection, or competition.")  # fmt: skip
@click.option("--control", is_flag=True,
              help="Also the ecology with fewer mutants, none, or more organisms; and a market "
                   "whose entrants copy.")  # fmt: skip
@click.option("--register", is_flag=True,
              help="Run nothing: write what is expected of each cell of new maps.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              default=Path("runs/phase-diagram"), show_default=True,
              help="Takes the runs, the pictures and the table.")  # fmt: skip
@arguments.as_json
def phase_diagram(
    worlds: tuple[str, ...],
    full: bool,
    quick: bool,
    swap: bool,
    control: bool,
    register: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Map where specialists win: exponent against crowding, and curvature against grain.

    Each map shows the specialists' share with the closed-form boundary and the simulated contour;
    the table says how far the worlds agree. What was expected of each cell was committed before
    the first run of a map, in scenarios/maps.
    """
    from ecosim.commands.stopping import Stopping
    from ecosim.devices import divide_processor
    from ecosim.studies.maps import carry_out
    from ecosim.studies.planes import chosen
    from ecosim.studies.trying import Stopped

    if full and quick:
        raise click.UsageError("--full and --quick exclude one another.")
    if swap and control:
        raise click.UsageError("--swap and --control exclude one another.")
    planes = chosen(worlds, kind="swapped" if swap else "control" if control else "own")
    if register:
        _register(planes, as_json)
        return
    divide_processor()
    with Stopping(None, graceful=True) as stopping:
        try:
            atlas = carry_out(
                planes, "full" if full else "quick", out, should_stop=stopping,
                told=lambda plane: click.echo(f"done: {plane.name}", err=True),
            )  # fmt: skip
        except Stopped:
            click.echo("stopped; the same command continues", err=True)
            raise Exit(INTERRUPTED if stopping.interrupted else RESUMABLE) from None
    _show(atlas, as_json)


def _register(planes: list[Plane], as_json: bool) -> None:
    from ecosim.studies import agreement_registration, plane_registration

    paths = [*plane_registration.register(planes), *agreement_registration.register()]
    written = [str(path) for path in paths]
    if as_json:
        write_json({"registered": written})
        return
    for path in written:
        click.echo(path)


def _show(atlas: Atlas, as_json: bool) -> None:
    from ecosim.studies.map_tables import (
        AGREEMENT,
        HEADS,
        VERDICTS,
        agreements,
        rows,
        verdicts,
    )
    from ecosim.studies.maps import as_dict

    if as_json:
        maps = [as_dict(diagram) for diagram in atlas.diagrams]
        alike = [dict(zip(AGREEMENT, row, strict=True)) for row in agreements(atlas.diagrams)]
        said = [dict(zip(VERDICTS, row, strict=True)) for row in verdicts(atlas.diagrams)]
        files = [str(path) for path in atlas.files]
        write_json({"maps": maps, "agreement": alike, "statement": said, "files": files})
        return
    table = (row for diagram in atlas.diagrams for row in rows(diagram))
    write_table(HEADS, table, right=range(1, 6))
    if pairs := agreements(atlas.diagrams):
        write_table(AGREEMENT, pairs)
    write_table(VERDICTS, verdicts(atlas.diagrams))
    for path in atlas.files:
        click.echo(path)
