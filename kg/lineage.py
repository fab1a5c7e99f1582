"""Questions of descent: ancestors, descendants and the best path between two nodes.

The best path is the one with the least sum of step costs. A step costs 1 if the child builds on the parent or is a
variant of it, 1.5 if it succeeded it, 2.5 if it was only influenced by it; half a step more where no authored claim
supports it, and 3 more where the child is dated before its parent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim
from ailineage.kg.vocabulary import Relation

_COST = {Relation.BUILDS_ON: 1.0, Relation.VARIANT_OF: 1.0, Relation.SUCCEEDED_BY: 1.5, Relation.INFLUENCED_BY: 2.5}


@dataclass(frozen=True, slots=True)
class Descent:
    """One step of a path: `child` came from `parent`, as `claims` say, the one in the wanted language first."""

    parent: str
    child: str
    relation: Relation
    claims: tuple[Claim, ...]

    @property
    def changed(self) -> str | None:
        """What the step changed, in the language of the first claim that says so."""
        return next((claim.changed for claim in self.claims if claim.changed), None)


@dataclass(frozen=True, slots=True)
class Path:
    """A way from an ancestor to a descendant; `shared` is the nearest common ancestor where there is no direct way."""

    start: str
    goal: str
    hops: tuple[Descent, ...]
    shared: str | None = None


def cost(graph: KnowledgeGraph, parent: str, child: str) -> float:
    """The cost of one step of descent, by the rule above."""
    data = graph.lineage.edges[parent, child]
    value = _COST[data["relation"]]
    if not any(graph.claims[id].authored for id in data["claims"]):
        value += 0.5
    older, newer = graph.nodes[parent].date, graph.nodes[child].date
    if older and newer and newer[: len(older)] < older[: len(newer)]:
        value += 3
    return value


def _weight(graph: KnowledgeGraph) -> Callable[[str, str, dict], float]:
    return lambda parent, child, _: cost(graph, parent, child)


def path(graph: KnowledgeGraph, start: str, goal: str, language: str = "en") -> Path | None:
    """The best directed path from `start` down to `goal`, or up if `goal` is the ancestor, or via a shared ancestor.

    Returns:
        None if the two share no ancestor. With a shared ancestor the hops lead from it to `start`, then to `goal`.
    """
    for top, bottom in ((start, goal), (goal, start)):
        if (route := _route(graph, top, bottom)) is not None:
            return Path(top, bottom, _hops(graph, route, language))
    shared = nearest_common_ancestor(graph, start, goal)
    if shared is None:
        return None
    down = [_hops(graph, _route(graph, shared, end) or [], language) for end in (start, goal)]
    return Path(start, goal, (*down[0], *down[1]), shared)


def nearest_common_ancestor(graph: KnowledgeGraph, left: str, right: str) -> str | None:
    """The shared ancestor from which both are reached at the least cost in sum; ties go to the younger one."""
    common = ancestors(graph, left).keys() & ancestors(graph, right).keys()
    if not common:
        return None

    def total(node: str) -> tuple[float, int, str]:
        length = sum(nx.dijkstra_path_length(graph.lineage, node, end, _weight(graph)) for end in (left, right))
        return length, -int((graph.nodes[node].date or "0")[:4]), node

    return min(common, key=total)


def ancestors(graph: KnowledgeGraph, node: str, depth: int | None = None) -> dict[str, int]:
    """Ancestors and their distance in generations, nearest first."""
    return _reach(graph.lineage.reverse(copy=False), node, depth)


def descendants(graph: KnowledgeGraph, node: str, depth: int | None = None) -> dict[str, int]:
    """Descendants and their distance in generations, nearest first."""
    return _reach(graph.lineage, node, depth)


def parents(graph: KnowledgeGraph, node: str, language: str = "en") -> tuple[Descent, ...]:
    """The steps that lead directly to a node."""
    return tuple(_descent(graph, parent, node, language) for parent in graph.lineage.predecessors(node))


def children(graph: KnowledgeGraph, node: str, language: str = "en") -> tuple[Descent, ...]:
    """The steps that lead directly from a node."""
    return tuple(_descent(graph, node, child, language) for child in graph.lineage.successors(node))


def _reach(lineage: nx.DiGraph, node: str, depth: int | None) -> dict[str, int]:
    reached = nx.single_source_shortest_path_length(lineage, node, cutoff=depth)
    return {id: distance for id, distance in sorted(reached.items(), key=lambda item: (item[1], item[0])) if distance}


def _route(graph: KnowledgeGraph, start: str, goal: str) -> list[str] | None:
    try:
        return nx.dijkstra_path(graph.lineage, start, goal, _weight(graph))
    except nx.NetworkXNoPath:
        return None


def _hops(graph: KnowledgeGraph, route: list[str], language: str) -> tuple[Descent, ...]:
    return tuple(_descent(graph, parent, child, language) for parent, child in pairwise(route))


def _descent(graph: KnowledgeGraph, parent: str, child: str, language: str) -> Descent:
    data = graph.lineage.edges[parent, child]
    claims = [graph.claims[id] for id in data["claims"]]
    claims.sort(key=lambda c: (graph.documents[c.document].language != language, -c.confidence, c.id))
    return Descent(parent, child, data["relation"], tuple(claims))


def siblings(graph: KnowledgeGraph, node: str) -> dict[str, tuple[str, ...]]:
    """Nodes that share a parent with `node`, each with the shared parents."""
    shared: dict[str, tuple[str, ...]] = {}
    for parent in sorted(graph.lineage.predecessors(node)):
        for child in sorted(graph.lineage.successors(parent)):
            if child != node:
                shared[child] = (*shared.get(child, ()), parent)
    return shared


def all_paths(graph: KnowledgeGraph, start: str, goal: str, language: str = "en", limit: int = 20) -> list[Path]:
    """Directed paths without repeated nodes, cheapest first, at most `limit` of them (Yen's algorithm, by networkx)."""
    try:
        routes = nx.shortest_simple_paths(graph.lineage, start, goal, _weight(graph))
        return [
            Path(start, goal, _hops(graph, route, language)) for route, _ in zip(routes, range(limit), strict=False)
        ]
    except nx.NetworkXNoPath:
        return []


def users(graph: KnowledgeGraph, technique: str) -> dict[str, str]:
    """What a technique ended up in: nodes that use it (`uses`) or descend from it (`lineage`)."""
    direct = {
        edge.source: "uses" for edge in graph.edges if edge.relation is Relation.USES and edge.target == technique
    }
    return {**dict.fromkeys(descendants(graph, technique), "lineage"), **direct}


def influence(graph: KnowledgeGraph, during: str | None = None, limit: int = 20) -> list[tuple[str, float]]:
    """The most influential nodes: PageRank on the lineage from child to parent, highest first.

    Args:
        graph: the graph.
        during: an ISO 8601 date or interval; descendants later than it do not count, and only nodes in it are ranked.
        limit: how many.
    """
    from ailineage.kg.chronology import Period

    window = Period.of(during) if during else None
    dates = {id: Period.of(node.date) for id, node in graph.nodes.items() if node.date}
    counted = [id for id in graph.lineage if not window or (id in dates and dates[id].first <= window.last)]
    tree = graph.lineage.subgraph(counted).reverse(copy=True)
    tree.remove_nodes_from([id for id in counted if tree.degree(id) == 0])
    if not tree:
        return []
    ranks = nx.pagerank(tree)
    ranked = [(id, rank) for id, rank in ranks.items() if not window or dates[id].during(window)]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))[:limit]
