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


@pytest.fixture(scope="module")
def many() -> Vectors:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(40, 16))
    made = centres[rng.integers(0, 40, 3_000)] + 0.5 * rng.normal(size=(3_000, 16))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("kind", ["ivf", "pq", "hnsw"])
def test_a_structure_keeps_the_recall_asked_for(many: Vectors, kind: str, tmp_path: Path) -> None:
    DenseIndex.build(many, range(5_000, 8_000), kind=kind, recall=0.97).save(tmp_path)
    index = DenseIndex.load(tmp_path)
    assert index.settings.kind == kind
    assert index.settings.recall >= 0.97
    queries = many[::60] + 0.05 * np.random.default_rng(2).normal(size=(50, 16)).astype(np.float32)
    scores, ids = index.search(queries, 10)
    exact = np.argsort(-queries @ many.T, axis=1)[:, :10] + 5_000
    assert np.mean([len(set(f) & set(e)) / 10 for f, e in zip(ids.tolist(), exact.tolist(), strict=True)]) >= 0.93
    np.testing.assert_allclose(scores[:, 0], (queries * many[ids[:, 0] - 5_000]).sum(1), atol=2e-3)
    assert index.remove([int(ids[0, 0])]) == 1
    assert index.search(queries[:1], 10)[1][0, 0] == ids[0, 1]
    index.add(many[ids[0, 0] - 5_000][None], [77])
    assert index.search(queries[:1], 10)[1][0, 0] == 77


def test_the_cells_of_an_earlier_index_serve_again(many: Vectors) -> None:
    first = DenseIndex.build(many, kind="ivf")
    second = DenseIndex.build(many[:2_500], kind="ivf", earlier=first)
    assert len(second) == 2_500
    assert second.search(many[7:8], 1)[1].tolist() == [[7]]
    assert second.settings.recall >= 0.95


def test_an_unknown_structure_is_refused(many: Vectors) -> None:
    with pytest.raises(UsageError, match="flat, ivf, pq, hnsw"):
        DenseIndex.build(many, kind="tree")


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
