"""Who descends from whom: genealogy, living lineages, Newick trees.

Everything is computed from the `parent` of the events table (`ecosim.analysis.survival` describes
it); its `lineage` is not used, so the two can be compared. A lineage is a founder, or an entrant
without parent, and all its descendants; its number is that ancestor's id. Id 0 stands for no
parent.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecosim.analysis.survival import lifetimes
from ecosim.errors import EcosimError

type Integers = NDArray[np.int64]


def genealogy(
    events: pd.DataFrame, founders: pd.DataFrame, *, end_step: int | None = None
) -> pd.DataFrame:
    """Return one row a life with its ancestry.

    Args:
        events: Events table.
        founders: Founders table.
        end_step: Last step observed; None: that of the last event.

    Returns:
        As `ecosim.analysis.survival.lifetimes` (`id`, `parent`, `origin`, `born`, `last`,
        `alive`, traits), with `lineage` (uint64, id of the first ancestor) and `generation` (0 for
        it, 1 for its children, ...); sorted by `born`, then `id`.

    Raises:
        EcosimError: Id 0, a parent that is not in the tables or not alive when its child is born,
            a cycle, or as for `lifetimes`.
    """
    table = lifetimes(events, founders, _last_step(events, end_step))
    parent = _parents(table)
    root, generation = _roots(parent)
    return table.assign(lineage=table["id"].to_numpy()[root], generation=generation)


def _last_step(events: pd.DataFrame, end_step: int | None) -> int:
    if end_step is None:
        return int(np.asarray(events["step"], np.int64).max(initial=0))
    return end_step


def _parents(table: pd.DataFrame) -> Integers:
    """Row of each parent, the row itself for those without; shape (lives,)."""
    ids, parents = table["id"].to_numpy(), table["parent"].to_numpy()
    if (ids == 0).any():
        raise EcosimError("id 0 stands for no parent; number agents from 1")
    if (ids == parents).any():
        raise EcosimError(f"an id may not be its own parent; got {ids[ids == parents][0]}")
    row = pd.Index(ids).get_indexer(parents).astype(np.int64)
    itself = np.arange(len(table))
    orphans = (row < 0) & (parents != 0)
    if orphans.any():
        child = itself[orphans][0]
        raise EcosimError(f"parent {parents[child]} of {ids[child]} is not in the tables")
    row = np.where(parents == 0, itself, row)
    born, last = table["born"].to_numpy(), table["last"].to_numpy()
    absent = (born[row] > born) | (last[row] < born)
    if absent.any():
        child = itself[absent][0]
        raise EcosimError(
            f"a parent must be alive when its child is born; {parents[child]} lives from step "
            f"{born[row[child]]} to {last[row[child]]}, its child {ids[child]} starts at "
            f"{born[child]}"
        )
    return row


def _roots(parent: Integers) -> tuple[Integers, Integers]:
    """First ancestor and number of generations since, by doubling the jump; shape (lives,)."""
    jump, generation = parent, (parent != np.arange(len(parent))).astype(np.int64)
    for _ in range(max(len(parent), 2).bit_length()):
        generation = generation + generation[jump]
        jump = jump[jump]
    if (parent[jump] != jump).any():
        raise EcosimError("an id may not be its own ancestor; some parents form a cycle")
    return jump, generation


def genealogy_graph(table: pd.DataFrame) -> nx.DiGraph:
    """Return the forest parent -> child of a `genealogy`; nodes are ids with their columns."""
    graph: nx.DiGraph = nx.DiGraph()
    traits = table.drop(columns=["id", "parent"]).to_dict("records")
    graph.add_nodes_from(zip(table["id"].tolist(), traits, strict=True))
    children = table[table["parent"] != 0]
    graph.add_edges_from(
        (int(parent), int(child))
        for parent, child in zip(children["parent"], children["id"], strict=True)
    )
    return graph


def lineages_through_time(
    events: pd.DataFrame, founders: pd.DataFrame, *, end_step: int | None = None
) -> pd.DataFrame:
    """Count lineages after every step.

    Args:
        events: Events table.
        founders: Founders table.
        end_step: Last step observed; None: that of the last event.

    Returns:
        `step` (0..end_step), `agents` (alive after the step), `lineages` (with a living member),
        `ancestral` (agents alive then whose line, their own or a later child's, is alive at the
        end: the lineages-through-time curve of the trees of `newick`).

    Raises:
        EcosimError: As for `genealogy`.
    """
    end_step = _last_step(events, end_step)
    table = genealogy(events, founders, end_step=end_step)
    born, stop = table["born"].to_numpy(), _stops(table, end_step)
    # A lineage has no gap, as every parent is alive at the birth: it lasts from first to last step.
    spans = pd.DataFrame({"lineage": table["lineage"], "born": born, "stop": stop})
    lineages = spans.groupby("lineage").agg(born=("born", "min"), stop=("stop", "max"))
    until = _line_stops(table, stop)
    return pd.DataFrame(
        {
            "step": np.arange(end_step + 1),
            "agents": _present(born, stop, end_step),
            "lineages": _present(
                lineages["born"].to_numpy(), lineages["stop"].to_numpy(), end_step
            ),
            "ancestral": _present(born, until, end_step),
        }
    )


def _stops(table: pd.DataFrame, end_step: int) -> Integers:
    """First step after which each agent is absent; end_step + 1 for the living."""
    return np.where(table["alive"], end_step + 1, table["last"]).astype(np.int64)


def _line_stops(table: pd.DataFrame, stop: Integers) -> Integers:
    """Step until which each agent carries a line to the end; its birth (no time) if none."""
    until = np.where(table["alive"], stop, table["born"]).astype(np.int64)
    born, alive = table["born"].to_numpy(), table["alive"].to_numpy().copy()
    parent = _parents(table)
    for child in _youngest_generation_first(table):
        if alive[child] and parent[child] != child:
            alive[parent[child]] = True
            until[parent[child]] = max(until[parent[child]], born[child])
    return until


def _youngest_generation_first(table: pd.DataFrame) -> Integers:
    return np.argsort(-table["generation"].to_numpy(), kind="stable")


def _present(start: Integers, stop: Integers, end_step: int) -> Integers:
    """How many half-open spans [start, stop) hold each step 0..end_step."""
    change = np.bincount(start, minlength=end_step + 2) - np.bincount(stop, minlength=end_step + 2)
    return np.cumsum(change)[: end_step + 1]


def newick(events: pd.DataFrame, founders: pd.DataFrame, *, end_step: int | None = None) -> str:
    """Write the genealogy of the living as Newick trees, one line for each living lineage.

    Tips are the ids alive at the end, lengths are steps, and a fork is a birth after which both
    lines reach the end; the root's length reaches back to its lineage's first step. Births of one
    parent in one step make one fork. Text grows with the living, not with all who ever lived.

    Args:
        events: Events table.
        founders: Founders table.
        end_step: Last step observed; None: that of the last event.

    Returns:
        Lines by first step and id of the lineage; empty if nobody lives.

    Raises:
        EcosimError: As for `genealogy`.
    """
    table = genealogy(events, founders, end_step=end_step)
    born, ids, parent = table["born"].to_numpy(), table["id"].to_numpy(), _parents(table)
    ends, alive = table["last"].to_numpy(), table["alive"].to_numpy()
    # What each agent's line becomes: text and step of its first fork or tip.
    lines: dict[int, tuple[str, int]] = {}
    offspring: dict[int, list[int]] = {}
    for agent in _youngest_generation_first(table).tolist():
        line = (str(ids[agent]), int(ends[agent])) if alive[agent] else None
        line = _join(line, [(int(born[c]), lines.pop(c)) for c in offspring.pop(agent, [])])
        if line is not None:
            lines[agent] = line
            if parent[agent] != agent:
                offspring.setdefault(int(parent[agent]), []).append(agent)
    return "\n".join(f"{text}:{top - born[root]};" for root, (text, top) in sorted(lines.items()))


def _join(
    line: tuple[str, int] | None, children: list[tuple[int, tuple[str, int]]]
) -> tuple[str, int] | None:
    """Graft children on their parent's line, the last born first."""
    for step in sorted({born for born, _ in children}, reverse=True):
        forks = [child for born, child in children if born == step]
        branches = forks if line is None else [line, *forks]
        if len(branches) == 1:
            line = branches[0]  # the parent ended: no fork, the child goes on with its line
        else:
            line = (f"({','.join(f'{text}:{top - step}' for text, top in branches)})", step)
    return line
