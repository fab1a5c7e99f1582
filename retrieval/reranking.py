"""The library's passages among the best are put in order once more, by weights learned from questions and answers.

The library says most things twice, in two languages, and names its subject on every page; what the general signals
cannot tell apart there, a few plain features can: how near the best sentence is, whether the passage stands in the
article of a node the question names, in the question's language, among the facts. Things that are compared take turns
at the top; a question for a name in the other language has three passages of it there, and any other that does not
need every place one, since it may be the only one with an answer: that with a word of the question which the first
ones lack, if there is one. Passages of a user's documents keep their order, and the best of them have three of the
first five places, unless they lie far from the question.

The weights are those of a logistic regression on the questions in models/decoder/training/questions, of which the
answers quote their evidence (`python benchmarks/reranking.py --learn`). On 338 other questions about the library,
recall@5 was 80.8 without it and 87.3 with it when it was made.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
from numpy.typing import NDArray

from ailineage.retrieval.fusion import scaled
from ailineage.retrieval.question import Question

if TYPE_CHECKING:
    from ailineage.retrieval.retriever import Ranking, Retriever

Scores = NDArray[np.float32]
CANDIDATES = 40
FEATURES = (
    "total dense bm25 bm25_share walk bridge claim sentence_near passage_near sentence passage language own facts "
    "first facts_asked nearest nearest_any rank own_language compared unnamed_sentence"
).split()
"""What is known of a passage, each about 0 to 1, or a distance from the best in tenths of a cosine."""
_OTHER = 4
"""The place, from 0, that the best passage of the other language keeps."""
_TOP = 5
_BEYOND = (1, 3, 4)
"""The places, from 0, that a question which goes on gives to passages of nodes it does not name."""
_ADDED = (1, 3, 4)
"""The places, from 0, that the best passages of a user's documents have beside the library's."""
_FAR = 0.1
"""How much farther from the question than the library's best, in cosines, such a passage may be."""
_ACROSS = {
    "en": re.compile(r"\bChinese\b|\bin China\b|\bcharacters\b", re.I),
    "zh": re.compile("英文|英语|原文|外文|怎么拼"),
}
_CHAIN = re.compile(
    r"\b(?:that|whose)\b.{3,}|[,;.] (?:and )?(?:what|which|who|where|when|how)\b"
    r"|[，；。].*(?:哪|谁|什么|多少|几)|的那[个种类]",
    re.I,
)
"""A question that goes on from what it first asks for: its second step is about a node that it does not name."""
_SPREAD = 0.1
_WEIGHTS = Path(__file__).with_name("reranking.json")


@cache
def weights() -> NDArray[np.float64]:
    """The weight of each feature (F,)."""
    table = orjson.loads(_WEIGHTS.read_bytes())
    return np.array([table[name] for name in FEATURES])


def reranked(retriever: Retriever, asked: Question, vector: Scores, ranking: Ranking) -> Scores:
    """The fused scores (N,) with those of the library's best passages exchanged among each other.

    Args:
        retriever: its rows are ranked.
        asked: the question.
        vector: of the question (D,).
        ranking: by the fused score.
    """
    rows = [row for row in ranking.best(CANDIDATES) if not ranking.parts.added[row]]
    if len(rows) < 2:
        return ranking.total
    merit = features(retriever, asked, vector, ranking, rows) @ weights()
    other = [row for row in rows if retriever.rows[row].language != asked.language]
    order = _spread(retriever, asked, ranking, [rows[place] for place in np.argsort(-merit, kind="stable")], other)
    total = ranking.total.copy()
    total[order] = ranking.total[rows]  # the rows stand in order of their scores
    return _with_added(ranking, total, rows)


def _with_added(ranking: Ranking, total: Scores, rows: list[int]) -> Scores:
    """The scores with the best passages of a user's documents, if not far, moved up beside the library's `rows`."""
    near = ranking.parts.dense
    added = np.where((ranking.parts.added > 0) & (near >= near[rows].max() - _FAR), total, -np.inf)
    moved = [row for row in ranking.best(len(_ADDED), added) if np.isfinite(added[row])]
    before = ranking.best(CANDIDATES, total)
    order = [*before, *(row for row in moved if row not in before)]
    order = _placed(order, [(place, [row]) for place, row in zip(_ADDED, moved, strict=False)])
    total[order[: len(before)]] = total[before]
    return total


def _spread(retriever: Retriever, asked: Question, ranking: Ranking, order: list[int], other: list[int]) -> list[int]:
    """The order with room at its top for each thing that is compared, and for `other`, those in the other language."""
    if asked.compares and len(asked.nodes) > 1:
        of = [[r for r in order if retriever.rows[r].node == node and r not in other] for node in asked.nodes[:_TOP]]
        turns = [row for turn in zip_longest(*of) for row in turn if row is not None]
        return [*turns[:_TOP], *(row for row in order if row not in turns[:_TOP])]
    if _ACROSS[asked.language].search(asked.text):
        return _placed(order, [(1, other[:1]), (3, other[1:2]), (4, other[2:3])])
    if _CHAIN.search(asked.text):
        beyond = [r for r in order if retriever.rows[r].node not in asked.nodes and r not in other]
        return _placed(order, [(place, [row]) for place, row in zip(_BEYOND, beyond, strict=False)])
    other = _holding(retriever, asked, order[:_OTHER], other) or other
    return _placed(order, [(_OTHER, [row for row in other if row not in order[:_OTHER]][:1])])


def _holding(retriever: Retriever, asked: Question, first: list[int], other: list[int]) -> list[int]:
    """Of some rows those that hold a Latin word of the question which the first ones lack, the rarest first."""
    lexical = retriever.lexical
    worth = dict.fromkeys(other, 0.0)
    for word in lexical.tokenizer.latin(asked.text):
        holding = set(lexical.holding(word).tolist())
        if not holding.intersection(first):
            for row in holding.intersection(other):
                worth[row] += lexical.rarity(word)
    return sorted((row for row in other if worth[row] > 0), key=lambda row: -worth[row])


def _placed(order: list[int], places: list[tuple[int, list[int]]]) -> list[int]:
    """The order with some rows moved up to given places."""
    order = list(order)
    for place, moved in places:
        for row in moved:
            if order.index(row) > place:
                order.remove(row)
                order.insert(place, row)
    return order


def features(
    retriever: Retriever, asked: Question, vector: Scores, ranking: Ranking, rows: list[int]
) -> NDArray[np.float64]:
    """The features (R, F) of some rows, which stand in the order of their fused scores."""
    parts, sentences = ranking.parts, retriever.sentences
    near = sentences.axis.without(vector, ranking.sentences) if len(ranking.sentences) else ranking.sentences
    best_near, best = near.max(initial=-1.0), ranking.sentences.max(initial=-1.0)
    walk, dense, bm25 = scaled(parts.walk), scaled(parts.dense), scaled(parts.bm25)
    top_dense, top_raw, top_bm25 = parts.dense.max(), ranking.dense.max(), max(float(parts.bm25.max()), 1e-6)
    table = np.zeros((len(rows), len(FEATURES)))
    for place, row in enumerate(rows):
        at = retriever.rows[row]
        text = retriever.graph.documents[at.document].text
        numbers = sentences.of(row)
        own_near = max((float(near[n]) for n in numbers), default=float(parts.dense[row]))
        own_raw = max((float(ranking.sentences[n]) for n in numbers), default=float(ranking.dense[row]))
        own, same, facts = at.node in asked.nodes, at.language == asked.language, at.end > text.rfind("\n## ") > 0
        sentence = (own_raw - best) / _SPREAD
        values = {
            "total": ranking.total[row],
            "dense": dense[row],
            "bm25": bm25[row],
            "bm25_share": parts.bm25[row] / top_bm25,
            "walk": walk[row],
            "bridge": ranking.bridge[row],
            "claim": parts.claim[row],
            "sentence_near": (own_near - best_near) / _SPREAD,
            "passage_near": (parts.dense[row] - top_dense) / _SPREAD,
            "sentence": sentence,
            "passage": (ranking.dense[row] - top_raw) / _SPREAD,
            "language": same,
            "own": own,
            "facts": facts,
            "first": at.start == 0,
            "facts_asked": facts and bool(asked.asks),
            "nearest": own_near == best_near,
            "nearest_any": own_raw == best,
            "rank": place / CANDIDATES,
            "own_language": own and same,
            "compared": asked.compares and own,
            "unnamed_sentence": 0.0 if asked.nodes else sentence,
        }
        table[place] = [float(values[name]) for name in FEATURES]
    return table
