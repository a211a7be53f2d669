"""What all points of one folder have in common: the scenario, the seed, the random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecosim.errors import StoreError
from ecosim.experiments.folders import intended
from ecosim.scenario import digest, to_dict
from ecosim.sweeps.definition import Sweep
from ecosim.sweeps.folder import PARTS, SweepFolder
from ecosim.sweeps.points import base_of
from ecosim.sweeps.sources import paths

_WORDS = ("name", "about.", "expectation", "run.seed")  # keys that change no number of a run
_ROOT = ("seed", "common_random_numbers")
_OWN = (*PARTS, "pictures", "probe", "manifest.json", "points.parquet", "failures.parquet")
_BESIDE = (".toml", ".log", ".out", ".err", ".csv", ".sh")
_MOST = 6  # differences that are told


def of(sweep: Sweep) -> dict[str, Any]:
    """Return what the points of a sweep have in common, as plain data.

    Raises:
        ScenarioError: the scenario, or what is set of it, is not valid.

    """
    base = base_of(sweep)
    keys = paths(to_dict(base))
    numbers = {key: value for key, value in keys if not key.startswith(_WORDS)}
    return {"digest": digest(base), "scenario": numbers} | {
        name: getattr(sweep, name) for name in _ROOT
    }


def check(
    folder: SweepFolder, sweep: Sweep, base: dict[str, Any] | None = None, *, mixed: bool = False
) -> None:
    """Refuse a sweep whose results do not belong beside those that a folder holds.

    More values, replicates or other grids of the same base do: they extend the sweep.

    Args:
        folder: may hold results, and may not exist.
        sweep: what is to be run there.
        base: `of(sweep)`, where it is known.
        mixed: only the scenario's name must be the same.

    Raises:
        StoreError: it holds a run, or a sweep of something else; what differs is told.

    """
    # Read in this order: what stands beside no manifest was there before any task wrote one.
    other = _other_things(folder)
    before = folder.manifest()
    if not before and other:
        told = ", ".join(other[:3]) + (", ..." if len(other) > 3 else "")
        raise StoreError(
            f"{folder.path}: holds no sweep but {told}; choose a new --out, so that the files of a "
            "sweep stay apart"
        )
    if not before:
        return
    if before.get("kind") != "sweep":
        raise StoreError(f"{folder.path}: holds a run, not a sweep; choose another --out")
    scenario = Path(sweep.scenario).stem
    if before["scenario"] != scenario:
        rule = f"holds a sweep of {before['scenario']}, not of {scenario}"
        raise StoreError(f"{folder.path}: {rule}; choose another --out")
    differences = [] if mixed else list(_differences(before, base or of(sweep)))
    if differences:
        more = len(differences) - _MOST
        told = "; ".join(differences[:_MOST]) + (f"; {more} more" if more > 0 else "")
        raise StoreError(
            f"{folder.path}: holds another experiment: {told}. One folder holds one scenario with "
            "one seed, and grows by values, keys that vary and replicates. Choose another --out, "
            "or give what is there"
        )


def _other_things(folder: SweepFolder) -> list[str]:
    """Return what is neither of a sweep that begins nor beside one: its file, logs of a queue."""
    there = folder.path.iterdir() if folder.path.is_dir() else ()
    return sorted(p.name for p in there if intended(p.name) not in _OWN and p.suffix not in _BESIDE)


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    # A manifest without a base tells seed and random numbers by the sweep that was asked for.
    there = before.get("base") or {name: before["definition"].get(name) for name in _ROOT}
    found = [
        f"{name} is {_word(there[name])} there and {_word(now[name])} here"
        for name in _ROOT
        if there[name] != now[name]
    ]
    if "digest" not in there or there["digest"] == now["digest"]:
        return found
    old, new = there["scenario"], now["scenario"]
    keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
    told = [f"{k} is {_word(old.get(k))} there and {_word(new.get(k))} here" for k in keys]
    return [*found, *(told or ["population.community names other agents"])]


def _word(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
