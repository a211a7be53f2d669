"""What dead processes left behind, and the cache of compiled programs: found and removed."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ecosim.experiments.folders import stale
from ecosim.sweeps import dashboards
from ecosim.sweeps.folder import PARTS, SweepFolder

_CACHED = ("-cache", "-atime")  # how JAX names what it keeps in a compilation cache
SCRATCH = "ecosim"  # scratch folders of clusters: .ecosim.HOST.PID-....tmp in TMPDIR


def left_in(folder: SweepFolder) -> list[Path]:
    """Return temporary files and marks in a sweep's folder whose processes ended."""
    parts = [folder.path, *(folder.path / part for part in PARTS)]
    left = [path for part in parts for path in stale(part)]
    return [*left, *folder.dead_marks(), *dashboards.dead(folder.path)]


def left_in_scratch() -> list[Path]:
    """Return scratch folders of clusters whose clients ended."""
    return [p for p in stale(Path(tempfile.gettempdir())) if p.name.startswith(f".{SCRATCH}.")]


def cached(folder: Path | None) -> Iterator[Path]:
    """Yield the compiled programs in a cache; other files that lie there are not named."""
    from ecosim.programs import KEPT

    if folder is not None and folder.is_dir():
        ours = (*_CACHED, KEPT)
        for place in (folder, *folder.glob("threads-*")):
            yield from (path for path in place.iterdir() if path.name.endswith(ours))


def remove(paths: list[Path]) -> int:
    """Remove files and folders; return how many bytes they took."""
    freed = 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            if path.is_dir():
                freed += sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
                shutil.rmtree(path, ignore_errors=True)
            else:
                freed += path.stat().st_size
                path.unlink()
    return freed
