"""`ecosim metrics`: the indices of any interaction web."""

from __future__ import annotations

from typing import Any

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table


@click.command()
@click.argument("web", metavar="WEB.csv", type=click.Path())
@arguments.as_json
def metrics(web: str, as_json: bool) -> None:
    """Measure an interaction web: H2', NODF, modularity, and per species d' and breadth.

    WEB.csv has niches as rows, their names in the first column, and one column a species.
    """
    from ecosim.webs import measure_web

    measured = measure_web(web)
    if as_json:
        write_json(measured)
        return
    single = {k: v for k, v in measured.items() if not isinstance(v, list | dict)}
    write_table(("index", "value"), ([k, _number(v)] for k, v in single.items()), right=(1,))
    species = measured["per_species"]
    heads = list(species[0])
    rows = ([_number(entry[head]) for head in heads] for entry in species)
    write_table(heads, rows, right=range(1, len(heads)))
    for name, reason in measured["undefined"].items():
        click.echo(f"{name} is undefined: {reason}")
    for kind, names in measured["dropped"].items():
        if names:
            click.echo(f"empty {kind}, left out: {', '.join(names)}")


def _number(value: Any) -> str:
    if value is None:
        return "undefined"
    return value if isinstance(value, str) else f"{value:.6g}"
