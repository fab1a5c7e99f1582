"""Sentences of passages: those that introduce a node, and those that come nearest to a question."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ailineage.corpus.documents import Document
from ailineage.corpus.passages import sentences
from ailineage.retrieval.evidence import Evidence
from ailineage.retrieval.question import Question

if TYPE_CHECKING:
    from ailineage.retrieval.retriever import Ranking, Retriever

_PASSAGES = 10  # how many of the best passages are looked into
_ADDED = 3  # passages of a user's own documents that are looked into in any case
_WHOLE = 1  # of these, how many are given whole
_WINDOW = 3  # neighbouring sentences that a passage gives at most
_NODES = 5  # nodes that are introduced
_SAME_LANGUAGE = 0.02  # against cosines, of which good ones lie within a tenth
_WORDS = 0.03  # what all of the question's words are worth, against cosines
_ARTICLE = 4  # characters that may stand before the name a sentence begins with: "the "
_NAMED = 3.0  # what a node of the question in a sentence is worth, against the rarity of words

Span = tuple[int, int]


class Excerpts:
    """Chooses sentences for one question."""

    def __init__(self, retriever: Retriever, asked: Question, ranking: Ranking) -> None:
        self.retriever = retriever
        self.graph = retriever.graph
        self.asked = asked
        self.ranking = ranking
        lexical = retriever.lexical
        self.rarity = {word: lexical.rarity(word) for word in lexical.tokenizer.words(asked.text[:2_000])}
        self._chinese = [word for word in self.rarity if "\u3400" <= word[0] <= "\u9fff"]
        self._names = [self._pattern(node) for node in asked.nodes]
        axis = retriever.sentences.axis
        self.cosines = axis.without(ranking.vector, ranking.sentences) if len(ranking.sentences) else ranking.sentences

    def introductions(self, nodes: Iterable[str]) -> Iterator[Evidence]:
        """Of each node's article in the question's language, the sentence that introduces the node, and the next.

        That is the first one that begins with the node's name, or else has it.
        """
        for node in list(nodes)[:_NODES]:
            document = self.graph.documents.get(f"{node}.{self.asked.language}")
            if document is None or self.graph.node_of(document.id) is None:
                continue
            spans = self._article(document)
            name = self._pattern(node)
            found = [name.search(_plain(document.text[start:end])) for start, end in spans]
            opening = (i for i, match in enumerate(found) if match and match.start() <= _ARTICLE)
            first = next(opening, next((i for i, match in enumerate(found) if match), 0))
            start = spans[first][0]
            chosen = [span for span in spans[first : first + _WINDOW] if "\n" not in document.text[start : span[1]]]
            if chosen and (row := self.retriever.row_at(document.id, start)) is not None:
                yield self._cut(row, (start, chosen[-1][1]), name=True)

    def best(self, taken: list[Evidence]) -> Iterator[Evidence]:
        """The best sentences of the best passages, those of the question's language first among near equals.

        Of a passage of a node that the question names, in its language, all sentences are given. The library says
        things in both languages; documents that were added do not, so theirs counts as the question's.

        Args:
            taken: evidence there is; its sentences are not given again.
        """
        rows = self.retriever.rows
        found: list[tuple[float, int, Span]] = []
        near = np.where(self.ranking.parts.added > 0, self.ranking.parts.dense, -1)
        added = [row for row in self.ranking.best(_ADDED, near) if near[row] >= 0]
        for row in dict.fromkeys([*self.ranking.best(_PASSAGES), *added]):
            at = rows[row]
            text = self.graph.documents[at.document].text
            held = [(old.start, old.end) for old in taken if old.document == at.document]
            spans = [s for s in sentences(text[at.start : at.end], at.start) if not _overlaps(s, held)]
            if spans:
                worth, span = self._window(row, text, spans)
                own = row in added[:_WHOLE] or (at.node in self.asked.nodes and at.language == self.asked.language)
                found += [(worth, row, run) for run in (_runs(spans) if own else [span])]
        for _, row, span in sorted(found, key=lambda item: -item[0]):
            yield self._cut(row, span)

    def _window(self, row: int, text: str, spans: list[Span]) -> tuple[float, Span]:
        """The sentence of a passage that comes nearest to the question, with its better neighbour if in its line."""
        worth = self._worths(row, text, spans)
        top = max(range(len(spans)), key=worth.__getitem__)
        start, end = spans[top]
        near = [i for i in (top - 1, top + 1) if 0 <= i < len(spans)]
        for i in sorted(near, key=lambda i: -worth[i])[: _WINDOW - 1]:
            joined = (min(start, spans[i][0]), max(end, spans[i][1]))
            gap = joined[1] - joined[0] - (end - start) - (spans[i][1] - spans[i][0])
            if gap <= 2 and "\n" not in text[slice(*joined)]:
                start, end = joined
        return worth[top], (start, end)

    def _worths(self, row: int, text: str, spans: list[Span]) -> list[float]:
        """How near each sentence of a passage is to the question.

        Its cosine, or the passage's where it has none, and a little for the language and for the words they share.
        """
        index, parts = self.retriever.sentences, self.ranking.parts
        own = {(int(index.spans[n, 1]), int(index.spans[n, 2])): float(self.cosines[n]) for n in index.of(row)}
        fallback = float(parts.dense[row])
        same = self.retriever.rows[row].language == self.asked.language or parts.added[row] > 0
        base = _SAME_LANGUAGE * same
        return [base + own.get(span, fallback) + _WORDS * self._shared(text[slice(*span)]) for span in spans]

    def _shared(self, sentence: str) -> float:
        """How much of the question's words and names a sentence has, by their rarity, in [0, 1]."""
        plain = _plain(sentence)
        words = self.retriever.lexical.tokenizer.latin(sentence)
        shared = sum(self.rarity[word] for word in self._chinese if word in plain)
        shared += sum(rarity for word, rarity in self.rarity.items() if word in words)
        shared += _NAMED * sum(bool(name.search(plain)) for name in self._names)
        return shared / max(sum(self.rarity.values()) + _NAMED * len(self._names), 1e-9)

    def _pattern(self, node: str) -> re.Pattern[str]:
        """Finds any name of a node in plain text; a Latin name only as a whole word."""
        names = {_plain(surface) for surface in self.graph.nodes[node].surfaces if len(surface) > 1}
        found = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        return re.compile(rf"(?<![a-z0-9])(?:{found})(?![a-z0-9])" if found else r"(?!)")

    def _article(self, document: Document) -> list[Span]:
        """The sentences of a library document before its facts."""
        facts = document.text.rfind("\n## ")
        return list(sentences(document.text[: facts if facts > 0 else len(document.text)]))

    def _cut(self, row: int, span: Span, name: bool = False) -> Evidence:
        whole = self.retriever.evidence(row, self.ranking)
        text = self.graph.documents[whole.document].text[slice(*span)]
        signals = {**whole.signals, "name": 1.0} if name else whole.signals
        claim = self._claims(whole.document).get(span)
        return Evidence(
            whole.document, *span, text, whole.title, whole.language, whole.node, claim, whole.score, signals
        )

    def _claims(self, document: str) -> dict[Span, str]:
        """Ids of the claims of a document by the span that states them."""
        return {(claim.start, claim.end): claim.id for claim in self.graph.by_document.get(document, ())}


def _runs(spans: list[Span]) -> list[Span]:
    """Sentences that follow one another as one span.

    >>> _runs([(0, 10), (11, 20), (40, 50)])
    [(0, 20), (40, 50)]
    """
    runs = spans[:1]
    for span in spans[1:]:
        if span[0] - runs[-1][1] <= 2:
            runs[-1] = (runs[-1][0], span[1])
        else:
            runs.append(span)
    return runs


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _overlaps(span: Span, held: list[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in held)
