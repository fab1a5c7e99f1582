"""Where the family tree is drawn: time to the right, families as lanes, the great junctions first.

Positions are in units of the drawing: x from 0 (the first year) to `WIDTH` (the last), y in rows, lanes one below the
other. The browser scales both to its window and decides which labels fit; nothing here depends on a screen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import Any

import networkx as nx

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import FAMILY_LABELS, KIND_LABELS, RELATION_LABELS, Family, Kind, Relation

WIDTH = 1000.0
FIRST = 1943
"""The year at the left edge; what is older stands before it."""
GREAT, NOTED = 10, 50
"""How many nodes are drawn largest, and how many larger than the rest."""
STORY = frozenset("perceptron backprop cnn lstm bahdanau transformer clip diffusion".split())
"""Junctions that are drawn largest whatever their rank: the first view tells the story by them."""
_ISO = re.compile(r"\d{4}(-\d{2}){0,2}$")
_QUIET, _BUSY = 1.0, 3.6
_APART = (13.0, 16.0, 26.0, 40.0)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to draw; an empty set or None means everything. `ids` are single nodes, `relations` kinds of step."""

    kinds: frozenset[Kind] = frozenset()
    families: frozenset[Family] = frozenset()
    first: int | None = None
    last: int | None = None
    ids: frozenset[str] | None = None
    relations: frozenset[Relation] = frozenset()

    def __call__(self, node: Node) -> bool:
        """Whether a dated node is drawn."""
        year = int((node.date or "0")[:4])
        return (
            (not self.kinds or node.kind in self.kinds)
            and (not self.families or node.family in self.families)
            and (self.first is None or year >= self.first)
            and (self.last is None or year <= self.last)
            and (self.ids is None or node.id in self.ids)
        )


EVERYTHING = Chosen()


@dataclass(frozen=True, slots=True)
class Placed:
    """A node at its place.

    `level` is 3 for the greatest junction, 2 for a great one, 1 for a noted node; `rank` orders all by importance.
    """

    id: str
    x: float
    y: float
    level: int
    rank: int


@dataclass(frozen=True, slots=True)
class Lane:
    """The rows of a family; None for nodes without one."""

    family: Family | None
    top: int
    rows: int


@dataclass(frozen=True)
class Layout:
    """A drawing of the lineage, and the count of everything that is not in it.

    `ticks` are labels along x. `undated` and `filtered` are nodes of the lineage, `further` relatives too far away;
    `implied` are steps that follow from the drawn ones; `unrelated` are nodes without any step of descent (people,
    papers, datasets).
    """

    nodes: tuple[Placed, ...]
    steps: tuple[tuple[str, str], ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, float], ...]
    undated: int = 0
    filtered: int = 0
    implied: int = 0
    unrelated: int = 0
    further: int = 0

    def to_json(self, graph: KnowledgeGraph, language: str) -> dict[str, Any]:
        """What the browser draws, with names in a language."""
        index = language == "zh"
        nodes = []
        for placed in self.nodes:
            node = graph.nodes[placed.id]
            nodes.append(
                {
                    "id": placed.id,
                    "x": round(placed.x, 2),
                    "y": placed.y,
                    "level": placed.level,
                    "rank": placed.rank,
                    "name": node.name(language),
                    "date": node.date,
                    "kind": str(node.kind),
                    "said": KIND_LABELS[node.kind][index],
                    "hue": hue(node.family),
                }
            )
        lanes = [
            {
                "name": FAMILY_LABELS[lane.family][index] if lane.family else "",
                "hue": hue(lane.family),
                "top": lane.top,
                "rows": lane.rows,
            }
            for lane in self.lanes
        ]
        steps = [
            [a, b, graph.lineage.edges[a, b]["relation"] is Relation.INFLUENCED_BY, _relation(graph, a, b, index)]
            for a, b in self.steps
        ]
        return {
            "nodes": nodes,
            "steps": steps,
            "lanes": lanes,
            "ticks": [[label, round(x, 2)] for label, x in self.ticks],
        }


def timeline(graph: KnowledgeGraph, chosen: Chosen = EVERYTHING) -> Layout:
    """The lineage in time: nodes that have a step of descent and a date, and the steps that no others imply."""
    tree, ranks = _tree(graph), importance(graph)
    dated = [id for id in tree if _ISO.match(graph.nodes[id].date or "")]
    kept = [id for id in dated if chosen(graph.nodes[id])]
    part = tree.subgraph(kept)
    if chosen.relations:
        part = part.edge_subgraph(
            (a, b) for a, b in part.edges if graph.lineage.edges[a, b]["relation"] in chosen.relations
        )
        kept = list(part)
    steps = tuple(sorted(nx.transitive_reduction(part).edges))
    years = _years(graph, kept)
    where = {id: _x(years, graph.nodes[id].date or "") for id in kept}
    order = {id: rank for rank, id in enumerate(sorted(kept, key=lambda id: (-ranks[id], id)))}
    levels = {id: _level(id, rank) for id, rank in order.items()}
    nodes, lanes = _rows(graph, where, levels, order)
    return Layout(
        nodes=tuple(nodes),
        steps=steps,
        lanes=tuple(lanes),
        ticks=tuple((f"< {FIRST}" if year < FIRST else str(year), at) for year, at in sorted(years.items())),
        undated=len(tree) - len(dated),
        filtered=len(dated) - len(kept),
        implied=part.number_of_edges() - len(steps),
        unrelated=len(graph.nodes) - len(tree),
    )


@lru_cache(maxsize=2)
def importance(graph: KnowledgeGraph) -> Mapping[str, float]:
    """How much of the lineage passes through each of its nodes: branches that meet and that start there.

    The sum of the logarithms of ancestors, descendants and direct children, and of the families the children are in.
    """
    tree = _tree(graph)
    found = {}
    for id in tree:
        children = list(tree.successors(id))
        families = {graph.nodes[child].family for child in children}
        old, young = len(nx.ancestors(tree, id)), len(nx.descendants(tree, id))
        found[id] = log2(1 + young) + 0.3 * log2(1 + old) + log2(1 + len(children)) + 0.7 * len(families)
    return found


def hue(family: Family | None) -> int | None:
    """The colour of a family, in degrees; neighbouring lanes differ clearly."""
    return None if family is None else list(Family).index(family) * 137 % 360


def _level(id: str, rank: int) -> int:
    if rank == 0:
        return 3
    return 2 if rank < GREAT or id in STORY else int(rank < NOTED)


@lru_cache(maxsize=2)
def _tree(graph: KnowledgeGraph) -> nx.DiGraph:
    """The lineage without lone nodes, and without steps back in time where documents contradict each other."""
    tree = nx.DiGraph((a, b) for a, b in graph.lineage.edges if a in graph.nodes and b in graph.nodes and a != b)
    for knot in [part for part in nx.strongly_connected_components(tree) if len(part) > 1]:
        age = {id: (graph.nodes[id].date or "9999", id) for id in knot}
        tree.remove_edges_from([(a, b) for a, b in tree.subgraph(knot).edges if age[a] > age[b]])
    return tree


def _years(graph: KnowledgeGraph, ids: Collection[str]) -> dict[int, float]:
    """Where each year begins; a year is wider the more nodes of one family it holds."""
    busy: Counter[tuple[int, Family | None]] = Counter()
    for id in ids:
        node = graph.nodes[id]
        busy[max(int((node.date or "0")[:4]), FIRST - 1), node.family] += 1
    if not busy:
        return {}
    last = max(year for year, _ in busy)
    widths = {}
    for year in range(min(year for year, _ in busy), last + 1):
        most = max((n for (y, _), n in busy.items() if y == year), default=0)
        widths[year] = _QUIET + _BUSY * most**1.1
    scale, at, starts = WIDTH / sum(widths.values()), 0.0, {}
    for year, width in widths.items():
        starts[year] = at
        at += width * scale
    starts[last + 1] = at
    return starts


def _x(years: Mapping[int, float], date: str) -> float:
    """The place of a date; one that gives only the year stands in the year's middle."""
    year = int(date[:4])
    if year < FIRST:
        return years[FIRST - 1] + (years[FIRST] - years[FIRST - 1]) * max(0.1, min(0.9, (year - 1800) / 143))
    month = int(date[5:7]) - 1 if len(date) >= 7 else 6
    day = int(date[8:10]) / 31 if len(date) >= 10 else 0.5
    return years[year] + (years[year + 1] - years[year]) * (month + day) / 12


def _rows(
    graph: KnowledgeGraph, where: Mapping[str, float], levels: Mapping[str, int], order: Mapping[str, int]
) -> tuple[list[Placed], list[Lane]]:
    """Each node in the first row of its lane where it touches no other."""
    nodes: list[Placed] = []
    lanes: list[Lane] = []
    top = 0
    for family in (*Family, None):
        members = sorted((id for id in where if graph.nodes[id].family is family), key=lambda id: (where[id], id))
        if not members:
            continue
        ends: list[float] = []
        rows: dict[str, int] = {}
        for id in members:
            half = _APART[levels[id]] / 2
            row = next((n for n, end in enumerate(ends) if end <= where[id] - half), len(ends))
            ends[row : row + 1] = [where[id] + half]
            rows[id] = row
        nodes += [Placed(id, where[id], top + row + 0.5, levels[id], order[id]) for id, row in rows.items()]
        lanes.append(Lane(family, top, len(ends)))
        top += len(ends)
    return nodes, lanes


def _relation(graph: KnowledgeGraph, parent: str, child: str, index: bool) -> str:
    return RELATION_LABELS[graph.lineage.edges[parent, child]["relation"]][index]
