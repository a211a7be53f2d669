"""`ecosim scenarios`: what ships with ecosim."""

from __future__ import annotations

from typing import Any

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table


@click.command()
@arguments.as_json
def scenarios(as_json: bool) -> None:
    """List the shipped scenarios: name, world and question."""
    found = shipped()
    if as_json:
        write_json({"scenarios": found})
    else:
        keys = ("name", "world", "question")
        write_table(keys, ([entry[key] for key in keys] for entry in found))


def shipped() -> list[dict[str, Any]]:
    """Return name, world, title and question of each, as its file has them, not validated."""
    import tomllib

    from ecosim.scenario.shipped import folder, names

    found = []
    for name in names():
        raw = tomllib.loads((folder() / f"{name}.toml").read_text(encoding="utf-8"))
        about = raw.get("about", {})
        found.append(
            {"name": name, "world": raw.get("world", ""), "title": about.get("title", ""),
             "question": " ".join(about.get("question", "").split())}
        )  # fmt: skip
    return found
