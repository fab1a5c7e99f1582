"""From the authored library to documents, nodes and claims.

Every fact of a node.toml becomes one claim a language, whose span is its sentence in that language's fact sheet.
Papers and their authors become nodes of their own, from the bibliography; an author who has an article is that node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ailineage.corpus.documents import Document
from ailineage.corpus.factsheet import Sheet, Stated, sheets
from ailineage.corpus.library import Article, Library, Reference
from ailineage.kg.identity import fold
from ailineage.kg.model import AUTHORED, Claim, Node
from ailineage.kg.vocabulary import Family, Kind, Relation


@dataclass
class Authored:
    """What the library contributes to a graph. `links` are the articles' own links: document, start, end, node."""

    documents: list[Document] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    links: list[tuple[str, int, int, str]] = field(default_factory=list)


def read(library: Library) -> Authored:
    """All documents, nodes and claims of a library."""
    result = Authored(nodes={article.id: node(article, library) for article in library.articles.values()})
    people = _people(library)
    for sheet in sheets(library):
        result.documents.append(sheet.document)
        result.links += [(sheet.document.id, link.start, link.end, link.node) for link in sheet.links]
        for stated in sheet.stated:
            for claim in _claims(sheet, stated, people, result.nodes):
                result.claims.append(claim)
    return result


def node(article: Article, library: Library) -> Node:
    """The node of one article."""
    aliases = tuple(name for key in ("en", "zh", "other") for name in article.aliases.get(key, ()))
    paper = library.references.get(article.papers[0]) if article.papers else None
    return Node(
        id=article.id,
        kind=Kind.parse(article.kind),
        names=dict(article.names),
        aliases=aliases,
        ambiguous=article.aliases.get("ambiguous", ()),
        family=Family.parse(article.family) if article.family else None,
        date=article.date,
        reference=paper.key if paper else None,
        link=paper.link if paper else None,
        wikidata=article.wikidata,
    )


def paper_id(reference: Reference) -> str:
    """The id of a paper's node: `paper-1810-04805` for arXiv:1810.04805."""
    key = reference.key.split(":", 1)[-1]
    return "paper-" + re.sub(r"[^a-z0-9]+", "-", key.casefold()).strip("-")


def _people(library: Library) -> dict[str, str]:
    """Folded names of people and organisations to their ids."""
    return {
        fold(name): article.id
        for article in library.articles.values()
        if article.kind in (Kind.PERSON, Kind.ORGANIZATION)
        for name in (*article.names.values(), *(n for names in article.aliases.values() for n in names))
    }


def _author(name: str, people: dict[str, str], nodes: dict[str, Node]) -> str:
    plain = re.sub(r"\b[A-Z]\.\s*", "", name)
    known = people.get(fold(name)) or people.get(fold(plain))
    if known:
        return known
    id = "person-" + re.sub(r"[^a-z0-9]+", "-", _ascii(name).casefold()).strip("-")
    if id not in nodes:
        nodes[id] = Node(id, Kind.PERSON, {"en": name})
    return id


def _ascii(name: str) -> str:
    import unicodedata

    spelled = unicodedata.normalize("NFKD", name)
    return spelled.encode("ascii", "ignore").decode() or fold(name).encode("utf-8").hex()


def _claims(sheet: Sheet, stated: Stated, people: dict[str, str], nodes: dict[str, Node]) -> Iterator[Claim]:
    text = sheet.document.text[stated.start : stated.end]
    base = {
        "document": sheet.document.id,
        "start": stated.start,
        "end": stated.end,
        "text": text,
        "extractor": AUTHORED,
        "confidence": 1.0,
    }
    if paper := stated.paper:
        id = paper_id(paper)
        nodes.setdefault(
            id,
            Node(id, Kind.PAPER, {"en": paper.title}, date=paper.date, reference=paper.key, link=paper.link),
        )
        base["references"] = (paper.key,)
        if not stated.authors:
            yield Claim.make(**base, subject=sheet.article.id, relation=Relation.INTRODUCED_IN, object=id)
            return
        for author in paper.authors:
            yield Claim.make(**base, subject=id, relation=Relation.AUTHORED_BY, object=_author(author, people, nodes))
        return
    fact = stated.fact
    assert fact is not None
    if stated.dispute is not None:
        other = fact.disputed[stated.dispute]
        base |= {"confidence": 0.5, "references": other.refs}
        yield Claim.make(
            **base,
            subject=sheet.article.id,
            relation=Relation.parse(fact.relation),
            value=str(other.value),
            qualifier=fact.of,
        )
        return
    yield Claim.make(
        **base,
        subject=sheet.article.id,
        relation=Relation.parse(fact.relation),
        object=fact.target,
        value=None if fact.value is None else str(fact.value),
        references=fact.refs,
        qualifier=fact.of,
        changed=fact.changed.get(sheet.document.language),
    )
