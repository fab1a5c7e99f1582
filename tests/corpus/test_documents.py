from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from benchmarks import fuzz
from hypothesis import given
from hypothesis import strategies as st

from ailineage.corpus import documents
from ailineage.corpus.documents import language_of, normalise, paths, read
from ailineage.errors import DocumentError

CHINESE = "注意力机制是一种让模型聚焦于输入关键部分的技术。" * 3


def only(path: Path) -> documents.Document:
    (document,) = read(path)
    return document


def test_markdown_keeps_its_text_and_takes_its_first_line_as_title(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text("# BERT\r\n\r\nIt reads.\r\n\r\n\r\n\r\nBoth ways.", encoding="utf-8")
    document = only(path)
    assert document.title == "BERT"
    assert document.text == "# BERT\n\nIt reads.\n\nBoth ways."
    assert (document.language, document.encoding) == ("en", "utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings_are_detected_and_said(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "笔记.txt"
    path.write_bytes(CHINESE.encode(encoding))
    document = only(path)
    assert document.text == CHINESE
    assert document.language == "zh"
    assert document.encoding == encoding


def test_html_gives_the_article_without_navigation(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    body = "".join(
        f"<p>The Transformer replaced recurrence with attention in step {i} of its design.</p>" for i in range(9)
    )
    path.write_text(
        f"<html><head><title>On attention</title></head><body><nav><a href='/'>Home</a> <a href='/x'>Login</a></nav>"
        f"<article><h1>On attention</h1>{body}</article><footer>Cookie settings</footer></body></html>",
        encoding="utf-8",
    )
    document = only(path)
    assert "replaced recurrence" in document.text
    assert "Login" not in document.text
    assert "Cookie" not in document.text


def test_docx_keeps_headings_and_tables(tmp_path: Path) -> None:
    import docx

    file = docx.Document()
    file.add_heading("Models", level=1)
    file.add_paragraph("BERT reads both ways.")
    table = file.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "BERT", "110M"
    path = tmp_path / "models.docx"
    file.save(str(path))
    assert only(path).text == "# Models\nBERT reads both ways.\nBERT | 110M"


def test_jsonl_is_one_document_a_line(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    rows = [{"id": "a", "title": "A", "text": "first"}, {"id": "b", "title": "B", "text": "second"}]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert [(d.id, d.title, d.text) for d in read(path)] == [("a", "A", "first"), ("b", "B", "second")]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.txt", b" \n ", "is empty"),
        ("binary.txt", b"\x7fELF\0\0\0\x01", "binary file"),
        ("noise.md", bytes(range(128, 256)) * 4, "UTF-8"),
        ("broken.pdf", b"%PDF-1.4 nothing here", "not a readable PDF"),
        ("broken.docx", b"PK nothing here", "not a readable docx"),
        ("blank.html", b"<html><body></body></html>", "no readable text"),
        ("bad.jsonl", b'{"id": 1, "text": "x"}\n{"id": 2}', "line 2"),
        ("twice.jsonl", b'{"id": 1, "text": "x"}\n{"id": 1, "text": "y"}', "stands twice"),
    ],
)
def test_bad_files_get_one_clear_line(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=complaint) as raised:
        list(read(path))
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_gigantic_files_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LIMIT", 10)
    path = tmp_path / "big.txt"
    path.write_text("x" * 11)
    with pytest.raises(DocumentError, match="over the limit"):
        list(read(path))


def test_paths_take_files_folders_and_globs_each_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.md", "a.txt", "skip.png", "in/c.md"):
        (tmp_path / name).write_text(name)
    found = paths([tmp_path, tmp_path / "b.md", str(tmp_path / "*.txt")])
    assert [path.name for path in found] == ["a.txt", "b.md", "c.md"]
    assert found[tmp_path / "in" / "c.md"] == "in/c.md"


@pytest.mark.parametrize("argument", ["missing.md", "picture.png", "*.nothing"])
def test_paths_that_name_nothing_are_errors(tmp_path: Path, argument: str) -> None:
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(DocumentError):
        paths([tmp_path / argument])


def test_two_files_of_one_name_are_not_confused(tmp_path: Path) -> None:
    for folder, text in (("x", "one"), ("y", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "note.md").write_text(text)
    with pytest.raises(DocumentError, match="same name"):
        paths([tmp_path / "x" / "note.md", tmp_path / "y" / "note.md"])


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "\r" not in once


@pytest.mark.parametrize(
    ("text", "language"),
    [("The Transformer", "en"), ("Transformer 是什么", "zh"), ("", "en"), ("GPT-3 beats BERT 吗", "zh")],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_what_a_page_repeats_after_every_paragraph_is_left_out(tmp_path: Path) -> None:
    advert = "本文源自某某学院-https://www.example.com/ai/1.html"
    body = [f"第{n}段说的是第{n}件事。" for n in range(8)]
    path = tmp_path / "blog.txt"
    path.write_text("\n\n".join(line + advert for line in body), encoding="utf-8")
    [document] = read(path)
    assert document.text == "\n\n".join(body)


def test_lines_that_merely_end_alike_are_kept(tmp_path: Path) -> None:
    text = "\n".join(f"{name} is a convolutional neural network" for name in ("A", "B", "C", "D", "E", "F"))
    path = tmp_path / "list.txt"
    path.write_text(text, encoding="utf-8")
    [document] = read(path)
    assert document.text == text


@pytest.mark.parametrize("suffix", ["md", "txt", "html", "jsonl", "pdf", "docx"])
def test_broken_files_of_every_format_are_read_or_refused(tmp_path: Path, suffix: str) -> None:
    draw, path = random.Random(7), tmp_path / f"file.{suffix}"
    read_once, complaints = 0, []
    for data in (fuzz.seeds()[suffix], *(fuzz.mutated(fuzz.seeds()[suffix], draw) for _ in range(60))):
        path.write_bytes(data)
        try:
            read_once += bool(list(read(path)))
        except DocumentError as error:
            complaints.append(str(error))
    assert read_once
    assert not any("\n" in complaint for complaint in complaints)
