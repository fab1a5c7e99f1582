from __future__ import annotations

from pathlib import Path

import pytest

from ailineage.corpus import factsheet, library
from ailineage.corpus.library import Library, Link, Reference, plain_text, read_article
from ailineage.errors import LibraryError


def write(folder: Path, toml: str) -> Path:
    folder.mkdir()
    (folder / "node.toml").write_text(toml, encoding="utf-8")
    for language in ("en", "zh"):
        (folder / f"{language}.md").write_text("text", encoding="utf-8")
    return folder


HEAD = 'id = "x"\nkind = "model"\n[names]\nen = "X"\nzh = "X"\n'


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("id = ", "not valid TOML"),
        ('id = "x"\nkind = "model"\n', "'names' is missing"),
        (HEAD.replace('"x"', '"y"'), "folder's name"),
        ("colour = 1\n" + HEAD, "unknown field 'colour'"),
        (HEAD + '[[fact]]\nrelation = "uses"\ntarget = "y"\n', "needs a ref"),
        (HEAD + '[[fact]]\nrelation = "uses"\nref = "r"\n', "either target or value"),
        (HEAD + '[[fact]]\nrelation = "published_on"\nvalue = "May 2017"\nref = "r"\n', "not a date"),
        (HEAD + '[[fact]]\nrelation = "uses"\ntarget = "y"\nref = "r"\nwhen = "2017"\n', "unknown field 'when'"),
    ],
)
def test_a_bad_node_file_is_named_with_the_field(tmp_path: Path, toml: str, complaint: str) -> None:
    with pytest.raises(LibraryError, match=complaint):
        read_article(write(tmp_path / "x", toml))


def test_a_missing_language_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", HEAD)
    (folder / "zh.md").unlink()
    with pytest.raises(LibraryError, match="missing in this language"):
        read_article(folder)


def test_links_are_taken_out_of_the_text_and_remembered() -> None:
    text, links = plain_text("来自 [BERT](node:bert) 和 [注意力](node:attention)。")
    assert text == "来自 BERT 和 注意力。"
    assert links == (Link(3, 7, "bert"), Link(10, 13, "attention"))
    assert [text[link.start : link.end] for link in links] == ["BERT", "注意力"]


def test_references_know_where_they_can_be_read() -> None:
    assert Reference("arxiv:1706.03762", "t").link == "https://arxiv.org/abs/1706.03762"
    assert Reference("doi:10.1/x", "t").link == "https://doi.org/10.1/x"
    assert Reference("slug", "t", url="https://example.org").link == "https://example.org"
    assert Reference("slug", "t").link is None


def test_every_fact_is_a_sentence_of_the_sheet(small_library: Library) -> None:
    for sheet in factsheet.sheets(small_library):
        said = {sheet.document.text[s.start : s.end] for s in sheet.stated}
        assert len(said) == len(sheet.stated)
        assert [s.fact for s in sheet.stated if s.fact] == list(sheet.article.facts)
        for sentence in said:
            assert "\n" not in sentence
            assert sheet.article.names[sheet.document.language] in sentence


def test_a_fact_reads_naturally_in_both_languages(small_library: Library) -> None:
    sheets = {sheet.document.id: sheet.document.text for sheet in factsheet.sheets(small_library)}
    assert "BERT was first published on October 11, 2018." in sheets["bert.en"]
    assert "BERT 首次发表于 2018 年 10 月 11 日。" in sheets["bert.zh"]
    assert "BERT-base has 110 million (110M) parameters." in sheets["bert.en"]
    assert "BERT-base 有 1.1 亿（110M）个参数。" in sheets["bert.zh"]
    assert "BERT builds on Transformer: Keeps only the encoder" in sheets["bert.en"]
    assert "谷歌成立于 1998 年" in sheets["google.zh"]


def test_the_shipped_library_reads() -> None:
    shipped = library.load()
    assert "bert" in shipped.articles
    assert shipped.articles["bert"].date == "2018-10-11"


def test_a_reference_with_a_date_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bibliography").mkdir()
    (tmp_path / "bibliography" / "a.toml").write_text('[x]\ntitle = "T"\ndate = "ICLR 2022"\n', encoding="utf-8")
    with pytest.raises(LibraryError, match="not a date"):
        library.load(tmp_path)
