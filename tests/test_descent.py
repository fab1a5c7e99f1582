"""The `lineage` command's questions, told on the small library and on the shipped one."""

from __future__ import annotations

import json
import re

import pytest

from ailineage.descent import Asked, tell
from ailineage.errors import UsageError
from ailineage.kg.authored import Authored
from ailineage.kg.building import Parts
from ailineage.kg.graph import KnowledgeGraph


@pytest.fixture(scope="module")
def whole(shipped: Authored) -> KnowledgeGraph:
    return Parts(shipped).graph()


def test_a_line_is_told_with_dates_changes_and_references(small_graph: KnowledgeGraph) -> None:
    english = tell(small_graph, Asked("Seq2Seq", "BERT")).text
    assert english.startswith("From Seq2Seq to BERT: 2 steps, 2014 to 2018")
    assert "BERT (October 11, 2018) builds on Transformer. [2]" in english
    assert "Keeps only the encoder" in english
    assert re.search(r"\[1\] Ashish Vaswani & Noam Shazeer \(2017\)\. Attention Is All You Need\.", english)
    chinese = tell(small_graph, Asked("Seq2Seq", "BERT", language="zh")).text
    assert "Transformer（2017 年 6 月 12 日）建立在序列到序列之上。[1]" in chinese
    assert "用注意力代替循环。" in chinese


def test_bert_and_gpt_have_no_direct_line_but_a_shared_ancestor(whole: KnowledgeGraph) -> None:
    told = tell(whole, Asked("BERT", "GPT"))
    assert told.text.startswith("No direct line of descent")
    assert "Both come from Transformer" in told.text
    assert "BERT (October 11, 2018) was influenced by GPT-1" in told.text
    assert told.data["direct"] is False
    assert told.data["shared_ancestor"] == "transformer"
    assert told.data["kind"] == "influence"


@pytest.mark.parametrize(
    ("start", "goal", "language"),
    [("Transformer", "SAM", "en"), ("word embeddings", "SAM", "en"), ("感知机", "GPT-3", "zh")],
)
def test_the_stories_of_the_issue_are_told(whole: KnowledgeGraph, start: str, goal: str, language: str) -> None:
    told = tell(whole, Asked(start, goal, language=language))
    assert len(told.data["hops"]) > 1
    assert ("参考文献" if language == "zh" else "References") in told.text
    assert all(hop["changed"] and hop["claims"] for hop in told.data["hops"])


@pytest.mark.parametrize(
    "asked",
    [
        Asked("Transformer"),
        Asked("Transformer", show="tree"),
        Asked("Transformer", show="siblings"),
        Asked("Transformer", show="uses", during="2018/2026"),
        Asked("Seq2Seq", "BERT", show="all"),
        Asked("BERT", "BERT"),
        Asked("Google", "BERT"),
        Asked(influential="2014/2018"),
        Asked(during="2017"),
        Asked(before="2018"),
        Asked(as_of="2017"),
        Asked("Seq2Seq", as_of="2017"),
    ],
    ids=str,
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_has_text_and_one_json_document(
    small_graph: KnowledgeGraph, asked: Asked, language: str
) -> None:
    from dataclasses import replace

    told = tell(small_graph, replace(asked, language=language))
    assert told.text
    assert json.loads(json.dumps(told.data)) == told.data


def test_time_cuts_what_is_told(small_graph: KnowledgeGraph) -> None:
    assert tell(small_graph, Asked("Seq2Seq", as_of="2017")).data["descendants"] == {"trans": 1}
    assert tell(small_graph, Asked("Seq2Seq", during="2018")).data["descendants"] == {"bert": 2}
    assert [row["node"] for row in tell(small_graph, Asked(before="2018")).data["timeline"]] == ["seq", "trans"]
    with pytest.raises(UsageError, match="is dated 2018-10-11, after 2017"):
        tell(small_graph, Asked("BERT", as_of="2017"))


def test_a_tree_is_drawn_once_a_node_and_says_what_is_left_out(
    whole: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ailineage import story

    monkeypatch.setattr(story, "MOST", 10)
    told = tell(whole, Asked("Transformer", show="tree"))
    assert len(told.text.splitlines()) == 10
    assert f"{told.data['hidden']} more descendants" in told.notes[0]


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(show="tree"),
        Asked("BERT", influential="2017"),
        Asked("BERT", "GPT", show="tree"),
        Asked("BERT", "GPT", during="2017"),
        Asked(influential="someday"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_one_line(small_graph: KnowledgeGraph, asked: Asked) -> None:
    with pytest.raises(UsageError):
        tell(small_graph, asked)
