"""Family trees as Graphviz and Mermaid source: dated, coloured by family, bounded, honest about what was left out."""

from __future__ import annotations

import re
from colorsys import hls_to_rgb
from dataclasses import dataclass

from ailineage.kg import lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.lineage import Path
from ailineage.kg.vocabulary import RELATION_LABELS, Family, Relation

MOST = 60
"""Nodes drawn at once; what is over is counted."""


@dataclass(frozen=True)
class Tree:
    """Nodes and the steps of descent among them, the one in focus, and how many nodes were left out."""

    graph: KnowledgeGraph
    nodes: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]
    focus: str
    hidden: int = 0

    def dot(self, language: str) -> str:
        """Graphviz source."""
        lines = [
            "digraph {",
            'rankdir=LR; bgcolor="transparent"; nodesep=0.15; ranksep=0.5;',
            'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11, color="#00000022"];',
            'edge [color="#888888", fontcolor="#888888", fontname="sans-serif", fontsize=9, arrowsize=0.6];',
        ]
        for id in self.nodes:
            look = ", penwidth=2.5, color=black" if id == self.focus else ""
            fill = colour(self.graph.nodes[id].family)
            lines.append(f'{_quoted(id)} [label={_quoted(self._label(id, language))}, fillcolor="{fill}"{look}];')
        for parent, child in self.steps:
            relation = self.graph.lineage.edges[parent, child]["relation"]
            dashed = ", style=dashed" if relation is Relation.INFLUENCED_BY else ""
            tip = _quoted(RELATION_LABELS[relation][language == "zh"])
            lines.append(f"{_quoted(parent)} -> {_quoted(child)} [tooltip={tip}{dashed}];")
        return "\n".join([*lines, "}"])

    def mermaid(self, language: str) -> str:
        """Mermaid source, for Markdown."""
        keys = {id: f"n{number}" for number, id in enumerate(self.nodes)}
        lines = ["flowchart LR"]
        for id in self.nodes:
            label = re.sub(r'["#;\n\\]+', " ", self._label(id, language).replace("\n", " · "))
            lines.append(f'    {keys[id]}["{label}"]')
        for parent, child in self.steps:
            relation = self.graph.lineage.edges[parent, child]["relation"]
            arrow = "-.->" if relation is Relation.INFLUENCED_BY else "-->"
            lines.append(f"    {keys[parent]} {arrow} {keys[child]}")
        return "\n".join(lines)

    def _label(self, id: str, language: str) -> str:
        node = self.graph.nodes[id]
        name = re.sub(r"[\r\n]+", " ", node.name(language))
        return f"{name}\n{(node.date or '?')[:4]}"


def neighbourhood(graph: KnowledgeGraph, node: str, *, generations: int, up: bool = True, down: bool = True) -> Tree:
    """A node with its ancestors and descendants of some generations; the nearest are kept where there are too many."""
    reach: dict[str, int] = {}
    if up:
        reach |= lineage.ancestors(graph, node, generations)
    if down:
        reach |= lineage.descendants(graph, node, generations)
    nearest = sorted(reach, key=lambda id: (reach[id], graph.nodes[id].date or "9999", id))
    kept = {node, *nearest[: MOST - 1]}
    steps = tuple(sorted((a, b) for a, b in graph.lineage.edges(kept) if b in kept))
    return Tree(graph, _in_time(graph, kept), steps, node, len(reach) + 1 - len(kept))


def of_path(graph: KnowledgeGraph, path: Path) -> Tree:
    """The steps of a path."""
    steps = tuple((hop.parent, hop.child) for hop in path.hops)
    return Tree(graph, _in_time(graph, {end for step in steps for end in step}), steps, path.goal)


def colour(family: Family | None) -> str:
    """A light colour for a family, as #rrggbb; grey for none."""
    if family is None:
        return "#e6e6e6"
    hue = list(Family).index(family) / len(Family)
    red, green, blue = (round(255 * part) for part in hls_to_rgb(hue, 0.86, 0.7))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _in_time(graph: KnowledgeGraph, nodes: set[str]) -> tuple[str, ...]:
    return tuple(sorted(nodes, key=lambda id: (graph.nodes[id].date or "9999", id)))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
