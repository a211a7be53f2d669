"""The page of a sweep: report.html, which needs nothing beside it, with its pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.experiments.folders import write_atomically
from ecosim.sweeps.folder import SweepFolder

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ecosim.sweeps.results import SweepResults

_SHOWN = 4  # metrics in the pictures, unless others are asked for
_ROWS = 60  # points in the table
_FAILURES = 20


def write_page(results: SweepResults, metrics: Sequence[str] = ()) -> Path:
    """Draw a sweep and write its report.html; return the page's path.

    The pictures are in the page, and beside it in `pictures/` as PNG.

    Args:
        results: a sweep, also one that is run in part.
        metrics: what is drawn; none: up to four key metrics of its world that vary.

    Raises:
        StoreError: a metric that no run recorded.

    """
    from ecosim.analysis.report import environment

    final = None
    chosen: list[str] = []
    if results.metrics:
        chosen = list(metrics) or _key_metrics(results)
        final = results.final(*chosen)
    pictures = [] if final is None else list(_pictures(results, final, chosen))
    _remove_others(results.path, [picture["file"] for picture in pictures])
    for picture in pictures:
        target = results.path / "pictures" / f"{picture['file']}.png"
        target.parent.mkdir(exist_ok=True)
        write_atomically(target, base64.b64decode(picture["png"]))
    page = (
        environment()
        .get_template("sweep.html.j2")
        .render(pictures=pictures, metrics=chosen, **_facts(results, chosen))
    )
    path = results.path / "report.html"
    write_atomically(path, page.encode())
    return path


def _remove_others(folder: Path, names: Sequence[str]) -> None:
    """Remove pictures of an earlier page that this one does not show."""
    for path in (folder / "pictures").glob("*.png"):
        if path.stem not in names:
            path.unlink(missing_ok=True)


def _key_metrics(results: SweepResults) -> list[str]:
    from ecosim.analysis.report import KEY_METRICS

    there = [name for name in KEY_METRICS if name in results.metrics] or results.metrics[:8]
    final = results.final(*there)
    vary = [name for name in there if final[name].nunique() > 1]
    return (vary or there)[:_SHOWN]


def _pictures(results: SweepResults, final: pd.DataFrame, metrics: list[str]) -> Any:
    from ecosim.experiments.folders import slug
    from ecosim.sweeps.pictures import bars, drawn

    found, notes = _sensitivities(results, metrics)
    if found:
        text = "How much of each metric depends on each key, with intervals."
        yield {
            "title": "Sensitivity", "text": text, "png": png(bars(found)),
            "file": "sensitivity", "notes": notes,
        }  # fmt: skip
    for name, text, figure in drawn(results, final, metrics):
        kind, *keys = name.split()
        title = f"{'Response to' if kind == 'response' else 'Map over'} {' and '.join(keys)}"
        file = slug(name.replace(" ", "-"))
        yield {"title": title, "text": text, "png": png(figure), "file": file, "notes": []}


def _sensitivities(results: SweepResults, metrics: list[str]) -> tuple[list[Any], list[str]]:
    """Return the indices where the sweep's sample yields them, and what must be said of them."""
    from ecosim.errors import EcosimError

    sample = results.definition.get("sample") or {}
    if sample.get("method") not in ("saltelli", "morris"):
        return [], []
    found, notes = [], []
    for metric in metrics:
        try:
            one = results.sensitivity(metric)
        except EcosimError as error:
            notes.append(str(error))
        else:
            found.append(one)
            notes.append(f"{metric}: {'; '.join(one.notes())}.")
    return found, notes


def png(figure: Figure) -> str:
    """Return a figure as PNG, in base64."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _facts(results: SweepResults, metrics: list[str]) -> dict[str, Any]:
    """Return what the page says besides its pictures."""
    import tomli_w

    from ecosim.sweeps.status import status

    manifest = SweepFolder(results.path).manifest()
    failures = results.failures
    return {
        "name": manifest["name"],
        "scenario": manifest["scenario"],
        "points": len(results.points),
        "whole": _whole(results),
        "keys": results.keys,
        "counts": status(results.path),
        "heads": [*results.keys, "replicates", *metrics],
        "rows": list(_rows(results, metrics)) if metrics else [],
        "failures": failures.head(_FAILURES).to_dict("records"),
        "lost": len(failures),
        "toml": tomli_w.dumps(results.definition),
        "versions": manifest["versions"],
    }


def _whole(results: SweepResults) -> int:
    """Return how many points have results."""
    return len({run.rsplit("-", 1)[0] for run in SweepFolder(results.path).done()})


def _rows(results: SweepResults, metrics: list[str]) -> Any:
    from ecosim.analysis.report import number

    summary = results.summary(*metrics)
    for _, row in summary[summary["replicates"] > 0].head(_ROWS).iterrows():
        values = [_cell(row[key]) for key in results.keys]
        told = [
            f"{number(row[m])} ± {number(row[f'{m}_se'])}" if row["replicates"] > 1
            else number(row[m])
            for m in metrics
        ]  # fmt: skip
        yield [*values, str(int(row["replicates"])), *told]


def _cell(value: Any) -> str:
    from ecosim.analysis.report import number

    if value is None:  # a key that this point does not give
        return "–"
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return number(value) if real else str(value)
