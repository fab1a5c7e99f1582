"""How answers, nodes and lineages read in a terminal, in either language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ailineage.corpus import statement
from ailineage.corpus.documents import Document
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.lineage import Descent, Path, ancestors, descendants
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


def node_card(graph: KnowledgeGraph, node: Node, language: str, implementation: str | None) -> str:
    """One node: names, facts with their sources, what points at it, and its implementation."""
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


def lineage_story(graph: KnowledgeGraph, path: Path, language: str) -> str:
    """A path as a short story: each step dated, with what changed and where that is said."""
    names = {id: graph.nodes[id].name(language) for id in {path.start, path.goal, *_on(path)}}
    lines = []
    if path.shared:
        shared = names.get(path.shared, graph.nodes[path.shared].name(language))
        lines.append(
            f"Neither descends from the other; both come from {shared} ({_year(graph, path.shared)}):"
            if language == "en"
            else f"两者没有直接的传承关系，共同的祖先是 {shared}（{_year(graph, path.shared)}）："
        )
    lines += [_hop_line(graph, hop, language) for hop in path.hops]
    return "\n".join(lines)


def relatives(graph: KnowledgeGraph, node: Node, language: str, up: bool, depth: int | None) -> str:
    """Ancestors or descendants by generation, with dates."""
    found = (ancestors if up else descendants)(graph, node.id, depth)
    if not found:
        none = {"en": "none known", "zh": "没有记录"}
        return none[language]
    lines = []
    for generation in sorted(set(found.values())):
        ids = sorted((id for id, d in found.items() if d == generation), key=lambda id: graph.nodes[id].date or "")
        listed = ", ".join(f"{graph.nodes[id].name(language)} ({_year(graph, id)})" for id in ids)
        lines.append(f"{'-' if up else '+'}{generation}  {listed}")
    return "\n".join(lines)


def document_line(graph: KnowledgeGraph, document: Document) -> str:
    """One document on one line."""
    claims = len(graph.by_document.get(document.id, ()))
    return f"{document.id}  {document.language}  {len(document.text):,} chars  {claims} claims  {document.title}"


def table(columns: Iterable[str], rows: Iterable[Iterable[str | None]]) -> str:
    """A plain table with tabs, as other programs like it."""
    return "\n".join(["\t".join(columns), *("\t".join(cell or "" for cell in row) for row in rows)])


def _hop_line(graph: KnowledgeGraph, hop: Descent, language: str) -> str:
    parent, child = graph.nodes[hop.parent].name(language), graph.nodes[hop.child].name(language)
    claim = hop.claims[0]
    source = ", ".join(claim.references) or f"{claim.document}:{claim.start}-{claim.end}"
    changed = f" {hop.changed}" if hop.changed else ""
    return f"{parent} ({_year(graph, hop.parent)}) → {child} ({_year(graph, hop.child)}):{changed}  [{source}]"


def _on(path: Path) -> set[str]:
    return {id for hop in path.hops for id in (hop.parent, hop.child)}


def _year(graph: KnowledgeGraph, node: str) -> str:
    return (graph.nodes[node].date or "?")[:4]


def _cut(text: str, width: int = 160) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
