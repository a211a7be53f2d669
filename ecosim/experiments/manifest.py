"""The manifest of a run: what was run, with what, for how long, and what came out."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_PACKAGES = ("ecosim", "jax", "numpy", "mesa", "pandas")
# A checkpoint is continued bit for bit only where these are the same.
_COMPUTING = ("python", "ecosim", "jax", "numpy")


def versions() -> dict[str, str | None]:
    """Return the versions of Python, of ecosim and of what it computes with; None: not there."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a checkout that is on the path, not installed
            found[name] = getattr(sys.modules.get(name), "__version__", None)
    return found


def computing_versions() -> dict[str, str | None]:
    """Return the versions that must be the same for a run to be continued bit for bit."""
    return {name: version for name, version in versions().items() if name in _COMPUTING}


def commit() -> dict[str, Any] | None:
    """Return the commit of the checkout that ecosim runs from and whether it was changed since.

    None where the package is installed, or where there is no git or no commit.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        return {"id": head, "dirty": bool(_git(root, "status", "--porcelain", "--", "ecosim"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=10, env=environment
    )
    return done.stdout.strip()


def device() -> str:
    """Return the device that computed, as JAX names it; JAX is not imported for it."""
    jax = sys.modules.get("jax")
    if jax is None or not hasattr(jax, "devices"):
        return "unknown"
    first = jax.devices()[0]
    return f"{first.platform} ({first.device_kind})"


def machine() -> dict[str, Any]:
    """Return the platform, the processor and the number of its cores."""
    return {
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }


def result_digest(metrics: pd.DataFrame) -> str:
    """Return the SHA-256 over the recorded metrics: names, then float64 values, in order.

    Values are taken column by column, little-endian; every NaN counts as the same NaN and -0 as 0.
    """
    import numpy as np

    sha = hashlib.sha256(json.dumps([list(metrics.columns), len(metrics)]).encode())
    for name in metrics.columns:
        values = metrics[name].to_numpy(dtype="<f8") + 0.0
        sha.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
    return sha.hexdigest()


def conservation(metrics: pd.DataFrame) -> float | None:
    """Return the largest |emitted - received - unclaimed| / emitted; None where not recorded."""
    if not {"emitted", "received", "unclaimed"} <= set(metrics.columns):
        return None
    emitted = metrics["emitted"]
    error = (emitted - metrics["received"] - metrics["unclaimed"]).abs()
    largest = (error / emitted.where(emitted > 0)).max()
    return None if math.isnan(largest) else float(largest)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: plain types, paths as text, NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def to_json(value: Any) -> str:
    """Return JSON text of `plain(value)`, indented, keys in the order given."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)


def read(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a finished, undamaged run, or None for any other folder.

    Undamaged means that each file the manifest lists is there with the size it lists.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        whole = manifest["format"] == FORMAT and manifest["finished"] is True
        sizes = manifest["files"].items()
        if whole and all((folder / name).stat().st_size == size for name, size in sizes):
            return dict(manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def sizes(folder: Path) -> dict[str, int]:
    """Return the files of a folder, by their path in it, with their sizes in bytes."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
