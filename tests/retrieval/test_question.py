from __future__ import annotations

import pytest

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import Relation
from ailineage.retrieval.question import understand


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Who proposed BERT?", Relation.PROPOSED_BY),
        ("BERT 的作者是谁", Relation.AUTHORED_BY),
        ("which year did BERT appear?", Relation.PUBLISHED_ON),
        ("BERT 是哪年发表的？", Relation.PUBLISHED_ON),
        ("how many parameters does BERT have", Relation.HAS_PARAMETERS),
        ("BERT有多少参数", Relation.HAS_PARAMETERS),
        ("bert 是哪家公司的", Relation.DEVELOPED_BY),
        ("title of the BERT paper", Relation.INTRODUCED_IN),
    ],
)
def test_telling_words_ask_for_relations(small_graph: KnowledgeGraph, text: str, asks: Relation) -> None:
    question = understand(text, small_graph)
    assert question.nodes == ("bert",)
    assert asks in question.asks


def test_nodes_stand_in_the_order_of_the_question(small_graph: KnowledgeGraph) -> None:
    question = understand("How did the Transformer lead to BERT?", small_graph)
    assert question.nodes == ("trans", "bert")
    assert question.descent
    assert question.down
    assert understand("BERT 和 Transformer 有什么区别？", small_graph).compares


def test_a_typo_is_taken_for_the_name_it_is_near(small_graph: KnowledgeGraph) -> None:
    assert understand("who made transfromer", small_graph).nodes == ("trans",)
    assert understand("Transfromer是什么", small_graph).nodes == ("trans",)
    assert understand("who made transfromer", small_graph, known=lambda word: True).nodes == ()


def test_names_that_no_node_bears_are_unknown(small_graph: KnowledgeGraph) -> None:
    assert understand("Did BERT beat Zyxomma-7 in 2031?", small_graph).unknown == ("Zyxomma-7",)
    assert understand("谁写了《红楼梦之后》？", small_graph).unknown == ("红楼梦之后",)
    assert understand("What is it that BERT does? Does it read?", small_graph).unknown == ()
    assert understand("BERT-99 是什么", small_graph).nodes == ()


@pytest.mark.parametrize(
    "text",
    [
        "What's BERT good for?",
        "Hwo does BERT read?",
        "what was the 1974 PhD thesis about",
        "为什么用三个 3x3 的核",
        "单卡 48G 怎么放得下",
        "BERT 的“祖先”是谁",
        "how do I ELI5 BERT",
    ],
)
def test_what_only_looks_like_a_name_is_not_unknown(small_graph: KnowledgeGraph, text: str) -> None:
    known = {"phd"}.__contains__
    found = understand(text, small_graph, lambda word: known(word.casefold()), ordinary=lambda word: word == "祖先")
    assert found.unknown == ()


def test_quoted_names_are_unknown(small_graph: KnowledgeGraph) -> None:
    def unknown(text: str) -> tuple[str, ...]:
        return understand(text, small_graph, ordinary=lambda word: True).unknown

    assert unknown("“折纸注意力”是哪年的") == ("折纸注意力",)
    assert unknown("“玄鸟”大模型有多大") == ("玄鸟",)
    assert unknown("它的“老师”是谁") == ()


def test_years_are_read_in_both_languages(small_graph: KnowledgeGraph) -> None:
    assert understand("2018年有哪些模型", small_graph).years == ("2018",)
    assert understand("models of 2018 with 12018 words", small_graph).years == ("2018",)


def test_the_language_is_that_of_the_question_or_the_one_asked_for(small_graph: KnowledgeGraph) -> None:
    assert understand("BERT 是什么", small_graph).language == "zh"
    assert understand("BERT 是什么", small_graph, language="en").language == "en"


def test_a_term_of_the_glossary_is_not_unknown_and_lends_its_names(small_graph: KnowledgeGraph) -> None:
    question = understand("How does BERT do without NMS but with QXZ?", small_graph)
    assert question.unknown == ("QXZ",)
    assert {"non-maximum suppression", "非极大值抑制"} <= set(question.glossed)
