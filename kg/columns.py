"""The lineage as columns on disk: numpy arrays mapped into memory, searched by scipy; nothing executable on load.

For graphs of millions of edges, which `kg.store` and networkx hold as objects: a million edges open at once, are
ready to search in half a second and take 42 bytes each (`benchmarks/graph.py`). It answers what `kg.lineage`
answers, by the same costs, without claims: those stay in the store.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ailineage.errors import UnknownNodeError
from ailineage.kg.graph import KnowledgeGraph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_DAMPING = 0.85


def save(graph: KnowledgeGraph, folder: Path) -> None:
    """Write a graph's lineage into a folder."""
    from ailineage.kg.lineage import cost

    ids = sorted(graph.lineage)
    place = {id: number for number, id in enumerate(ids)}
    steps = sorted((place[parent], place[child], cost(graph, parent, child)) for parent, child in graph.lineage.edges)
    parents, children, costs = (np.array(column) for column in zip(*steps, strict=True)) if steps else ([], [], [])
    save_columns(ids, np.asarray(parents, np.int32), np.asarray(children, np.int32), np.asarray(costs, float), folder)


def save_columns(ids: list[str], parents: np.ndarray, children: np.ndarray, costs: np.ndarray, folder: Path) -> None:
    """Write columns: sorted ids, then for each edge the numbers of parent and child (E,) int32 and its cost (E,)."""
    for name, column in (
        ("ids", np.array(ids, np.str_)),
        ("parents", parents),
        ("children", children),
        ("costs", costs),
    ):
        np.save(folder / f"{name}.npy", column, allow_pickle=False)


class Columns:
    """A lineage opened from a folder; nodes are numbered in the order of their ids."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parents, self._children, self._costs = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("parents", "children", "costs")
        )

    @cached_property
    def ids(self) -> np.ndarray:
        """Ids of the nodes, sorted, (N,)."""
        return np.load(self._folder / "ids.npy", mmap_mode="r", allow_pickle=False)

    @cached_property
    def down(self) -> csr_array:
        """Costs of the steps from parent to child, (N, N) in compressed rows."""
        from scipy.sparse import csr_array

        count = len(self.ids)
        return csr_array((self._costs, (self._parents, self._children)), shape=(count, count))

    @cached_property
    def up(self) -> csr_array:
        """The same from child to parent."""
        from scipy.sparse import csr_array

        return csr_array(self.down.T)

    def number(self, id: str) -> int:
        """The number of a node.

        Raises:
            UnknownNodeError: if there is none of that id.
        """
        at = int(np.searchsorted(self.ids, id))
        if at == len(self.ids) or self.ids[at] != id:
            raise UnknownNodeError(f"no node is called {id!r}")
        return at

    def ancestors(self, id: str) -> np.ndarray:
        """Ids of a node's ancestors, in the order of a breadth-first search."""
        return self._reach(self.up, id)

    def descendants(self, id: str) -> np.ndarray:
        """Ids of a node's descendants, in the order of a breadth-first search."""
        return self._reach(self.down, id)

    def _reach(self, links: csr_array, id: str) -> np.ndarray:
        from scipy.sparse import csgraph

        found: np.ndarray = csgraph.breadth_first_order(links, self.number(id), return_predecessors=False)
        return self.ids[found[1:]]

    def path(self, start: str, goal: str) -> tuple[float, list[str]]:
        """The cost and the nodes of the cheapest directed path; infinite and none if there is no path."""
        from scipy.sparse import csgraph

        first, last = self.number(start), self.number(goal)
        costs, before = csgraph.dijkstra(self.down, indices=first, return_predecessors=True)
        if not np.isfinite(costs[last]):
            return float("inf"), []
        route = [last]
        while route[-1] != first:
            route.append(int(before[route[-1]]))
        return float(costs[last]), [str(self.ids[number]) for number in reversed(route)]

    def pagerank(self, rounds: int = 100, tolerance: float = 1e-6) -> np.ndarray:
        """PageRank of each node from child to parent (N,), by power iteration as networkx does it, without weights."""
        links = self.up.astype(bool).astype(float)
        count = len(self.ids)
        out = links.sum(axis=1)
        ranks = np.full(count, 1 / count)
        for _ in range(rounds):
            share = np.divide(ranks, out, out=np.zeros(count), where=out > 0)
            new = _DAMPING * (links.T @ share + ranks[out == 0].sum() / count) + (1 - _DAMPING) / count
            if abs(new - ranks).sum() < count * tolerance:
                return new
            ranks = new
        return ranks
