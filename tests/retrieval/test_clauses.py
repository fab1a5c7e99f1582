from __future__ import annotations

import pytest

from ailineage.corpus.documents import language_of
from ailineage.kg.graph import KnowledgeGraph
from ailineage.retrieval.clauses import clauses
from ailineage.retrieval.retriever import Retriever


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who wrote BERT, and in which journal was it?", ["Who wrote BERT", "BERT: in which journal was it"]),
        ("BERT 最早是谁提出的？1958年那篇登在什么期刊上？", ["BERT 最早是谁提出的", "BERT：1958年那篇登在什么期刊上"]),
        ("有个模型只用编码器，叫什么、是谁做的？",
         ["有个模型只用编码器，叫什么", "有个模型只用编码器，是谁做的"]),
        ("which came first, Transformer or BERT, and when did each come out?",
         ["which came first, Transformer or BERT", "Transformer, BERT: when did each come out"]),
        ("How big is BERT and at which conference did the summer workshop meet?",
         ["How big is BERT", "at which conference did the summer workshop meet"]),
    ],
)  # fmt: skip
def test_what_is_asked_is_taken_apart_and_said_in_full(
    small_graph: KnowledgeGraph, question: str, parts: list[str]
) -> None:
    assert clauses(question, small_graph, language_of(question)) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Who proposed BERT?",
        "Which is better, BERT or GPT, and why?",
        "BERT 是怎么训练的？为什么？",
        "Tell me about BERT.",
        "",
    ],
)
def test_one_question_stays_whole(small_graph: KnowledgeGraph, question: str) -> None:
    assert clauses(question, small_graph, language_of(question)) == []


def test_each_part_has_evidence_of_its_own(retriever: Retriever) -> None:
    bundle = retriever.bundle("How many parameters does BERT have, and when did Transformer appear?")
    sizes, date = bundle.parts
    assert (sizes.nodes, date.nodes) == (("bert",), ("trans",))
    assert "parameters" in sizes.evidence[0].text
    assert "published" in date.evidence[0].text
