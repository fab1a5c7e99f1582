"""The names that tie passages together: the graph's nodes, and in other documents also titles and capitalised phrases.

They are numbered, nodes first. A passage's own node or title weighs twice; a relation between nodes weighs what its
kind is worth for finding the one from the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from ailineage.errors import WorkspaceError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import LINEAGE
from ailineage.retrieval import phrases
from ailineage.retrieval.fusion import OWN
from ailineage.retrieval.walk import Walk

_FILE = "names.json"
_DESCENT, _OTHER = 0.5, 0.2


@dataclass(frozen=True)
class Names:
    """Numbers of nodes and of phrases."""

    nodes: dict[str, int]
    phrases: dict[str, int]

    def of(self, nodes: Iterable[str], text: str) -> set[int]:
        """Numbers of some nodes, and of the phrases that a text has."""
        return {self.nodes[node] for node in nodes if node in self.nodes} | phrases.find(text, self.phrases)

    def save(self, folder: Path) -> None:
        """Write the names into a folder."""
        (folder / _FILE).write_bytes(orjson.dumps({"nodes": list(self.nodes), "phrases": list(self.phrases)}))

    @classmethod
    def load(cls, folder: Path) -> Names:
        """Read the names.

        Raises:
            WorkspaceError: if the file is missing or damaged.
        """
        try:
            table = orjson.loads((folder / _FILE).read_bytes())
            nodes = {name: number for number, name in enumerate(table["nodes"])}
            found = {phrase: len(nodes) + number for number, phrase in enumerate(table["phrases"])}
        except (OSError, ValueError, KeyError, TypeError):
            raise WorkspaceError(f"{folder}: the names are missing or damaged; run `ailineage build`") from None
        return cls(nodes, found)


def read(graph: KnowledgeGraph) -> tuple[Names, Walk]:
    """The names of a graph's passages, and the graph that passages and names make."""
    nodes = {node: number for number, node in enumerate(graph.nodes)}
    foreign = [row for row, passage in enumerate(graph.passages) if graph.node_of(passage.document) is None]
    texts = [(graph.passages[row].title, graph.passages[row].text) for row in foreign]
    lexicon = graph.lexicon
    new = [phrase for phrase in phrases.vocabulary(texts) if not lexicon.lookup(phrase, typos=False)]
    known = {phrase: len(nodes) + number for number, phrase in enumerate(new)}
    mentions = [(foreign[row], name, weight) for row, name, weight in phrases.mentions(texts, known)]
    for row, passage in enumerate(graph.passages):
        own = graph.node_of(passage.document)
        named = graph.mentions[passage.id]
        mentions += [(row, nodes[node], OWN if node == own else 1.0) for node in named]
    relations = [
        (nodes[edge.source], nodes[edge.target], _DESCENT if edge.relation in LINEAGE else _OTHER)
        for edge in graph.edges
        if edge.target in nodes and edge.source in nodes
    ]
    shape = (len(graph.passages), len(nodes) + len(known))
    return Names(nodes, known), Walk.build(shape, mentions, relations)
