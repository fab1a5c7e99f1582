from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from ailineage.errors import UsageError, WorkspaceError
from ailineage.retrieval.dense import DenseIndex, Vectors


@pytest.fixture
def vectors() -> Vectors:
    made = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_search_is_exact(vectors: Vectors) -> None:
    scores, ids = DenseIndex.build(vectors).search(vectors[:7], 5)
    expected = vectors[:7] @ vectors.T
    assert ids.tolist() == np.argsort(-expected, axis=1)[:, :5].tolist()
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :5], atol=1e-5)


def test_a_saved_index_can_be_searched_changed_and_saved_again(vectors: Vectors, tmp_path: Path) -> None:
    DenseIndex.build(vectors[:40], range(100, 140)).save(tmp_path)
    index = DenseIndex.load(tmp_path)
    assert index.search(vectors[3:4], 1)[1].tolist() == [[103]]
    assert index.remove([103, 999]) == 1
    assert index.search(vectors[3:4], 1)[1].tolist() != [[103]]
    index.add(vectors[45:46], [103])
    assert index.search(vectors[45:46], 1)[1].tolist() == [[103]]
    (tmp_path / "again").mkdir()
    index.save(tmp_path / "again")
    again = DenseIndex.load(tmp_path / "again")
    assert again.ids.tolist() == index.ids.tolist()
    np.testing.assert_array_equal(again.vectors, index.vectors)
    assert len(DenseIndex.load(tmp_path)) == 40  # the first one is as it was


def test_an_empty_index_finds_nothing(vectors: Vectors) -> None:
    scores, ids = DenseIndex(8).search(vectors[:2], 3)
    assert scores.shape == ids.shape == (2, 0)


def test_wrong_shapes_and_doubled_ids_are_refused(vectors: Vectors) -> None:
    index = DenseIndex.build(vectors)
    with pytest.raises(UsageError, match="shape"):
        index.add(vectors[:, :4], range(100, 150))
    with pytest.raises(UsageError, match="already"):
        index.add(vectors[:1], [3])


def test_a_damaged_index_says_how_to_mend_it(vectors: Vectors, tmp_path: Path) -> None:
    DenseIndex.build(vectors).save(tmp_path)
    (tmp_path / "dense.faiss").write_bytes(b"nothing")
    with pytest.raises(WorkspaceError, match="ailineage build"):
        DenseIndex.load(tmp_path)


def test_without_a_gpu_cuda_means_the_cpu_and_is_said_once(vectors: Vectors, caplog: pytest.LogCaptureFixture) -> None:
    import faiss

    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus():
        pytest.skip("there is a GPU")
    index = DenseIndex.build(vectors, device="cuda")
    with caplog.at_level(logging.WARNING):
        assert index.search(vectors[:1], 1)[1].tolist() == [[0]]
        index.search(vectors[:1], 1)
    assert len(caplog.records) == 1


@pytest.mark.gpu
def test_the_gpu_finds_what_the_cpu_does(vectors: Vectors) -> None:
    faiss = pytest.importorskip("faiss")
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
        pytest.skip("no GPU, or no faiss-gpu")
    cpu, gpu = DenseIndex.build(vectors), DenseIndex.build(vectors, device="cuda")
    assert cpu.search(vectors, 5)[1].tolist() == gpu.search(vectors, 5)[1].tolist()
    gpu.remove([0])
    assert 0 not in gpu.search(vectors[:1], 5)[1]
