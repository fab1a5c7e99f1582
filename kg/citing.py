"""The papers behind nodes and claims as BibTeX and CSL-JSON, for reference managers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Kind, Relation

_SPECIAL = re.compile(r"([&%$#_{}])")


def papers_of(graph: KnowledgeGraph, nodes: Iterable[str]) -> list[Node]:
    """The papers that introduced some nodes, and papers among them, each once, oldest first."""
    found: dict[str, Node] = {}
    for id in nodes:
        if graph.nodes[id].kind is Kind.PAPER:
            found[id] = graph.nodes[id]
        for claim in graph.claims_about(id):
            if claim.subject == id and claim.relation is Relation.INTRODUCED_IN and claim.object:
                found[claim.object] = graph.nodes[claim.object]
    return sorted(found.values(), key=lambda node: (node.date or "", node.id))


def authors_of(graph: KnowledgeGraph, paper: str) -> list[str]:
    """A paper's authors in the order the bibliography has them."""
    said = [claim for claim in graph.claims_about(paper) if claim.relation is Relation.AUTHORED_BY]
    authors = {claim.object: None for claim in said if claim.subject == paper and claim.object}
    names = {id: graph.nodes[id] for id in authors}
    text = said[0].text if said else ""
    return [node.name("en") for node in sorted(names.values(), key=lambda node: _place(text, node))]


def bibtex(graph: KnowledgeGraph, papers: Iterable[Node]) -> str:
    """BibTeX entries; keys are first author's family name and year, with a letter where two would be the same."""
    entries: list[str] = []
    keys: set[str] = set()
    for paper in papers:
        authors = authors_of(graph, paper.id)
        key = _key(authors, paper, keys)
        fields = {"title": "{" + _escaped(paper.name("en")) + "}", "author": " and ".join(map(_escaped, authors))}
        if paper.date:
            fields["year"] = paper.date[:4]
            if len(paper.date) > 4:
                fields["month"] = str(int(paper.date[5:7]))
        scheme, _, rest = (paper.reference or "").partition(":")
        if scheme == "arxiv":
            fields |= {"eprint": rest, "archiveprefix": "arXiv"}
        elif scheme == "doi":
            fields["doi"] = rest
        if paper.link:
            fields["url"] = paper.link
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        entries.append(f"@misc{{{key},\n{body}\n}}")
    return "\n\n".join(entries) + ("\n" if entries else "")


def csl(graph: KnowledgeGraph, papers: Iterable[Node]) -> list[dict[str, Any]]:
    """CSL-JSON items."""
    items = []
    for paper in papers:
        item: dict[str, Any] = {"id": paper.id, "type": "article", "title": paper.name("en")}
        item["author"] = [{"literal": name} for name in authors_of(graph, paper.id)]
        if paper.date:
            item["issued"] = {"date-parts": [[int(part) for part in paper.date.split("-")]]}
        scheme, _, rest = (paper.reference or "").partition(":")
        if scheme == "doi":
            item["DOI"] = rest
        if paper.link:
            item["URL"] = paper.link
        items.append(item)
    return items


def _place(text: str, node: Node) -> int:
    """Where an author stands in the sentence that lists them; those it calls otherwise come last."""
    return min((at for name in node.surfaces if (at := text.find(name)) >= 0), default=len(text))


def _key(authors: list[str], paper: Node, taken: set[str]) -> str:
    family = re.sub(r"[^a-z]", "", authors[0].split()[-1].casefold()) if authors else ""
    stem = (family or paper.id) + (paper.date or "")[:4]
    key = next(
        k for k in (stem, *(stem + letter for letter in "abcdefghijklmnopqrstuvwxyz"), paper.id) if k not in taken
    )
    taken.add(key)
    return key


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("\\", r"\textbackslash "))
