"""Make the vectors that ship with the package, so that a first build of the library embeds nothing.

    python -m ailineage.retrieval.shipped

Run it after the library has changed; a passage without a shipped vector is embedded on the user's machine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ailineage.retrieval.embedding import Embedder, open_embedder
from ailineage.retrieval.known import SHIPPED, Known, embed
from ailineage.retrieval.sentences import cut, packed
from ailineage.retrieval.table import indexed_text


def write(embedder: Embedder, path: Path = SHIPPED) -> int:
    """Embed the library's passages and their sentences with the packaged embedder and write them; returns how many.

    What the file holds already is kept where the text is unchanged.
    """
    from ailineage.kg.building import Parts, library

    graph = Parts(library()).graph()
    known = Known()
    known.add_shipped(path)
    keys, vectors = embed([indexed_text(passage) for passage in graph.passages], embedder, known)
    keys, first = np.unique(keys, return_index=True)
    path.parent.mkdir(exist_ok=True)
    lines, line_vectors = embed(cut(graph.passages)[1], embedder, known, "sentences")
    lines, first_line = np.unique(lines, return_index=True)
    np.savez(
        path,
        keys=keys,
        vectors=vectors[first].astype(np.float16),
        sentence_keys=lines,
        sentence_vectors=packed(line_vectors[first_line]),
    )
    return len(keys) + len(lines)


if __name__ == "__main__":
    from ailineage.workspace import Workspace

    write(open_embedder(None, Workspace.at().cache))
