from __future__ import annotations

from pathlib import Path

import pytest

from ailineage.errors import WorkspaceError
from ailineage.retrieval.lexical import LexicalIndex, Tokenizer

PASSAGES = ["BERT reads text in both directions", "GPT-2 writes texts", "注意力机制让每个词看到其他词", ""]


@pytest.mark.parametrize("written", ["GPT-2", "gpt2", "GPT‑2", "ＧＰＴ－２"])
def test_a_model_name_is_one_word_and_its_parts_however_it_is_written(written: str) -> None:
    assert Tokenizer().words(written) == ["gpt2", "gpt", "2"]


def test_names_of_the_graph_stay_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = Tokenizer(["掩码语言建模"], tmp_path / "cache").words("用掩码语言建模训练 ViT-B/16")
    assert {"掩码语言建模", "建模", "vitb16", "vit", "16"} <= set(words)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".cache"]
    assert capfd.readouterr() == ("", "")


def test_english_words_are_stemmed_and_small_words_dropped() -> None:
    assert Tokenizer().words("What are the Transformer's networks?") == ["transform", "network"]


def test_a_question_finds_the_passage_with_its_words(tmp_path: Path) -> None:
    index = LexicalIndex.build(PASSAGES, Tokenizer(["注意力机制"], tmp_path))
    assert index.scores("who reads text?").argmax() == 0
    assert index.scores("GPT2").argmax() == 1
    assert index.scores("注意力机制是什么").argmax() == 2
    assert not index.scores("什么").any()
    assert index.knows("reads")
    assert not index.knows("mamba")
    assert index.rarity("mamba") > index.rarity("text")


def test_a_saved_index_gives_the_same_scores_and_holds_no_pickle(tmp_path: Path) -> None:
    index = LexicalIndex.build(PASSAGES, Tokenizer(["注意力机制"], tmp_path / "cache"))
    (tmp_path / "index").mkdir()
    index.save(tmp_path / "index")
    again = LexicalIndex.load(tmp_path / "index", tmp_path / "cache")
    for question in ("text", "注意力", "gpt-2"):
        assert again.scores(question).tolist() == index.scores(question).tolist()
    names = [path.suffix for path in (tmp_path / "index").rglob("*") if path.is_file()]
    assert set(names) <= {".json", ".npy"}


def test_nothing_but_empty_texts_can_be_indexed(tmp_path: Path) -> None:
    index = LexicalIndex.build(["", "…"], Tokenizer())
    index.save(tmp_path)
    assert LexicalIndex.load(tmp_path).scores("anything").tolist() == [0, 0]


def test_a_missing_index_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="ailineage build"):
        LexicalIndex.load(tmp_path)
