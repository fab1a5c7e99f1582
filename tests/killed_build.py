"""A build in a process of its own, to be killed: `python -m tests.killed_build WORKSPACE DOCUMENT`.

Prints `ready` when all is imported and the build begins.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from ailineage.engine import Engine
from ailineage.workspace import Workspace


class Letters:
    """An embedder without weights: counts of letters, as unit vectors."""

    identity, dimension, piece = "letters", 64, 64

    def queries(self, texts: list[str]) -> np.ndarray:
        return self.passages(texts)

    def passages(self, texts: list[str]) -> np.ndarray:
        vectors = np.ones((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for letter in text:
                row[ord(letter) % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def opened(root: Path) -> Engine:
    """An engine over a workspace that embeds without weights."""
    engine = Engine(Workspace(root))
    engine.__dict__["embedder"] = Letters()
    return engine


if __name__ == "__main__":
    import_module("ailineage.retrieval.retriever")
    engine = opened(Path(sys.argv[1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    engine.build([sys.argv[2]], only=True)
