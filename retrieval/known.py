"""Vectors that need not be computed again: those of an earlier index, and those that ship for the library.

A vector is known under a hash of the text and of the embedder's identity, so a vector of another model, or of a
text that has changed, is never taken for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ailineage.retrieval.embedding import Embedder, Vectors

Keys = NDArray[np.void]
SHIPPED = Path(__file__).with_name("vectors") / "library.npz"
_KEY = np.dtype("V16")


def keys(identity: str, texts: Sequence[str]) -> Keys:
    """The key (N,) of each text: 16 bytes."""
    digests = (hashlib.sha256(f"{identity}\0{text}".encode()).digest()[:16] for text in texts)
    return np.array(list(digests), _KEY)


class Known:
    """Vectors by key, from any number of sources; the first that has one gives it."""

    def __init__(self) -> None:
        self._sources: list[tuple[dict[bytes, int], NDArray[np.floating]]] = []

    def add(self, keys: Keys, vectors: NDArray[np.floating]) -> None:
        """Add a source: keys (N,) and vectors (N, D), of any float width."""
        self._sources.append(({bytes(key): row for row, key in enumerate(keys)}, vectors))

    def add_shipped(self, path: Path = SHIPPED) -> None:
        """Add the vectors that ship with the package, if they are there and whole."""
        try:
            with np.load(path, allow_pickle=False) as file:
                self.add(file["keys"], file["vectors"])
        except (OSError, ValueError, KeyError):
            return

    def get(self, key: bytes) -> Vectors | None:
        """The unit vector (D,) under a key, or None."""
        for rows, vectors in self._sources:
            if (row := rows.get(key)) is not None:
                vector = np.asarray(vectors[row], np.float32)
                unit: Vectors = vector / np.linalg.norm(vector)
                return unit
        return None


def embed(texts: Sequence[str], embedder: Embedder, known: Known, progress: bool = True) -> tuple[Keys, Vectors]:
    """Keys (N,) and vectors (N, D) of passages; only what is not known is embedded, and each text once."""
    own = keys(embedder.identity, texts)
    vectors = np.zeros((len(texts), embedder.dimension), np.float32)
    missing: dict[bytes, list[int]] = {}
    for row, key in enumerate(own):
        vector = known.get(bytes(key))
        if vector is None or len(vector) != embedder.dimension:
            missing.setdefault(bytes(key), []).append(row)
        else:
            vectors[row] = vector
    if missing:
        found = embedder.passages([texts[rows[0]] for rows in missing.values()], progress=progress)
        for rows, vector in zip(missing.values(), found, strict=True):
            vectors[rows] = vector
    return own, vectors
