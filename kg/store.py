"""A graph on disk: one JSON object a line, nothing executable, the same bytes for the same graph.

documents.jsonl   stored texts, library and user
nodes.jsonl       all nodes
claims.jsonl      all claims, judged
extracts.jsonl    for each user document, the provisional nodes it introduced
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from ailineage.corpus.documents import Document
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Family, Kind, Relation


def save(graph: KnowledgeGraph, provisional: Mapping[str, list[Node]], folder: Path) -> None:
    """Write a graph into an empty folder; `provisional` maps user documents to the nodes they introduced."""
    _write(folder / "documents.jsonl", map(asdict, graph.documents.values()))
    _write(folder / "nodes.jsonl", map(asdict, graph.nodes.values()))
    _write(folder / "claims.jsonl", map(asdict, graph.claims.values()))
    _write(
        folder / "extracts.jsonl",
        ({"document": document, "nodes": [asdict(node) for node in nodes]} for document, nodes in provisional.items()),
    )


def load(folder: Path) -> KnowledgeGraph:
    """Read a graph back."""
    return KnowledgeGraph(
        map(_node, _read(folder / "nodes.jsonl")),
        map(_claim, _read(folder / "claims.jsonl")),
        (Document(**entry) for entry in _read(folder / "documents.jsonl")),
    )


def load_provisional(folder: Path) -> dict[str, list[Node]]:
    """The provisional nodes each user document introduced."""
    return {entry["document"]: [_node(node) for node in entry["nodes"]] for entry in _read(folder / "extracts.jsonl")}


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


def _write(path: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    with path.open("wb") as stream:
        for entry in entries:
            stream.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as stream:
        for line in stream:
            yield orjson.loads(line)
