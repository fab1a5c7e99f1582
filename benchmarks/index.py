"""The vector index by structure: build, size, opening, recall against exact search, and time a query.

    python benchmarks/index.py [COUNT] [KIND ...]     # 1,000,000 vectors of 384 numbers; ivf pq and flat
    python benchmarks/index.py 10000000 flat ivf      # on a GPU, where faiss-gpu finds one, beside the CPU

The vectors are the library's own, each many times with noise of a third of its distance to its nearest neighbour, and
so as clustered as texts are. Queries are drawn the same way and are not in the index.
"""

# ruff: noqa: T201
from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ailineage.retrieval import structure
from ailineage.retrieval.dense import DenseIndex, Vectors
from ailineage.retrieval.known import SHIPPED

_QUERIES = 200


def drawn(count: int, seed: int) -> Vectors:
    """Unit vectors (count, D) around those of the library."""
    with np.load(SHIPPED, allow_pickle=False) as file:
        base = file["vectors"].astype(np.float32)
    nearest = np.sort(base[:500] @ base.T, axis=1)[:, -2].clip(0, 1).mean()
    spread = np.sqrt(2 - 2 * nearest) / 3 / np.sqrt(base.shape[1])
    rng = np.random.default_rng(seed)
    made = np.empty((count, base.shape[1]), np.float32)
    for start in range(0, count, 100_000):
        size = min(100_000, count - start)
        noise = rng.standard_normal((size, base.shape[1]), np.float32)
        piece = base[rng.integers(0, len(base), size)] + spread * noise
        made[start : start + size] = piece / np.linalg.norm(piece, axis=1, keepdims=True)
    return made


def measure(vectors: Vectors, queries: Vectors, exact: np.ndarray, kind: str, device: str) -> None:
    """Print one line."""
    began = time.perf_counter()
    built = DenseIndex.build(vectors, kind=kind)
    build = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as home:
        built.save(Path(home))
        del built
        size = sum(file.stat().st_size for file in Path(home).glob("dense.faiss")) / len(vectors)
        began = time.perf_counter()
        index = DenseIndex.load(Path(home), device)
        opening = 1000 * (time.perf_counter() - began)
        index.search(queries[:1], 10)
        times = []
        found = []
        for query in queries:
            began = time.perf_counter()
            found.append(index.search(query[None], 10)[1][0])
            times.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        index.search(queries, 10)
        batch = len(queries) / (time.perf_counter() - began)
        recall = np.mean([len(set(f) & set(e)) / 10 for f, e in zip(np.array(found), exact, strict=True)])
        chosen = index.settings
    print(
        f"{device:4} {kind:4}  build {build:7.1f} s  {size:6.0f} B/vector  open {opening:6.1f} ms  recall@10 "
        f"{100 * recall:5.1f} (at build {100 * chosen.recall:5.1f}, effort {chosen.effort})  "
        f"p50 {np.median(times):7.2f} ms  p95 {np.percentile(times, 95):7.2f} ms  {batch:8.0f} queries/s together",
        flush=True,
    )


def main(arguments: list[str]) -> None:
    """Measure what the arguments name."""
    import faiss

    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    kinds = [argument for argument in arguments if argument in structure.KINDS] or ["flat", "ivf", "pq"]
    count = numbers[0] if numbers else 1_000_000
    vectors, queries = drawn(count, 1), drawn(_QUERIES, 2)
    print(f"{count:,} vectors of {vectors.shape[1]}; {faiss.omp_get_max_threads()} threads")
    exact = structure.nearest(vectors, queries, 10)
    devices = ["cpu"]
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus():
        devices.append("cuda")
    else:
        print("no GPU that faiss can use")
    for device in devices:
        for kind in kinds:
            measure(vectors, queries, exact, kind, device)


if __name__ == "__main__":
    main(sys.argv[1:])
