"""`ecosim calibrate`: numbers of a scenario fitted to data, with how uncertain they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments
from ecosim.commands.engines import computing, engine_of, resumable, telling
from ecosim.commands.output import write_json, write_table
from ecosim.commands.sweep import fixed, limited, varying

if TYPE_CHECKING:
    from ecosim.sweeps.calibration import Question
    from ecosim.sweeps.posterior import Calibration
    from ecosim.sweeps.recovery import Recovery
    from ecosim.sweeps.sequential import Generation


@click.command()
@arguments.scenario
@click.option("--data", metavar="FILE", required=True, help="CSV of what was observed.")
@click.option("--metrics", metavar="A,B", required=True,
              help="Columns of it to fit; `breadth`: a distribution.")  # fmt: skip
@varying("--prior", "low:high[:log]; what is fitted, and where it may lie.")
@varying("--set", "One value for all runs.")
@click.option("--particles", type=click.IntRange(min=10), default=100, show_default=True)
@click.option("--generations", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--replicates", type=click.IntRange(min=1), default=1, show_default=True,
              help="Runs of each particle.")  # fmt: skip
@click.option("--recovery", "sets", type=click.IntRange(min=0), default=0, show_default=True,
              help="Sets of simulated data from which known numbers are recovered.")  # fmt: skip
@click.option("--recovery-particles", type=click.IntRange(min=10), default=30, show_default=True,
              help="Particles of each of these fits.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@limited
@computing
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Where it is kept (default: runs/calibrations/SCENARIO).")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@arguments.as_json
def calibrate(
    *, lifetime: float | None, out: Path | None, generations: int, sets: int,
    recovery_particles: int, quiet: bool, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Fit numbers of a scenario to data by approximate Bayesian computation.

    Prints the posterior (mean, sd, central 95 %) and a posterior predictive check, and draws them
    (report.html, pictures/). The same command goes on where it was stopped; more --generations go
    on from the last. docs/calibration.md says what FILE holds.
    """
    from dataclasses import asdict

    from ecosim.experiments.folders import slug
    from ecosim.sweeps.account import write_account
    from ecosim.sweeps.calibration import calibrate as fitted
    from ecosim.sweeps.recovery import recover

    tell = telling(quiet)
    question = _question(given)
    folder = out or Path("runs", "calibrations", slug(Path(given["scenario"]).stem))

    def told(number: int, one: Generation) -> None:
        tell(
            f"generation {number + 1} of {generations}: tolerance {one.tolerance:.4g}, "
            f"{one.simulated} simulated, {one.effective:.0f} effective particles"
        )

    engine = engine_of(given, tell)
    with resumable(folder, lifetime, as_json=as_json) as stopping:
        found = fitted(
            question, folder, engine,
            generations=generations, should_stop=stopping, told=told,
        )  # fmt: skip
        recovery = recover(
            question, folder, engine, sets=sets, particles=recovery_particles,
            should_stop=stopping, told=lambda done: tell(f"recovered {done} of {sets} sets"),
        ) if sets else None  # fmt: skip
    report = write_account(question, found, recovery, folder)
    if as_json:
        both = {"recovery": asdict(recovery) if recovery else None, "failing": found.failing}
        write_json({**asdict(found), **both, "path": str(folder), "report": str(report)})
    else:
        _tell(found, recovery, folder, report)


def _question(given: dict[str, Any]) -> Question:
    from ecosim.scenario import read
    from ecosim.sweeps import target
    from ecosim.sweeps.beforehand import LIMIT, check_metrics, check_runs, first_valid, probes
    from ecosim.sweeps.calibration import Question
    from ecosim.sweeps.definition import validate
    from ecosim.sweeps.ranges import parse_range

    if not given["prior"]:
        raise click.UsageError("--prior is needed: which numbers to fit, as in KEY=low:high.")
    check_runs(given["particles"], given["replicates"], given["limit"] or LIMIT)
    kept = fixed(given)
    both = sorted(set(kept) & set(given["prior"]))
    if both:
        raise click.UsageError(f"{both[0]} is both set and fitted.")
    scenario = _located(given["scenario"])
    sweep = validate(
        {"scenario": scenario, "set": kept, "seed": given["seed"],
         "replicates": given["replicates"]}
    )  # fmt: skip
    base = read(scenario, kept)
    priors = {key: parse_range(key, text) for key, text in given["prior"].items()}
    first_valid(base, probes(priors), "draw of the prior")
    names = [name.strip() for name in given["metrics"].split(",") if name.strip()]
    if not names:
        raise click.UsageError("--metrics is empty: name metrics, or `breadth`.")
    check_metrics(base, [name for name in names if name != target.BREADTH])
    observed = target.read(given["data"], names, base.niches.most)
    return Question(sweep, observed, priors, particles=given["particles"])


def _located(scenario: str) -> str:
    """Return a scenario as it is given, or the file of one that is shipped for calibration."""
    from ecosim.scenario.shipped import find, folder

    shipped = folder() / "calibration" / f"{scenario}.toml"
    if not Path(scenario).is_file() and find(scenario) is None and shipped.is_file():
        return str(shipped)
    return scenario


def _tell(found: Calibration, recovery: Recovery | None, folder: Path, report: Path) -> None:
    from ecosim.sweeps.account import check_rows, posterior_rows, recovery_rows

    heads = ("posterior", "mean", "sd", "2.5 %", "97.5 %", "narrowed")
    write_table(heads, posterior_rows(found), right=(1, 2, 3, 4, 5))
    tail = ("observed", "mean", "5 %", "95 %", "p", "")
    write_table(("predictive check", *tail), check_rows(found.predictive), right=(1, 2, 3, 4, 5))
    if found.summaries:
        write_table(("shape", *tail), check_rows(found.summaries), right=(1, 2, 3, 4, 5))
    click.echo(f"{found.inside:.0%} of the statistics lie inside; median distance "
               f"{found.distance:.4g}")  # fmt: skip
    if found.failing:
        click.echo(f"not reproduced (p < 0.05): {', '.join(found.failing)}")
    if found.exhausted:
        click.echo("too few proposals came nearer: the generations end before their number")
    if recovery is not None:
        kept = (f"recovery, {recovery.sets} sets", "in 50 %", "in 95 %", "error", "narrowed")
        write_table(kept, recovery_rows(recovery), right=(1, 2, 3, 4))
        if recovery.failed:
            click.echo(f"{recovery.failed} sets could not be simulated")
    click.echo(f"calibration  {folder}")
    click.echo(f"report       {report}")
