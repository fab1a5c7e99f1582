"""What one may ask next: questions that the graph can answer about what the last answer cites."""

from __future__ import annotations

from collections.abc import Iterator

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import Relation
from ailineage.models.decoder.answer import Answer

_ASKED = {
    "children": ("What was built on {a}?", "哪些工作建立在 {a} 之上？"),
    "parents": ("What does {a} build on?", "{a} 建立在什么之上？"),
    Relation.PROPOSED_BY: ("Who proposed {a}?", "{a} 是谁提出的？"),
    Relation.INTRODUCED_IN: ("Which paper introduced {a}?", "{a} 出自哪篇论文？"),
    Relation.TRAINED_ON: ("What was {a} trained on?", "{a} 是用什么数据训练的？"),
    Relation.HAS_PARAMETERS: ("How many parameters does {a} have?", "{a} 有多少参数？"),
}


def suggest(graph: KnowledgeGraph, answer: Answer, limit: int = 3) -> list[str]:
    """At most `limit` questions in the answer's language, none of them the one just asked."""
    found: dict[str, None] = {}
    for citation in answer.citations[:3]:
        if citation.node in graph.nodes:
            for kind, text in zip(range(2), _about(graph, str(citation.node), answer.language), strict=False):
                if text != answer.question and (kind == 0 or len(answer.citations) < limit):
                    found[text] = None
    return list(found)[:limit]


def _about(graph: KnowledgeGraph, node: str, language: str) -> Iterator[str]:
    """Questions about a node, those about descent first."""
    name, index = graph.nodes[node].name(language), language == "zh"
    if node in graph.lineage and graph.lineage.out_degree(node):
        yield _ASKED["children"][index].format(a=name)
    if node in graph.lineage and graph.lineage.in_degree(node):
        yield _ASKED["parents"][index].format(a=name)
    stated = {claim.relation for claim in graph.claims_about(node) if claim.subject == node}
    for relation, text in _ASKED.items():
        if relation in stated:
            yield text[index].format(a=name)
