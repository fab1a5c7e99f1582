"""Nearest vectors by FAISS: inner product of unit vectors, which is the cosine.

While there are few, search is exact; beyond that a structure is chosen by size (see `structure`) and its candidates
are scored again with the vectors themselves, which lie beside it in half precision.

    dense.faiss, dense.ids.npy, dense.json    the structure, the ids of its rows, how it is searched and its recall
    dense.vectors.npy                         the vectors, where the structure does not hold them whole
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from ailineage.errors import UsageError, WorkspaceError
from ailineage.retrieval import structure
from ailineage.retrieval.structure import RECALL, Settings

Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]
_LOG = logging.getLogger(__name__)
_INDEX, _IDS, _SETTINGS, _VECTORS = "dense.faiss", "dense.ids.npy", "dense.json", "dense.vectors.npy"


class DenseIndex:
    """Vectors under ids of the caller's choice.

    Example:
        >>> index = DenseIndex(2)
        >>> index.add(np.eye(2, dtype=np.float32), [7, 8])
        >>> index.search(np.array([[0.0, 1.0]], np.float32), 1)[1].tolist()
        [[8]]
    """

    def __init__(self, dimension: int, device: str = "cpu") -> None:
        """An empty index, searched exactly.

        Args:
            dimension: width of the vectors.
            device: `cpu`, `cuda`, or `auto` for a GPU where there is one. Without GPU or faiss-gpu, `cuda` means the
                CPU, and one line in the log says so.
        """
        import faiss

        self.device = device
        self.settings = Settings()
        self._index: Any = faiss.IndexFlatIP(dimension)
        self._ids: Ids = np.zeros(0, np.int64)
        self._beside: NDArray[np.float16] | None = None
        self._searcher: Any = None

    @classmethod
    def build(
        cls,
        vectors: Vectors,
        ids: Iterable[int] | None = None,
        device: str = "cpu",
        *,
        kind: str | None = None,
        recall: float = RECALL,
        earlier: DenseIndex | None = None,
    ) -> Self:
        """An index of vectors (N, D) under `ids`, or 0 to N - 1.

        Args:
            vectors: unit vectors.
            ids: their ids, each once.
            device: as for an empty index.
            kind: `flat`, `ivf`, `pq` or `hnsw`; chosen by size if None.
            recall: recall@10 against exact search that the structure is tuned to, in (0, 1].
            earlier: an index whose cells may be used again, which saves learning them; it is of no use afterwards.
        """
        index = cls(vectors.shape[1], device)
        kind = structure.chosen(kind, len(vectors))
        if kind == "flat":
            index.add(vectors, range(len(vectors)) if ids is None else ids)
            return index
        index._ids = _distinct(range(len(vectors)) if ids is None else ids)
        index._beside = np.asarray(vectors, np.float16)
        usable = earlier._index if earlier is not None and earlier.settings.kind == kind else None
        index._index = structure.make(kind, vectors, usable)
        index.settings = structure.tune(index._index, kind, vectors, recall, index._rescored)
        return index

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return int(self._index.d)

    @property
    def ids(self) -> Ids:
        """The ids (N,) in the order of the rows."""
        return self._ids

    @property
    def vectors(self) -> Vectors | NDArray[np.float16]:
        """The vectors (N, D) in the order of the rows: a copy, or where a structure holds them a mapped file."""
        if self._beside is not None:
            return self._beside
        vectors: Vectors = self._index.reconstruct_n(0, len(self))
        return vectors

    def add(self, vectors: Vectors, ids: Iterable[int]) -> None:
        """Add vectors (N, D).

        Raises:
            UsageError: if the width is another, the numbers of vectors and ids differ, or an id is there already.
        """
        new = _distinct(ids)
        if vectors.shape != (len(new), self.dimension):
            raise UsageError(f"vectors of shape {vectors.shape} for {len(new)} ids in an index of {self.dimension}")
        if np.isin(new, self._ids).any():
            raise UsageError("an id is already in the index; remove it first")
        self._own()
        self._index.add(np.ascontiguousarray(vectors, np.float32))
        self._ids = np.concatenate([self._ids, new])
        if self._beside is not None:
            self._beside = np.concatenate([self._beside, np.asarray(vectors, np.float16)])

    def remove(self, ids: Iterable[int]) -> int:
        """Remove vectors; ids that are not there are passed over. Returns how many were removed."""
        gone = np.isin(self._ids, np.fromiter(ids, np.int64))
        if gone.any():
            self._own()
            self._ids = self._ids[~gone]
            if self._beside is None:
                self._index.remove_ids(np.flatnonzero(gone).astype(np.int64))
            else:
                self._beside = self._beside[~gone]
                self._index = structure.make(self.settings.kind, self._beside, self._index)
        return int(gone.sum())

    def search(self, queries: Vectors, k: int) -> tuple[Vectors, Ids]:
        """The `k` nearest of each query (Q, D): scores and ids (Q, min(k, N)), best first.

        A structure that finds fewer fills up with the score -1 and the id -1.
        """
        k = min(k, len(self))
        if k == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        if self._searcher is None:
            self._searcher = _on_gpu(self._index) if self.device in ("cuda", "auto") else self._index
            if self._searcher is None:
                if self.device == "cuda":
                    _LOG.warning("no GPU that faiss can use; searching on the CPU (a GPU needs the package faiss-gpu)")
                self._searcher = self._index
        queries = np.ascontiguousarray(queries, np.float32)
        if self._beside is None:
            scores, rows = self._searcher.search(queries, k)
            return scores, self._ids[rows]
        rows = self._rescored(queries, structure.search(self._searcher, self.settings, queries, k), k)
        scores = np.where(rows >= 0, np.einsum("qkd,qd->qk", self._beside[rows].astype(np.float32), queries), -1.0)
        return scores.astype(np.float32), np.where(rows >= 0, self._ids[rows], -1)

    def _rescored(self, queries: Vectors, candidates: Ids, k: int) -> Ids:
        """The best `k` rows (Q, k) among candidate rows (Q, C), by the vectors themselves; -1 where there are none."""
        assert self._beside is not None
        best = np.full((len(queries), k), -1, np.int64)
        for number, (query, rows) in enumerate(zip(queries, candidates, strict=True)):
            rows = np.sort(rows[rows >= 0])
            order = np.argsort(-(self._beside[rows].astype(np.float32) @ query), kind="stable")[:k]
            best[number, : len(order)] = rows[order]
        return best

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        import faiss

        faiss.write_index(self._index, str(folder / _INDEX))
        np.save(folder / _IDS, self._ids, allow_pickle=False)
        (folder / _SETTINGS).write_bytes(orjson.dumps(self.settings.to_json()))
        if self._beside is not None:
            np.save(folder / _VECTORS, self._beside, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Self:
        """Open a saved index; the vectors stay in the file and are mapped into memory.

        Raises:
            WorkspaceError: if the files are missing or damaged.
        """
        import faiss

        flag = getattr(faiss, "IO_FLAG_MMAP_IFC", faiss.IO_FLAG_MMAP)
        try:
            read = faiss.read_index(str(folder / _INDEX), flag)
            ids = np.load(folder / _IDS, allow_pickle=False)
            settings = Settings(**orjson.loads((folder / _SETTINGS).read_bytes()))
            beside = None
            if settings.kind != "flat":
                beside = np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False)
        except (OSError, RuntimeError, ValueError, TypeError):
            raise WorkspaceError(f"{folder}: the dense index is missing or damaged; run `ailineage build`") from None
        if read.ntotal != len(ids) or (beside is not None and beside.shape != (len(ids), read.d)):
            raise WorkspaceError(f"{folder}: the dense index is damaged; run `ailineage build`")
        index = cls(read.d, device)
        index._index, index._ids, index._beside, index.settings = read, ids, beside, settings
        index._mapped = True
        return index

    _mapped = False

    def _own(self) -> None:
        """Before a change: take a mapped index into memory, and forget the copy on the GPU."""
        self._searcher = None
        if self._mapped:
            self._index = structure.make(self.settings.kind, self.vectors)
            self._mapped = False


def _distinct(ids: Iterable[int]) -> Ids:
    found = np.fromiter(ids, np.int64)
    if len(np.unique(found)) < len(found):
        raise UsageError("an id is given twice")
    return found


def _on_gpu(index: Any) -> Any:
    """The index on the first GPU, flat vectors in half precision; None where that is not to be had."""
    import faiss

    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
        return None
    options = faiss.GpuClonerOptions()
    options.useFloat16 = True
    try:
        return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index, options)
    except RuntimeError:  # a structure that has no GPU form: four-bit quantisation, HNSW
        return None
