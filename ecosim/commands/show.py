"""`ecosim show`: one finished run, its expectation and its last metrics."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments
from ecosim.commands.output import write_json, write_table
from ecosim.errors import StoreError

if TYPE_CHECKING:
    from ecosim.experiments.run import Run


@click.command()
@arguments.run
@arguments.out
@arguments.as_json
def show(run: str, out: Path, as_json: bool) -> None:
    """Show a finished run.

    RUN is its folder, or a scenario's name, which means its newest run under --out.
    """
    from ecosim.analysis import abundance, glossary, methods, subjects
    from ecosim.analysis.report import number

    found = find(run, out)
    if as_json:
        species = {"richness": found.richness()}
        write_json({**summary(found), "species": species, "manifest": found.manifest})
        return
    write_verdicts(found)
    told = [*abundance.columns(found.final), *methods.columns(found.final)]
    names = [n for n in glossary.ordered(found.final) if n in told or not glossary.is_per_niche(n)]
    rows = [
        [
            n,
            number(found.final[n]),
            subjects.unit(found.scenario, n),
            glossary.describe(n).definition,
        ]
        for n in names
    ]
    write_table(("metric", "at the end", "unit", "what it is"), rows, right=(1,))
    click.echo(f"species at the end: {found.richness()} (clusters of strategies, see docs/metrics)")
    write_web(found)
    write_paths(found)


def find(run: str, out: Path) -> Run:
    """Return a run given as a folder, or as the name of a scenario: its newest run."""
    from ecosim.experiments.folders import slug
    from ecosim.experiments.store import list_runs, load

    if (Path(run) / "manifest.json").exists():
        return load(run)
    known = list_runs(out)
    of_name = [item for item in known if item.path.parent.name == slug(run)]
    if of_name:
        return of_name[-1]
    if Path(run).is_dir():
        return load(run)
    import difflib

    names = sorted({item.path.parent.name for item in known})
    close = difflib.get_close_matches(run, names, n=1)
    fix = f"did you mean {close[0]}?" if close else "`ecosim runs` lists what there is"
    raise StoreError(f"{run}: no folder of a run, and no scenario with runs under {out}; {fix}")


def summary(run: Run) -> dict[str, Any]:
    """Return what `run --json` and `show --json` both say."""
    return {
        "run": str(run.path),
        "scenario": run.manifest["scenario"],
        "seed": run.seed,
        "steps": run.steps,
        "result_digest": run.result_digest,
        "final": run.final,
        "expectation": run.expectation,
        **({"web": run.manifest["web"]} if run.manifest.get("web") else {}),
    }


def write_verdicts(run: Run) -> None:
    """Write what was run and a line for each expectation."""
    from ecosim.analysis.expectation import sentence
    from ecosim.analysis.report import verdict

    manifest = run.manifest
    click.echo(
        f"{manifest['scenario']}: {run.steps} steps, seed {run.seed}, {manifest['wall_s']:.1f} s"
    )
    for outcome in run.expectation:
        click.echo(f"expectation {verdict(outcome)}: {sentence(outcome)}")


def write_web(run: Run) -> None:
    """Write observed against simulated specialisation, where the run began from a web."""
    from ecosim.analysis.report import number

    web = run.manifest.get("web")
    if web:
        rows = [[k, number(v["observed"]), number(v["simulated"])] for k, v in web.items()]
        write_table(("web", "observed", "simulated"), rows, right=(1, 2))


def write_paths(run: Run) -> None:
    """Write where the run and its report lie."""
    click.echo(f"run     {run.path}")
    report = run.path / "report.html"
    lacking = f"none: ecosim report {shlex.quote(str(run.path))}"
    click.echo(f"report  {report if report.exists() else lacking}")
