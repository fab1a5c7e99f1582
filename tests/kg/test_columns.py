from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from ailineage.errors import UnknownNodeError
from ailineage.kg import columns, lineage
from ailineage.kg.columns import Columns
from ailineage.kg.graph import KnowledgeGraph
from tests.kg.test_lineage import graph


@pytest.mark.parametrize("seed", range(3))
def test_columns_answer_as_the_lineage_does(seed: int, tmp_path: Path) -> None:
    tree = nx.gnp_random_graph(15, 0.2, seed=seed, directed=True)
    relations = ("builds_on", "influenced_by", "variant_of")
    g = graph(*dict.fromkeys(f"n{max(u, v)} {relations[(u + v) % 3]} n{min(u, v)}" for u, v in tree.edges))
    columns.save(g, tmp_path)
    opened = Columns(tmp_path)
    assert list(opened.ids) == sorted(g.nodes)
    for id in g.nodes:
        assert set(opened.ancestors(id)) == set(lineage.ancestors(g, id))
        assert set(opened.descendants(id)) == set(lineage.descendants(g, id))
        for goal in lineage.descendants(g, id):
            cost, route = opened.path(id, goal)
            assert cost == nx.dijkstra_path_length(g.lineage, id, goal, lambda a, b, _: lineage.cost(g, a, b))
            assert (route[0], route[-1]) == (id, goal)
    ranks = nx.pagerank(g.lineage.reverse())
    np.testing.assert_allclose(opened.pagerank(), [ranks[id] for id in opened.ids], atol=1e-4)


def test_no_path_and_no_node(tmp_path: Path) -> None:
    columns.save(graph("b builds_on a", "y builds_on x"), tmp_path)
    assert Columns(tmp_path).path("a", "y") == (float("inf"), [])
    with pytest.raises(UnknownNodeError):
        Columns(tmp_path).ancestors("zorblatt")


def test_a_graph_without_descent_has_empty_columns(tmp_path: Path) -> None:
    columns.save(KnowledgeGraph([], [], []), tmp_path)
    assert len(Columns(tmp_path).ids) == 0


def test_nothing_executable_is_loaded(tmp_path: Path) -> None:
    columns.save(graph("b builds_on a"), tmp_path)
    np.save(tmp_path / "costs.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"[Pp]ickle|object"):
        Columns(tmp_path)
