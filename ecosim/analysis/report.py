"""The page of a run: report.html, which needs nothing beside it, and the card in a notebook."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ecosim.analysis import abundance, expectation, glossary, methods, subjects
from ecosim.analysis.drawable import Drawable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment

KEY_METRICS = (
    "population", "abundance", "breadth_mean", "specialist_share", "coverage", "evenness", "hill_1",
    "hhi", "c4",
)  # fmt: skip


class Reportable(Drawable, Protocol):
    """What the report needs of a run."""

    @property
    def path(self) -> Path:
        """The folder of the run."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest."""


def number(value: float | None) -> str:
    """Return a number for a person: six digits at most, a dash where it is undefined."""
    if value is None or math.isnan(value):
        return "–"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-3 else f"{value:.2e}"


def changes(run: Reportable) -> list[tuple[str, float, float]]:
    """Return the key metrics that were recorded with their first and last values.

    Where agents are types with a density, the abundance of each comes first; where competence is
    measured, the shares of the methods and what they find.
    """
    metrics = run.metrics
    first = subjects.columns(run.scenario, metrics.columns)
    names = first + [n for n in KEY_METRICS if n in metrics.columns and n not in first]
    return [(n, float(metrics[n].iloc[0]), float(metrics[n].iloc[-1])) for n in names]


def render(run: Reportable, picture: bytes) -> str:
    """Return the report as one page of HTML that loads nothing.

    Args:
        run: a finished run.
        picture: its figure as PNG.

    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            about=run.scenario.about,
            densities=abundance.counts_densities(run.scenario),
            figure_text=_describe(run),
            final=list(_final(run)),
            manifest=list(_flat(run.manifest)),
            name=run.scenario.name,
            outcomes=run.manifest["expectation"],
            picture=base64.b64encode(picture).decode("ascii"),
            run=run,
            toml=(run.path / "scenario.toml").read_text(encoding="utf-8"),
            world=run.scenario.world,
        )
    )


def card(run: Reportable) -> str:
    """Return a short piece of HTML for a notebook: key metrics, verdicts, figure."""
    from ecosim.analysis.figure import draw

    picture = io.BytesIO()
    draw(run).savefig(picture, format="png")
    return (
        environment()
        .from_string(_CARD)
        .render(
            changes=changes(run),
            unit=lambda name: subjects.unit(run.scenario, name),
            name=run.scenario.name,
            outcomes=run.manifest["expectation"],
            picture=base64.b64encode(picture.getvalue()).decode("ascii"),
            run=run,
            text=_describe(run),
        )
    )


_CARD = """\
<div><strong>{{ name }}</strong>: {{ run.manifest.steps }} steps, seed {{ run.manifest.seed }}
<table><thead><tr><th>metric</th><th>start</th><th>end</th><th>unit</th></tr></thead><tbody>
{% for metric, first, last in changes %}<tr>
<th scope="row" title="{{ describe(metric).definition }}">{{ metric }}</th>
<td>{{ first | number }}</td><td>{{ last | number }}</td><td>{{ unit(metric) }}</td></tr>
{% endfor %}</tbody></table>
{% for outcome in outcomes %}<p>{{ outcome | verdict }}: {{ outcome | sentence }}</p>
{% endfor %}<img alt="{{ text }}" style="max-width: 100%; background: white"
src="data:image/png;base64,{{ picture }}"></div>
"""


def environment() -> Environment:
    """Return what renders the templates beside this module, with their filters."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number, "sentence": expectation.sentence, "verdict": verdict,
    }  # fmt: skip
    environment.globals["describe"] = glossary.describe
    return environment


def verdict(outcome: dict[str, Any]) -> str:
    """Return `met`, `missed` or `not judged`."""
    return {True: "met", False: "missed", None: "not judged"}[outcome["met"]]


def _final(run: Reportable) -> Iterator[tuple[str, float | None, glossary.Metric]]:
    final = run.manifest["final"]
    told = [*abundance.columns(final), *methods.columns(final)]
    for name in glossary.ordered(final):
        if not glossary.is_per_niche(name) or name in told:
            entry = glossary.describe(name)
            yield name, final[name], entry._replace(unit=subjects.unit(run.scenario, name))


def _flat(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the manifest's entries as text, tables in it spelled out on one line."""
    for key, value in manifest.items():
        if key in ("final", "expectation", "web", "format", "finished"):
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{inner}: {item}" for inner, item in value.items())
        yield key.replace("_", " "), "none" if value is None else str(value)


def _describe(run: Reportable) -> str:
    """Return the figure in words, for those who do not see it."""
    parts = [f"{name} from {number(a)} to {number(b)}" for name, a, b in changes(run)]
    third = "population and turnover"
    if abundance.counts_densities(run.scenario):
        third = "abundance and number of types"
    elif methods.are_measured(run.scenario):
        third = "shares of methods and what they find"
    return (
        f"Four panels over time: niche occupancy, breadth of the agents, {third}, "
        f"coverage and diversity. From start to end: {'; '.join(parts)}."
    )
