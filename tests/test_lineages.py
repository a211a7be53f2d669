import re

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.analysis.lineages import (
    genealogy,
    genealogy_graph,
    lineages_through_time,
    newick,
)
from ecosim.errors import EcosimError


def events_table(*rows):
    frame = pd.DataFrame(rows, columns=["step", "kind", "id", "parent"])
    for column in ("id", "parent"):
        frame[column] = frame[column].to_numpy(dtype=np.uint64)
    return frame.assign(lineage=0, niche=0, breadth=1.0, stock=1.0, age=0)


def founders_table(*ids):
    return pd.DataFrame({"id": np.array(ids, np.uint64), "niche": 0, "breadth": 1.0, "stock": 1.0})


# 1 lives on and bears 3 (step 2), who bears 5 (4) and 6 (5) and dies at 5; 2 dies childless at 3;
# 4 enters at 3 and bears 7 at 6, its own last step; 6 dies at 7.
FAMILY = events_table(
    (2, "birth", 3, 1), (3, "death", 2, 0), (3, "entry", 4, 0), (4, "birth", 5, 3),
    (5, "birth", 6, 3), (5, "death", 3, 0), (6, "birth", 7, 4), (6, "exit", 4, 0),
    (7, "death", 6, 0),
)  # fmt: skip
FOUNDERS = founders_table(1, 2)


def test_genealogy_by_hand():
    table = genealogy(FAMILY, FOUNDERS).set_index("id")
    assert table["lineage"].to_dict() == {1: 1, 2: 2, 3: 1, 4: 4, 5: 1, 6: 1, 7: 4}
    assert table["generation"].to_dict() == {1: 0, 2: 0, 3: 1, 4: 0, 5: 2, 6: 2, 7: 1}
    assert set(table.index[table["alive"]]) == {1, 5, 7}
    graph = genealogy_graph(genealogy(FAMILY, FOUNDERS))
    assert set(graph.edges) == {(1, 3), (3, 5), (3, 6), (4, 7)} and 2 in graph
    assert graph.nodes[3]["born"] == 2 and graph.nodes[3]["last"] == 5


def test_lineages_by_hand():
    table = lineages_through_time(FAMILY, FOUNDERS, end_step=8)
    assert table["step"].tolist() == list(range(9))
    assert table["agents"].tolist() == [2, 2, 3, 3, 4, 4, 4, 3, 3]
    assert table["lineages"].tolist() == [2, 2, 2, 2, 2, 2, 2, 2, 2]
    # 1 throughout, 3 from 2 to the birth of 5 at 4, 5 from 4; 4 from 3 to the birth of 7 at 6.
    assert table["ancestral"].tolist() == [1, 1, 2, 3, 3, 3, 3, 3, 3]


def test_newick_by_hand():
    # 3 and 4 carry their lines to 5 and 7 without a fork: one branch each.
    assert newick(FAMILY, FOUNDERS, end_step=8) == "(1:6,5:6):2;\n7:5;"
    # Until step 4 all of 1, 3, 5 live; until 3, 2 is dead and 4 new.
    assert newick(FAMILY, FOUNDERS, end_step=4) == "(1:2,(3:0,5:0):2):2;\n4:1;"
    assert newick(FAMILY, FOUNDERS, end_step=3) == "(1:1,3:1):2;\n4:0;"


def test_two_children_in_one_step_make_one_fork():
    family = events_table((2, "birth", 3, 1), (2, "birth", 4, 1), (5, "birth", 5, 3))
    assert newick(family, founders_table(1), end_step=6) == "(1:4,(3:1,5:1):3,4:4):2;"
    replaced = events_table((2, "birth", 3, 1), (2, "birth", 4, 1), (2, "death", 1, 0))
    assert newick(replaced, founders_table(1), end_step=6) == "(3:4,4:4):2;"


def test_nobody_left():
    dead = events_table((2, "death", 1, 0))
    assert newick(dead, founders_table(1)) == ""
    assert lineages_through_time(dead, founders_table(1))["lineages"].tolist() == [1, 1, 0]
    assert lineages_through_time(dead, founders_table(1), end_step=3)["ancestral"].sum() == 0
    still = lineages_through_time(dead.iloc[:0], founders_table(1, 2), end_step=2)
    assert still["lineages"].tolist() == [2, 2, 2]
    assert newick(dead.iloc[:0], founders_table(1)) == "1:0;"


def simulate(seed: int, steps: int):
    """A small birth-death process with entrants, and who lived after each step, kept by hand."""
    random = np.random.default_rng(seed)
    rows, alive, parents, after = [], [1, 2, 3], {1: 0, 2: 0, 3: 0}, [{1, 2, 3}]
    spare = iter(random.permutation(np.arange(4, 4000)).tolist())  # ids need not follow time
    for step in range(1, steps + 1):
        mothers = list(alive)
        for agent in list(alive):
            if random.random() < 0.25:
                alive.remove(agent)
                rows.append((step, "death", agent, 0))
        for agent in mothers:  # some die in the step in which they bear
            for _ in range(int(random.poisson(0.34))):
                child = next(spare)
                rows.append((step, "birth", child, agent))
                parents[child] = agent
                alive.append(child)
        if random.random() < 0.1:
            entrant = next(spare)
            rows.append((step, "entry", entrant, 0))
            parents[entrant] = 0
            alive.append(entrant)
        after.append(set(alive))
    return events_table(*rows), parents, after


def ancestors(agent, parents):
    while agent:
        yield agent
        agent = parents[agent]


def branches(text):
    """Edges (top, bottom, tip or None) of one Newick tree, in steps since its root's start."""
    tokens = re.findall(r"[(),;]|:\d+|\d+", text)
    nodes, stack = [], [[]]
    for token in tokens:
        if token == "(":
            stack.append([])
        elif token == ")":
            children = stack.pop()
            stack[-1].append({"children": children, "tip": None})
        elif token[0] == ":":
            stack[-1][-1]["length"] = int(token[1:])
        elif token not in ",;":
            stack[-1].append({"children": [], "tip": int(token)})

    def walk(node, top):
        nodes.append((top, top + node["length"], node["tip"], len(node["children"])))
        for child in node["children"]:
            walk(child, top + node["length"])

    walk(stack[0][0], 0)
    return nodes


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 25))
def test_against_a_population_kept_by_hand(seed, steps):
    events, parents, after = simulate(seed, steps)
    founders = founders_table(1, 2, 3)
    table = genealogy(events, founders, end_step=steps).set_index("id")
    roots = {agent: list(ancestors(agent, parents))[-1] for agent in parents}
    depths = {agent: len(list(ancestors(agent, parents))) - 1 for agent in parents}
    assert table["lineage"].to_dict() == roots
    assert table["generation"].to_dict() == depths
    assert set(table.index[table["alive"]]) == after[-1]
    counts = lineages_through_time(events, founders, end_step=steps)
    assert counts["agents"].tolist() == [len(living) for living in after]
    assert counts["lineages"].tolist() == [len({roots[a] for a in living}) for living in after]
    trees = newick(events, founders, end_step=steps).splitlines()
    first = sorted((int(table["born"][r]), r) for r in {roots[a] for a in after[-1]})
    assert len(trees) == len(first)
    crossing, tips = np.zeros(steps + 1, int), set()
    for (born, root), tree in zip(first, trees, strict=True):
        for top, bottom, tip, forks in branches(tree):
            assert forks != 1  # lines without a fork are one branch
            crossing[born + top : born + bottom + (tip is not None)] += 1
            if tip is not None:
                assert born + bottom == steps and roots[tip] == root
                tips.add(tip)
    assert tips == after[-1]
    # A fork at the end step leaves branches of length 0 there: they count as tips.
    assert crossing.tolist() == counts["ancestral"].tolist()


def test_the_graph_holds_every_ancestor():
    events, parents, after = simulate(8, 25)
    founders = founders_table(1, 2, 3)
    graph = genealogy_graph(genealogy(events, founders, end_step=25))
    assert nx.is_branching(graph)
    assert len(after[-1]) > 5
    for agent in after[-1]:
        expected = set(list(ancestors(agent, parents))[1:])
        assert nx.ancestors(graph, agent) == expected


def test_order_of_events_does_not_matter():
    events, _, _ = simulate(11, 20)
    founders = founders_table(1, 2, 3)
    shuffled = events.sample(frac=1, random_state=4)
    assert newick(shuffled, founders) == newick(events, founders)
    pd.testing.assert_frame_equal(
        lineages_through_time(shuffled, founders), lineages_through_time(events, founders)
    )


def test_a_deep_genealogy_needs_no_recursion():
    steps = 5000
    rows = []
    for step in range(1, steps + 1):
        rows += [(step, "birth", step + 1, step), (step, "death", step, 0)]
    assert newick(events_table(*rows), founders_table(1)) == f"{steps + 1}:{steps};"
    assert genealogy(events_table(*rows), founders_table(1))["generation"].max() == steps


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, "birth", 5, 9)], "parent 9 of 5 is not in the tables"),
        ([(1, "birth", 5, 5)], "own parent; got 5"),
        ([(1, "birth", 5, 6), (1, "birth", 6, 5)], "its own ancestor"),
        ([(1, "death", 1, 0), (3, "birth", 5, 1)], "1 lives from step 0 to 1, its child 5 .* at 3"),
        ([(1, "birth", 5, 6), (3, "birth", 6, 0)], "must be alive when its child is born; 6"),
        ([(1, "entry", 0, 0)], "id 0 stands for no parent"),
    ],
)
def test_impossible_genealogies_are_refused(rows, message):
    with pytest.raises(EcosimError, match=message):
        lineages_through_time(events_table(*rows), founders_table(1))
