"""Build a graph from the library and a user's documents, or from a graph and what is added to it.

What a document says is read from that document and the library alone. So a graph is the union of what its
documents say, weighed anew; adding or removing one document touches no other, and yields the same graph as
building all of them at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ailineage.corpus import glossary
from ailineage.corpus import library as authored_library
from ailineage.corpus.documents import Document
from ailineage.errors import DocumentError
from ailineage.kg import authored
from ailineage.kg.authored import Authored
from ailineage.kg.claims import judge
from ailineage.kg.decisions import Decision, apply
from ailineage.kg.extraction import EXTRACTOR, Extract
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.parallel import Reader
from ailineage.kg.store import load_decisions, load_provisional


@dataclass
class Parts:
    """What a graph is made of: the library (or nothing, for `--only`) and what each user document says."""

    library: Authored
    with_library: bool = True
    extracts: dict[str, Extract] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)

    def graph(self) -> KnowledgeGraph:
        """The union of all parts, with decisions carried out and claims weighed."""
        nodes = dict(self.library.nodes)
        for id in sorted(self.extracts):
            for node in self.extracts[id].nodes.values():
                nodes.setdefault(node.id, node)
        claims: list[Claim] = list(self.library.claims) if self.with_library else []
        documents = list(self.library.documents) if self.with_library else []
        for id in sorted(self.extracts):
            claims += self.extracts[id].claims
            documents.append(self.extracts[id].document)
        kept = apply(self.decisions, nodes.values(), claims)
        return KnowledgeGraph(kept.nodes, judge(kept.claims), documents)

    @property
    def provisional(self) -> dict[str, list[Node]]:
        """The nodes that each user document introduced."""
        return {id: list(self.extracts[id].nodes.values()) for id in sorted(self.extracts)}

    def reader(self) -> Reader:
        """Reads documents with the library's names; one that stands here unchanged is not read again."""
        return Reader(self.library.nodes, {id: extract.document.sha256 for id, extract in self.extracts.items()})

    def add(self, documents: Iterable[Document], without: Collection[str] = ()) -> list[str]:
        """Read documents and take what they say; `without` leaves parts of the reading out."""
        reader = self.reader()
        return self.take(reader.read(document, without) for document in documents)

    def take(self, extracts: Iterable[Extract]) -> list[str]:
        """Take what documents say; returns one line for each that was passed over, and why.

        A document with the id of an earlier one replaces it.

        Raises:
            DocumentError: if a document has the id of one of the library's.
        """
        taken = {document.id for document in self.library.documents}
        known = {extract.document.sha256: id for id, extract in self.extracts.items()}
        twins: list[Extract] = []
        for extracted in extracts:
            document = extracted.document
            if document.id in taken:
                raise DocumentError(
                    f"{document.source}: {document.id!r} is the name of a library article; rename the file"
                )
            if known.setdefault(document.sha256, document.id) != document.id:
                twins.append(extracted)
            elif document.id not in self.extracts or self.extracts[document.id].document.sha256 != document.sha256:
                self.extracts[document.id] = extracted
        notes: list[str] = []
        for extracted in twins:
            document = extracted.document
            twin = known[document.sha256]
            if self.extracts[twin].document.sha256 == document.sha256:
                notes.append(f"{document.source}: the same text as {twin}; passed over")
            else:  # the twin was replaced meanwhile
                known[document.sha256] = document.id
                self.extracts[document.id] = extracted
        return notes


def library(root: Path | None = None) -> Authored:
    """The authored library as graph parts."""
    return authored.read(authored_library.load(root))


def library_version(root: Path | None = None) -> str:
    """A hash of every file of the library, of the glossary, and of the extractor's version."""
    base = root or authored_library.articles_folder()
    digest = hashlib.sha256(EXTRACTOR.encode())
    for folder in ("articles", "bibliography"):
        for path in sorted((base / folder).rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(base).as_posix().encode() + b"\0" + path.read_bytes())
    for path in sorted(glossary.FOLDER.glob("*.tsv")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def reopen(graph: KnowledgeGraph, folder: Path, parts: Parts) -> Parts:
    """Fill `parts` with what a stored graph's user documents say, and what the user decided.

    No document is read again but those with a decided node: what the graph holds of them is what became of it.
    """
    provisional: Mapping[str, list[Node]] = load_provisional(folder)
    parts.decisions = load_decisions(folder)
    reader = Reader(parts.library.nodes) if parts.decisions else None
    for id, nodes in provisional.items():
        if reader and any(node.id in parts.decisions for node in nodes):
            parts.extracts[id] = reader.read(graph.documents[id])
            continue
        claims = [replace(claim, preferred=True, conflicts_with=()) for claim in graph.by_document.get(id, ())]
        parts.extracts[id] = Extract(graph.documents[id], claims, {node.id: node for node in nodes})
    return parts
