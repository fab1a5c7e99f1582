"""Which FAISS structure holds the vectors, and how much of exact search it finds.

    flat    exact inner product: while that is fast enough
    ivf     an inverted file of 8-bit vectors: one byte a dimension
    pq      an inverted file of product-quantised vectors, four bits for four dimensions: D / 8 bytes each
    hnsw    a navigable small world graph over 8-bit vectors: the fastest search, the slowest build, no removal

All but flat give candidates, which are scored again with the vectors themselves. What is searched (nprobe or
efSearch) and how many candidates are scored is raised until the recall asked for is reached; that recall, against
exact search on a sample of the vectors themselves, is stored with the index.

References:
    Jégou et al., "Product quantization for nearest neighbor search", IEEE TPAMI 33, 2011.
    Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using HNSW graphs", arXiv 1603.09320.
    Johnson et al., "Billion-scale similarity search with GPUs", arXiv 1702.08734.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ailineage.errors import UsageError

Vectors = NDArray[np.float32]
Stored = NDArray[np.float32] | NDArray[np.float16]
KINDS = ("flat", "ivf", "pq", "hnsw")
EXACT = 50_000
"""So many vectors are searched exactly by default: some 10 ms on two cores at 384 dimensions."""
COMPACT = 4_000_000
"""From so many on the default is product quantisation, which needs an eighth of the memory."""
RECALL = 0.95
_TOP = 10
_SAMPLE = 200
_TRAIN = 40  # vectors a cell that the cells are learned from; FAISS asks for 39
_FACTORS = (4, 10, 20, 40, 80)
_MOST = 2_000  # candidates a query that are scored again, unless more results are wanted


@dataclass(frozen=True)
class Settings:
    """How an index is searched.

    `effort` is nprobe or efSearch, `factor` the candidates a result, `recall` the recall@10 measured so, in [0, 1],
    on `sample` vectors (1 without a sample where search is exact).
    """

    kind: str = "flat"
    effort: int = 0
    factor: int = 1
    recall: float = 1.0
    sample: int = 0

    def to_json(self) -> dict[str, Any]:
        """As stored beside the index."""
        return asdict(self)


def chosen(kind: str | None, size: int) -> str:
    """The structure for so many vectors, if none is named.

    Raises:
        UsageError: if there is no such structure.
    """
    if kind is None:
        return "flat" if size <= EXACT else "ivf" if size <= COMPACT else "pq"
    if kind not in KINDS:
        raise UsageError(f"no index structure is called {kind!r}; there are {', '.join(KINDS)}")
    return kind


def make(kind: str, vectors: Stored, trained: Any = None) -> Any:
    """A FAISS index that holds vectors (N, D) under 0 to N - 1.

    Args:
        kind: one of KINDS.
        vectors: float32 or float16, in memory or mapped; they are read in pieces.
        trained: an earlier index of the same kind, whose cells are used again if they still suit the size.
    """
    import faiss

    index: Any
    size, width = vectors.shape
    if kind == "flat":
        index = faiss.IndexFlatIP(width)
    elif trained is not None and _suits(trained, kind, size, width):
        index = trained
        index.reset()
    else:
        index = faiss.index_factory(width, _recipe(kind, size, width), faiss.METRIC_INNER_PRODUCT)
        if kind == "hnsw":
            index.hnsw.efConstruction = 80
        if not index.is_trained:
            index.train(_drawn(vectors, _TRAIN * cells(size)))
    for start in range(0, size, 65_536):
        index.add(np.ascontiguousarray(vectors[start : start + 65_536], np.float32))
    return index


def cells(size: int) -> int:
    """How many cells the inverted file of `size` vectors has: about 4 sqrt(N), a power of two."""
    return max(1, 2 ** round(math.log2(max(4 * math.sqrt(size), 1))))


def _recipe(kind: str, size: int, width: int) -> str:
    if kind == "hnsw":
        return "HNSW32_SQ8"
    coarse = f"IVF{cells(size)}" + ("_HNSW32" if cells(size) >= 16_384 else "")
    if kind == "ivf":
        return f"{coarse},SQ8"
    parts = next(parts for parts in range(max(width // 4, 1), 0, -1) if width % parts == 0)
    return f"{coarse},PQ{parts}x4fs"


def _suits(trained: Any, kind: str, size: int, width: int) -> bool:
    if kind not in ("ivf", "pq") or trained.d != width or not trained.is_trained:
        return False
    return cells(size) // 2 <= getattr(trained, "nlist", 0) <= 2 * cells(size)


def search(index: Any, settings: Settings, queries: Vectors, k: int) -> NDArray[np.int64]:
    """Candidates (Q, C) for the `k` nearest; -1 where there are fewer."""
    wanted = max(k, min(k * settings.factor, _MOST))
    found: NDArray[np.int64] = index.search(queries, wanted, params=_params(settings))[1]
    return found


def _params(settings: Settings) -> Any:
    faiss: Any = import_module("faiss")  # its stubs lack these parameters
    if settings.kind in ("ivf", "pq"):
        return faiss.SearchParametersIVF(nprobe=settings.effort)
    if settings.kind == "hnsw":
        return faiss.SearchParametersHNSW(efSearch=max(settings.effort, settings.factor * _TOP))
    return None


def tune(
    index: Any,
    kind: str,
    vectors: Vectors,
    recall: float,
    rescore: Callable[[Vectors, NDArray[np.int64], int], NDArray[np.int64]],
) -> Settings:
    """The least effort that reaches a recall@10 on a sample of the vectors, each left out of its own results.

    Args:
        index: as made from the vectors.
        kind: its structure.
        vectors: (N, D).
        recall: wanted, in (0, 1].
        rescore: puts candidates (Q, C) of queries in order by the vectors themselves and gives the best k.
    """
    if kind == "flat" or len(vectors) <= _TOP:
        return Settings(kind, effort=1 if kind != "flat" else 0, factor=1 if kind == "flat" else _FACTORS[-1])
    queries = _drawn(vectors, _SAMPLE)
    exact = nearest(vectors, queries, _TOP + 1)
    most = index.nlist if kind in ("ivf", "pq") else 4 * max(_FACTORS) * _TOP
    effort, best = (4 if kind != "hnsw" else 32), Settings(kind, recall=0.0)
    while True:
        effort = min(effort, most)
        for factor in _FACTORS:
            tried = Settings(kind, effort, factor)
            found = rescore(queries, search(index, tried, queries, _TOP + 1), _TOP + 1)
            reached = _overlap(found, exact)
            tried = Settings(kind, effort, factor, round(reached, 4), len(queries))
            if reached >= recall:
                return tried
            if reached < best.recall + 0.005 and best.effort == effort:
                break  # more candidates no longer help: more cells must be looked into
            best = tried
        if effort == most:
            return best
        effort *= 2


def nearest(vectors: Vectors, queries: Vectors, k: int) -> NDArray[np.int64]:
    """The `k` nearest rows (Q, k) by exact search, in pieces."""
    import faiss

    heap = faiss.ResultHeap(len(queries), k, keep_max=True)
    for start in range(0, len(vectors), 65_536):
        piece = np.ascontiguousarray(vectors[start : start + 65_536], np.float32)
        scores, rows = faiss.knn(queries, piece, min(k, len(piece)), metric=faiss.METRIC_INNER_PRODUCT)
        heap.add_result(scores, rows + start)
    heap.finalize()
    found: NDArray[np.int64] = heap.I
    return found


def _overlap(found: NDArray[np.int64], exact: NDArray[np.int64]) -> float:
    """Recall of the first ten without the query itself, which is the first of the exact ones."""
    shares = [len(set(f.tolist()) & set(e[1:].tolist())) / _TOP for f, e in zip(found, exact, strict=True)]
    return float(np.mean(shares))


def _drawn(vectors: Stored, count: int) -> Vectors:
    """Some rows, drawn with a fixed seed, in order."""
    if count >= len(vectors):
        return np.ascontiguousarray(vectors, np.float32)
    rows = np.sort(np.random.default_rng(0).choice(len(vectors), count, replace=False))
    return np.ascontiguousarray(vectors[rows], np.float32)
