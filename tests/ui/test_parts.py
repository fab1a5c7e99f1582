"""The parts of the pages that need no browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from ailineage.kg.graph import KnowledgeGraph
from ailineage.models.decoder.answer import Answer, Citation, Sentence
from ailineage.models.reference import Step
from ailineage.retrieval.evidence import Evidence
from ailineage.ui import followups, transcript, words
from ailineage.ui.card import plain_label
from ailineage.ui.runs import Run
from ailineage.ui.session import highlighted, marked

HOSTILE = "<script>alert(1)</script> **bold** [x](javascript:1)"


def answer_about(node: str) -> Answer:
    evidence = Evidence(f"{node}.en", 0, 4, "BERT", "BERT", "en", node)
    said = Sentence("BERT builds on the Transformer.", (1,))
    return Answer("What is BERT?", "en", (said,), (Citation(1, node, "BERT", "model", (evidence,)),))


def test_every_word_is_there_in_both_languages() -> None:
    for key, said in words._WORDS.items():
        assert len(said) == 2, key
        assert all(said), key


def test_spans_are_marked_and_the_rest_is_escaped() -> None:
    shown = marked(HOSTILE, [(0, 8), (4, 12), (900, 950)])
    assert "<script" not in shown
    assert shown.count("<mark>") == 2
    assert "<script" not in highlighted(HOSTILE, 3, 9)


def test_a_label_is_no_markup() -> None:
    assert plain_label("a*b_[c](d)") == r"a\*b\_\[c\]\(d\)"


def test_follow_ups_come_from_the_graph_and_repeat_nothing(small_graph: KnowledgeGraph) -> None:
    suggested = followups.suggest(small_graph, answer_about("trans"))
    assert "What was built on Transformer?" in suggested
    assert len(suggested) == len(set(suggested)) <= 3
    assert followups.suggest(small_graph, Answer("?", "en", ())) == []


def test_a_conversation_is_saved_with_footnotes_and_papers(small_graph: KnowledgeGraph) -> None:
    history = [{"question": HOSTILE, "answer": answer_about("bert")}, {"question": "stopped"}]
    text = transcript.markdown(history)
    assert "Transformer.[^1-1]" in text
    assert "[^1-1]: BERT: “BERT” (bert.en:0–4)" in text
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "1810.04805" in transcript.bibtex(small_graph, history)


def test_a_run_is_watched_and_stopped() -> None:
    gate = threading.Event()

    def steps() -> Iterator[Step]:
        yield Step(1, 3, {"loss": 1.0})
        gate.wait(10)
        yield Step(2, 3, {"loss": 0.5})

    run = Run("x", steps)
    run.cancel()
    gate.set()
    deadline = time.monotonic() + 5
    while run.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not run.running
    assert run.cancelled
    assert run.done <= 1


def test_a_run_that_fails_says_why() -> None:
    def steps() -> Iterator[Step]:
        yield Step(1, 2)
        raise ValueError("no data")

    run = Run("x", steps)
    run._worker.join(5)
    assert run.error == "ValueError: no data"
