"""Species as clusters of strategies, and richness as their number.

Two agents are of one species if a chain of agents leads from one to the other in steps of at most
a stated distance (single linkage). Distance is Euclidean between allocations, or along an axis
between positions; by default 0.1 for allocations (0.07 of the budget moved from one niche to
another) and 0.05 of the length of an axis. Richness is the number of species. `Run.species(d)` and
`Run.richness(d)` take another distance; a richness without its distance says nothing.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ecosim.scenario import sparse

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.scenario import Scenario

type Floats = NDArray[np.float64]
type Numbers = NDArray[np.int64]

ALLOCATION, AXIS = 0.1, 0.05  # default distances: of allocation; of the length of an axis


def traits_of(population: pd.DataFrame, scenario: Scenario) -> tuple[Floats, float]:
    """Return the traits `[N, D]` that set species apart, and the default distance."""
    if scenario.niches.space == "axis":
        return population[["position"]].to_numpy(float), AXIS * scenario.niches.length
    return sparse.allocations(population, scenario.niches.count), ALLOCATION


def clusters(traits: ArrayLike, distance: float) -> Numbers:
    """Return the species number of each agent, int64[N]: 0 for the most abundant, and so on.

    Args:
        traits: points `[N, D]`, or `[N]`.
        distance: the largest gap inside a species, in the unit of the traits.

    Raises:
        ValueError: a distance that is not positive, or traits that are not finite.

    """
    points = np.asarray(traits, float)
    points = points[:, None] if points.ndim == 1 else points
    if not distance > 0 or not np.all(np.isfinite(points)):
        raise ValueError(f"species need finite traits and a distance > 0 (given: {distance})")
    if len(points) == 0:
        return np.zeros(0, np.int64)
    # Two shares that sum to 1 vary along a line; the distance along it is sqrt(2) that of one.
    on_line = points.shape[1] == 1
    if points.shape[1] == 2 and np.allclose(points.sum(axis=1), 1, atol=1e-5):
        points, distance, on_line = points[:, :1], distance / 2**0.5, True
    found, index = np.unique(points, axis=0, return_inverse=True)
    label = _on_line(found[:, 0], distance) if on_line else _in_space(found, distance)
    return _by_abundance(label[index.ravel()])


def _on_line(sorted_values: Floats, distance: float) -> Numbers:
    apart = np.diff(sorted_values) > distance
    return np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)


def _in_space(points: Floats, distance: float) -> Numbers:
    """Cluster by cells whose diagonal is the distance: all points of a cell are of one species.

    Neighbouring cells are joined where their closest points are within the distance, so that the
    result is that of single linkage and pairs of points are never listed.
    """
    side = distance / points.shape[1] ** 0.5
    cells, cell_of = np.unique(np.floor(points / side), axis=0, return_inverse=True)
    order = np.argsort(cell_of.ravel(), kind="stable")
    bounds = np.searchsorted(cell_of.ravel()[order], np.arange(len(cells) + 1))
    members = [points[order[a:b]] for a, b in itertools.pairwise(bounds)]
    root = np.arange(len(cells))

    def top(cell: int) -> int:
        while root[cell] != cell:
            root[cell] = root[root[cell]]
            cell = int(root[cell])
        return cell

    # Points of two cells can be that close only if the cells' corners are within two diagonals.
    centres = cKDTree(cells * side)
    for first, neighbours in enumerate(centres.query_ball_point(cells * side, 2 * distance)):
        for second in neighbours:
            if second > first and top(first) != top(second):
                gap, _ = cKDTree(members[first]).query(members[second])
                if gap.min() <= distance:
                    root[top(second)] = top(first)
    return np.array([top(cell) for cell in range(len(cells))], np.int64)[cell_of.ravel()]


def _by_abundance(label: Numbers) -> Numbers:
    """Number species from the most abundant; among equals, in the order of first appearance."""
    _, first, index, count = np.unique(
        label, return_index=True, return_inverse=True, return_counts=True
    )
    place = np.empty(len(count), np.int64)
    place[np.lexsort((first, -count))] = np.arange(len(count))
    return place[index.ravel()]
