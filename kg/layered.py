"""Where a family tree is drawn by generations: ancestors to the left, descendants to the right, few crossings.

A simple form of K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System Structures",
IEEE Transactions on Systems, Man, and Cybernetics 11(2), 1981: layers by longest path, order within a layer by the mean
place of the neighbours (barycentre), swept back and forth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

import networkx as nx

from ailineage.kg import lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.layout import WIDTH, Lane, Layout, Placed

MOST = 150
"""Nodes drawn at once; what is over is counted as `further`."""
_SWEEPS = 8


def kin(graph: KnowledgeGraph, focus: str, generations: int) -> dict[str, int]:
    """Ancestors and descendants of a node up to some generations away, and how far away they are."""
    return lineage.ancestors(graph, focus, generations) | lineage.descendants(graph, focus, generations)


def generations(graph: KnowledgeGraph, focus: str, depth: int) -> Layout:
    """The family tree of a node, `depth` generations up and down; the nearest are kept where there are too many."""
    reach = kin(graph, focus, depth)
    every = len(lineage.ancestors(graph, focus)) + len(lineage.descendants(graph, focus))
    nearest = sorted(reach, key=lambda id: (reach[id], graph.nodes[id].date or "9999", id))[: MOST - 1]
    kept = [focus, *nearest]
    whole = graph.lineage.subgraph(kept)
    tree = nx.DiGraph((a, b) for a, b in whole.edges if a != b)
    tree.add_nodes_from(kept)
    for knot in [part for part in nx.strongly_connected_components(tree) if len(part) > 1]:
        tree.remove_edges_from(list(tree.subgraph(knot).edges))  # documents can contradict each other
    steps = tuple(sorted(nx.transitive_reduction(tree).edges))
    layer = _layers(nx.DiGraph(steps), focus, kept)
    rows = _order(steps, layer)
    first, last = min(layer.values()), max(layer.values())
    x = {number: WIDTH * (number - first + 0.5) / (last - first + 1) for number in range(first, last + 1)}
    tall = max(rows.values()) + 1
    placed = tuple(
        Placed(id, x[layer[id]], _spread(rows, layer, id, tall), 3 if id == focus else 1, rank)
        for rank, id in enumerate(kept)
    )
    ticks = tuple((f"{number:+d}" if number else "0", at) for number, at in x.items())
    implied = tree.number_of_edges() - len(steps)
    return Layout(placed, steps, (Lane(None, 0, tall),), ticks, implied=implied, further=every + 1 - len(kept))


def _layers(tree: nx.DiGraph, focus: str, kept: list[str]) -> dict[str, int]:
    """Generations from the focus by the longest line: negative for ancestors, positive for descendants."""
    layer = {focus: 0}
    for sign, order in ((1, tree), (-1, tree.reverse(copy=False))):
        inside = nx.descendants(order, focus) if focus in order else set()
        for id in nx.topological_sort(order):
            if id in inside:
                before = [layer[parent] for parent in order.predecessors(id) if parent in inside or parent == focus]
                layer[id] = sign + (max(before) if sign > 0 else min(before))
    return {id: layer.get(id, 0) for id in kept}


def _order(steps: tuple[tuple[str, str], ...], layer: Mapping[str, int]) -> dict[str, int]:
    """The row of each node in its layer."""
    near: dict[str, list[str]] = defaultdict(list)
    for a, b in steps:
        near[a].append(b)
        near[b].append(a)
    columns: dict[int, list[str]] = defaultdict(list)
    for id in layer:
        columns[layer[id]].append(id)
    rows = {id: row for column in columns.values() for row, id in enumerate(column)}
    order = sorted(columns)
    for sweep in range(_SWEEPS):
        for number in order if sweep % 2 == 0 else reversed(order):
            column = columns[number]
            middle = {
                id: fmean(rows[other] / len(columns[layer[other]]) for other in near[id]) if near[id] else 0.5
                for id in column
            }
            column.sort(key=lambda id: (middle[id], id))
            rows |= {id: row for row, id in enumerate(column)}
    return rows


def _spread(rows: Mapping[str, int], layer: Mapping[str, int], id: str, tall: int) -> float:
    """A node's height: each layer takes up the whole height evenly."""
    count = sum(1 for other in layer.values() if other == layer[id])
    return (rows[id] + 0.5) * tall / count
