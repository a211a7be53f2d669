"""`ecosim check`: is a scenario valid, and what is it called?"""

from __future__ import annotations

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json


@click.command()
@click.argument("scenario", metavar="SCENARIO", required=False)
@arguments.overrides
@arguments.as_json
@click.option("--schema", is_flag=True, help="Print the JSON Schema of scenario files.")
@click.option("--toml", is_flag=True, help="Print the scenario with every default written out.")
def check(
    scenario: str | None, overrides: tuple[str, ...], as_json: bool, schema: bool, toml: bool
) -> None:
    """Validate a scenario without running it.

    SCENARIO is a TOML file or the name of a shipped scenario.
    """
    from ecosim.analysis.expectation import precheck
    from ecosim.scenario import digest, json_schema, read, to_dict, to_toml

    if schema:
        write_json(json_schema())
        return
    if scenario is None:
        raise click.UsageError("Missing argument 'SCENARIO'; only --schema goes without.")
    valid = read(scenario, overrides)
    precheck(valid)
    if as_json:
        write_json(
            {"scenario": valid.name, "world": valid.world, "valid": True,
             "digest": digest(valid), "resolved": to_dict(valid)}
        )  # fmt: skip
    elif toml:
        click.echo(to_toml(valid), nl=False)
    else:
        click.echo(f"{valid.name}: valid, digest {digest(valid)}")
