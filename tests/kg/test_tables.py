from __future__ import annotations

import pandas as pd

from ailineage.kg import tables
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import Kind, Relation


def test_nodes_edges_and_claims_are_typed_tables(small_graph: KnowledgeGraph) -> None:
    nodes, edges, claims = (make(small_graph) for make in (tables.nodes, tables.edges, tables.claims))
    assert tuple(nodes.columns) == tables.NODES
    assert set(nodes["id"]) == set(small_graph.nodes)
    assert list(nodes["kind"].cat.categories) == [str(kind) for kind in Kind]
    bert = nodes.set_index("id").loc["bert"]
    assert bert["first"] == bert["last"] == pd.Timestamp("2018-10-11")
    google = nodes.set_index("id").loc["google"]
    assert (google["first"], google["last"]) == (pd.Timestamp("1998-01-01"), pd.Timestamp("1998-12-31"))
    assert tuple(edges.columns) == tables.EDGES
    assert len(edges) == len(small_graph.edges)
    assert list(edges["relation"].cat.categories) == [str(relation) for relation in Relation]
    assert tuple(claims.columns) == tables.CLAIMS
    assert set(claims["id"]) == set(small_graph.claims)
    assert claims["object"].isna().sum() == claims["value"].notna().sum()


def test_an_empty_graph_has_empty_tables_of_the_same_columns() -> None:
    empty = KnowledgeGraph([], [], [])
    assert tuple(tables.nodes(empty).columns) == tables.NODES
    assert tuple(tables.edges(empty).columns) == tables.EDGES
    assert tuple(tables.claims(empty).columns) == tables.CLAIMS
