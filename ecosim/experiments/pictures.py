"""The pictures of a finished run: figure.png and report.html, made from its folder alone."""

from __future__ import annotations

import io
from pathlib import Path

from ecosim.errors import StoreError
from ecosim.experiments.folders import write_atomically
from ecosim.experiments.run import Run


def illustrate(run: Run) -> Path:
    """Write a run's figure and report, over those that are there, and return the report's path.

    Raises:
        StoreError: the folder does not take them, or lacks a table.

    """
    from ecosim.analysis.report import render

    picture = io.BytesIO()
    # No date and no version inside: the same run gives the same file.
    run.figure().savefig(picture, format="png", metadata={"Software": None})
    page = render(run, picture.getvalue())
    try:
        write_atomically(run.path / "figure.png", picture.getvalue())
        write_atomically(run.path / "report.html", page.encode())
    except OSError as error:
        raise StoreError(f"{run.path}: cannot hold the report ({error.strerror})") from error
    return run.path / "report.html"
