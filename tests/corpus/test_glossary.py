from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from ailineage.corpus.glossary import terms
from ailineage.errors import LibraryError
from ailineage.kg.vocabulary import Kind


def test_every_term_has_a_kind_and_stands_once() -> None:
    kinds = {kind.value for kind in Kind}
    assert {term.kind for term in terms()} <= kinds - {"paper", "person"}
    first = Counter(term.en[0].casefold() for term in terms())
    assert [name for name, times in first.items() if times > 1] == []


def test_chinese_names_are_words_of_their_own() -> None:
    names = [name for term in terms() for name in term.zh]
    assert len(names) > 900
    assert [name for name in names if len(name) < 2 or not re.search(r"[\u4e00-\u9fff]|[A-Za-z]{2}", name)] == []


@pytest.mark.parametrize("line", ["concept\tfeature map", "concept\t\t特征图", "特征图"])
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "some.tsv").write_text(f"concept\tstride\t步幅\n{line}\n", encoding="utf-8")
    with pytest.raises(LibraryError, match=r"some\.tsv:2: "):
        terms(tmp_path)
