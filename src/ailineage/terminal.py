"""How answers, nodes and claims read in a terminal, in either language; `ailineage.story` tells of descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ailineage.corpus import statement
from ailineage.corpus.documents import Document
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import KIND_LABELS, RELATION_LABELS, Relation

if TYPE_CHECKING:
    from ailineage.models.decoder.answer import Answer


def said(relation: Relation, value: str, language: str) -> str:
    """A literal in words: a date, a number of parameters."""
    if relation is Relation.PUBLISHED_ON:
        return statement.date(value, language, preposition=False)
    if relation is Relation.HAS_PARAMETERS and value.isdigit():
        return statement.count(int(value), language).strip()
    return value


def answer_sources(answer: Answer) -> str:
    """The numbered sources under an answer."""
    lines = []
    for citation in answer.citations:
        for evidence in citation.evidence:
            quote = " ".join(evidence.text.split())
            lines.append(f"[{citation.n}] {citation.name} · {evidence.document}: {_cut(quote)}")
    return "\n".join(lines)


def node_card(
    graph: KnowledgeGraph, node: Node, language: str, implementation: str | None, nearest: str | None = None
) -> str:
    """One node: names, facts with their sources, what points at it, and its implementation or the nearest one."""
    index = 0 if language == "en" else 1
    other = node.names.get("zh" if language == "en" else "en")
    head = node.name(language) + (f" ({other})" if other and other != node.name(language) else "")
    lines = [f"{head} · {KIND_LABELS[node.kind][index]} · {node.date or '-'} · {node.id}"]
    if node.aliases:
        lines.append(("also: " if index == 0 else "又名：") + ", ".join(node.aliases))
    seen: set[tuple] = set()
    for claim in graph.claims_about(node.id):
        key = (claim.subject, claim.relation, claim.object, claim.value, claim.qualifier)
        if key in seen:
            continue
        seen.add(key)
        lines.append("  " + claim_line(graph, claim, language))
    if implementation:
        lines.append(f"  {'code' if index == 0 else '代码'}: ailineage run {implementation}")
    elif nearest:
        said = ("design unpublished; nearest published one", "设计未公开，最接近的公开设计")[index]
        lines.append(f"  {said}: ailineage run {nearest}")
    return "\n".join(lines)


def claim_line(graph: KnowledgeGraph, claim: Claim, language: str) -> str:
    """One claim on one line: what it says, how sure it is, and its source."""
    index = 0 if language == "en" else 1
    subject = graph.nodes[claim.subject].name(language)
    end = (
        graph.nodes[claim.object].name(language) if claim.object else said(claim.relation, claim.value or "", language)
    )
    of = f" [{claim.qualifier}]" if claim.qualifier else ""
    source = ", ".join(claim.references) or f"{claim.document}:{claim.start}-{claim.end}"
    mark = "" if not claim.conflicts_with else " !" if claim.preferred else " ✗"
    label = RELATION_LABELS[claim.relation][index]
    return f"{subject}{of} —{label}→ {end}  ({source}; {claim.confidence:g}){mark}"


def document_line(graph: KnowledgeGraph, document: Document) -> str:
    """One document on one line."""
    claims = len(graph.by_document.get(document.id, ()))
    return f"{document.id}  {document.language}  {len(document.text):,} chars  {claims} claims  {document.title}"


def table(columns: Iterable[str], rows: Iterable[Iterable[str | None]]) -> str:
    """A plain table with tabs, as other programs like it."""
    return "\n".join(["\t".join(columns), *("\t".join(cell or "" for cell in row) for row in rows)])


def _cut(text: str, width: int = 160) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
