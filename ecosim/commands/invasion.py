"""`ecosim invasion`: which traits can invade which, and where evolution comes to rest."""

from __future__ import annotations

from pathlib import Path

import click

from ecosim.commands import arguments
from ecosim.commands.output import drawable, write_json, write_table


@click.command()
@arguments.scenario
@arguments.overrides
@click.option("--traits", required=True, metavar="START:STOP:N",
              help="N traits: shares of niche 0 of two, or positions.")  # fmt: skip
@click.option("--settle", type=click.IntRange(min=0), metavar="STEPS",
              help="Steps a resident has to come to rest.")  # fmt: skip
@arguments.as_json
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Draw the pairwise invasibility plot (.png, .svg, .pdf).")  # fmt: skip
def invasion(
    scenario: str, overrides: tuple[str, ...], traits: str, settle: int | None, as_json: bool,
    out: Path | None,
) -> None:  # fmt: skip
    """Grow rare mutants among residents of a scenario, pair by pair.

    SCENARIO is a TOML file or the name of a shipped scenario; its residents are alone, without
    mutation or entry.
    """
    if out is not None:
        drawable(out, "--out")
    import numpy as np

    from ecosim.invasion import pairwise_invasibility
    from ecosim.scenario import read

    start, stop, number = _range(traits)
    found = pairwise_invasibility(
        read(scenario, overrides), np.linspace(start, stop, number), settle=settle
    )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        found.figure().savefig(out, dpi=150)
    if as_json:
        write_json({**found.to_dict(), "figure": out})
        return
    rows = [[f"{s.trait:.4g}", s.kind, f"{s.slope:.4g}", f"{s.curvature:.4g}"]
            for s in found.singular()]  # fmt: skip
    write_table(("singular " + found.label, "kind", "slope", "curvature"), rows, right=(2, 3))
    unknown = found.undetermined()
    if unknown:
        told = ", ".join(f"{trait:.4g}" for trait in unknown)
        click.echo(f"not determined at {told}: a resident or mutant has no rate there")
    if not rows:
        click.echo(f"no singular strategy seen between {found.traits[1]:.4g} and "
                   f"{found.traits[-2]:.4g}")  # fmt: skip
    if out is not None:
        click.echo(f"plot  {out}")


def _range(text: str) -> tuple[float, float, int]:
    try:
        start, stop, number = text.split(":")
        given = float(start), float(stop), int(number)
    except ValueError:
        raise click.BadParameter(f"{text}: give START:STOP:N", param_hint="--traits") from None
    if not (given[0] < given[1] and 5 <= given[2] <= 1000):
        raise click.BadParameter(
            f"{text}: START must be below STOP, and N between 5 and 1000", param_hint="--traits"
        )
    return given
