"""What commands print: JSON objects, tables and numbers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console


def write_json(value: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Write exactly one JSON value on stdout; NaN and infinity become null."""
    from ecosim.experiments.manifest import to_json

    click.echo(to_json(value))


PICTURES = (".png", ".svg", ".pdf")


def drawable(path: Path, option: str) -> None:
    """Refuse a file that no picture can be written to, before anything is computed for it."""
    if path.suffix.lower() not in PICTURES:
        raise click.UsageError(f"{option} takes a .png, .svg or .pdf file (given: {path}).")
    there = next(parent for parent in path.absolute().parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise click.UsageError(f"{option}: {there} is no folder that can be written ({path}).")


def console(stream: TextIO) -> Console:
    """Return a console that colours and wraps on a terminal only, and obeys NO_COLOR."""
    from rich.console import Console

    width = None if stream.isatty() else 200
    colour = stream.isatty() and not os.environ.get("NO_COLOR")
    return Console(file=stream, width=width, no_color=not colour, highlight=False)


def bars_wanted() -> bool:
    """Say whether stderr may show a live bar: a terminal, and no NO_COLOR."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def write_table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()
) -> None:
    """Write a table on stdout; the columns numbered in `right` hold numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, head in enumerate(heads):
        number = position in right
        table.add_column(
            head,
            justify="right" if number else "left",
            no_wrap=number or position == 0,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console(sys.stdout).print(table)
