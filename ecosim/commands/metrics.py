"""`ecosim metrics`: the indices of any interaction web, or of a leaderboard."""

from __future__ import annotations

from typing import Any

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table


@click.command()
@click.argument("web", metavar="WEB.csv", type=click.Path())
@click.option("--leaderboard", is_flag=True,
              help="The table has an agent a line and a benchmark a column.")  # fmt: skip
@click.option("--lower", multiple=True, metavar="BENCHMARK",
              help="Less is better on this benchmark; may be repeated.")  # fmt: skip
@arguments.as_json
def metrics(web: str, leaderboard: bool, lower: tuple[str, ...], as_json: bool) -> None:
    """Measure an interaction web: H2', NODF, modularity, and per species d' and breadth.

    WEB.csv has niches as rows, their names in the first column, and one column a species. With
    --leaderboard it has agents as rows and benchmarks as columns; scores may be any numbers, or
    missing, and are rescaled on each benchmark to 0 for the worst and 1 for the best.
    """
    if leaderboard:
        _leaderboard(web, lower, as_json)
        return
    if lower:
        raise click.UsageError("--lower goes with --leaderboard.")
    from ecosim.errors import WebError
    from ecosim.webs import measure_web

    try:
        measured = measure_web(web)
    except WebError:
        click.echo("scores of agents on benchmarks are read with --leaderboard", err=True)
        raise
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


def _leaderboard(path: str, lower: tuple[str, ...], as_json: bool) -> None:
    from ecosim.webs.leaderboard import measure_leaderboard

    measured = measure_leaderboard(path, lower=lower)
    if as_json:
        write_json(measured)
        return
    single = {k: v for k, v in measured.items() if not isinstance(v, list | dict)}
    write_table(("index", "value"), ([k, _number(v)] for k, v in single.items()), right=(1,))
    agents = measured["per_agent"]
    heads = list(agents[0])
    rows = ([_number(entry[head]) for head in heads] for entry in agents)
    write_table(heads, rows, right=range(1, len(heads)))
    for name, reason in measured["undefined"].items():
        click.echo(f"{name} is undefined: {reason}")
    if measured["flat"]:
        click.echo(f"all score alike, left out: {', '.join(measured['flat'])}")
    if measured["incomplete"]:
        click.echo(f"not measured everywhere: {', '.join(measured['incomplete'])}")


def _number(value: Any) -> str:
    if value is None:
        return "undefined"
    return value if isinstance(value, str) else f"{value:.6g}"
