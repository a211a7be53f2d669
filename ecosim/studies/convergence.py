"""Statement 16: do worlds on corresponding axes agree, cell by cell, in who wins?

Agreement is counted over the cells that two maps have in common, whether a cell is decided or not,
with an interval from replicates: those of each cell and world are drawn anew with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ecosim.studies.phase_diagram import Diagram, Floats

_DRAWS = 1000
_INTERVAL = (0.05, 0.95)


@dataclass(frozen=True)
class Agreement:
    """How far some maps of one kind agree in sign.

    Attributes:
        map: which.
        names: of the planes.
        cells: that all of them have.
        share: of these where all have the same sign.
        low: 5 % of resampled replicates have less.
        high: 95 %.
        decided: cells that are decided (two standard errors from one half) in all.
        alike: of these, those of one sign in all.
        theory: share of the cells where the closed forms of all say the same.
        chance: share expected if signs fell independently, as often as each map has them.

    """

    map: str
    names: tuple[str, ...]
    cells: int
    share: float
    low: float
    high: float
    decided: int
    alike: int
    theory: float
    chance: float


def agreement(diagrams: Sequence[Diagram]) -> Agreement | None:
    """Return how far two or more diagrams agree; None where they have no cell in common."""
    places = _common(diagrams)
    if not places[0].size:
        return None
    samples = [_cells(d, place) for d, place in zip(diagrams, places, strict=True)]
    wins = np.array([one.mean(axis=1) > 0.5 for one in samples])
    said = np.array([_flat(d.x[None, :] > d.boundary()[:, None], place)
                     for d, place in zip(diagrams, places, strict=True)])  # fmt: skip
    decided = np.array([_decided(d, place) for d, place in zip(diagrams, places, strict=True)])
    sure = decided.all(axis=0)
    low, high = _interval(samples)
    often = wins.mean(axis=1)
    return Agreement(
        map=diagrams[0].plane.map, names=tuple(d.plane.name for d in diagrams),
        cells=int(wins.shape[1]), share=float(_same(wins).mean()), low=low, high=high,
        decided=int(sure.sum()), alike=int((_same(wins) & sure).sum()),
        theory=float(_same(said).mean()),
        chance=float(np.prod(often) + np.prod(1 - often)),
    )  # fmt: skip


def between_worlds(diagrams: Sequence[Diagram]) -> list[Agreement]:
    """Return agreement of the worlds of each map and variant: pair by pair, then all together."""
    groups: dict[tuple[str, str], list[Diagram]] = {}
    for diagram in diagrams:
        if diagram.plane.kind != "control":
            groups.setdefault((diagram.plane.map, diagram.plane.variant), []).append(diagram)
    sets = [
        some
        for group in groups.values()
        for some in (*combinations(group, 2), *([tuple(group)] if len(group) > 2 else []))
    ]
    found = [agreement(some) for some in sets]
    return [one for one in found if one is not None]


def with_own(diagrams: Sequence[Diagram]) -> list[Agreement]:
    """Return agreement of each swapped or control map with its world's own."""
    own = {(d.plane.world, d.plane.map): d for d in diagrams if d.plane.kind == "own"}
    found = [
        agreement((own[d.plane.world, d.plane.map], d))
        for d in diagrams
        if d.plane.kind != "own" and (d.plane.world, d.plane.map) in own
    ]
    return [one for one in found if one is not None]


def _common(diagrams: Sequence[Diagram]) -> list[NDArray[np.int64]]:
    """Return, for each diagram, the flat indices of the cells that all have, in one order."""
    tables = [
        {(float(x), float(y)): row * d.x.size + col
         for row, y in enumerate(d.y) for col, x in enumerate(d.x)}
        for d in diagrams
    ]  # fmt: skip
    shared = [cell for cell in tables[0] if all(cell in table for table in tables)]
    return [np.array([table[cell] for cell in shared], np.int64) for table in tables]


def _cells(diagram: Diagram, place: NDArray[np.int64]) -> Floats:
    """Return the shares of the replicates `[cells, replicates]`."""
    return np.asarray(diagram.share.reshape(-1, diagram.share.shape[2])[place])


def _flat(values: NDArray[np.bool_], place: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(values.reshape(-1)[place])


def _decided(diagram: Diagram, place: NDArray[np.int64]) -> NDArray[np.bool_]:
    signs = [seen != "undecided" for row in diagram.signs() for _, seen in row]
    return np.array(signs)[place]


def _same(wins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(wins.all(axis=0) | ~wins.any(axis=0))


def _interval(samples: Sequence[Floats]) -> tuple[float, float]:
    """Return the 90 % interval of the share of cells alike; samples are `[cells, replicates]`."""
    random = np.random.default_rng(0)
    drawn = []
    for one in samples:
        picks = random.integers(0, one.shape[1], (_DRAWS, *one.shape))
        means = np.take_along_axis(np.broadcast_to(one, picks.shape), picks, axis=2).mean(axis=2)
        drawn.append(means > 0.5)
    alike = np.array(drawn)
    shares = (alike.all(axis=0) | ~alike.any(axis=0)).mean(axis=1)
    low, high = np.quantile(shares, _INTERVAL)
    return float(low), float(high)
