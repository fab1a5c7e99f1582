"""Questions of descent: ancestors, descendants and the best path between two nodes.

A line of descent is direct if each step builds on, is a variant of or succeeds the one before. A line with a step of
mere influence is weaker and taken only where there is no direct one; failing both, two nodes may share an ancestor.

The best path of a kind is the one with the least sum of step costs; `ailineage.kg.columns` says what a step costs and
holds the arrays that are searched here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, pairwise

import networkx as nx

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Relation


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
    """A way from an ancestor to a descendant; `shared` is the nearest common ancestor where there is no such way."""

    start: str
    goal: str
    hops: tuple[Descent, ...]
    shared: str | None = None

    @property
    def kind(self) -> str:
        """`direct`, `influence` (a step of it is influence only) or `shared` (two branches from a shared ancestor)."""
        if self.shared is not None:
            return "shared"
        return "influence" if any(hop.relation is Relation.INFLUENCED_BY for hop in self.hops) else "direct"


@dataclass(frozen=True, slots=True)
class Kinship:
    """All that joins two nodes: the direct line, else the line of influence and the branches from a shared ancestor."""

    start: str
    goal: str
    direct: Path | None
    influence: Path | None
    shared: Path | None

    @property
    def best(self) -> Path | None:
        """The strongest of the three."""
        return self.direct or self.influence or self.shared


def cost(graph: KnowledgeGraph, parent: str, child: str) -> float:
    """The cost of one step of descent."""
    return float(graph.columns.costs[graph.columns.step(parent, child)])


def path(graph: KnowledgeGraph, start: str, goal: str, language: str = "en") -> Path | None:
    """The best directed path from `start` down to `goal`, or up if `goal` is the ancestor, or via a shared ancestor.

    A direct path is taken before one of influence, and that before a shared ancestor; `Path.kind` says which it is.

    Returns:
        None if the two share no ancestor. With a shared ancestor the hops lead from it to `start`, then to `goal`.
    """
    for influence in (False, True):
        if found := _line(graph, start, goal, language, influence):
            return found
    return _branches(graph, start, goal, language)


def kinship(graph: KnowledgeGraph, start: str, goal: str, language: str = "en") -> Kinship:
    """The direct line between two nodes; where there is none, the line of influence and the shared ancestor, if any."""
    if direct := _line(graph, start, goal, language, influence=False):
        return Kinship(start, goal, direct, None, None)
    influence = _line(graph, start, goal, language, influence=True)
    return Kinship(start, goal, None, influence, _branches(graph, start, goal, language))


def _line(graph: KnowledgeGraph, start: str, goal: str, language: str, influence: bool) -> Path | None:
    for top, bottom in ((start, goal), (goal, start)):
        if (route := _route(graph, top, bottom, influence)) is not None:
            return Path(top, bottom, _hops(graph, route, language))
    return None


def _branches(graph: KnowledgeGraph, start: str, goal: str, language: str) -> Path | None:
    for influence in (False, True):
        if shared := _nearest(graph, start, goal, influence):
            down = [_hops(graph, _route(graph, shared, end, influence) or [], language) for end in (start, goal)]
            return Path(start, goal, (*down[0], *down[1]), shared)
    return None


def nearest_common_ancestor(graph: KnowledgeGraph, left: str, right: str) -> str | None:
    """The shared ancestor from which both are reached at the least cost in sum; ties go to the younger one.

    One from which both descend directly is preferred to one that takes a step of influence.
    """
    return _nearest(graph, left, right, influence=False) or _nearest(graph, left, right, influence=True)


def _nearest(graph: KnowledgeGraph, left: str, right: str, influence: bool) -> str | None:
    columns = graph.columns
    nearest = columns.common(columns.up if influence else columns.direct_up, left, right)
    return min(nearest, key=lambda node: (-int((graph.nodes[node].date or "0")[:4]), node), default=None)


def ancestors(graph: KnowledgeGraph, node: str, depth: int | None = None) -> dict[str, int]:
    """Ancestors and their distance in generations, nearest first."""
    return graph.columns.reach(graph.columns.up, node, depth)


def descendants(graph: KnowledgeGraph, node: str, depth: int | None = None) -> dict[str, int]:
    """Descendants and their distance in generations, nearest first."""
    return graph.columns.reach(graph.columns.down, node, depth)


def parents(graph: KnowledgeGraph, node: str, language: str = "en") -> tuple[Descent, ...]:
    """The steps that lead directly to a node."""
    return tuple(_descent(graph, parent, node, language) for parent in ancestors(graph, node, 1))


def children(graph: KnowledgeGraph, node: str, language: str = "en") -> tuple[Descent, ...]:
    """The steps that lead directly from a node."""
    return tuple(_descent(graph, node, child, language) for child in descendants(graph, node, 1))


def _route(graph: KnowledgeGraph, start: str, goal: str, influence: bool = True) -> list[str] | None:
    columns = graph.columns
    return columns.path(columns.down if influence else columns.direct_down, start, goal)


def _hops(graph: KnowledgeGraph, route: list[str], language: str) -> tuple[Descent, ...]:
    return tuple(_descent(graph, parent, child, language) for parent, child in pairwise(route))


def _descent(graph: KnowledgeGraph, parent: str, child: str, language: str) -> Descent:
    columns = graph.columns
    step = columns.step(parent, child)
    claims = [graph.claims[id] for id in columns.support(step)]
    claims.sort(key=lambda c: (graph.documents[c.document].language != language, -c.confidence, c.id))
    return Descent(parent, child, columns.relation(step), tuple(claims))


def siblings(graph: KnowledgeGraph, node: str) -> dict[str, tuple[str, ...]]:
    """Nodes that share a parent with `node`, each with the shared parents."""
    shared: dict[str, tuple[str, ...]] = {}
    for parent in ancestors(graph, node, 1):
        for child in descendants(graph, parent, 1):
            if child != node:
                shared[child] = (*shared.get(child, ()), parent)
    return shared


def all_paths(graph: KnowledgeGraph, start: str, goal: str, language: str = "en", limit: int = 20) -> list[Path]:
    """Directed paths without repeated nodes, cheapest first, at most `limit` of them (Yen's algorithm, by networkx).

    Between hubs there may be millions: `count_paths` says how many without listing them.
    """
    try:
        routes = nx.shortest_simple_paths(_between(graph, start, goal), start, goal, "weight")
        return [Path(start, goal, _hops(graph, route, language)) for route in islice(routes, limit)]
    except (nx.NetworkXNoPath, nx.NodeNotFound):
        return []


def count_paths(graph: KnowledgeGraph, start: str, goal: str) -> int | None:
    """How many directed paths lead from `start` to `goal`, exactly, in linear time; None if a circle lies between."""
    between = _between(graph, start, goal)
    try:
        order = list(nx.topological_sort(between))
    except nx.NetworkXUnfeasible:
        return None
    ways = dict.fromkeys(order, 0) | {start: 1}
    for node in order:
        for child in between.successors(node):
            ways[child] += ways[node]
    return ways.get(goal, 0) if start != goal else 0


def _between(graph: KnowledgeGraph, start: str, goal: str) -> nx.DiGraph:
    """The part of the lineage that any path from `start` to `goal` runs through."""
    between = nx.DiGraph()
    between.add_weighted_edges_from(graph.columns.between(start, goal))
    return between


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
    from ailineage.kg.chronology import Period, when

    columns = graph.columns
    window = Period.of(during) if during else None
    dates = {id: period for id, node in graph.nodes.items() if (period := when(node))} if window else {}
    counted = None if window is None else [id for id, period in dates.items() if period.first <= window.last]
    ranks = columns.pagerank(counted)
    ranked = [(str(columns.ids[n]), float(ranks[n])) for n in ranks.nonzero()[0]]
    if window:
        ranked = [(id, rank) for id, rank in ranked if dates[id].during(window)]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))[:limit]


def named(graph: KnowledgeGraph, name: str) -> tuple[Node, tuple[Node, ...]]:
    """The node a name means in a question of descent, and all nodes it may mean.

    A name that several nodes bear (`GPT`) means the eldest of them: that is the one a line is drawn to or from unless
    a version is named. An undated node counts as youngest, and a plural s is forgiven (`CNNs`).

    Raises:
        UnknownNodeError: if no node bears the name.
    """
    if name in graph.nodes:
        return (node := graph.nodes[name]), (node,)
    lexicon = graph.lexicon
    plural = lexicon.lookup(name[:-1], typos=False) if name[-1:] in ("s", "S") else ()
    found = lexicon.lookup(name, typos=False) or plural or lexicon.lookup(name)
    if not found:
        return (node := graph.resolve(name)), (node,)
    bearers = sorted((graph.nodes[id] for id in found), key=lambda node: (node.date or "9999", node.id))
    return bearers[0], tuple(bearers)


def circles(graph: KnowledgeGraph) -> list[list[str]]:
    """Nodes that descend from themselves, by circle: contradictory documents can say so, the library never does."""
    return graph.columns.circles()
