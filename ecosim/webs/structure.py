"""Structure of interaction webs: nestedness and modules.

As in `ecosim.webs.indices`, `counts` has shape (niches, species), no negative number and
no empty row or column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ecosim.webs.indices import Floats

type Labels = NDArray[np.int64]

# Random starts of the search for modules: this many for each number of modules up to the second.
STARTS, MOST_MODULES = 5, 16
LEAST_GAIN = 1e-12  # a smaller rise of Q is rounding


class Nodf(NamedTuple):
    """Nestedness, each between 0 and 100; NaN where there is no pair to compare."""

    total: float
    rows: float
    columns: float


class Modules(NamedTuple):
    """A partition: Barber's Q and the module of every niche (niches,) and species (species,)."""

    q: float
    niches: Labels
    species: Labels


def nodf(counts: Floats) -> Nodf:
    """Measure nestedness by overlap and decreasing fill (Almeida-Neto et al. 2008, Oikos 117).

    A pair of rows (or columns) of different degree scores the percentage of the smaller one's
    interactions that the larger one has too; a pair of equal degree scores 0. The total pools the
    m(m-1)/2 row pairs and n(n-1)/2 column pairs.
    """
    present = counts > 0
    rows, row_pairs = _nested(present)
    columns, column_pairs = _nested(present.T)
    return Nodf(
        total=_mean(rows + columns, row_pairs + column_pairs),
        rows=_mean(rows, row_pairs),
        columns=_mean(columns, column_pairs),
    )


def _nested(present: NDArray[np.bool_]) -> tuple[float, int]:
    degree = present.sum(axis=1).astype(np.float64)
    shared = present.astype(np.float64) @ present.T.astype(np.float64)
    score = np.where(degree[:, None] > degree, shared / degree, 0.0)
    return 100.0 * float(score.sum()), len(degree) * (len(degree) - 1) // 2


def _mean(total: float, number: int) -> float:
    return total / number if number else float("nan")


def modules(counts: Floats) -> Modules:
    """Partition niches and species into modules and score the partition.

    The score is Barber's bipartite Q = sum_ij (a_ij/m - r_i c_j/m^2) [same module] (Barber 2007,
    Phys Rev E 76:066102), weighted. From each start, niches and species are reassigned in turn
    while Q rises (Barber's BRIM). The starts are networkx's greedy communities (Clauset, Newman &
    Moore 2004) of the weighted bipartite graph, and random ones of a fixed seed; one module, Q =
    0, is always among the candidates. The best found is a lower bound of the largest Q.
    """
    share = counts / counts.sum()
    excess = share - np.outer(share.sum(axis=1), share.sum(axis=0))
    found = [_refine(excess, start) for start in (_greedy(counts), *_random(*counts.shape))]
    whole = Modules(0.0, np.zeros(len(counts), np.int64), np.zeros(counts.shape[1], np.int64))
    return max([whole, *found], key=lambda partition: partition.q)


def _greedy(counts: Floats) -> Labels:
    # Not Louvain: networkx's can move nodes back and forth for ever where gains tie in floats.
    # Greedy merging ends after as many merges as there are nodes.
    niches, species = counts.shape
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(range(niches + species))
    graph.add_weighted_edges_from(
        (int(i), niches + int(j), float(counts[i, j])) for i, j in np.argwhere(counts > 0)
    )
    labels = np.zeros(niches + species, np.int64)
    communities = nx.community.greedy_modularity_communities(graph, weight="weight")
    for label, nodes in enumerate(communities):
        labels[list(nodes)] = label
    return labels[:niches]


def _random(niches: int, species: int) -> Iterator[Labels]:
    random = np.random.default_rng(0)
    for number in range(2, min(niches, species, MOST_MODULES) + 1):
        for _ in range(STARTS):
            yield random.integers(0, number, niches)


def _refine(excess: Floats, niches: Labels) -> Modules:
    number, best = int(niches.max()) + 1, -np.inf
    while True:
        per_species = excess.T @ np.eye(number)[niches]
        species = per_species.argmax(axis=1)
        per_niche = excess @ np.eye(number)[species]
        q = float(per_niche.max(axis=1).sum())
        if q <= best + LEAST_GAIN:
            return Modules(best, niches, species)
        niches, best = per_niche.argmax(axis=1), q
