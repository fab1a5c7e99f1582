"""Personalised PageRank over passages and the names in them: a walk that starts at the question.

    x = (1 - d) s + d A x

s holds the seeds: the names in the question, or the best passages by other signals where it has none. A is the
column-normalised adjacency of passages, names, and the relations between names. (Seeding with both made the fused
ranking worse on both tuning sets: what the other signals know they have said already.)

References:
    Gutiérrez et al., "HippoRAG", arXiv 2405.14831; the power iteration is that of Page et al., 1999.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ailineage.errors import WorkspaceError

Scores = NDArray[np.float32]
DAMPING = 0.5
_ROUNDS = 12  # 0.5 ** 12 is far below the distance between two ranks
_FILE = "walk.npz"


class Walk:
    """A graph of P passages and E names.

    Args:
        mentions: sparse matrix (P, E): weight with which a passage names a name.
        relations: sparse matrix (E, E): weight of a relation between names; direction is not looked at.
    """

    def __init__(self, mentions: Any, relations: Any) -> None:
        import scipy.sparse as sp

        self.passages, self.names = mentions.shape
        self.mentions = mentions.tocsr()
        joined = sp.bmat([[None, mentions], [mentions.T, relations + relations.T]], format="csc", dtype=np.float32)
        out = np.asarray(joined.sum(axis=0)).ravel()
        out[out == 0] = 1
        self._step = (joined @ sp.diags(1 / out)).tocsr().astype(np.float32)
        self._degree = np.maximum(np.diff(mentions.tocsc().indptr), 1)

    @classmethod
    def build(
        cls,
        shape: tuple[int, int],
        mentions: list[tuple[int, int, float]],
        relations: list[tuple[int, int, float]],
    ) -> Self:
        """From (passage, name, weight) and (name, name, weight)."""
        return cls(_matrix(shape, mentions), _matrix((shape[1], shape[1]), relations))

    def rank(self, names: Mapping[int, float], passages: Mapping[int, float], damping: float = DAMPING) -> Scores:
        """Where a walk from the seeds comes by: one score a passage (P,), 0 everywhere without seeds.

        Args:
            names: seed weights; a name that many passages bear is divided among them.
            passages: seed weights of passages.
            damping: chance in [0, 1) that the walk goes on rather than starting again.
        """
        seeds = np.zeros(self.passages + self.names, np.float32)
        for passage, weight in passages.items():
            seeds[passage] = weight
        for name, weight in names.items():
            seeds[self.passages + name] = weight / self._degree[name]
        total = seeds.sum()
        if total <= 0:
            return np.zeros(self.passages, np.float32)
        seeds /= total
        at = seeds.copy()
        for _ in range(_ROUNDS):
            at = (1 - damping) * seeds + damping * (self._step @ at)
        return at[: self.passages]

    def bearing(self, name: int) -> int:
        """How many passages bear a name, at least 1."""
        return int(self._degree[name])

    def together(self, one: int, other: int) -> bool:
        """Whether a passage bears both names."""
        columns = self._columns
        first, second = (columns.indices[columns.indptr[name] : columns.indptr[name + 1]] for name in (one, other))
        return bool(np.intersect1d(first, second, assume_unique=True).size)

    @cached_property
    def _columns(self) -> Any:
        return self.mentions.tocsc()

    def save(self, folder: Path) -> None:
        """Write the graph into a folder."""
        step = self._step
        np.savez(
            folder / _FILE,
            shape=np.array([self.passages, self.names]),
            data=step.data,
            indices=step.indices,
            indptr=step.indptr,
            degree=self._degree,
            **{f"mentions_{part}": getattr(self.mentions, part) for part in ("data", "indices", "indptr")},
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved graph.

        Raises:
            WorkspaceError: if the file is missing or damaged.
        """
        import scipy.sparse as sp

        walk = cls.__new__(cls)
        try:
            with np.load(folder / _FILE, allow_pickle=False) as file:
                walk.passages, walk.names = (int(n) for n in file["shape"])
                size = walk.passages + walk.names
                walk._step = sp.csr_matrix((file["data"], file["indices"], file["indptr"]), shape=(size, size))
                walk._degree = file["degree"]
                parts = (file["mentions_data"], file["mentions_indices"], file["mentions_indptr"])
                walk.mentions = sp.csr_matrix(parts, shape=(walk.passages, walk.names))
        except (OSError, ValueError, KeyError):
            raise WorkspaceError(f"{folder}: the walk graph is missing or damaged; run `ailineage build`") from None
        return walk


def _matrix(shape: tuple[int, int], entries: list[tuple[int, int, float]]) -> Any:
    import scipy.sparse as sp

    rows, columns, weights = zip(*entries, strict=True) if entries else ((), (), ())
    return sp.coo_matrix((np.array(weights, np.float32), (rows, columns)), shape=shape).tocsr()
