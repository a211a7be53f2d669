"""Statement 16: do worlds on corresponding axes agree, cell by cell, in who wins?

Counted over the cells that maps have in common and that are decided in all of them, as Cohen's
kappa: agreement beyond that of independent signs of the same frequencies. Its interval has both
what replicates leave open (a sign is wrong with the chance that its t test gives) and which cells
happen to be on the grid (cells are drawn with replacement; neighbours depend on one another, so
that it is rather too narrow). Cells around theory's boundary are counted by themselves: far from
it all closed forms say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecosim.studies.cells import LEVEL, Flags, Floats
from ecosim.studies.phase_diagram import Diagram

type Where = Literal["all", "around"]

NEAR = 1.25  # factor from the outermost of the closed forms within which a cell is around them
_DRAWS = 2000


@dataclass(frozen=True)
class Agreement:
    """How far some maps of one kind agree in sign, or a map and its closed form.

    Attributes:
        map: which.
        names: of the planes; `theory` is the closed form.
        where: all cells, or those around the closed forms.
        cells: that all of them have.
        empty: of these, without a value in one.
        decided: decided in all.
        alike: of these, of one sign in all.
        kappa: (share alike - chance) / (1 - chance); nan where all signs are one.
        low: 2.5 % bound; nan where no cell is decided.
        high: 97.5 %.
        theory: share of the decided cells in which all closed forms say the same.

    """

    map: str
    names: tuple[str, ...]
    where: Where
    cells: int
    empty: int
    decided: int
    alike: int
    kappa: float
    low: float
    high: float
    theory: float


def agreement(diagrams: Sequence[Diagram], where: Where = "all") -> Agreement | None:
    """Return how far two or more diagrams agree; None where they have no cell in common."""
    places = _common(diagrams)
    pairs = list(zip(diagrams, places, strict=True))
    if where == "around":
        beside = np.all([_flat(_around(diagrams, d), place) for d, place in pairs], axis=0)
        pairs = [(d, place[beside]) for d, place in pairs]
    if not pairs[0][1].size:
        return None
    seen = [d.cells for d, _ in pairs]
    above, wrong, sure, empty = (
        np.array([_flat(getattr(one, name), place)
                  for one, (_, place) in zip(seen, pairs, strict=True)])
        for name in ("above", "wrong", "decided", "empty")
    )  # fmt: skip
    said = np.array([_flat(_said(d), place) for d, place in pairs])
    names = tuple(d.plane.name for d in diagrams)
    return _counted(diagrams[0], names, where, above, wrong, sure.all(0), empty.any(0), said)


def with_theory(diagram: Diagram, where: Where = "all") -> Agreement | None:
    """Return how far a diagram agrees with its closed form; None where that is nowhere defined."""
    edge = np.repeat(diagram.boundary()[:, None], diagram.x.size, axis=1).ravel()
    taken = ~np.isnan(edge)
    if where == "around":
        taken &= _around([diagram], diagram).ravel()
    if not taken.any():
        return None
    seen, said = diagram.cells, _said(diagram).ravel()[taken]
    above = np.array([seen.above.ravel()[taken], said])
    wrong = np.array([seen.wrong.ravel()[taken], np.zeros(said.size)])
    sure, empty = seen.decided.ravel()[taken], seen.empty.ravel()[taken]
    names = (diagram.plane.name, "theory")
    return _counted(diagram, names, where, above, wrong, sure, empty, said[None])


def between_worlds(diagrams: Sequence[Diagram]) -> list[tuple[Diagram, ...]]:
    """Return which diagrams are compared: worlds of one map and variant, pair by pair, then all.

    Only those that statement 16 is counted over; no controls.
    """
    groups: dict[tuple[str, str], list[Diagram]] = {}
    for diagram in diagrams:
        if diagram.plane.counted and diagram.plane.kind != "control":
            groups.setdefault((diagram.plane.map, diagram.plane.variant), []).append(diagram)
    return [
        some
        for group in groups.values()
        for some in (*combinations(group, 2), *([tuple(group)] if len(group) > 2 else []))
    ]


def with_own(diagrams: Sequence[Diagram]) -> list[tuple[Diagram, Diagram]]:
    """Return each world's own diagram with its swapped ones and controls."""
    own = {(d.plane.world, d.plane.map): d for d in diagrams if d.plane.kind == "own"}
    return [
        (own[d.plane.world, d.plane.map], d)
        for d in diagrams
        if d.plane.kind != "own" and (d.plane.world, d.plane.map) in own
    ]


def calibrated(diagrams: Sequence[Diagram]) -> list[tuple[Diagram, Diagram]]:
    """Return, with the ecology's, the diagrams of a map that holds by construction."""
    ecology = {d.plane.map: d for d in diagrams if d.plane.name == f"ecology-{d.plane.map}"}
    return [
        (ecology[d.plane.map], d)
        for d in diagrams
        if d.plane.kind == "own" and not d.plane.counted and d.plane.map in ecology
    ]


def kappa(above: Flags) -> Floats:
    """Return Cohen's kappa `[...]` of signs `[raters, ..., cells]`, nan where all are the same.

    (p - c) / (1 - c), p the share of cells that all raters sign alike, c what independent signs of
    the raters' own frequencies would give (Cohen 1960, Educ Psychol Meas 20:37-46).
    """
    alike = _same(above).mean(axis=-1)
    often = above.mean(axis=-1)
    chance = np.prod(often, axis=0) + np.prod(1 - often, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(chance < 1, (alike - chance) / (1 - chance), np.nan))


def _counted(
    first: Diagram, names: tuple[str, ...], where: Where, above: Flags, wrong: Floats,
    sure: Flags, empty: Flags, said: Flags,
) -> Agreement:  # fmt: skip
    """Return the agreement of signs `[raters, cells]`, counted where `sure` `[cells]`."""
    signs = above[:, sure]
    low, high = _interval(signs, wrong[:, sure])
    number = int(sure.sum())
    return Agreement(
        map=first.plane.map, names=names, where=where, cells=int(sure.size),
        empty=int(empty.sum()), decided=number, alike=int(_same(signs).sum()),
        kappa=float(kappa(signs)) if number else float("nan"), low=low, high=high,
        theory=float(_same(said[:, sure]).mean()) if number else float("nan"),
    )  # fmt: skip


def _interval(signs: Flags, wrong: Floats) -> tuple[float, float]:
    """Return the interval of kappa; signs and their chances to be wrong are `[raters, cells]`."""
    raters, count = signs.shape
    if not count:
        return float("nan"), float("nan")
    random = np.random.default_rng(0)
    picks = random.integers(0, count, (_DRAWS, count))
    flips = random.random((raters, *picks.shape)) < wrong[:, picks]
    # Draws of one sign only show no agreement beyond chance: they count as 0, against it.
    found = np.nan_to_num(kappa(signs[:, picks] ^ flips))
    low, high = np.quantile(found, (LEVEL / 2, 1 - LEVEL / 2))
    return float(low), float(high)


def _around(diagrams: Sequence[Diagram], diagram: Diagram) -> Flags:
    """Return which cells of a diagram are around the closed forms of all diagrams `[Y, X]`.

    From the least of them in a row, over NEAR, to the greatest, times NEAR.
    """
    forms = [form.at for one in diagrams for form in one.plane.boundaries]
    edges = np.array([[at(float(y)) for y in diagram.y] for at in forms])
    low, high = np.nanmin(edges, axis=0) / NEAR, np.nanmax(edges, axis=0) * NEAR
    return np.asarray((diagram.x >= low[:, None]) & (diagram.x <= high[:, None]))


def _common(diagrams: Sequence[Diagram]) -> list[NDArray[np.int64]]:
    """Return, for each diagram, the flat indices of the cells that all have, in one order."""
    tables = [
        {(float(x), float(y)): row * d.x.size + col
         for row, y in enumerate(d.y) for col, x in enumerate(d.x)}
        for d in diagrams
    ]  # fmt: skip
    shared = [cell for cell in tables[0] if all(cell in table for table in tables)]
    return [np.array([table[cell] for cell in shared], np.int64) for table in tables]


def _said(diagram: Diagram) -> Flags:
    return np.asarray(diagram.x[None, :] > diagram.boundary()[:, None])


def _flat[Kind: np.generic](values: NDArray[Kind], place: NDArray[np.int64]) -> NDArray[Kind]:
    return values.reshape(-1)[place]


def _same(signs: Flags) -> Flags:
    return np.asarray(signs.all(axis=0) | ~signs.any(axis=0))
