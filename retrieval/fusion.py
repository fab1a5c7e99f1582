"""One ranking from several signals, with weights that were measured.

    score = dense + 0.3 bm25 + 1.35 bridge + 0.3 walk + 0.2 title + 0.4 claim + 0.3 added

Dense and BM25 scores, and those of the walk, are first put on one scale: 1 for the best passage, 0 for the hundredth
and below. `bridge` is the second hop: a passage that shares a rare name, which the question does not have, with one
of the three best passages. `title` is 1 for a document the question names by its title, `claim` falls from 1 over the
passages that state what the question asks of a node it names, and `added` is 1 for the user's own documents: among
near equals they come before the library, which says much the same.

`ailineage eval retrieval` prints recall by signal and without each part; the figures stand in README.md. Plain
reciprocal-rank fusion of dense and BM25 was no better than the better of the two. Neighbouring weights stay
within 2 points on the tuning sets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
DEPTH = 100
"""The rank at which a signal counts no more."""
OWN = 2.0
"""The weight with which a passage names its own node or title."""
HEADS = 3
"""How many of the best passages a bridge may start from."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each signal counts."""

    dense: float = 1.0
    bm25: float = 0.3
    bridge: float = 1.35
    walk: float = 0.3
    title: float = 0.2
    claim: float = 0.4
    added: float = 0.3


def scaled(scores: Scores, depth: int = DEPTH) -> Scores:
    """Scores (N,) on a scale where the best is 1 and those from rank `depth` on are 0.

    >>> scaled(np.array([4.0, 2.0, 3.0], np.float32)).tolist()
    [1.0, 0.0, 0.5]
    """
    if not len(scores):
        return scores
    depth = min(depth, len(scores))
    floor = np.partition(scores, -depth)[-depth]
    span = scores.max() - floor
    if span <= 0:
        return np.zeros_like(scores)
    return np.maximum(scores - floor, 0) / span


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for each of N passages, each array (N,): cosines, BM25 and walk as they are, the others in [0, 1]."""

    dense: Scores
    bm25: Scores
    walk: Scores
    title: Scores
    claim: Scores
    added: Scores


def fuse(signals: Signals, bridges: Bridges, named: Collection[int], weights: Weights) -> tuple[Scores, Scores]:
    """The fused score and the bridge's part of it, each (N,).

    Args:
        signals: what is known of each passage.
        bridges: which passage has which name.
        named: numbers of the names in the question; they bridge nothing.
        weights: how much each signal counts.
    """
    first = weights.dense * scaled(signals.dense) + weights.bm25 * scaled(signals.bm25)
    best = first.max(initial=0.0)
    if best > 0:
        first = first / best
    second = bridges.reach(first, named) if weights.bridge else np.zeros_like(first)
    total = first + weights.bridge * second + weights.walk * scaled(signals.walk)
    total += weights.title * signals.title + weights.claim * signals.claim + weights.added * signals.added
    return total, second


class Bridges:
    """From a passage to others that share a name with it; the rarer the name, the stronger.

    Args:
        mentions: sparse matrix (P, E) of weights up to 2, which a passage's own title has.
    """

    def __init__(self, mentions: Any) -> None:
        self._by_passage = mentions.tocsr()
        self._by_name = mentions.tocsc()
        self._rarity = 1 / np.sqrt(np.maximum(np.diff(self._by_name.indptr), 1))

    def own(self, name: int) -> NDArray[np.int32]:
        """The passages whose document has a name for its title."""
        column = slice(self._by_name.indptr[name], self._by_name.indptr[name + 1])
        rows: NDArray[np.int32] = self._by_name.indices[column][self._by_name.data[column] >= OWN]
        return rows

    def reach(self, scores: Scores, named: Collection[int], heads: int = HEADS) -> Scores:
        """How strongly the best passages lead to each passage (P,), in [0, 1].

        The strength is the head's score squared, times the weight of the name in the other passage, halved, over
        the square root of the number of passages that have the name.
        """
        reached = np.zeros(len(scores), np.float32)
        passages, names = self._by_passage, self._by_name
        heads = min(heads, len(scores))
        for head in np.argpartition(-scores, heads - 1)[:heads] if heads else ():
            strength = min(float(scores[head]), 1.0) ** 2
            for name in passages.indices[passages.indptr[head] : passages.indptr[head + 1]]:
                if name in named:
                    continue
                column = slice(names.indptr[name], names.indptr[name + 1])
                others = names.indices[column]
                shared = strength * self._rarity[name] * names.data[column] / 2
                reached[others] = np.where(others == head, reached[others], np.maximum(reached[others], shared))
        return reached
