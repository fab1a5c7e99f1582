from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ailineage.corpus import library
from ailineage.corpus.library import Library
from ailineage.kg import validation
from ailineage.kg.authored import Authored
from ailineage.kg.building import Parts


def test_the_shipped_library_is_clean() -> None:
    assert validation.check(library.load()) == []


def test_the_shipped_librarys_claims_quote_their_documents(shipped: Authored) -> None:
    assert validation.check_graph(Parts(shipped).graph()) == []


@pytest.fixture
def root(small_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_root, tmp_path / "library"))


def findings(root: Path) -> str:
    return "\n".join(validation.check(library.load(root)))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_small_library_is_clean(small_library: Library) -> None:
    assert validation.check(small_library) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("bert/node.toml", 'kind = "model"', 'kind = "modle"', "unknown kind 'modle'"),
        ("bert/node.toml", 'family = "transformer"\n', "", "needs a family"),
        ("bert/node.toml", 'relation = "builds_on"', 'relation = "bilds_on"', "unknown relation"),
        ("bert/node.toml", 'target = "trans"', 'target = "nowhere"', "'nowhere', which is not|'nowhere' is not a node"),
        ("bert/node.toml", 'target = "trans"', 'target = "bert"', "points at itself"),
        ("bert/node.toml", "changed.zh", "note.zh", "no changed.zh"),
        ("bert/node.toml", 'ref = "arxiv:1810.04805"', 'ref = "arxiv:9999.00001"', "not in the bibliography"),
        ("bert/node.toml", "110_000_000", '"110M"', "whole number"),
        ("trans/node.toml", 'target = "google"', 'target = "bert"', "allowed: organization"),
        ("bert/node.toml", 'value = "2018-10-11"', 'value = "2016-10-11"', "dated before its parent"),
        ("bert/zh.md", "2018", "2019", "does not say 2018"),
        ("bert/en.md", "BERT came in 2018", "BERT came in 2018 with 345 million weights", "'345 million' is not in zh"),
        ("bert/en.md", "2018", "2019", "years differ"),
        ("bert/en.md", "BERT came", "[BERT](node:nobody) came", "link to 'nobody'"),
        ("bert/zh.md", "它把一个序列", "", "takes 230 to 750|characters"),
        ("bert/node.toml", '"bert-net"', '"transformer"', "is borne by bert, trans"),
        ("bert/en.md", "BERT came in 2018", "Transformer came in 2017", "say nearly the same|years differ"),
    ],
)
def test_each_rule_finds_its_breach(root: Path, file: str, old: str, new: str, complaint: str) -> None:
    import re

    edit(root / "articles" / file, old, new)
    if file.endswith("zh.md"):
        (root / "articles" / file).write_text("太短。", encoding="utf-8")
    assert re.search(complaint, findings(root))


def test_a_circle_in_the_lineage_is_found(root: Path) -> None:
    path = root / "articles" / "seq" / "node.toml"
    path.write_text(
        path.read_text(encoding="utf-8")
        + '[[fact]]\nrelation = "builds_on"\ntarget = "bert"\nref = "sutskever2014"\n'
        + 'changed.en = "x"\nchanged.zh = "x"\n',
        encoding="utf-8",
    )
    assert "runs in a circle: bert -> seq -> trans" in findings(root)


def test_arxiv_ids_agree_with_dates(root: Path) -> None:
    edit(root / "bibliography" / "all.toml", 'date = "2017-06-12"', 'date = "2018-06-12"')
    assert "was submitted in 17-06" in findings(root)


def test_one_reference_has_one_entry(root: Path) -> None:
    from ailineage.errors import LibraryError

    (root / "bibliography" / "more.toml").write_text('["arxiv:1706.03762"]\ntitle = "Attention"\n', encoding="utf-8")
    with pytest.raises(LibraryError, match="already in the bibliography"):
        library.load(root)
