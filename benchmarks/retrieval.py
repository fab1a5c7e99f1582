"""Retrieval quality and speed: recall by signal on multi-hop sets and on the library, and latency of a question.

    python benchmarks/retrieval.py                          # 40 questions about the library
    python benchmarks/retrieval.py QUESTIONS CORPUS [...]   # pairs of files in the form of MuSiQue or HotpotQA
    python benchmarks/retrieval.py --tune QUESTIONS CORPUS  # the weights of fusion and their neighbours

Recall@k is |the first k and gold| / |gold|, averaged over questions; a passage's text is title, newline, text.
Intervals are 95% bootstrap intervals over questions.
"""

# ruff: noqa: T201
from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
from tqdm import tqdm

from ailineage.corpus.documents import Document, language_of
from ailineage.kg.building import Parts, library
from ailineage.kg.graph import KnowledgeGraph
from ailineage.retrieval import fusion
from ailineage.retrieval.embedding import open_embedder
from ailineage.retrieval.fusion import Weights
from ailineage.retrieval.retriever import MODES, Retriever
from ailineage.workspace import Workspace

OWN = Path(__file__).with_name("library_questions.jsonl")
NEIGHBOURS: dict[str, Sequence[float]] = {
    "bm25": (0.0, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0),
    "bridge": (0.0, 0.5, 0.75, 1.0, 1.5),
    "walk": (0.0, 0.1, 0.3, 0.6),
}


@dataclass(frozen=True)
class Asked:
    """A question, and which of the retriever's rows are gold; `each` if all of them count, else any one does."""

    text: str
    gold: frozenset[int]
    each: bool = True


def multihop(questions: Path, corpus: Path) -> tuple[KnowledgeGraph, list[tuple[str, list[str]]]]:
    """A graph of one document a passage (with the library's nodes, as after `build --only`), and the gold documents."""
    entries, passages = orjson.loads(questions.read_bytes()), orjson.loads(corpus.read_bytes())
    if isinstance(passages, dict):  # HotpotQA: title -> sentences
        pairs = [(title, "".join(lines)) for title, lines in passages.items()]
        gold = [{(fact[0], "".join(passages[fact[0]])) for fact in entry["supporting_facts"]} for entry in entries]
    else:  # MuSiQue: list of title and text
        pairs = [(entry["title"], entry["text"]) for entry in passages]
        gold = [
            {(p["title"], p["paragraph_text"]) for p in entry["paragraphs"] if p["is_supporting"]} for entry in entries
        ]
    numbers = {pair: str(number) for number, pair in enumerate(pairs)}
    documents = [
        Document(str(number), title, text, language_of(text), "benchmark", "")
        for number, (title, text) in enumerate(pairs)
    ]
    texts = [entry["question"] for entry in entries]
    asked = [(text, [numbers[pair] for pair in wanted]) for text, wanted in zip(texts, gold, strict=True)]
    return WholeDocuments(library().nodes.values(), (), documents), asked


class WholeDocuments(KnowledgeGraph):
    """A graph whose documents are passages, however long."""

    @property
    def passages(self):  # type: ignore[no-untyped-def, override]
        """One passage a document."""
        from ailineage.corpus.passages import Passage

        return [Passage(d.id, 0, len(d.text), d.text, d.language, d.title) for d in self.documents.values()]


def opened(graph: KnowledgeGraph, name: str) -> Retriever:
    """A retriever over a graph; its index stays in the workspace's cache, so that a second run embeds nothing."""
    cache = Workspace.at().cache
    embedder = open_embedder(None, cache)
    folder, beside = cache / "benchmarks" / name, cache / "benchmarks" / f".{name}"
    shutil.rmtree(beside, ignore_errors=True)
    began = time.perf_counter()
    Retriever.build(graph, embedder, beside, known=folder if folder.exists() else None, cache=cache)
    print(f"index of {len(graph.passages)} passages in {time.perf_counter() - began:.1f} s")
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    return Retriever.open(folder, graph, embedder, cache)


def own_questions(retriever: Retriever) -> list[Asked]:
    """Our questions about the library; gold is a passage of the node, in either language, that says one of strings."""
    asked = []
    for line in OWN.read_text(encoding="utf-8").splitlines():
        entry = orjson.loads(line)
        gold = set()
        for number, row in enumerate(retriever.rows):
            text = retriever.graph.documents[row.document].text[row.start : row.end].casefold()
            if row.document.rpartition(".")[0] == entry["node"] and any(s.casefold() in text for s in entry["says"]):
                gold.add(number)
        if gold:
            asked.append(Asked(entry["question"], frozenset(gold), each=False))
        else:
            print("no gold passage:", entry["question"])
    return asked


def recall(orders: Sequence[np.ndarray], asked: Sequence[Asked], k: int) -> np.ndarray:
    """Recall@k of each question, in percent."""
    scores = []
    for order, question in zip(orders, asked, strict=True):
        hits = len(question.gold & set(order[:k].tolist()))
        scores.append(100.0 * (hits / len(question.gold) if question.each else min(hits, 1)))
    return np.array(scores)


def measure(retriever: Retriever, asked: list[Asked]) -> list[np.ndarray]:
    """Print recall by signal and the latency of a question; returns the orders of the fused ranking."""
    retriever.search("warm")
    bar = tqdm(asked, desc="questions", disable=None)
    rankings = [retriever.rank(retriever.understand(question.text)) for question in bar]
    signals: dict[str, Callable[[int], np.ndarray]] = {
        "dense": lambda i: rankings[i].near,
        "bm25": lambda i: rankings[i].bm25,
        "graph": lambda i: rankings[i].walk,
        "hybrid": lambda i: rankings[i].total,
    }
    for mode in sorted(MODES, key=list(signals).index):
        orders = [np.argsort(-signals[mode](i), kind="stable") for i in range(len(asked))]
        five = recall(orders, asked, 5)
        low, high = np.percentile(np.random.default_rng(0).choice(five, (2000, len(five))).mean(1), [2.5, 97.5])
        values = "  ".join(f"R@{k} {recall(orders, asked, k).mean():5.1f}" for k in (2, 5, 10))
        print(f"{mode:7} {values}  (R@5 {low:.1f} to {high:.1f})")
    for name, call in (("search", retriever.search), ("bundle", retriever.bundle)):
        times = []
        for question in asked:
            began = time.perf_counter()
            call(question.text)
            times.append(1000 * (time.perf_counter() - began))
        print(f"{name}: p50 {np.median(times):.1f} ms, p95 {np.percentile(times, 95):.1f} ms")
    return [ranking.order for ranking in rankings]


def variants() -> Iterator[tuple[str, Weights]]:
    """The weights of fusion, and each changed alone."""
    yield "as shipped", Weights()
    for name, values in NEIGHBOURS.items():
        for value in values:
            yield f"{name} {value}", replace(Weights(), **{name: value})


def tune(retriever: Retriever, asked: list[Asked]) -> None:
    """Print recall@5 under the weights of fusion and their neighbours."""
    understood = [retriever.understand(question.text) for question in asked]
    rankings = [retriever.rank(question) for question in understood]
    for name, weights in variants():
        orders = []
        for question, ranking in zip(understood, rankings, strict=True):
            named = retriever.names.of(question.nodes, question.text)
            bridges = fusion.Bridges(retriever.walk.mentions)
            total, _ = fusion.fuse(ranking.near, ranking.bm25, ranking.walk, bridges, named, weights)
            orders.append(np.argsort(-total, kind="stable"))
        print(f"{name:12} R@2 {recall(orders, asked, 2).mean():5.1f}  R@5 {recall(orders, asked, 5).mean():5.1f}")


def main(arguments: list[str]) -> None:
    """Measure what the arguments name."""
    tuning = "--tune" in arguments
    paths = [Path(argument) for argument in arguments if argument != "--tune"]
    runs: list[tuple[str, Retriever, list[Asked]]] = []
    if not paths:
        retriever = opened(Parts(library()).graph(), "library")
        runs.append(("library", retriever, own_questions(retriever)))
    for number in range(0, len(paths), 2):
        graph, questions = multihop(paths[number], paths[number + 1])
        retriever = opened(graph, paths[number].stem)
        rows = {row.document: place for place, row in enumerate(retriever.rows)}
        asked = [Asked(text, frozenset(rows[document] for document in gold)) for text, gold in questions]
        runs.append((paths[number].stem, retriever, asked))
    for name, retriever, asked in runs:
        print(f"== {name}: {len(asked)} questions, {len(retriever.rows)} passages")
        orders = measure(retriever, asked)
        if tuning:
            tune(retriever, asked)
        if name == "library":
            for order, question in zip(orders, asked, strict=True):
                if not question.gold & set(order[:5].tolist()):
                    print("missed:", question.text, [retriever.rows[row].document for row in order[:5]])


if __name__ == "__main__":
    main(sys.argv[1:])
