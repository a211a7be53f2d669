"""Graphs of niches and of patches: networkx outside, arrays inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import networkx as nx


def build(spec: Any, count: int) -> nx.Graph:
    """Return the graph with nodes 0..count-1 that a name or a list of edges describes.

    A star has node 0 in its centre; a grid is the most nearly square one, filled row by row.
    Edges are (a, b) or (a, b, weight); the default weight is 1.
    """
    import networkx as nx  # late: most runs have no graph

    if not isinstance(spec, str):
        graph = nx.empty_graph(count)
        graph.add_weighted_edges_from((e[0], e[1], e[2] if len(e) > 2 else 1.0) for e in spec)
        return graph
    if spec == "star":
        return nx.star_graph(count - 1)
    if spec == "grid":
        columns = int(np.ceil(np.sqrt(count)))
        grid = nx.grid_2d_graph(-(-count // columns), columns)
        order = sorted(grid)[:count]
        return nx.relabel_nodes(grid.subgraph(order), {node: i for i, node in enumerate(order)})
    named = {"cycle": nx.cycle_graph, "path": nx.path_graph, "complete": nx.complete_graph}
    return named[spec](count)


def adjacency(graph: nx.Graph) -> np.ndarray:
    """Return edge weights as a float64 matrix `[n, n]`, zero diagonal."""
    import networkx as nx

    matrix = nx.to_numpy_array(graph, nodelist=range(graph.number_of_nodes()))
    np.fill_diagonal(matrix, 0.0)
    return np.asarray(matrix)
