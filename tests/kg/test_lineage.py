from __future__ import annotations

import itertools

import networkx as nx
import pytest

from ailineage.corpus.documents import Document
from ailineage.errors import UnknownNodeError
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


def test_influence_is_taken_only_where_there_is_no_direct_line() -> None:
    longer = graph("z influenced_by a", "b builds_on a", "c builds_on b", "d builds_on c", "z builds_on d")
    path = lineage.path(longer, "a", "z")
    assert path is not None
    assert (path.kind, [hop.child for hop in path.hops]) == ("direct", ["b", "c", "d", "z"])
    path = lineage.path(CHAIN, "a", "x")
    assert path is not None
    assert path.kind == "influence"


def test_kinship_offers_influence_and_the_shared_ancestor() -> None:
    kin = lineage.kinship(graph("gpt builds_on t", "bert builds_on t", "bert influenced_by gpt"), "bert", "gpt")
    assert kin.direct is None
    assert kin.influence is not None
    assert [(hop.parent, hop.child) for hop in kin.influence.hops] == [("gpt", "bert")]
    assert kin.shared is not None
    assert (kin.shared.kind, kin.shared.shared) == ("shared", "t")
    assert [(hop.parent, hop.child) for hop in kin.shared.hops] == [("t", "bert"), ("t", "gpt")]
    assert kin.best is kin.influence


def test_a_shared_ancestor_by_descent_is_preferred_to_one_by_influence() -> None:
    g = graph("l builds_on m", "r influenced_by m", "m builds_on old", "r builds_on n", "n builds_on old")
    assert lineage.nearest_common_ancestor(g, "l", "r") == "old"
    g = graph("l builds_on m", "r influenced_by m")
    assert lineage.nearest_common_ancestor(g, "l", "r") == "m"


def test_a_circle_is_found_and_survived() -> None:
    g = graph("b builds_on a", "c builds_on b", "a builds_on c", "d builds_on c", "e builds_on x")
    assert lineage.circles(g) == [["a", "b", "c"]]
    assert lineage.ancestors(g, "d") == {"c": 1, "b": 2, "a": 3}
    assert "a" not in lineage.ancestors(g, "a")
    assert lineage.count_paths(g, "a", "d") is None
    assert len(lineage.all_paths(g, "a", "d")) == 1
    assert lineage.influence(g)


def test_between_hubs_paths_are_counted_and_the_best_listed() -> None:
    layers = [[f"l{depth}-{i}" for i in range(6)] for depth in range(12)]
    edges = [
        f"{child} builds_on {parent}" for up, down in itertools.pairwise(layers) for parent in up for child in down
    ]
    edges += [f"{node} builds_on top" for node in layers[0]] + [f"end builds_on {node}" for node in layers[-1]]
    g = graph(*edges)
    assert lineage.count_paths(g, "top", "end") == 6**12
    assert len(lineage.all_paths(g, "top", "end", limit=7)) == 7
    assert lineage.count_paths(g, "end", "top") == 0


@pytest.mark.parametrize("seed", range(5))
def test_paths_are_counted_as_networkx_lists_them(seed: int) -> None:
    tree = nx.gnp_random_graph(9, 0.4, seed=seed, directed=True)
    g = graph(*dict.fromkeys(f"n{max(u, v)} builds_on n{min(u, v)}" for u, v in tree.edges))
    for start, goal in itertools.permutations(g.nodes, 2):
        assert lineage.count_paths(g, start, goal) == len(list(nx.all_simple_paths(g.lineage, start, goal)))


def test_an_ambiguous_name_means_the_eldest_bearer_and_a_plural_is_forgiven() -> None:
    nodes = [
        Node("gpt2", Kind.MODEL, {"en": "GPT-2"}, ambiguous=("GPT",), date="2019-02-14"),
        Node("gpt1", Kind.MODEL, {"en": "GPT-1"}, ambiguous=("GPT",), date="2018-06-11"),
        Node("cnn", Kind.MODEL, {"en": "CNN"}),
    ]
    g = KnowledgeGraph(nodes, [], [])
    taken, bearers = lineage.named(g, "GPT")
    assert (taken.id, [node.id for node in bearers]) == ("gpt1", ["gpt1", "gpt2"])
    assert lineage.named(g, "CNNs")[0].id == "cnn"
    assert lineage.named(g, "gpt2")[1] == (nodes[0],)
    with pytest.raises(UnknownNodeError):
        lineage.named(g, "Zorblatt")
