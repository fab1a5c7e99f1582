from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ailineage.corpus.documents import Document
from ailineage.errors import MismatchError, UsageError, WorkspaceError
from ailineage.kg.building import Parts
from ailineage.kg.graph import KnowledgeGraph
from ailineage.retrieval.bundling import weight
from ailineage.retrieval.embedding import Vectors
from ailineage.retrieval.known import Journal, Known, embed
from ailineage.retrieval.retriever import MODES, Retriever
from tests.retrieval.conftest import LetterEmbedder


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_finds_the_passage_and_cites_it_exactly(retriever: Retriever, mode: str) -> None:
    found = retriever.search("How many parameters does BERT have?", k=3, mode=mode)
    assert 0 < len(found) <= 3
    assert "bert" in {evidence.node for evidence in found}
    assert [evidence.score for evidence in found] == sorted((e.score for e in found), reverse=True)
    for evidence in found:
        assert evidence.text == retriever.graph.documents[evidence.document].text[evidence.start : evidence.end]
        assert {"dense", "bm25", "graph"} <= set(evidence.signals)


def test_an_unknown_mode_is_refused(retriever: Retriever) -> None:
    with pytest.raises(UsageError, match="hybrid, dense, bm25, graph"):
        retriever.search("BERT", mode="magic")


def test_unchanged_passages_are_not_embedded_again(
    index: Path, letters: LetterEmbedder, parts: Parts, tmp_path: Path
) -> None:
    parts.add([Document("notes.md", "Notes", "Zyxomma is a dragonfly.", "en", "notes.md", "x")])
    Retriever.build(parts.graph(), letters, tmp_path / "next", known=index, cache=index.parent)
    assert letters.embedded == ["Notes\nZyxomma is a dragonfly."]
    opened = Retriever.open(tmp_path / "next", parts.graph(), letters, index.parent)
    assert opened.search("Zyxomma", k=1)[0].document == "notes.md"


def test_vectors_of_another_embedder_are_not_taken(letters: LetterEmbedder) -> None:
    known = Known()
    keys, vectors = embed(["one", "two", "one"], letters, known)
    assert letters.embedded == ["one", "two"]
    known.add(keys, vectors)
    embed(["one"], letters, known)
    assert letters.embedded == ["one", "two"]
    other = LetterEmbedder()
    other.identity = "other letters"
    embed(["one"], other, known)
    assert other.embedded == ["one"]


class _Killed(LetterEmbedder):
    """An embedder that dies after some pieces."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.left = pieces

    def passages(self, texts: Sequence[str]) -> Vectors:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return super().passages(texts)


def test_a_killed_build_goes_on_where_it_stopped(
    letters: LetterEmbedder, small_graph: KnowledgeGraph, tmp_path: Path
) -> None:
    texts = [f"text {number} " + "x" * (number % 7) for number in range(50)]
    first = _Killed(3)
    with pytest.raises(KeyboardInterrupt):
        embed(texts, first, Known(), journal=Journal(tmp_path, first))
    assert len(first.embedded) == 3 * first.piece
    journal = Journal(tmp_path, letters)
    with journal.path.open("ab") as stream:
        stream.write(b"half a record")
    _, vectors = embed(texts, letters, Known(), journal=journal)
    assert sorted(first.embedded + letters.embedded) == sorted(texts)
    np.testing.assert_allclose(vectors, LetterEmbedder().queries(texts), atol=1e-6)
    assert len(journal.read()[0]) == len(texts)
    Retriever.build(small_graph, letters, tmp_path / "index", cache=tmp_path)
    assert not journal.path.exists()


def test_an_index_of_another_graph_or_embedder_is_refused(
    index: Path, letters: LetterEmbedder, small_graph: KnowledgeGraph, tmp_path: Path
) -> None:
    fewer = KnowledgeGraph(small_graph.nodes.values(), (), list(small_graph.documents.values())[:1])
    with pytest.raises(MismatchError, match="ailineage build"):
        Retriever.open(index, fewer, letters)
    letters.dimension = 32
    with pytest.raises(MismatchError, match="embedder"):
        Retriever.open(index, small_graph, letters)
    with pytest.raises(WorkspaceError, match="ailineage build"):
        Retriever.open(tmp_path / "absent", small_graph, letters)


def test_an_index_of_nothing_finds_nothing(
    letters: LetterEmbedder, small_graph: KnowledgeGraph, tmp_path: Path
) -> None:
    empty = KnowledgeGraph(small_graph.nodes.values(), (), ())
    Retriever.build(empty, letters, tmp_path / "empty", cache=tmp_path)
    opened = Retriever.open(tmp_path / "empty", empty, letters, tmp_path)
    assert opened.search("BERT") == []
    assert opened.bundle("Who made BERT?").evidence == ()


# ---- bundles ----------------------------------------------------------------------------------------------------


def test_a_question_of_descent_gets_the_whole_path_first(retriever: Retriever) -> None:
    bundle = retriever.bundle("How did Seq2Seq lead to BERT?")
    assert [(hop.parent, hop.child) for hop in bundle.path] == [("seq", "trans"), ("trans", "bert")]
    assert [hop.evidence for hop in bundle.path] == list(bundle.evidence[:2])
    assert all(hop.changed for hop in bundle.path)


def test_what_came_of_a_node_is_told_to_the_last_generation(
    letters: LetterEmbedder, parts: Parts, tmp_path: Path
) -> None:
    text = "ZiBERT is a model that builds on BERT. ZoBERT is a model that builds on ZiBERT."
    parts.add([Document("notes.md", "Notes", text, "en", "notes.md", "x")])
    graph = parts.graph()
    Retriever.build(graph, letters, tmp_path / "index", cache=tmp_path)
    retriever = Retriever.open(tmp_path / "index", graph, letters, tmp_path)
    found = retriever.bundle("What came after the Transformer?").evidence
    steps = [(graph.claims[item.claim], item.hop) for item in found if item.claim]
    names = [(graph.nodes[claim.subject].name("en"), hop) for claim, hop in steps if claim.relation == "builds_on"]
    assert [step for step in names if step[0] != "Transformer"] == [("BERT", 0), ("ZiBERT", 1), ("ZoBERT", 2)]


def test_a_small_budget_keeps_both_ends_of_a_path(retriever: Retriever) -> None:
    bundle = retriever.bundle("How did Seq2Seq lead to BERT?", budget=1)
    assert list(bundle.evidence) == [hop.evidence for hop in bundle.path]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How many parameters does BERT have?", "110 million"),
        ("BERT 有多少参数？", "1.1 亿"),
        ("Who wrote the BERT paper?", "Jacob Devlin"),
        ("BERT 的作者是谁？", "Jacob Devlin"),
        ("When was the Transformer published?", "June 12, 2017"),
        ("Transformer 是哪年发表的？", "2017 年 6 月 12 日"),
        ("Which company developed the Transformer?", "Google"),
    ],
)
def test_the_claim_that_is_asked_for_comes_first_in_the_language_of_the_question(
    retriever: Retriever, question: str, said: str
) -> None:
    bundle = retriever.bundle(question)
    first = bundle.evidence[0]
    assert said in first.text
    assert first.claim is not None
    assert first.language == bundle.language


def test_a_comparison_has_facts_and_words_about_both(retriever: Retriever) -> None:
    bundle = retriever.bundle("What is the difference between BERT and Seq2Seq?")
    assert bundle.nodes == ("bert", "seq")
    for node in bundle.nodes:
        about = [evidence for evidence in bundle.evidence if evidence.node == node]
        assert any(evidence.claim for evidence in about)
        assert any(not evidence.claim for evidence in about)


def test_evidence_is_exact_bounded_and_never_given_twice(retriever: Retriever) -> None:
    for question in ("What is BERT?", "BERT 是什么？", "Compare BERT and the Transformer", "2018 年有什么？"):
        bundle = retriever.bundle(question, budget=900)
        assert 0 < sum(weight(evidence.text) for evidence in bundle.evidence) <= 900
        assert len({evidence.text for evidence in bundle.evidence}) == len(bundle.evidence)
        for evidence in bundle.evidence:
            assert evidence.text == retriever.graph.documents[evidence.document].text[evidence.start : evidence.end]


def test_a_year_asks_for_what_appeared_in_it(retriever: Retriever) -> None:
    assert retriever.bundle("Which models came out in 2018?").evidence[0].node == "bert"


def test_what_is_not_in_the_field_can_be_told(retriever: Retriever) -> None:
    bundle = retriever.bundle("How tall is Mount Everest?")
    assert bundle.unknown == ("Mount Everest",)
    assert bundle.nodes == ()
    assert all(e.signals["bm25"] == 0 and e.signals["graph"] == 0 and "name" not in e.signals for e in bundle.evidence)


def test_a_name_that_only_a_document_has_is_not_unknown(letters: LetterEmbedder, parts: Parts, tmp_path: Path) -> None:
    text = "Zyxomma petiolatum is a dragonfly of the dusk. It is seldom seen by day."
    parts.add([Document("notes.md", "Notes", text, "en", "notes.md", "x")])
    graph = parts.graph()
    Retriever.build(graph, letters, tmp_path / "index", cache=tmp_path)
    retriever = Retriever.open(tmp_path / "index", graph, letters, tmp_path)
    assert retriever.bundle("When does Zyxomma petiolatum fly?").unknown == ()
    assert retriever.bundle("When does Quixomma fly?").unknown == ("Quixomma",)


def test_a_users_documents_come_beside_the_library_unless_they_lie_far_off(
    letters: LetterEmbedder, parts: Parts, tmp_path: Path
) -> None:
    about = {f"bert-{n}.txt": f"Note {n}. How many parameters ours has, we do not say here." for n in range(1, 4)}
    texts = {**about, "soup.txt": "Boil leeks, add salt, simmer until soft, then serve with bread."}
    parts.add([Document(id, id, text, "en", id, id) for id, text in texts.items()])
    graph = parts.graph()
    Retriever.build(graph, letters, tmp_path / "index", cache=tmp_path)
    retriever = Retriever.open(tmp_path / "index", graph, letters, tmp_path)
    found = [evidence.document for evidence in retriever.search("When did BERT come?", k=5)]
    assert {place for place, document in enumerate(found) if document in about} == {1, 3, 4}
    assert "soup.txt" not in found


def test_nodes_that_no_passage_names_together_are_apart(letters: LetterEmbedder, parts: Parts, tmp_path: Path) -> None:
    graph = parts.graph()
    Retriever.build(graph, letters, tmp_path)
    retriever = Retriever.open(tmp_path, graph, letters)
    assert ("bert", "google") not in retriever.apart(["bert", "google"])
    pairs = set(retriever.apart(list(graph.nodes)))
    for one, other in pairs:
        assert not any({one, other} <= set(graph.mentions[passage.id]) for passage in graph.passages)
    assert pairs


def test_a_very_long_question_is_answered(retriever: Retriever) -> None:
    assert retriever.bundle("BERT 是什么？" + "啊" * 1_990).nodes == ("bert",)


def test_language_can_be_asked_for(retriever: Retriever) -> None:
    assert retriever.bundle("BERT 有多少参数？", language="en").evidence[0].language == "en"
    assert replace(retriever.bundle("What is BERT?", "zh")).language == "zh"
