from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailineage.corpus.documents import Document, language_of, normalise, read
from ailineage.corpus.passages import sentences, split


def document(text: str) -> Document:
    stored = normalise(text)
    return Document("d", "t", stored, language_of(stored), "d.md", "0")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("第一句。第二句！“第三句？”", ["第一句。", "第二句！", "“第三句？”"]),
        ("Devlin et al. wrote it. It works.", ["Devlin et al. wrote it.", "It works."]),
        ("Version 3.5 came out.\n- item one\n- item two", ["Version 3.5 came out.", "- item one", "- item two"]),
        ("在 2017 年。The end.", ["在 2017 年。", "The end."]),
    ],
)
def test_sentences(text: str, pieces: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text)] == pieces


@given(st.text(alphabet="ab 。.\n#-!?注", max_size=400))
def test_spans_quote_the_text_and_never_overlap(text: str) -> None:
    doc = document(text)
    last = 0
    for passage in split(doc, size=40):
        assert doc.text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert passage.start >= last
        last = passage.end


@given(st.text(alphabet="ab。.\n 注", max_size=300))
def test_passages_lose_no_word(text: str) -> None:
    doc = document(text)
    kept = "".join("".join(p.text.split()) for p in split(doc, size=30))
    assert kept == "".join(doc.text.split())


def test_a_text_without_an_end_takes_no_longer_than_its_length() -> None:
    began = time.perf_counter()
    assert len(list(sentences("wow!x" * 8000))) == 1
    assert time.perf_counter() - began < 2.0  # it took a minute when every start was tried anew


def test_headings_are_remembered_not_repeated() -> None:
    doc = document("# Models\n\nAbout models.\n\n## BERT\n\nAbout BERT.\n\n# Data\n\nAbout data.")
    assert [(p.heading, p.text) for p in split(doc)] == [
        ("Models", "About models."),
        ("Models / BERT", "About BERT."),
        ("Data", "About data."),
    ]


def test_a_passage_is_cut_between_sentences() -> None:
    doc = document("这是一句关于注意力机制的话。" * 60)
    passages = split(doc)
    assert len(passages) > 1
    assert all(p.text.endswith("。") for p in passages)


def test_the_four_documents_are_cut_small(seeds: Path) -> None:
    for path in sorted(seeds.glob("*.txt")):
        (doc,) = read(path)
        assert all(len(p.text) <= 700 for p in split(doc))
