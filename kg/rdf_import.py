"""Read a graph back from RDF that `ailineage.kg.rdf` wrote: exporting what was read gives the same triples.

Documents come back without their text, which RDF does not carry: spans still say where, quotes still say what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from ailineage.corpus.documents import Document
from ailineage.errors import QueryError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.rdf import BASE, PREFIXES, VOCABULARY
from ailineage.kg.vocabulary import Family, Kind, Relation

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node as Term

_AIL, _SKOS, _DCTERMS, _BIBO, _PROV, _RDFS = (
    PREFIXES[key] for key in ("ail", "skos", "dcterms", "bibo", "prov", "rdfs")
)


def from_rdf(rdf: Graph) -> KnowledgeGraph:
    """The graph that an export holds.

    Raises:
        QueryError: if a node or claim lacks what every export gives it; the message names it.
    """
    from rdflib import RDF, URIRef

    kinds: dict[Term, Kind] = {URIRef(VOCABULARY + kind.capitalize()): kind for kind in Kind}
    reader = _Reader(rdf)
    nodes = [reader.node(subject, kinds[term]) for subject, term in rdf.subject_objects(RDF.type) if term in kinds]
    claims = [reader.claim(subject) for subject in rdf.subjects(RDF.type, URIRef(_AIL + "Claim"))]
    documents = [reader.document(subject) for subject in rdf.subjects(RDF.type, URIRef(_PROV + "Entity"))]
    return KnowledgeGraph(
        sorted(nodes, key=lambda node: node.id),
        sorted(claims, key=lambda claim: (claim.document, claim.start, claim.id)),
        sorted(documents, key=lambda document: document.id),
    )


class _Reader:
    """Values of a subject's properties."""

    def __init__(self, rdf: Graph) -> None:
        self.rdf = rdf

    def all(self, subject: Term, iri: str) -> list[str]:
        from rdflib import URIRef

        return sorted(str(value) for value in self.rdf.objects(subject, URIRef(iri)))

    def maybe(self, subject: Term, iri: str) -> str | None:
        values = self.all(subject, iri)
        return values[0] if values else None

    def one(self, subject: Term, iri: str) -> str:
        value = self.maybe(subject, iri)
        if value is None:
            raise QueryError(f"{subject} has no <{iri}>; this is no export of ailineage")
        return value

    def node(self, subject: Term, kind: Kind) -> Node:
        from rdflib import Literal, URIRef

        labels = self.rdf.objects(subject, URIRef(_SKOS + "prefLabel"))
        names = {str(label.language): str(label) for label in labels if isinstance(label, Literal)}
        family, doi = self.maybe(subject, _AIL + "family"), self.maybe(subject, _BIBO + "doi")
        arxiv, same = self.maybe(subject, _AIL + "arxiv"), self.maybe(subject, PREFIXES["owl"] + "sameAs")
        return Node(
            id=self.one(subject, _DCTERMS + "identifier"),
            kind=kind,
            names=dict(sorted(names.items())),
            aliases=tuple(self.all(subject, _SKOS + "altLabel")),
            ambiguous=tuple(self.all(subject, _AIL + "ambiguousLabel")),
            family=Family(family) if family else None,
            date=self.maybe(subject, _DCTERMS + "date"),
            provisional=self.maybe(subject, _AIL + "provisional") == "true",
            reference=f"arxiv:{arxiv}" if arxiv else f"doi:{doi}" if doi else None,
            link=self.maybe(subject, _RDFS + "seeAlso"),
            wikidata=same.rpartition("/")[2] if same else None,
        )

    def claim(self, subject: Term) -> Claim:
        obj = self.maybe(subject, _AIL + "object")
        return Claim(
            id=_id(str(subject), "claim/"),
            subject=_id(self.one(subject, _AIL + "subject"), "node/"),
            relation=Relation(self.one(subject, _AIL + "relation").removeprefix(VOCABULARY)),
            object=_id(obj, "node/") if obj else None,
            value=None if obj else self.one(subject, _AIL + "value"),
            document=_id(self.one(subject, _PROV + "wasQuotedFrom"), "document/"),
            start=int(self.one(subject, _AIL + "start")),
            end=int(self.one(subject, _AIL + "end")),
            text=self.one(subject, _PROV + "value"),
            extractor=self.one(subject, _AIL + "extractor"),
            confidence=float(self.one(subject, _AIL + "confidence")),
            preferred=self.one(subject, _AIL + "preferred") == "true",
            conflicts_with=tuple(_id(iri, "claim/") for iri in self.all(subject, _AIL + "conflictsWith")),
            references=tuple(self.all(subject, _AIL + "reference")),
            qualifier=self.maybe(subject, _AIL + "qualifier"),
            changed=self.maybe(subject, _AIL + "changed"),
        )

    def document(self, subject: Term) -> Document:
        return Document(
            id=self.one(subject, _DCTERMS + "identifier"),
            title=self.one(subject, _DCTERMS + "title"),
            text="",
            language=self.one(subject, _DCTERMS + "language"),
            source="rdf",
            sha256=self.one(subject, _AIL + "sha256"),
        )


def _id(iri: str, kind: str) -> str:
    return unquote(iri.removeprefix(BASE + kind))
