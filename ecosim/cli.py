"""The command line: `ecosim COMMAND`. Data on stdout; progress and messages on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from ecosim.commands.analysing import sensitivity
from ecosim.commands.calibrate import calibrate
from ecosim.commands.check import check
from ecosim.commands.clean import clean
from ecosim.commands.compact import compact
from ecosim.commands.completion import completion
from ecosim.commands.invasion import invasion
from ecosim.commands.metrics import metrics
from ecosim.commands.plan import plan
from ecosim.commands.report import report
from ecosim.commands.run import run
from ecosim.commands.runs import runs
from ecosim.commands.scenarios import scenarios
from ecosim.commands.search import search
from ecosim.commands.show import show
from ecosim.commands.status import status
from ecosim.commands.study import study
from ecosim.commands.sweep import sweep
from ecosim.commands.trouble import Exit, explain
from ecosim.commands.verify import verify


class _Main(click.Group):
    """A group in which every error, usage errors too, takes one way out: text, JSON, exit code."""

    def main(  # type: ignore[override]  # click's own is overloaded; this takes the same calls
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **options: Any
    ) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        if not options.pop("standalone_mode", True):
            return super().main(given, prog_name, standalone_mode=False, **options)
        as_json = "--json" in given
        code = 0
        try:
            result = super().main(given, prog_name, standalone_mode=False, **options)
            code = result if isinstance(result, int) else 0
            sys.stdout.flush()
        except Exit as done:
            code = done.code
        except (Exception, KeyboardInterrupt) as error:
            code = explain(error, as_json=as_json)
        sys.exit(code)


_CODES = """Exit codes: 0 done; 1 the run failed, or an expectation asked for by --expect was
missed; 2 wrong usage or scenario; 3 stopped early, the same command continues; 130 interrupted."""


@click.group(cls=_Main, epilog=_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ecosim")
def main() -> None:
    """Simulate how agents with finite budgets specialise, in an ecosystem and in a market.

    Start with `ecosim scenarios`, then `ecosim run adaptive-radiation`.
    """


for command in (
    run, sweep, status, calibrate, check, verify, scenarios, runs, show, report, metrics, invasion,
    study, clean, completion,
):  # fmt: skip
    main.add_command(command)
for command in (plan, compact, search, sensitivity):
    sweep.add_command(command)

if __name__ == "__main__":
    main()
