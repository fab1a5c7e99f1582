from __future__ import annotations

import pytest

from ailineage.kg.graph import KnowledgeGraph
from ailineage.retrieval.follow_up import Turn, in_full


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ("Who proposed BERT?", "and when was it published?", "and when was BERT published?"),
        ("Who proposed BERT?", "what are its sizes?", "what are BERT's sizes?"),
        ("Who proposed BERT?", "when?", "when (BERT)?"),
        ("Who proposed BERT?", "why?", "why: Who proposed BERT?"),
        ("How large is BERT?", "what about the Transformer?", "How large is Transformer?"),
        ("BERT 有多少参数？", "它是谁提出的", "BERT 是谁提出的"),
        ("BERT 有多少参数？", "那它的论文呢？", "那 BERT的 论文呢？"),
        ("BERT 有多少参数？", "那 Transformer 呢？", "Transformer 有多少参数？"),
        ("BERT 有多少参数？", "发布时间呢", "BERT 发布时间呢"),
    ],
)
def test_a_question_that_leans_on_the_last_is_said_in_full(
    small_graph: KnowledgeGraph, before: str, question: str, expected: str
) -> None:
    said = in_full(question, [Turn(before)], small_graph)
    assert said.replace(" ", "") == expected.replace(" ", "")


@pytest.mark.parametrize(
    "question",
    [
        "How does the Transformer work?",
        "What is the weather in Paris like today?",
        "Is it true that neural networks think?",
        "今天北京的天气怎么样，适合出门吗？",
        "Transformer 是谁提出的？",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(small_graph: KnowledgeGraph, question: str) -> None:
    assert in_full(question, [Turn("Who proposed BERT?")], small_graph) == question
    assert in_full(question, [], small_graph) == question


def test_what_was_said_in_full_is_remembered(small_graph: KnowledgeGraph) -> None:
    turns = [Turn("Who proposed BERT?"), Turn("when was it published?")]
    assert in_full("and how large is it?", turns, small_graph) == "and how large is BERT?"


def test_a_person_is_taken_from_the_answer(small_graph: KnowledgeGraph) -> None:
    person = next(node for node in small_graph.nodes.values() if node.kind == "person")
    turn = Turn("Who proposed BERT?", f"BERT was proposed by {person.name('en')}. [1]")
    assert in_full("where did he work?", [turn], small_graph) == f"where did {person.name('en')} work?"
