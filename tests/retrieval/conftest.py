"""An embedder without weights: texts that share letters are near, and every text it embeds is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ailineage.kg.graph import KnowledgeGraph
from ailineage.retrieval.embedding import Vectors
from ailineage.retrieval.retriever import Retriever


class LetterEmbedder:
    """Hashes of three neighbouring letters, counted."""

    identity = "letters"
    dimension = 64
    piece = 8

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, 64) of questions."""
        vectors = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for i in range(len(text) - 2):
                digest = hashlib.md5(text[i : i + 3].casefold().encode()).digest()
                vectors[row, digest[0] % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors (N, 64) of passages."""
        self.embedded += texts
        return self.queries(texts)


@pytest.fixture
def letters() -> LetterEmbedder:
    """The embedder without weights."""
    return LetterEmbedder()


@pytest.fixture(scope="session")
def index(small_graph: KnowledgeGraph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small library's index; do not write into it."""
    folder = tmp_path_factory.mktemp("retrieval") / "index"
    Retriever.build(small_graph, LetterEmbedder(), folder, cache=folder.parent)
    return folder


@pytest.fixture(scope="session")
def retriever(small_graph: KnowledgeGraph, index: Path) -> Retriever:
    """The small library, indexed."""
    return Retriever.open(index, small_graph, LetterEmbedder(), index.parent)
