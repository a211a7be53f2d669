"""`ecosim calibrate`: numbers of a scenario fitted to data, with how uncertain they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands import arguments
from ecosim.commands.engines import computing, engine_of, resumable, telling
from ecosim.commands.output import write_json, write_table
from ecosim.commands.sweep import fixed, varying

if TYPE_CHECKING:
    from ecosim.sweeps.calibration import Calibration, Question
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
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@computing
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Where it is kept (default: runs/calibrations/SCENARIO).")  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@arguments.as_json
def calibrate(
    *, lifetime: float | None, out: Path | None, generations: int, quiet: bool, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Fit numbers of a scenario to data by approximate Bayesian computation.

    Prints the posterior (mean, sd, central 95 %) and a posterior predictive check. The same
    command goes on where it was stopped; more --generations go on from the last.
    """
    from ecosim.experiments.folders import slug
    from ecosim.sweeps.calibration import calibrate as fitted

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
    if as_json:
        from dataclasses import asdict

        write_json({**asdict(found), "path": str(folder)})
    else:
        _tell(found, folder)


def _question(given: dict[str, Any]) -> Question:
    from ecosim.scenario import read
    from ecosim.sweeps import target
    from ecosim.sweeps.beforehand import first_valid, probes
    from ecosim.sweeps.calibration import Question
    from ecosim.sweeps.definition import validate
    from ecosim.sweeps.ranges import parse_range

    if not given["prior"]:
        raise click.UsageError("--prior is needed: which numbers to fit, as in KEY=low:high.")
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
    observed = target.read(given["data"], names, base.niches.count)
    return Question(sweep, observed, priors, particles=given["particles"])


def _located(scenario: str) -> str:
    """Return a scenario as it is given, or the file of one that is shipped for calibration."""
    from ecosim.scenario.shipped import find, folder

    shipped = folder() / "calibration" / f"{scenario}.toml"
    if not Path(scenario).is_file() and find(scenario) is None and shipped.is_file():
        return str(shipped)
    return scenario


def _tell(found: Calibration, folder: Path) -> None:
    rows = [
        [key, *(f"{told[name]:.4g}" for name in ("mean", "sd", "low", "high"))]
        for key, told in found.posterior.items()
    ]
    write_table(("posterior", "mean", "sd", "2.5 %", "97.5 %"), rows, right=(1, 2, 3, 4))
    checks = [
        [name, *(f"{told[part]:.4g}" for part in ("observed", "mean", "low", "high")),
         "" if told["low"] <= told["observed"] <= told["high"] else "outside"]
        for name, told in found.predictive.items()
        if told["observed"] or told["high"]
    ]  # fmt: skip
    heads = ("predictive check", "observed", "mean", "5 %", "95 %", "")
    write_table(heads, checks, right=(1, 2, 3, 4))
    click.echo(f"{found.inside:.0%} of the statistics lie inside; median distance "
               f"{found.distance:.4g}")  # fmt: skip
    if found.exhausted:
        click.echo("too few proposals came nearer: the generations end before their number")
    click.echo(f"calibration  {folder}")
