"""A vector for each sentence, beside that of its passage: in a list or a dense note one line is what is looked for.

A passage's cosine is half its own and half that of its best sentence, and an answer's evidence is chosen among
sentences by theirs. Only documents of several passages are looked into so, and only while there are few enough; a
vector is kept in eight bits, and is of length 1 by definition.

Measured on the 36 answerable questions of a development set about four Chinese documents and on 40 about the library:
among the sentences of the ten best passages, the first five held the answer for 50% and 65% when chosen by shared
words, and for 67% and 75% when chosen by cosine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ailineage.corpus.passages import Passage, sentences
from ailineage.errors import WorkspaceError
from ailineage.retrieval.known import Keys
from ailineage.retrieval.language_axis import LanguageAxis

Scores = NDArray[np.float32]
UP_TO = 20_000
"""Passages in an index beyond which sentences have no vectors of their own: they would double the time to build it."""
SHARE = 0.5
"""How much of a passage's cosine is that of its best sentence."""
_SHORTEST = 4
_SPANS, _VECTORS, _KEYS = "sentences.spans.npy", "sentences.vectors.npy", "sentences.keys.npy"


def cut(passages: Sequence[Passage]) -> tuple[NDArray[np.int32], list[str]]:
    """The sentences of passages: (passage number, start, end) each, in characters of the document, and their texts."""
    spans: list[tuple[int, int, int]] = []
    texts: list[str] = []
    if len(passages) <= UP_TO:
        number_of = Counter(passage.document for passage in passages)
        for number, passage in enumerate(passages):
            if number_of[passage.document] == 1:
                continue
            for start, end in sentences(passage.text, passage.start):
                text = passage.text[start - passage.start : end - passage.start]
                if len(text) >= _SHORTEST:
                    spans.append((number, start, end))
                    texts.append(f"{passage.heading or passage.title}\n{text}")
    return np.array(spans, np.int32).reshape(-1, 3), texts


def packed(vectors: NDArray[np.floating]) -> NDArray[np.int8]:
    """Vectors (S, D) in eight bits; their length is lost, as it is 1.

    >>> packed(np.array([[0.6, -0.8]])).tolist()
    [[95, -127]]
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-9)
    return np.rint(vectors / largest * 127).astype(np.int8)


def unpacked(vectors: NDArray[np.int8]) -> Scores:
    """Unit vectors (S, D)."""
    wide = vectors.astype(np.float32)
    unit: Scores = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9)
    return unit


@dataclass
class SentenceIndex:
    """Sentences of an index: spans (S, 3), unit vectors (S, D), and the language axis over them."""

    spans: NDArray[np.int32]
    vectors: Scores
    axis: LanguageAxis

    def __post_init__(self) -> None:
        self._first = np.flatnonzero(np.diff(self.spans[:, 0], prepend=-1))

    def cosines(self, query: Scores) -> Scores:
        """The cosine (S,) of a query (D,) with each sentence.

        By einsum, which is as fast here as BLAS and does not wake its threads: they would wait in a busy loop for the
        next product, on the cores that the embedder's own threads want.
        """
        return np.einsum("ij,j->i", self.vectors, query)

    def lifted(self, query: Scores, cosines: Scores, near: Scores) -> Scores:
        """The cosines of passages (N,), without the language, with their best sentences' mixed in.

        Args:
            query: vector (D,) of the question.
            cosines: of the sentences (S,).
            near: of the passages (N,), the language taken out.
        """
        if not len(self.spans):
            return near
        best = np.maximum.reduceat(self.axis.without(query, cosines), self._first)
        rows = self.spans[self._first, 0]
        mixed = near.copy()
        mixed[rows] = (1 - SHARE) * near[rows] + SHARE * best
        return mixed

    def of(self, row: int) -> range:
        """The numbers of a passage's sentences."""
        start, end = np.searchsorted(self.spans[:, 0], [row, row + 1])
        return range(int(start), int(end))

    @staticmethod
    def save(spans: NDArray[np.int32], keys: Keys, vectors: Scores, folder: Path) -> None:
        """Write the sentences, their vectors, and the keys under which these are known."""
        np.save(folder / _SPANS, spans, allow_pickle=False)
        np.save(folder / _VECTORS, packed(vectors), allow_pickle=False)
        np.save(folder / _KEYS, keys, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, axis: LanguageAxis) -> Self:
        """Read the sentences.

        Args:
            folder: of the index.
            axis: that of its passages.

        Raises:
            WorkspaceError: if a file is missing or damaged.
        """
        try:
            spans = np.load(folder / _SPANS, allow_pickle=False)
            vectors = unpacked(np.load(folder / _VECTORS, allow_pickle=False))
        except (OSError, ValueError):
            raise WorkspaceError(f"{folder}: the sentences are missing or damaged; run `ailineage build`") from None
        return cls(spans, vectors, LanguageAxis(axis.direction, vectors @ axis.direction))


def known(folder: Path) -> tuple[Keys, NDArray[np.int8]]:
    """Keys (S,) and packed vectors (S, D) of an earlier index.

    Raises:
        OSError, ValueError: if they are missing or damaged.
    """
    return np.load(folder / _KEYS, allow_pickle=False), np.load(folder / _VECTORS, allow_pickle=False)
