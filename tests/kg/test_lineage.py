from __future__ import annotations

import itertools

import networkx as nx
import pytest

from ailineage.corpus.documents import Document
from ailineage.kg import lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import AUTHORED, Claim, Node
from ailineage.kg.vocabulary import Kind, Relation


def graph(*edges: str, dates: dict[str, str] | None = None) -> KnowledgeGraph:
    """A graph from edges such as `b builds_on a`."""
    dates = dates or {}
    names = sorted({part for edge in edges for part in edge.split()[::2]})
    claims = []
    for number, edge in enumerate(edges):
        subject, relation, obj = edge.split()
        claims.append(
            Claim.make(
                subject=subject,
                relation=Relation(relation),
                object=obj,
                document="d",
                start=number,
                end=number + 1,
                text="x",
                extractor=AUTHORED,
                confidence=1.0,
                changed=f"{subject} differs",
            )
        )
    nodes = [Node(name, Kind.MODEL, {"en": name.upper()}, date=dates.get(name)) for name in names]
    return KnowledgeGraph(nodes, claims, [Document("d", "d", "x" * 99, "en", "library", "0")])


CHAIN = graph("b builds_on a", "c variant_of b", "d builds_on c", "x influenced_by a", "d uses x")


def test_a_path_runs_from_ancestor_to_descendant_whichever_is_named_first() -> None:
    for start, goal in (("a", "d"), ("d", "a")):
        path = lineage.path(CHAIN, start, goal)
        assert path is not None
        assert (path.start, path.goal) == ("a", "d")
        assert [(hop.parent, hop.child) for hop in path.hops] == [("a", "b"), ("b", "c"), ("c", "d")]
        assert path.hops[0].changed == "b differs"


def test_without_a_direct_path_the_shared_ancestor_is_offered() -> None:
    path = lineage.path(CHAIN, "d", "x")
    assert path is not None
    assert path.shared == "a"
    assert {hop.child for hop in path.hops} == {"b", "c", "d", "x"}


def test_strangers_have_no_path() -> None:
    assert lineage.path(graph("b builds_on a", "y builds_on z"), "b", "y") is None


def test_succeeded_by_runs_from_parent_to_child() -> None:
    path = lineage.path(graph("a succeeded_by b"), "b", "a")
    assert path is not None
    assert [(hop.parent, hop.child) for hop in path.hops] == [("a", "b")]


def test_building_on_is_preferred_to_influence() -> None:
    path = lineage.path(graph("c influenced_by a", "b builds_on a", "c builds_on b"), "a", "c")
    assert path is not None
    assert [hop.child for hop in path.hops] == ["b", "c"]


def test_going_back_in_time_costs() -> None:
    edges = ("c builds_on m", "m builds_on a", "c builds_on n", "n builds_on k", "k builds_on a")
    dates = {"a": "2000", "m": "1990", "n": "2004", "k": "2002", "c": "2005"}
    path = lineage.path(graph(*edges, dates=dates), "a", "c")
    assert path is not None
    assert [hop.child for hop in path.hops] == ["k", "n", "c"]


def test_relatives_by_generation() -> None:
    assert lineage.ancestors(CHAIN, "d") == {"c": 1, "b": 2, "a": 3}
    assert lineage.descendants(CHAIN, "a", depth=1) == {"b": 1, "x": 1}


@pytest.mark.parametrize("seed", range(5))
def test_paths_and_reach_agree_with_networkx(seed: int) -> None:
    tree = nx.gnp_random_graph(12, 0.25, seed=seed, directed=True)
    edges = [f"n{max(u, v)} builds_on n{min(u, v)}" for u, v in tree.edges]
    g = graph(*dict.fromkeys(edges))
    oracle = nx.DiGraph((e.split()[2], e.split()[0]) for e in edges)
    for start, goal in itertools.permutations(oracle, 2):
        assert set(lineage.descendants(g, start)) == nx.descendants(oracle, start)
        path = lineage.path(g, start, goal)
        if nx.has_path(oracle, start, goal):
            assert path is not None
            assert len(path.hops) == nx.shortest_path_length(oracle, start, goal)


def test_siblings_share_a_parent() -> None:
    assert lineage.siblings(CHAIN, "b") == {"x": ("a",)}


def test_all_paths_are_listed_cheapest_first() -> None:
    g = graph("c influenced_by a", "b builds_on a", "c builds_on b")
    assert [[hop.child for hop in path.hops] for path in lineage.all_paths(g, "a", "c")] == [["b", "c"], ["c"]]
    assert lineage.all_paths(g, "c", "a") == []


def test_where_a_technique_ended_up() -> None:
    assert lineage.users(CHAIN, "x") == {"d": "uses"}
    assert lineage.users(CHAIN, "b") == {"c": "lineage", "d": "lineage"}


def test_the_root_of_a_tree_is_the_most_influential() -> None:
    g = graph(
        "b builds_on a",
        "c builds_on a",
        "d builds_on b",
        "z builds_on y",
        dates=dict(zip("abcdyz", ("2000",) * 4 + ("2001",) * 2, strict=True)),
    )
    assert lineage.influence(g)[0][0] == "a"
    assert [id for id, _ in lineage.influence(g, "2001")] == ["y", "z"]
