"""`ecosim verify`: published results, re-derived from the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments
from ecosim.commands.output import drawable, write_json, write_table
from ecosim.commands.trouble import FAILED, Exit

if TYPE_CHECKING:
    from ecosim.verification.case import Case
    from ecosim.verification.judgement import Result


def _complete_case(ctx: click.Context, param: click.Parameter, start: str) -> list[str]:
    from ecosim.verification.registry import cases

    words = [case.name for case in cases()] + sorted({x for case in cases() for x in case.labels})
    return [word for word in words if word.startswith(start)]


@click.command()
@click.argument("words", metavar="[CASE]...", nargs=-1, shell_complete=_complete_case)
@click.option("--set", "numbers", metavar="NAME=VALUE", multiple=True,
              help="A parameter of the cases named, in place of its default.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=10), metavar="N",
              help="Seeds 0 .. N-1, in place of each case's own number.")  # fmt: skip
@click.option("--full", is_flag=True, help="Take the long cases too (up to 45 minutes).")
@click.option("--list", "listed", is_flag=True, help="List cases, parameters and domains only.")
@click.option("--figure", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Simulate one case along its curve and draw it (.png, .svg, .pdf).")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Processes at once (default: one a processor).")  # fmt: skip
@arguments.as_json
def verify(
    words: tuple[str, ...], numbers: tuple[str, ...], seeds: int | None, full: bool,
    listed: bool, figure: Path | None, jobs: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Re-derive published results from the simulator and compare.

    CASE is a case's name (levene-soft) or its label in the literature's list (E3); none means
    all. Exit code 0 when all pass, 1 when one fails, 2 for numbers outside a case's domain.
    """
    from ecosim.scenario.files import parse_overrides
    from ecosim.verification.registry import chosen

    if figure is not None:
        drawable(figure, "--figure")
    given = parse_overrides(numbers)
    cases, left = chosen(words, given, full=full or listed)
    if listed:
        _list(cases, as_json)
        return
    if figure is not None:
        _draw(cases, given, seeds, figure, as_json)
        return
    from ecosim.machine import cores
    from ecosim.verification.runner import Job, check_all

    for case, reason in left:
        click.echo(f"{case.name} is left out: {reason}", err=True)

    def told(result: Result) -> None:
        word = "passed" if result.passed else "FAILED"
        click.echo(f"{word} {result.case} ({result.seconds:.1f} s)", err=True)

    results = check_all(
        [Job(case.name, given, seeds) for case in cases],
        processes=jobs or cores(), told=None if as_json else told,
    )  # fmt: skip
    if as_json:
        write_json([result.as_dict() for result in results])
    else:
        _write(results)
    if not all(result.passed for result in results):
        raise Exit(FAILED)


def _list(cases: list[Case], as_json: bool) -> None:
    if as_json:
        write_json([case.as_dict() for case in cases])
        return
    for case in cases:
        size = "  (--full)" if case.full else ""
        click.echo(f"{case.name}  [{', '.join(case.labels)}]  {case.title}{size}")
        for p in case.parameters:
            click.echo(f"    {p.name} = {p.default:g}  ({p.domain})  {p.meaning}")
        if case.joint:
            click.echo(f"    together: {case.joint}")


def _draw(
    cases: list[Case], given: dict[str, Any], seeds: int | None, figure: Path, as_json: bool
) -> None:
    from ecosim.verification.figures import draw, trace

    if len(cases) != 1 or cases[0].curve is None:
        from ecosim.verification.registry import cases as known

        asked = [case.name for case in cases if case.curve]
        with_curve = ", ".join(asked or [case.name for case in known() if case.curve])
        raise click.UsageError(f"--figure draws one case that has a curve: {with_curve}.")
    results = trace(cases[0], given, seeds)
    draw(cases[0], results, figure)
    if as_json:
        write_json([result.as_dict() for result in results])
    else:
        _write(results)
        click.echo(f"figure: {figure}")
    if not all(result.passed for result in results):
        raise Exit(FAILED)


def _verdict(result: Result) -> str:
    return "FAILED" if not result.passed else "passed, weak" if result.weak else "passed"


_SIGN = {"equal": "", "above": "> ", "below": "< "}


def _write(results: list[Result]) -> None:
    rows = [
        [
            r.case, ", ".join(r.labels), f"{_SIGN[r.relation]}{r.expected:.6g}",
            f"{r.observed:.6g} +- {r.stderr:.2g}", f"{r.tolerance:.2g}", f"{r.detects:.2g}",
            _verdict(r), f"{r.seconds:.1f}", r.source,
        ]
        for r in results
    ]  # fmt: skip
    heads = ("case", "label", "expected", "observed", "tolerance", "detects", "verdict", "seconds",
             "source")  # fmt: skip
    write_table(heads, rows, right=(2, 3, 4, 5, 7))
    for result in results:
        if result.passed and result.weak:
            click.echo(f"{result.case} is weak at these parameters: it detects a difference of "
                       f"{result.detects:.2g} of {result.expected:.3g}; more --seeds may help",
                       err=True)  # fmt: skip
        if result.error:
            click.echo(f"{result.case}: {result.error}", err=True)
    failed = sum(not result.passed for result in results)
    total = sum(result.seconds for result in results)
    click.echo(f"{len(results)} cases, {failed} failed, {total:.0f} s of computing")
