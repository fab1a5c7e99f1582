"""The graph as RDF: nodes as SKOS concepts of our classes, edges as plain triples, claims as PROV entities.

Every edge that preferred claims support is one triple, so that simple questions are simple queries. Every claim,
preferred or not, is a node of its own that names subject, relation and object or value, quotes its sentence and is
derived from its document.

Claims are n-ary relations and not RDF-star for three reasons: several documents may claim the same triple, each with
its own span, which one quoted triple cannot keep apart; a claim that is not preferred must not be asserted, yet be
queried like the others; and RDF 1.1 is what rdflib, pyshacl and every SPARQL 1.1 server read, while RDF-star gave way
to the triple terms of RDF 1.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Kind, Relation

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node as Term

BASE = "https://w3id.org/ailineage/"
VOCABULARY = BASE + "vocabulary#"
PREFIXES = {
    "ail": VOCABULARY,
    "node": BASE + "node/",
    "claim": BASE + "claim/",
    "doc": BASE + "document/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcterms": "http://purl.org/dc/terms/",
    "bibo": "http://purl.org/ontology/bibo/",
    "fabio": "http://purl.org/spar/fabio/",
    "schema": "https://schema.org/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
FORMATS = {"turtle": "turtle", "jsonld": "json-ld", "ntriples": "nt"}
CONTEXT = {
    **PREFIXES,
    "name": {"@id": "skos:prefLabel", "@container": "@language"},
    "subject": {"@id": "ail:subject", "@type": "@id"},
    "relation": {"@id": "ail:relation", "@type": "@id"},
    "object": {"@id": "ail:object", "@type": "@id"},
    "quoted_from": {"@id": "prov:wasQuotedFrom", "@type": "@id"},
}
"""The JSON-LD context of an export."""

_SAME = {"arxiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
_WIKIDATA = "http://www.wikidata.org/entity/"
_FOLDER = Path(__file__).parent
_XSD_DATE = {4: "gYear", 7: "gYearMonth", 10: "date"}


def to_rdf(graph: KnowledgeGraph) -> Graph:
    """The whole graph with its claims and documents."""
    from rdflib import RDF, Graph, Literal, Namespace, URIRef

    rdf = Graph()
    for prefix, iri in PREFIXES.items():
        rdf.bind(prefix, iri, replace=True)
    ail, dcterms, prov = (Namespace(PREFIXES[key]) for key in ("ail", "dcterms", "prov"))
    for node in graph.nodes.values():
        _add_node(rdf, node)
    for edge in graph.edges:
        obj: Term = iri_of(edge.target) if edge.target else _literal(edge.relation, edge.value or "")
        rdf.add((iri_of(edge.source), URIRef(VOCABULARY + edge.relation), obj))
    for document in graph.documents.values():
        subject = _iri("document/", document.id)
        rdf.add((subject, RDF.type, prov.Entity))
        rdf.add((subject, dcterms.title, Literal(document.title, lang=document.language)))
        rdf.add((subject, dcterms.identifier, Literal(document.id)))
        rdf.add((subject, dcterms.language, Literal(document.language)))
        rdf.add((subject, ail.sha256, Literal(document.sha256)))
    for claim in graph.claims.values():
        _add_claim(rdf, claim)
    return rdf


def serialize(rdf: Graph, format: str, path: Path) -> None:
    """Write triples to a file; JSON-LD carries its context with it, so that it needs nothing from the network."""
    settings: dict[str, Any] = {"context": CONTEXT, "auto_compact": False} if format == "jsonld" else {}
    rdf.serialize(path, format=FORMATS[format], encoding="utf-8", **settings)


def iri_of(node: str) -> Term:
    """The IRI of a node."""
    return _iri("node/", node)


def ontology() -> Graph:
    """The ontology that ships with the package."""
    from rdflib import Graph

    return Graph().parse(_FOLDER / "ontology.ttl")


def check_shapes(rdf: Graph) -> list[str]:
    """What the SHACL shapes find wrong with an export, one line each."""
    from pyshacl import validate
    from rdflib import SH, Graph

    shapes = Graph().parse(_FOLDER / "shapes.ttl")
    conforms, report, _ = validate(rdf, shacl_graph=shapes, inference="none", advanced=False)
    if conforms:
        return []
    return sorted(
        f"{report.value(result, SH.focusNode)}: {report.value(result, SH.resultMessage)}"
        for result in report.objects(None, SH.result)
    )


def _add_node(rdf: Graph, node: Node) -> None:
    from rdflib import OWL, RDF, RDFS, Literal, Namespace, URIRef

    ail, skos, dcterms, bibo = (Namespace(PREFIXES[key]) for key in ("ail", "skos", "dcterms", "bibo"))
    subject = iri_of(node.id)
    rdf.add((subject, RDF.type, URIRef(VOCABULARY + node.kind.capitalize())))
    rdf.add((subject, dcterms.identifier, Literal(node.id)))
    for language, name in node.names.items():
        rdf.add((subject, skos.prefLabel, Literal(name, lang=language)))
        rdf.add((subject, RDFS.label, Literal(name, lang=language)))
    for alias in node.aliases:
        rdf.add((subject, skos.altLabel, Literal(alias)))
    for alias in node.ambiguous:
        rdf.add((subject, ail.ambiguousLabel, Literal(alias)))
    if node.family:
        rdf.add((subject, ail.family, Literal(str(node.family))))
    if node.date:
        rdf.add((subject, dcterms.date, _literal(Relation.PUBLISHED_ON, node.date)))
    if node.provisional:
        rdf.add((subject, ail.provisional, Literal(True)))
    if node.kind is Kind.PAPER and node.reference:
        scheme, _, rest = node.reference.partition(":")
        if scheme == "doi":
            rdf.add((subject, bibo.doi, Literal(rest)))
        elif scheme == "arxiv":
            rdf.add((subject, ail.arxiv, Literal(rest)))
        if scheme in _SAME:
            rdf.add((subject, URIRef(PREFIXES["schema"] + "sameAs"), URIRef(_SAME[scheme] + quote(rest, safe="/"))))
    if node.wikidata:
        rdf.add((subject, OWL.sameAs, URIRef(_WIKIDATA + node.wikidata)))
    if node.link:
        rdf.add((subject, RDFS.seeAlso, URIRef(quote(node.link, safe=":/?#[]@!$&'()*+,;=%~"))))


def _add_claim(rdf: Graph, claim: Claim) -> None:
    from rdflib import RDF, XSD, Literal, Namespace, URIRef

    ail, prov = Namespace(PREFIXES["ail"]), Namespace(PREFIXES["prov"])
    subject = _iri("claim/", claim.id)
    document = _iri("document/", claim.document)
    rdf.add((subject, RDF.type, ail.Claim))
    rdf.add((subject, ail.subject, iri_of(claim.subject)))
    rdf.add((subject, ail.relation, URIRef(VOCABULARY + claim.relation)))
    if claim.object is not None:
        rdf.add((subject, ail.object, iri_of(claim.object)))
    else:
        rdf.add((subject, ail.value, _literal(claim.relation, claim.value or "")))
    rdf.add((subject, prov.wasQuotedFrom, document))
    rdf.add((subject, prov.value, Literal(claim.text)))
    rdf.add((subject, ail.start, Literal(claim.start)))
    rdf.add((subject, ail.end, Literal(claim.end)))
    rdf.add((subject, ail.extractor, Literal(claim.extractor)))
    rdf.add((subject, ail.confidence, Literal(str(claim.confidence), datatype=XSD.decimal)))
    rdf.add((subject, ail.preferred, Literal(claim.preferred)))
    for other in claim.conflicts_with:
        rdf.add((subject, ail.conflictsWith, _iri("claim/", other)))
    for key in claim.references:
        rdf.add((subject, ail.reference, Literal(key)))
    if claim.qualifier:
        rdf.add((subject, ail.qualifier, Literal(claim.qualifier)))
    if claim.changed:
        rdf.add((subject, ail.changed, Literal(claim.changed)))


def _iri(kind: str, id: str) -> Term:
    from rdflib import URIRef

    return URIRef(BASE + kind + quote(id, safe=""))


def _literal(relation: Relation, value: str) -> Term:
    from rdflib import XSD, Literal

    if relation is Relation.PUBLISHED_ON and len(value) in _XSD_DATE:
        return Literal(value, datatype=XSD[_XSD_DATE[len(value)]])
    if relation is Relation.HAS_PARAMETERS and value.isdigit():
        return Literal(int(value))
    return Literal(value)
