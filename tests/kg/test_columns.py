from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from ailineage.errors import UnknownNodeError
from ailineage.kg import lineage
from ailineage.kg.columns import Columns
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import Relation
from tests.kg.test_lineage import graph

RELATIONS = ("builds_on", "influenced_by", "variant_of")


def grown(seed: int) -> KnowledgeGraph:
    tree = nx.gnp_random_graph(15, 0.2, seed=seed, directed=True)
    return graph(*dict.fromkeys(f"n{max(u, v)} {RELATIONS[(u + v) % 3]} n{min(u, v)}" for u, v in tree.edges))


@pytest.mark.parametrize("seed", range(3))
def test_columns_answer_as_networkx_does(seed: int, tmp_path: Path) -> None:
    g = grown(seed)
    g.columns.save(tmp_path)
    opened = Columns.open(tmp_path)
    tree = g.lineage
    price = {step: lineage.cost(g, *step) for step in tree.edges}
    assert list(opened.ids) == sorted(g.nodes)
    for id in g.nodes:
        assert opened.reach(opened.up, id) == {
            node: far for node, far in nx.single_source_shortest_path_length(tree.reverse(), id).items() if far
        }
        assert set(opened.reach(opened.down, id)) == nx.descendants(tree, id)
        for goal in nx.descendants(tree, id):
            route = opened.path(opened.down, id, goal)
            assert route is not None
            assert (route[0], route[-1]) == (id, goal)
            least = nx.dijkstra_path_length(tree, id, goal, lambda a, b, _: price[a, b])
            assert sum(price[step] for step in pairwise(route)) == least
    ranks = nx.pagerank(tree.reverse())
    np.testing.assert_allclose(opened.pagerank(), [ranks[id] for id in opened.ids], atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_a_part_is_ranked_as_if_it_were_the_whole(seed: int) -> None:
    g = grown(seed)
    part = [f"n{number}" for number in range(9)]
    tree = g.lineage.subgraph(part).copy()
    tree.remove_nodes_from([id for id in part if id in tree and tree.degree(id) == 0])
    ranks = nx.pagerank(tree.reverse())
    found = g.columns.pagerank(part)
    np.testing.assert_allclose(found, [ranks.get(id, 0) for id in g.columns.ids], atol=1e-4)


def test_steps_of_influence_can_be_left_out() -> None:
    columns = graph("b influenced_by a", "c builds_on b").columns
    assert columns.path(columns.down, "a", "c") == ["a", "b", "c"]
    assert columns.path(columns.direct_down, "a", "c") is None
    assert columns.relation(columns.step("b", "c")) is Relation.BUILDS_ON
    with pytest.raises(KeyError):
        columns.step("c", "b")


def test_no_path_and_no_node() -> None:
    columns = graph("b builds_on a", "y builds_on x").columns
    assert columns.path(columns.down, "a", "y") is None
    assert columns.common(columns.up, "a", "y") == []
    with pytest.raises(UnknownNodeError):
        columns.reach(columns.up, "zorblatt")


def test_a_graph_without_descent_has_empty_columns(tmp_path: Path) -> None:
    KnowledgeGraph([], [], []).columns.save(tmp_path)
    opened = Columns.open(tmp_path)
    assert len(opened.ids) == 0
    assert opened.circles() == []


def test_nothing_executable_is_loaded(tmp_path: Path) -> None:
    graph("b builds_on a").columns.save(tmp_path)
    np.save(tmp_path / "lineage.costs.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"[Pp]ickle|object"):
        Columns.open(tmp_path)
