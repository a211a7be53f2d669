"""Maps as they were registered: definition and expectation of each cell, a file a plane.

A plane's file is committed before the plane's first run. A plane that no longer equals its file has
been changed since, and the study says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario import shipped
from ecosim.studies.claim import SIZES
from ecosim.studies.planes import Plane
from ecosim.studies.registration import commit_of

SEED = 0  # of every plane's sweep; a run's own is a hash of it, the cell and the replicate


@dataclass(frozen=True)
class Registered:
    """When and whether a plane was registered: the commit, or why there is none."""

    commit: str
    same: bool  # the plane is what its file says

    @property
    def words(self) -> str:
        """Return the commit, and that the plane was changed since where it was."""
        return self.commit if self.same else f"{self.commit}, CHANGED SINCE"


def folder() -> Path:
    """Return the folder of the registered planes."""
    return shipped.folder() / "maps"


def document(plane: Plane) -> str:
    """Return a plane's file: what is run and, in each cell, who is expected to win."""
    import tomli_w

    head = {
        "map": plane.map, "world": plane.world, "variant": plane.variant or "own",
        "title": plane.title, "metric": plane.metric,
        "share_of": plane.sides[0], "against": plane.sides[1],
        "share": "1 - metric" if plane.rest else "metric",
        "theory": [form.label for form in plane.boundaries], "statement_16": plane.counted,
        "given": plane.given, "expects": plane.expects, "note": plane.note,
        "before": plane.before, "history": plane.history, "seed": SEED,
        "replicates": dict(plane.replicates), "x": plane.across.label, "y": plane.up.label,
    }  # fmt: skip
    sizes = {size: _cells(plane, size) for size in SIZES}
    return tomli_w.dumps(head | sizes | {"scenario": plane.scenario}, multiline_strings=False)


def _cells(plane: Plane, size: Any) -> dict[str, Any]:
    x, y = plane.across.values(size), plane.up.values(size)
    edges = [round(plane.boundaries[0].at(value), 4) for value in y]
    points = [plane.point(across, y[0]) for across in x]
    varied = {key: [point[key] for point in points] for key in points[0]}
    upward = [plane.point(x[0], up) for up in y]
    return {
        "x": list(x), "y": list(y),
        "boundary": [edge if math.isfinite(edge) else "none" for edge in edges],
        "expected": plane.expected(size),
        "across": {key: values for key, values in varied.items() if len(set(values)) > 1},
        "up": {key: [point[key] for point in upward] for key in upward[0]
               if len({point[key] for point in upward}) > 1},
    }  # fmt: skip


def registered(plane: Plane, where: Path | None = None) -> Registered:
    """Return the commit that last touched a plane's file, and whether the plane equals it."""
    return held((where or folder()) / f"{plane.name}.toml", document(plane))


def register(planes: list[Plane], where: Path | None = None) -> list[Path]:
    """Write the files of planes that have none, and return their paths.

    Raises:
        ScenarioError: a file that is there and says something else: what was registered stays.

    """
    place = where or folder()
    return write({place / f"{plane.name}.toml": document(plane) for plane in planes})


def held(path: Path, text: str) -> Registered:
    """Return the commit that last touched a file, and whether it has this text."""
    if not path.is_file():
        return Registered("not registered", same=True)
    return Registered(commit_of(path), path.read_text(encoding="utf-8") == text)


def write(texts: dict[Path, str]) -> list[Path]:
    """Write the files that are not there, and return their paths.

    Raises:
        ScenarioError: a file that is there with another text.

    """
    from ecosim.experiments.folders import write_atomically

    changed = [
        Problem(path.stem, str(path), "is registered and differs: give the new plane a new name")
        for path, text in texts.items()
        if path.is_file() and path.read_text(encoding="utf-8") != text
    ]
    if changed:
        raise ScenarioError(changed, "phase-diagram --register")
    missing = [path for path in texts if not path.is_file()]
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, texts[path].encode())
    return missing
