"""Rules for tests: no test touches the user's workspace, the network or ../shared (those that read it skip without it).

The small library below is a real one in miniature: four articles in two languages with their bibliography.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ailineage.corpus import library
from ailineage.corpus.library import Library
from ailineage.kg import authored
from ailineage.kg.authored import Authored
from ailineage.kg.building import Parts
from ailineage.kg.graph import KnowledgeGraph

SHARED = Path(__file__).resolve().parents[2] / "shared"

_FILLER = {
    "en": "It turns a sequence into another one and is trained by gradient descent on pairs of examples. " * 10,
    "zh": "它把一个序列变换成另一个序列，并用梯度下降在成对样例上训练。" * 10,
}

_NODES = {
    "seq": ("Seq2Seq", "序列到序列", "2014-09-10", "", "sutskever2014"),
    "trans": (
        "Transformer",
        "Transformer",
        "2017-06-12",
        """
[[fact]]
relation = "builds_on"
target = "seq"
ref = "arxiv:1706.03762"
changed.en = "Replaces recurrence by attention."
changed.zh = "用注意力代替循环。"
[[fact]]
relation = "developed_by"
target = "google"
ref = "arxiv:1706.03762"
""",
        "arxiv:1706.03762",
    ),
    "bert": (
        "BERT",
        "BERT",
        "2018-10-11",
        """
[[fact]]
relation = "builds_on"
target = "trans"
ref = "arxiv:1810.04805"
changed.en = "Keeps only the encoder and reads in both directions."
changed.zh = "只保留编码器，并同时看两侧。"
[[fact]]
relation = "has_parameters"
of = "BERT-base"
value = 110_000_000
ref = "arxiv:1810.04805"
""",
        "arxiv:1810.04805",
    ),
}

_BIBLIOGRAPHY = """
["arxiv:1706.03762"]
title = "Attention Is All You Need"
authors = ["Ashish Vaswani", "Noam Shazeer"]
date = "2017-06-12"
["arxiv:1810.04805"]
title = "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding"
authors = ["Jacob Devlin", "Ming-Wei Chang"]
date = "2018-10-11"
[sutskever2014]
title = "Sequence to Sequence Learning with Neural Networks"
authors = ["Ilya Sutskever"]
venue = "NIPS 2014"
date = "2014-09-10"
["google1998"]
title = "About Google"
venue = "Google"
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of its own for every test."""
    monkeypatch.setenv("AILINEAGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small library."""
    root = tmp_path_factory.mktemp("library")
    (root / "bibliography").mkdir()
    (root / "bibliography" / "all.toml").write_text(_BIBLIOGRAPHY, encoding="utf-8")
    for id, (en, zh, date, facts, paper) in _NODES.items():
        folder = root / "articles" / id
        folder.mkdir(parents=True)
        (folder / "node.toml").write_text(
            f'id = "{id}"\nkind = "model"\nfamily = "transformer"\npaper = "{paper}"\n'
            f'[names]\nen = "{en}"\nzh = "{zh}"\n[aliases]\nother = ["{en.lower()}-net"]\n'
            f'[[fact]]\nrelation = "published_on"\nvalue = "{date}"\nref = "{paper}"\n{facts}',
            encoding="utf-8",
        )
        (folder / "en.md").write_text(f"{en} came in {date[:4]}. {_FILLER['en']}", encoding="utf-8")
        (folder / "zh.md").write_text(f"{en} 出现于 {date[:4]} 年。{_FILLER['zh']}", encoding="utf-8")
    folder = root / "articles" / "google"
    folder.mkdir()
    (folder / "node.toml").write_text(
        'id = "google"\nkind = "organization"\n[names]\nen = "Google"\nzh = "谷歌"\n'
        '[[fact]]\nrelation = "published_on"\nvalue = "1998"\nref = "google1998"\n',
        encoding="utf-8",
    )
    (folder / "en.md").write_text("Google, founded in 1998, is home to [BERT](node:bert). " * 8, encoding="utf-8")
    (folder / "zh.md").write_text("谷歌成立于 1998 年，[BERT](node:bert) 就出自这里。" * 8, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def small_library(small_root: Path) -> Library:
    """The small library, read."""
    return library.load(small_root)


@pytest.fixture
def parts(small_library: Library) -> Parts:
    """A graph in the making: the small library and no documents yet."""
    return Parts(authored.read(small_library))


@pytest.fixture(scope="session")
def small_graph(small_library: Library) -> KnowledgeGraph:
    """The graph of the small library."""
    return Parts(authored.read(small_library)).graph()


@pytest.fixture(scope="session")
def shipped() -> Authored:
    """The library that ships with the package, as graph parts."""
    return authored.read(library.load())


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The four real documents; tests that need them skip where they are absent."""
    folder = SHARED / "seeds"
    if not folder.is_dir():
        pytest.skip("the four real documents are not here")
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the shipped library's graph and index, built once; do not write into it."""
    import ailineage

    root = tmp_path_factory.mktemp("built") / "workspace"
    ailineage.open(root).build()
    return root
