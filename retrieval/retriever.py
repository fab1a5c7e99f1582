"""The index of a graph's passages, and search in it by every signal.

passages.jsonl, passages.keys.npy   where each passage stands; under which key its vector is known
dense.faiss, dense.ids.npy          vectors
language.npz                        how far each vector lies towards the one language or the other
bm25/, lexical.names.json           words
sentences.*.npy                     vectors of sentences
walk.npz, names.json                names, and the graph of passages and names
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ailineage.errors import MismatchError, UsageError, WorkspaceError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.retrieval import fusion, names, table
from ailineage.retrieval.asked_claims import AskedClaims
from ailineage.retrieval.dense import DenseIndex
from ailineage.retrieval.embedding import Embedder
from ailineage.retrieval.evidence import Bundle, Evidence
from ailineage.retrieval.fusion import Bridges, Signals, Weights
from ailineage.retrieval.known import Journal, Known, embed
from ailineage.retrieval.language_axis import LanguageAxis
from ailineage.retrieval.lexical import LexicalIndex, Tokenizer
from ailineage.retrieval.names import Names
from ailineage.retrieval.question import Question, understand
from ailineage.retrieval.reranking import reranked
from ailineage.retrieval.sentences import SentenceIndex, cut
from ailineage.retrieval.sentences import known as known_sentences
from ailineage.retrieval.structure import RECALL
from ailineage.retrieval.structure import Settings as DenseSettings
from ailineage.retrieval.table import Row
from ailineage.retrieval.walk import Walk

MODES = ("hybrid", "dense", "bm25", "graph")
_WORDS = 2_000  # characters of a query that are cut into words
_FADES = 0.15  # how fast later claims count for less
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Ranking:
    """All N passages weighed against a query: the fused score, cosines, the signals, and the bridge, each (N,).

    The signals' `dense` is the cosine without the language, with that of the best sentence mixed in; `sentences`
    holds the cosines of the sentences (S,), where they have vectors of their own; `vector` (D,) is the question's;
    `named` says whether the query has a name to walk from.
    """

    total: Scores
    dense: Scores
    parts: Signals
    bridge: Scores
    sentences: Scores
    vector: Scores
    named: bool = True

    def best(self, k: int, scores: Scores | None = None) -> list[int]:
        """The first `k` rows by the fused score, or by another; among equals the earlier row first."""
        scores = self.total if scores is None else scores
        k = min(k, len(scores))
        if k == 0:
            return []
        floor = np.partition(scores, -k)[-k]
        rows = np.flatnonzero(scores >= floor)
        return rows[np.argsort(-scores[rows], kind="stable")][:k].tolist()

    def signals(self, row: int) -> dict[str, float]:
        """What each signal says of a passage: the raw cosine and BM25 score, and where walk and bridge lead.

        Without a name in the question the walk says nothing of its own, and `graph` is 0.
        """
        parts = self.parts
        scores = {"dense": self.dense, "bm25": parts.bm25, "graph": parts.walk, "bridge": self.bridge}
        said = {name: round(float(values[row]), 4) for name, values in scores.items()}
        said |= {name: 1.0 for name in ("title", "claim") if getattr(parts, name)[row] > 0}
        return said if self.named else {**said, "graph": 0.0}


class Retriever:
    """An opened index; made by `Retriever.open`."""

    def __init__(
        self,
        graph: KnowledgeGraph,
        embedder: Embedder,
        rows: list[Row],
        dense: DenseIndex,
        lexical: LexicalIndex,
        known: Names,
        walk: Walk,
        axis: LanguageAxis,
        sentences: SentenceIndex,
        weights: Weights | None = None,
    ) -> None:
        self.graph = graph
        self.embedder = embedder
        self.rows = rows
        self.dense = dense
        self.lexical = lexical
        self.names = known
        self.walk = walk
        self.axis = axis
        self.sentences = sentences
        self.weights = weights or Weights()

    # ---- on disk --------------------------------------------------------------------------------------------

    @classmethod
    def build(
        cls,
        graph: KnowledgeGraph,
        embedder: Embedder,
        folder: Path,
        known: Path | None = None,
        cache: Path | None = None,
        recall: float = RECALL,
    ) -> DenseSettings:
        """Write the index of a graph into a folder, and say how its vectors are searched.

        Args:
            graph: its passages are indexed.
            embedder: makes the vectors.
            folder: an empty folder.
            known: folder of an earlier index; passages it has are not embedded again.
            cache: folder for the word lists' prepared form, and for the vectors of a build that is killed.
            recall: recall@10 against exact search that is wanted of an index too large to be searched exactly.
        """
        folder.mkdir(parents=True, exist_ok=True)
        texts = [table.indexed_text(passage) for passage in graph.passages]
        vectors_known = Known()
        earlier = None
        if known is not None:
            try:
                earlier = DenseIndex.load(known)
                vectors_known.add(table.load_keys(known), earlier.vectors)
                vectors_known.add(*known_sentences(known))
            except (OSError, ValueError, WorkspaceError):
                earlier = None  # a damaged index is no loss: everything is embedded again
        vectors_known.add_shipped()
        journal = Journal(cache, embedder) if cache is not None else None
        keys, vectors = embed(texts, embedder, vectors_known, journal=journal)
        spans, lines = cut(graph.passages)
        SentenceIndex.save(spans, *embed(lines, embedder, vectors_known, "sentences", journal), folder)
        rows = []
        for passage in graph.passages:
            node = graph.node_of(passage.document)
            mentioned = graph.mentions[passage.id]
            about = node or (mentioned[0] if mentioned else None)
            rows.append(Row(passage.document, passage.start, passage.end, passage.title, passage.language, about))
        table.save(rows, keys, folder)
        dense = DenseIndex.build(vectors, recall=recall, earlier=earlier)
        dense.save(folder)
        LanguageAxis.build(vectors, [row.language for row in rows]).save(folder)
        surfaces = (surface for node in graph.nodes.values() for surface in node.surfaces)
        LexicalIndex.build(texts, Tokenizer(surfaces, cache), progress=len(texts) > 2_000).save(folder)
        found, walk = names.read(graph)
        found.save(folder)
        walk.save(folder)
        if journal is not None:
            journal.close()
        return dense.settings

    @classmethod
    def open(
        cls,
        folder: Path,
        graph: KnowledgeGraph,
        embedder: Embedder,
        cache: Path | None = None,
        device: str = "cpu",
    ) -> Retriever:
        """Open an index.

        Raises:
            WorkspaceError: if a file is missing or damaged.
            MismatchError: if it was not made from this graph, or with another embedder.
        """
        rows = table.load(folder)
        dense = DenseIndex.load(folder, device)
        if rows and dense.dimension != embedder.dimension:
            raise MismatchError(
                f"{folder}: made with an embedder of {dense.dimension} dimensions, not {embedder.dimension};"
                " run `ailineage build` with this --embedder"
            )
        if any(row.document not in graph.documents for row in rows) or len(dense) != len(rows):
            raise MismatchError(f"{folder}: this index belongs to another graph; run `ailineage build`")
        lexical = LexicalIndex.load(folder, cache)
        known, walk, axis = Names.load(folder), Walk.load(folder), LanguageAxis.load(folder)
        sentences = SentenceIndex.load(folder, axis)
        return cls(graph, embedder, rows, dense, lexical, known, walk, axis, sentences)

    # ---- search ---------------------------------------------------------------------------------------------

    def search(self, query: str, k: int = 10, mode: str = "hybrid") -> list[Evidence]:
        """The `k` best passages for a query, best first.

        Args:
            query: in any of the languages.
            k: at most so many.
            mode: `hybrid` for all signals, or one of `dense`, `bm25`, `graph`; what scores 0 by BM25 or graph alone
                is left out.

        Raises:
            UsageError: if there is no such mode.
        """
        if mode not in MODES:
            raise UsageError(f"no search mode is called {mode!r}; there are {', '.join(MODES)}")
        ranking = self.rank(self.understand(query))
        if mode == "hybrid":
            return [self.evidence(row, ranking) for row in ranking.best(k)]
        parts = ranking.parts
        scores = {"dense": parts.dense, "bm25": parts.bm25, "graph": parts.walk}[mode]
        best = ranking.best(k, scores)
        return [self.evidence(row, ranking, scores) for row in best if mode == "dense" or scores[row] > 0]

    def bundle(self, question: str, language: str | None = None, budget: int = 5_000) -> Bundle:
        """The evidence for a question, best first.

        Args:
            question: in either language.
            language: `en` or `zh`, the one evidence is preferred in; the question's own if None.
            budget: aim, in characters of English (a Chinese character counts as two and a half); the
                decoder is shown the best of its sentences.
        """
        from ailineage.retrieval.bundling import gather
        from ailineage.retrieval.clauses import clauses

        asked = self.understand(question, language)
        whole = gather(self, asked, self.rank(asked), budget)
        parts = [self.understand(part, asked.language) for part in clauses(question, self.graph, asked.language)]
        return replace(whole, parts=tuple(gather(self, part, self.rank(part), budget) for part in parts))

    def understand(self, question: str, language: str | None = None) -> Question:
        """What a question names and asks for."""
        return understand(question, self.graph, self.lexical.knows, language, self.lexical.tokenizer.ordinary)

    def rank(self, asked: Question) -> Ranking:
        """All passages weighed against a question, the library's best ones put in order once more."""
        ranking = self.fused_ranking(asked)
        if not len(self.rows):
            return ranking
        return replace(ranking, total=reranked(self, asked, ranking.vector, ranking))

    def fused_ranking(self, asked: Question) -> Ranking:
        """All passages weighed against a question. Where it has no name, the walk starts at the best passages."""
        size = len(self.rows)
        if size == 0:
            nothing = np.zeros(0, np.float32)
            return Ranking(nothing, nothing, Signals(*[nothing] * 6), nothing, nothing, nothing)
        vector = self.embedder.queries([asked.text])
        scores, ids = self.dense.search(vector, size if size <= 20_000 else 10 * fusion.DEPTH)
        found = ids[0] >= 0
        dense = np.full(size, scores[0][found].min(initial=1.0), np.float32)
        dense[ids[0][found]] = scores[0][found]
        cosines = self.sentences.cosines(vector[0])
        near = self.sentences.lifted(vector[0], cosines, self.axis.without(vector[0], dense))
        bm25 = self.lexical.scores(f"{asked.text[:_WORDS]} {self._other_names(asked)}")
        named = self._named(asked)
        seeds: dict[int, float] = {}
        if not named:
            start = fusion.scaled(near) + self.weights.bm25 * fusion.scaled(bm25)
            seeds = {int(row): float(start[row]) ** 2 for row in np.argsort(-start)[: fusion.HEADS]}
        walk = self.walk.rank(dict.fromkeys(named, 1.0), seeds)
        signals = Signals(near, bm25, walk, self._titled(named), self._claimed(asked), self._added)
        total, bridge = fusion.fuse(signals, self._bridges, named, self.weights)
        return Ranking(total, dense, signals, bridge, cosines, vector[0], bool(named))

    def prominence(self, node: str) -> int:
        """How many passages name a node."""
        number = self.names.nodes.get(node)
        return 0 if number is None else self.walk.bearing(number)

    def apart(self, nodes: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """The pairs of nodes that no passage names together."""
        known = [(node, self.names.nodes[node]) for node in nodes if node in self.names.nodes]
        return tuple((a, b) for (a, one), (b, other) in combinations(known, 2) if not self.walk.together(one, other))

    def fused(self, asked: Question, ranking: Ranking, weights: Weights) -> Scores:
        """The fused score (N,) of a ranking's signals under other weights."""
        return fusion.fuse(ranking.parts, self._bridges, self._named(asked), weights)[0]

    def _named(self, asked: Question) -> set[int]:
        return self.names.of(asked.nodes, asked.text[:_WORDS])

    def _titled(self, named: Collection[int]) -> Scores:
        """1 for the passages of documents, other than the library's, whose title the question names."""
        titled = np.zeros(len(self.rows), np.float32)
        for name in named:
            if name >= len(self.names.nodes):
                titled[self._bridges.own(name)] = 1
        return titled

    def _claimed(self, asked: Question) -> Scores:
        """Passages that state what is asked of the question's nodes: 1 for the best claim's, less for later ones."""
        claimed = np.zeros(len(self.rows), np.float32)
        if asked.nodes:
            for place, (claim, _) in enumerate(AskedClaims(self.graph, asked, False, self.prominence).find()):
                row = self.row_at(claim.document, claim.start)
                if row is not None and not claimed[row]:
                    claimed[row] = 1 / (1 + _FADES * place)
        return claimed

    @cached_property
    def _added(self) -> Scores:
        """1 for the passages of documents that are not the library's."""
        library = {document for document in self.graph.documents if self.graph.node_of(document) is not None}
        return np.array([row.document not in library for row in self.rows], np.float32)

    def _other_names(self, asked: Question) -> str:
        """The question's nodes in the other language, which find what is written in that one, and its terms."""
        other = "en" if asked.language == "zh" else "zh"
        return " ".join([*(self.graph.nodes[node].name(other) for node in asked.nodes), *asked.glossed])

    def evidence(self, row: int, ranking: Ranking, scores: Scores | None = None) -> Evidence:
        """A whole passage as evidence."""
        at = self.rows[row]
        text = self.graph.documents[at.document].text[at.start : at.end]
        score = float((ranking.total if scores is None else scores)[row])
        signals = ranking.signals(row)
        return Evidence(at.document, at.start, at.end, text, at.title, at.language, at.node, None, score, signals)

    def row_at(self, document: str, start: int) -> int | None:
        """The row of the passage that holds a character of a document."""
        found = self._by_document.get(document, ())
        return next((row for row in found if self.rows[row].start <= start < self.rows[row].end), None)

    @cached_property
    def _by_document(self) -> dict[str, Sequence[int]]:
        groups: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            groups.setdefault(row.document, []).append(number)
        return dict(groups)

    @cached_property
    def _bridges(self) -> Bridges:
        return Bridges(self.walk.mentions)
