"""Vectors that need not be computed again.

They are those of an earlier index, those that ship for the library, and those that a build had made when it was
killed. A vector is known under a hash of the text and of the embedder's identity, so a vector of another model, or of a
text that has changed, is never taken for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
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
        self._sources: list[tuple[dict[bytes, int], NDArray[np.floating] | NDArray[np.int8]]] = []

    def add(self, keys: Keys, vectors: NDArray[np.floating] | NDArray[np.int8]) -> None:
        """Add a source: keys (N,) and vectors (N, D), of any width and length."""
        self._sources.append(({bytes(key): row for row, key in enumerate(keys)}, vectors))

    def add_shipped(self, path: Path = SHIPPED) -> None:
        """Add the vectors that ship with the package, if they are there and whole."""
        try:
            with np.load(path, allow_pickle=False) as file:
                self.add(file["keys"], file["vectors"])
                self.add(file["sentence_keys"], file["sentence_vectors"])
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


class Journal:
    """Vectors as they are made, on disk: a build that is killed goes on where it stopped.

    Args:
        folder: where it lies; removed by `close` once the index is written.
        embedder: whose vectors they are.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        name = hashlib.sha256(embedder.identity.encode()).hexdigest()[:12]
        self.path = folder / f"embedding-{name}.part"
        self._record = np.dtype([("key", _KEY), ("vector", np.float32, (embedder.dimension,))])

    def read(self) -> tuple[Keys, Vectors]:
        """Keys (N,) and vectors (N, D) of all whole records; the one that was being written is left out."""
        try:
            whole = self.path.stat().st_size // self._record.itemsize
            records = np.fromfile(self.path, self._record, count=whole)
        except OSError:
            records = np.zeros(0, self._record)
        return records["key"], records["vector"]

    def write(self, keys: Keys, vectors: Vectors) -> None:
        """Append records, after the last whole one."""
        records = np.zeros(len(keys), self._record)
        records["key"], records["vector"] = keys, vectors
        with self.path.open("ab") as stream:
            stream.truncate(stream.tell() // self._record.itemsize * self._record.itemsize)
            stream.write(records.tobytes())

    def close(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)


def embed(
    texts: Sequence[str],
    embedder: Embedder,
    known: Known,
    what: str = "passages",
    journal: Journal | None = None,
) -> tuple[Keys, Vectors]:
    """Keys (N,) and vectors (N, D) of passages; only what is not known is embedded, and each text once.

    Args:
        texts: the passages.
        embedder: makes what is missing.
        known: what there is.
        what: what the bar on a terminal calls them.
        journal: where vectors are kept as they are made, and taken from first.
    """
    from tqdm import tqdm

    own = keys(embedder.identity, texts)
    vectors = np.zeros((len(texts), embedder.dimension), np.float32)
    if journal is not None:
        known.add(*journal.read())
    missing: dict[bytes, list[int]] = {}
    for row, key in enumerate(own):
        vector = known.get(bytes(key))
        if vector is None or len(vector) != embedder.dimension:
            missing.setdefault(bytes(key), []).append(row)
        else:
            vectors[row] = vector
    with tqdm(total=len(missing), desc=f"embedding {what}", unit="text", disable=None if missing else True) as bar:
        for rows in _pieces(texts, list(missing.values()), embedder.piece) if missing else ():
            found = embedder.passages([texts[same[0]] for same in rows])
            for same, vector in zip(rows, found, strict=True):
                vectors[same] = vector
            if journal is not None:
                journal.write(own[[same[0] for same in rows]], found)
            bar.update(len(rows))
    return own, vectors


def _pieces(texts: Sequence[str], missing: list[list[int]], size: int) -> Iterator[list[list[int]]]:
    """Rows of equal texts, in pieces of texts of like length, the longest first: so little of a batch is padding."""
    order = sorted(missing, key=lambda rows: -len(texts[rows[0]].encode()))
    return (order[start : start + size] for start in range(0, len(order), size))
