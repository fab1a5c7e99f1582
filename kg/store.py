"""A graph on disk: tables of records and columns of lineage, nothing executable, the same bytes for the same graph.

documents.jsonl   stored texts, library and user
nodes.jsonl       all nodes
claims.jsonl      all claims, judged
extracts.jsonl    for each user document (`id`), the provisional nodes it introduced
decisions.jsonl   what the user decided about them
lineage.*.npy     the family tree (`ailineage.kg.columns`)

Opening maps them into memory (`ailineage.kg.rows`); a record is read when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ailineage.corpus.documents import Document
from ailineage.kg import rows
from ailineage.kg.columns import Columns
from ailineage.kg.decisions import Decision, Verdict
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.rows import Rows
from ailineage.kg.vocabulary import Family, Kind, Relation


def save(
    graph: KnowledgeGraph,
    provisional: Mapping[str, list[Node]],
    folder: Path,
    decisions: Mapping[str, Decision] | None = None,
) -> None:
    """Write a graph into an empty folder.

    Args:
        graph: the graph, with decisions carried out.
        provisional: the nodes each user document introduced, whatever was decided about them.
        folder: where to.
        decisions: what was decided, by node.
    """
    rows.write(folder / "documents.jsonl", map(asdict, graph.documents.values()))
    rows.write(folder / "nodes.jsonl", map(asdict, graph.nodes.values()))
    rows.write(folder / "claims.jsonl", map(asdict, graph.claims.values()))
    rows.write(
        folder / "extracts.jsonl",
        ({"id": document, "nodes": [asdict(node) for node in nodes]} for document, nodes in provisional.items()),
    )
    rows.write(folder / "decisions.jsonl", (asdict(decision) for _, decision in sorted((decisions or {}).items())))
    graph.columns.save(folder)


def load(folder: Path) -> KnowledgeGraph:
    """Open a graph."""
    graph = KnowledgeGraph(
        Rows(folder / "nodes.jsonl", _node),
        Rows(folder / "claims.jsonl", _claim),
        Rows(folder / "documents.jsonl", lambda entry: Document(**entry)),
    )
    graph.columns = Columns.open(folder)
    return graph


def load_provisional(folder: Path) -> dict[str, list[Node]]:
    """The provisional nodes each user document introduced."""
    return dict(Rows(folder / "extracts.jsonl", lambda entry: [_node(node) for node in entry["nodes"]]))


def load_decisions(folder: Path) -> dict[str, Decision]:
    """What the user decided, by node."""
    found = Rows(folder / "decisions.jsonl", lambda e: Decision(e["id"], Verdict(e["verdict"]), e["into"]))
    return dict(found)


def _node(entry: dict[str, Any]) -> Node:
    return Node(
        **{
            **entry,
            "kind": Kind(entry["kind"]),
            "family": Family(entry["family"]) if entry["family"] else None,
            "aliases": tuple(entry["aliases"]),
            "ambiguous": tuple(entry["ambiguous"]),
        }
    )


def _claim(entry: dict[str, Any]) -> Claim:
    return Claim(
        **{
            **entry,
            "relation": Relation(entry["relation"]),
            "conflicts_with": tuple(entry["conflicts_with"]),
            "references": tuple(entry["references"]),
        }
    )
