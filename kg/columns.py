"""The lineage as columns: numpy arrays, in memory or mapped from disk, searched by scipy; nothing executable on load.

A million edges open at once, are ready to search in half a second and take some 60 bytes each
(`benchmarks/graph.py`). What a step of descent costs is decided here and used by `ailineage.kg.lineage`:

A step costs 1 if the child builds on the parent or is a variant of it, 1.5 if it succeeded it, 2.5 if it was only
influenced by it; half a step more where no authored claim supports it, and 3 more where the child is dated before its
parent.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ailineage.errors import UnknownNodeError
from ailineage.kg.vocabulary import Relation

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from ailineage.kg.graph import KnowledgeGraph
    from ailineage.kg.model import Edge

RELATIONS = (Relation.BUILDS_ON, Relation.VARIANT_OF, Relation.SUCCEEDED_BY, Relation.INFLUENCED_BY)
"""The relations of descent, the strongest first: where several join two nodes, the first one counts."""

_COSTS = (1.0, 1.0, 1.5, 2.5)
_NOT_AUTHORED, _BACKWARDS = 0.5, 3.0
_INFLUENCE = RELATIONS.index(Relation.INFLUENCED_BY)
_DAMPING = 0.85
_FILES = ("ids", "parents", "children", "relations", "costs", "first", "claims")


class Columns:
    """A family tree of N nodes and E steps, each from a parent to a child; a node's number is the place of its id.

    Attributes:
        ids: (N,) ids of the nodes, sorted.
        parents: (E,) numbers of the parents; steps are sorted by parent, then child, and no pair stands twice.
        children: (E,) numbers of the children.
        relations: (E,) places in `RELATIONS`.
        costs: (E,) what each step costs.
        first: (E + 1,) where each step's claims begin in `claims`.
        claims: (C,) ids of the claims that support the steps, as bytes.
    """

    def __init__(
        self,
        ids: np.ndarray,
        parents: np.ndarray,
        children: np.ndarray,
        relations: np.ndarray,
        costs: np.ndarray,
        first: np.ndarray,
        claims: np.ndarray,
    ) -> None:
        self.ids, self.parents, self.children, self.relations = ids, parents, children, relations
        self.costs, self.first, self.claims = costs, first, claims

    @classmethod
    def of(cls, graph: KnowledgeGraph) -> Columns:
        """The lineage of a graph, from its edges."""
        held: dict[tuple[str, str], Edge] = {}
        for edge in graph.edges:
            if edge.relation in RELATIONS and edge.target is not None:
                forward = edge.relation is Relation.SUCCEEDED_BY
                step = (edge.source, edge.target) if forward else (edge.target, edge.source)
                if step not in held or RELATIONS.index(edge.relation) < RELATIONS.index(held[step].relation):
                    held[step] = edge
        ids = sorted(graph.nodes.keys() | {id for step in held for id in step})
        number = {id: place for place, id in enumerate(ids)}
        steps = sorted(held)
        return cls(
            np.array(ids, np.str_),
            np.array([number[parent] for parent, _ in steps], np.int32),
            np.array([number[child] for _, child in steps], np.int32),
            np.array([RELATIONS.index(held[step].relation) for step in steps], np.uint8),
            np.array([_cost(graph, *step, held[step]) for step in steps], float),
            np.cumsum([0, *(len(held[step].claims) for step in steps)], dtype=np.int64),
            np.array([id.encode() for step in steps for id in held[step].claims], np.bytes_),
        )

    def save(self, folder: Path) -> None:
        """Write the columns into a folder."""
        for name in _FILES:
            np.save(folder / f"lineage.{name}.npy", getattr(self, name), allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> Columns:
        """Map the columns of a folder into memory."""
        return cls(*(np.load(folder / f"lineage.{name}.npy", mmap_mode="r", allow_pickle=False) for name in _FILES))

    def number(self, id: str) -> int:
        """The number of a node.

        Raises:
            UnknownNodeError: if there is none of that id.
        """
        at = int(np.searchsorted(self.ids, id))
        if at == len(self.ids) or self.ids[at] != id:
            raise UnknownNodeError(f"no node is called {id!r}")
        return at

    def step(self, parent: str, child: str) -> int:
        """The number of the step between two nodes.

        Raises:
            KeyError: if there is none.
        """
        key = self.number(parent) * len(self.ids) + self.number(child)
        at = int(np.searchsorted(self._keys, key))
        if at == len(self._keys) or self._keys[at] != key:
            raise KeyError((parent, child))
        return at

    def relation(self, step: int) -> Relation:
        """How the child of a step comes from its parent."""
        return RELATIONS[self.relations[step]]

    def support(self, step: int) -> tuple[str, ...]:
        """Ids of the claims that support a step."""
        return tuple(id.decode() for id in self.claims[self.first[step] : self.first[step + 1]].tolist())

    @cached_property
    def _keys(self) -> np.ndarray:
        return self.parents.astype(np.int64) * len(self.ids) + self.children

    @cached_property
    def down(self) -> csr_array:
        """Costs of the steps from parent to child, (N, N) in compressed rows."""
        return self._matrix(np.ones(len(self.parents), bool))

    @cached_property
    def up(self) -> csr_array:
        """The same from child to parent."""
        return _turned(self.down)

    @cached_property
    def direct_down(self) -> csr_array:
        """`down` without steps of mere influence."""
        return self._matrix(np.asarray(self.relations) != _INFLUENCE)

    @cached_property
    def direct_up(self) -> csr_array:
        """`up` without steps of mere influence."""
        return _turned(self.direct_down)

    def _matrix(self, wanted: np.ndarray) -> csr_array:
        from scipy.sparse import csr_array

        count = len(self.ids)
        return csr_array((self.costs[wanted], (self.parents[wanted], self.children[wanted])), shape=(count, count))

    def reach(self, links: csr_array, id: str, depth: int | None = None) -> dict[str, int]:
        """Nodes reached from one by `links` and their distance in steps, nearest first, then by id."""
        from scipy.sparse import csgraph

        start = self.number(id)
        order, before = csgraph.breadth_first_order(links, start)
        far = {start: 0}
        for node, earlier in zip(order[1:].tolist(), before[order[1:]].tolist(), strict=True):
            if depth is not None and far[earlier] >= depth:
                break
            far[node] = far[earlier] + 1
        return {str(self.ids[node]): steps for node, steps in sorted(far.items(), key=lambda item: item[::-1]) if steps}

    def path(self, links: csr_array, start: str, goal: str) -> list[str] | None:
        """The nodes of the cheapest path from one node to another along `links`; None if there is none."""
        from scipy.sparse import csgraph

        first, last = self.number(start), self.number(goal)
        costs, before = csgraph.dijkstra(links, indices=first, return_predecessors=True)
        if not np.isfinite(costs[last]):
            return None
        route = [last]
        while route[-1] != first:
            route.append(int(before[route[-1]]))
        return [str(self.ids[number]) for number in reversed(route)]

    def common(self, links: csr_array, left: str, right: str) -> list[str]:
        """The nodes that both reach by `links` at the least cost in sum, without the two themselves."""
        from scipy.sparse import csgraph

        ends = [self.number(left), self.number(right)]
        total = csgraph.dijkstra(links, indices=ends).sum(axis=0)
        total[ends] = np.inf
        least = total.min()
        return [str(id) for id in self.ids[np.isclose(total, least)]] if np.isfinite(least) else []

    def between(self, start: str, goal: str) -> list[tuple[str, str, float]]:
        """The steps (parent, child, cost) that any path from `start` down to `goal` runs through."""
        from scipy.sparse import csgraph

        inside = np.zeros((2, len(self.ids)), bool)
        for side, (links, end) in enumerate(((self.down, start), (self.up, goal))):
            inside[side, csgraph.breadth_first_order(links, self.number(end), return_predecessors=False)] = True
        kept = inside[0] & inside[1]
        steps = np.flatnonzero(kept[self.parents] & kept[self.children])
        names = (self.ids[self.parents[steps]].tolist(), self.ids[self.children[steps]].tolist())
        return list(zip(*names, self.costs[steps].tolist(), strict=True))

    def circles(self) -> list[list[str]]:
        """Nodes that descend from themselves, by circle."""
        from scipy.sparse import csgraph

        _, knot = csgraph.connected_components(self.down, directed=True, connection="strong")
        sizes = np.bincount(knot) if len(knot) else np.zeros(0, int)
        return sorted(sorted(self.ids[knot == big].tolist()) for big in np.flatnonzero(sizes > 1))

    def pagerank(self, counted: Iterable[str] | None = None, rounds: int = 100, tolerance: float = 1e-6) -> np.ndarray:
        """PageRank of each node from child to parent (N,), by power iteration as networkx does it, without weights.

        Nodes not `counted`, and those without a step to a counted one, have rank 0.
        """
        links = self.up.astype(bool).astype(float)
        if counted is not None:
            mask = np.isin(self.ids, np.array(list(counted), np.str_)).astype(float)
            links = links * mask[None, :] * mask[:, None]
            links.eliminate_zeros()
        out = links.sum(axis=1)
        inside = (out > 0) | (links.sum(axis=0) > 0) if counted is not None else np.ones(len(out), bool)
        count = int(inside.sum())
        if not count:
            return np.zeros(len(out))
        ranks = inside / count
        for _ in range(rounds):
            share = np.divide(ranks, out, out=np.zeros(len(out)), where=out > 0)
            lost = ranks[out == 0].sum() / count
            new = np.where(inside, _DAMPING * (links.T @ share + lost) + (1 - _DAMPING) / count, 0)
            if abs(new - ranks).sum() < count * tolerance:
                return new
            ranks = new
        return ranks


def _turned(links: csr_array) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array(links.T)


def _cost(graph: KnowledgeGraph, parent: str, child: str, edge: Edge) -> float:
    value = _COSTS[RELATIONS.index(edge.relation)]
    if not any(graph.claims[id].authored for id in edge.claims):
        value += _NOT_AUTHORED
    older, newer = (graph.nodes[id].date if id in graph.nodes else None for id in (parent, child))
    return value + _BACKWARDS if older and newer and newer[: len(older)] < older[: len(newer)] else value
