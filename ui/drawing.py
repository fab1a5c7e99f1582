"""Small family trees as Graphviz source: dated, coloured by family, bounded, and honest about what was left out."""

from __future__ import annotations

from colorsys import hls_to_rgb
from dataclasses import dataclass

from ailineage.kg import lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.lineage import Path
from ailineage.kg.vocabulary import RELATION_LABELS, Family, Relation

MOST = 60
"""Nodes drawn at once; what is over is counted."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Graphviz source, and how many nodes were left out."""

    dot: str
    hidden: int = 0


def neighbourhood(
    graph: KnowledgeGraph, node: str, language: str, *, generations: int, up: bool = True, down: bool = True
) -> Drawing:
    """A node with its ancestors and descendants of some generations, nearest first."""
    reach: dict[str, int] = {}
    if up:
        reach |= lineage.ancestors(graph, node, generations)
    if down:
        reach |= lineage.descendants(graph, node, generations)
    nearest = sorted(reach, key=lambda id: (reach[id], graph.nodes[id].date or "9999", id))
    kept = {node, *nearest[: MOST - 1]}
    edges = [(a, b) for a, b in graph.lineage.edges(kept) if b in kept]
    return Drawing(_dot(graph, kept, edges, language, node), len(reach) + 1 - len(kept))


def path(graph: KnowledgeGraph, route: Path, language: str) -> Drawing:
    """The hops of a path."""
    edges = [(hop.parent, hop.child) for hop in route.hops]
    return Drawing(_dot(graph, {end for edge in edges for end in edge}, edges, language, route.goal))


def _dot(graph: KnowledgeGraph, nodes: set[str], edges: list[tuple[str, str]], language: str, focus: str) -> str:
    lines = [
        "digraph {",
        'rankdir=LR; bgcolor="transparent"; nodesep=0.15; ranksep=0.5;',
        'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11, color="#00000022"];',
        'edge [color="#888888", fontcolor="#888888", fontname="sans-serif", fontsize=9, arrowsize=0.6];',
    ]
    for id in sorted(nodes, key=lambda id: (graph.nodes[id].date or "9999", id)):
        node = graph.nodes[id]
        label = f"{node.name(language)}\\n{(node.date or '?')[:4]}"
        width = ", penwidth=2.5, color=black" if id == focus else ""
        lines.append(f'{_quote(id)} [label={_quote(label)}, fillcolor="{_colour(node.family)}"{width}];')
    for parent, child in edges:
        relation = graph.lineage.edges[parent, child]["relation"]
        style = ", style=dashed" if relation is Relation.INFLUENCED_BY else ""
        tip = _quote(RELATION_LABELS[relation][language == "zh"])
        lines.append(f"{_quote(parent)} -> {_quote(child)} [tooltip={tip}{style}];")
    return "\n".join([*lines, "}"])


def _quote(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _colour(family: Family | None) -> str:
    if family is None:
        return "#e6e6e6"
    hue = list(Family).index(family) / len(Family)
    red, green, blue = (round(255 * part) for part in hls_to_rgb(hue, 0.86, 0.7))
    return f"#{red:02x}{green:02x}{blue:02x}"
