"""Nearest vectors by FAISS, exactly: inner product of unit vectors, which is the cosine."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ailineage.errors import UsageError, WorkspaceError

Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]
_LOG = logging.getLogger(__name__)
_INDEX, _IDS = "dense.faiss", "dense.ids.npy"


class DenseIndex:
    """Vectors under ids of the caller's choice; exact search.

    Example:
        >>> index = DenseIndex(2)
        >>> index.add(np.eye(2, dtype=np.float32), [7, 8])
        >>> index.search(np.array([[0.0, 1.0]], np.float32), 1)[1].tolist()
        [[8]]
    """

    def __init__(self, dimension: int, device: str = "cpu") -> None:
        """An empty index.

        Args:
            dimension: width of the vectors.
            device: `cpu`, `cuda`, or `auto` for a GPU where there is one. Without GPU or faiss-gpu, `cuda` means the
                CPU, and one line in the log says so.
        """
        import faiss

        self.device = device
        self._index: Any = faiss.IndexFlatIP(dimension)
        self._ids: Ids = np.zeros(0, np.int64)
        self._searcher: Any = None

    @classmethod
    def build(cls, vectors: Vectors, ids: Iterable[int] | None = None, device: str = "cpu") -> Self:
        """An index of vectors (N, D) under `ids`, or 0 to N - 1."""
        index = cls(vectors.shape[1], device)
        index.add(vectors, range(len(vectors)) if ids is None else ids)
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
    def vectors(self) -> Vectors:
        """The vectors (N, D) in the order of the rows, as a copy."""
        vectors: Vectors = self._index.reconstruct_n(0, len(self))
        return vectors

    def add(self, vectors: Vectors, ids: Iterable[int]) -> None:
        """Add vectors (N, D).

        Raises:
            UsageError: if the width is another, the numbers of vectors and ids differ, or an id is there already.
        """
        new = np.fromiter(ids, np.int64)
        if vectors.shape != (len(new), self.dimension):
            raise UsageError(f"vectors of shape {vectors.shape} for {len(new)} ids in an index of {self.dimension}")
        if len(np.unique(new)) < len(new) or np.isin(new, self._ids).any():
            raise UsageError("an id is already in the index; remove it first")
        self._own()
        self._index.add(np.ascontiguousarray(vectors, np.float32))
        self._ids = np.concatenate([self._ids, new])

    def remove(self, ids: Iterable[int]) -> int:
        """Remove vectors; ids that are not there are passed over. Returns how many were removed."""
        gone = np.isin(self._ids, np.fromiter(ids, np.int64))
        if gone.any():
            self._own()
            self._index.remove_ids(np.flatnonzero(gone).astype(np.int64))
            self._ids = self._ids[~gone]
        return int(gone.sum())

    def search(self, queries: Vectors, k: int) -> tuple[Vectors, Ids]:
        """The `k` nearest of each query (Q, D): scores and ids (Q, min(k, N)), best first."""
        k = min(k, len(self))
        if k == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        if self._searcher is None:
            self._searcher = _on_gpu(self._index) if self.device in ("cuda", "auto") else self._index
            if self._searcher is None:
                if self.device == "cuda":
                    _LOG.warning("no GPU that faiss can use; searching on the CPU (a GPU needs the package faiss-gpu)")
                self._searcher = self._index
        scores, rows = self._searcher.search(np.ascontiguousarray(queries, np.float32), k)
        return scores, self._ids[rows]

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        import faiss

        faiss.write_index(self._index, str(folder / _INDEX))
        np.save(folder / _IDS, self._ids, allow_pickle=False)

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
        except (OSError, RuntimeError, ValueError):
            raise WorkspaceError(f"{folder}: the dense index is missing or damaged; run `ailineage build`") from None
        if read.ntotal != len(ids):
            raise WorkspaceError(f"{folder}: the dense index is damaged; run `ailineage build`")
        index = cls(read.d, device)
        index._index, index._ids = read, ids
        index._mapped = True
        return index

    _mapped = False

    def _own(self) -> None:
        """Before a change: take a mapped index into memory, and forget the copy on the GPU."""
        import faiss

        self._searcher = None
        if self._mapped:
            owned = faiss.IndexFlatIP(self.dimension)
            owned.add(self.vectors)
            self._index, self._mapped = owned, False


def _on_gpu(index: Any) -> Any:
    """The index on the first GPU, or None where that is not to be had."""
    import faiss

    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
        return None
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
