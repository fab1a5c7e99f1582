"""Exports: JSON by the contract, and GraphML and GEXF that open in Gephi with labels, kinds, dates and colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import orjson

from ailineage.errors import UsageError
from ailineage.kg import citing, drawing, lineage
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.rdf import FORMATS as RDF_FORMATS
from ailineage.kg.rdf import serialize, to_rdf
from ailineage.kg.vocabulary import Family

FORMATS = (*RDF_FORMATS, "graphml", "gexf", "json", "bibtex", "csl")
"""Formats of the whole graph; of `bibtex` and `csl`, the papers."""

DRAWINGS = ("mermaid", "dot")
"""Formats of one node's family tree."""
_HUES = {family: index * 360 // len(Family) for index, family in enumerate(Family)}


def write(
    graph: KnowledgeGraph,
    format: str,
    path: Path,
    *,
    node: str | None = None,
    generations: int = 2,
    language: str = "en",
) -> None:
    """Write the graph to a file.

    Args:
        graph: what to write.
        format: one of FORMATS, or one of DRAWINGS.
        path: the file.
        node: id of the node whose family tree is drawn, or whose papers are cited; drawings need one.
        generations: how far a drawing reaches up and down.
        language: of the names in a drawing.

    Raises:
        UsageError: if the format is unknown, does not go with a node or without one, or the file cannot be written.
    """
    if format not in (*FORMATS, *DRAWINGS):
        raise UsageError(f"unknown format {format!r}; known are {', '.join((*FORMATS, *DRAWINGS))}")
    if format in DRAWINGS and node is None:
        raise UsageError(f"{format} draws the family tree of one node; name it with --node")
    if node is not None and format not in (*DRAWINGS, "bibtex", "csl"):
        raise UsageError(f"{format} holds the whole graph; --node goes with {', '.join(DRAWINGS)}, bibtex and csl")
    try:
        if format in RDF_FORMATS:
            serialize(to_rdf(graph), format, path)
        elif format == "json":
            path.write_bytes(orjson.dumps(to_json(graph), option=orjson.OPT_INDENT_2))
        elif format in ("bibtex", "csl"):
            papers = citing.papers_of(graph, graph.nodes if node is None else [node])
            path.write_bytes(
                citing.bibtex(graph, papers).encode()
                if format == "bibtex"
                else orjson.dumps(citing.csl(graph, papers), option=orjson.OPT_INDENT_2)
            )
        elif node is not None:
            tree = drawing.neighbourhood(graph, node, generations=generations)
            path.write_text(getattr(tree, format)(language) + "\n", encoding="utf-8")
        else:
            writer = nx.write_graphml if format == "graphml" else nx.write_gexf
            writer(_drawable(graph, gexf=format == "gexf"), path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def path_json(path: lineage.Path) -> dict[str, Any]:
    """A path with what changed on each step and the claims that say so."""
    return {
        "from": path.start,
        "to": path.goal,
        "kind": path.kind,
        "shared_ancestor": path.shared,
        "hops": [
            {
                "parent": hop.parent,
                "child": hop.child,
                "relation": str(hop.relation),
                "changed": hop.changed,
                "claims": [claim_json(claim) for claim in hop.claims],
            }
            for hop in path.hops
        ],
    }


def node_json(node: Node) -> dict[str, Any]:
    """A node as the contract has it."""
    return {
        "id": node.id,
        "kind": str(node.kind),
        "names": dict(node.names),
        "aliases": [*node.aliases, *node.ambiguous],
        "family": str(node.family) if node.family else None,
        "date": node.date,
        "provisional": node.provisional,
        "reference": node.reference,
        "link": node.link,
    }


def claim_json(claim: Claim) -> dict[str, Any]:
    """A claim as the contract has it: `object` or `value`, never both."""
    said = {"object": claim.object} if claim.object is not None else {"value": claim.value}
    return {
        "id": claim.id,
        "subject": claim.subject,
        "relation": str(claim.relation),
        **said,
        "document": claim.document,
        "start": claim.start,
        "end": claim.end,
        "text": claim.text,
        "extractor": claim.extractor,
        "confidence": claim.confidence,
        "preferred": claim.preferred,
        "conflicts_with": list(claim.conflicts_with),
        "references": list(claim.references),
        "qualifier": claim.qualifier,
    }


def to_json(graph: KnowledgeGraph) -> dict[str, Any]:
    """The whole graph as the contract has it."""
    edges = []
    for edge in graph.edges:
        end = {"target": edge.target} if edge.target is not None else {"value": edge.value}
        edges.append({"source": edge.source, "relation": str(edge.relation), **end, "claims": list(edge.claims)})
    return {
        "nodes": [node_json(node) for node in graph.nodes.values()],
        "edges": edges,
        "claims": [claim_json(claim) for claim in graph.claims.values()],
    }


def _drawable(graph: KnowledgeGraph, gexf: bool) -> nx.MultiDiGraph:
    drawn = nx.MultiDiGraph()
    for node in graph.nodes.values():
        look: dict[str, Any] = {
            "label": _xml(node.name("en")),
            "label_zh": _xml(node.name("zh")),
            "kind": str(node.kind),
            "family": str(node.family or ""),
            "date": node.date or "",
        }
        red, green, blue = _colour(node.family)
        if gexf:
            look["viz"] = {"color": {"r": red, "g": green, "b": blue, "a": 1.0}}
        else:
            look |= {"r": red, "g": green, "b": blue}
        drawn.add_node(node.id, **look)
    for edge in graph.edges:
        if edge.target is not None:
            drawn.add_edge(edge.source, edge.target, label=str(edge.relation), claims=len(edge.claims))
    return drawn


def _colour(family: Family | None) -> tuple[int, int, int]:
    from colorsys import hls_to_rgb

    if family is None:
        return 160, 160, 160
    red, green, blue = (round(255 * part) for part in hls_to_rgb(_HUES[family] / 360, 0.55, 0.6))
    return red, green, blue


def _xml(text: str) -> str:
    """The text without the control characters XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or ord(c) >= 0x20)
