"""Errors on the command line: text on stderr, with --json one object on stdout, an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Any

import click

from ecosim.commands.output import write_json
from ecosim.errors import DeviceError, EcosimError, ScenarioError, StoreError, WebError

FAILED, WRONG, RESUMABLE, INTERRUPTED = 1, 2, 3, 130


class Exit(Exception):  # noqa: N818  (not an error: a command that is done and says how)
    """Ends a command, whose output is written, with an exit code."""

    def __init__(self, code: int) -> None:
        """Keep the exit code."""
        self.code = code
        super().__init__(code)


def explain(error: BaseException, *, as_json: bool) -> int:
    """Write what went wrong and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _told("interrupted; nothing was kept", INTERRUPTED, as_json)
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        # The reader of the pipe left: nothing more can be said there, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if isinstance(error, click.ClickException):
        if as_json:
            write_json({"error": error.format_message(), "problems": []})
        error.show()
        return error.exit_code
    if isinstance(error, ScenarioError):
        return _told(str(error), WRONG, as_json, [vars(problem) for problem in error.problems])
    if isinstance(error, WebError | StoreError | DeviceError):
        return _told(str(error), WRONG, as_json)
    if isinstance(error, EcosimError):
        return _told(str(error), FAILED, as_json)
    traceback.print_exception(error)
    return _told(f"{type(error).__name__}: {error}", FAILED, as_json)


def _told(text: str, code: int, as_json: bool, problems: list[dict[str, Any]] | None = None) -> int:
    if as_json:
        write_json({"error": text, "problems": problems or []})
    click.echo(f"Error: {text}", err=True)
    return code
