"""Does retrieval find the evidence? Recall by signal, by HippoRAG's protocol, on any question set with gold evidence.

Recall@k is |the first k and gold| / |gold|, averaged over questions; all-recall@5 the share of questions of which all
gold is among the first five; MRR the mean of 1 / rank of the first gold. Intervals are 95% bootstrap intervals over
questions. What is ranked are documents of a given corpus, and passages of a workspace.

Question sets:
    JSON        a list as MuSiQue's (`paragraphs`) or HotpotQA's and 2WikiMultihopQA's (`supporting_facts`)
    JSON lines  {"question", "gold": [document, ...]} about a corpus; {"question", "node", "says": [...], "also": [...]}
                about the library: one passage of the node's articles that says one of the strings, and so for each of
                `also`; {"question", "evidence": [{"quote" or "key"}, ...], "answer_must"} about documents added to
                the workspace
Corpora:
    JSON        title -> sentences, or a list of {"title", "text"}
    JSON lines  {"id", "title", "text"}
"""

from __future__ import annotations

import shutil
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ailineage.corpus import documents as reading
from ailineage.corpus.documents import Document, language_of
from ailineage.errors import DocumentError, UsageError
from ailineage.kg.building import Parts, library

if TYPE_CHECKING:
    from ailineage.engine import Engine
    from ailineage.retrieval.retriever import Ranking, Retriever

CUTS = (2, 5, 10)
Gold = tuple[frozenset[int], ...]
"""Pieces of evidence that must be found; each may stand in any of several places."""


@dataclass(frozen=True)
class Asked:
    """A question and its gold; `kind` is what the report groups it by."""

    text: str
    gold: Gold
    kind: str = ""


@dataclass(frozen=True)
class Task:
    """Questions over an open index; `places` (P,) is the place that each passage counts as."""

    retriever: Retriever
    asked: list[Asked]
    places: NDArray[np.int64]
    unfound: tuple[str, ...] = ()


# ---- reading --------------------------------------------------------------------------------------------------


def over_corpus(engine: Engine, questions: Path, corpus: Path) -> Task:
    """Questions over a corpus of their own, indexed as by `ailineage build --only`.

    The index stays in the workspace's cache, so that a second run embeds nothing.

    Raises:
        DocumentError: if a file is missing or has another form.
    """
    from ailineage.retrieval.retriever import Retriever

    documents = _corpus(corpus)
    parts = Parts(library(), with_library=False)
    parts.add(documents)
    graph = parts.graph()
    cache = engine.workspace.cache
    folder, beside = cache / "evaluation" / corpus.stem, cache / "evaluation" / f".{corpus.stem}"
    shutil.rmtree(beside, ignore_errors=True)
    Retriever.build(graph, engine.embedder, beside, known=folder if folder.exists() else None, cache=cache)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    retriever = Retriever.open(folder, graph, engine.embedder, cache, engine.device)
    numbers = {document: number for number, document in enumerate(graph.documents)}
    places = np.array([numbers[row.document] for row in retriever.rows], np.int64)
    by_text = {(d.title, d.text): numbers[d.id] for d in documents if d.id in numbers}
    by_title: dict[str, set[int]] = defaultdict(set)
    for document in graph.documents.values():
        by_title[document.title].add(numbers[document.id])
    asked = []
    for entry in _entries(questions):
        if "paragraphs" in entry:
            wanted = {(p["title"], _stored(p["paragraph_text"])) for p in entry["paragraphs"] if p["is_supporting"]}
            gold = [frozenset({by_text[pair]}) for pair in sorted(wanted) if pair in by_text]
        elif "supporting_facts" in entry:
            titles = sorted({fact[0] for fact in entry["supporting_facts"]})
            gold = [frozenset(by_title[title]) for title in titles if title in by_title]
        elif "gold" in entry:
            gold = [frozenset({numbers[id]}) for id in entry["gold"] if id in numbers]
        else:
            raise DocumentError(f"{questions}: a question over a corpus needs gold, paragraphs or supporting_facts")
        asked.append(Asked(entry["question"], tuple(gold), entry.get("type", "")))
    return _task(retriever, asked, places)


def over_workspace(engine: Engine, questions: Path, *, stated: bool = False) -> Task:
    """Questions about what the workspace holds.

    Args:
        engine: its index is asked.
        questions: the question set.
        stated: where a question quotes its evidence, count every passage that states the answer, wherever it stands.

    Raises:
        DocumentError: if the file is missing or has another form.
    """
    retriever = engine.retriever
    texts = [_folded(retriever.graph.documents[row.document].text[row.start : row.end]) for row in retriever.rows]
    by_node: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(retriever.rows):
        by_node[row.document.rpartition(".")[0]].append(number)

    def saying(strings: Iterable[str], rows: Iterable[int]) -> frozenset[int]:
        folded = [_folded(string) for string in strings]
        return frozenset(row for row in rows if any(string in texts[row] for string in folded))

    asked = []
    for entry in _entries(questions):
        if entry.get("must_refuse"):
            continue
        if "says" in entry:
            wanted = [entry, *entry.get("also", ())]
            gold = [saying(want["says"], by_node[want["node"]]) for want in wanted]
        elif "evidence" in entry:
            quoted = [[e[key] for key in ("key", "quote") if e.get(key)] for e in entry["evidence"] or ()]
            anywhere = _stating(entry.get("answer_must", ()), texts) if stated else frozenset()
            gold = [saying(strings, range(len(texts))) | anywhere for strings in quoted]
        else:
            raise DocumentError(f"{questions}: a question about the workspace needs node and says, or evidence")
        asked.append(Asked(entry["question"], tuple(gold), entry.get("kind", entry.get("type", ""))))
    return _task(retriever, asked, np.arange(len(texts)))


def _stating(answer: Sequence[Sequence[str]], texts: Sequence[str]) -> frozenset[int]:
    """The passages that have one string of every list of an answer."""
    lists = [[_folded(option) for option in options] for options in answer]
    if not lists:
        return frozenset()
    return frozenset(
        row for row, text in enumerate(texts) if all(any(option in text for option in options) for options in lists)
    )


def _task(retriever: Retriever, asked: list[Asked], places: NDArray[np.int64]) -> Task:
    """Questions whose gold is there; the others are named, not passed over in silence."""
    whole = [question for question in asked if question.gold and all(question.gold)]
    lost = tuple(question.text for question in asked if not (question.gold and all(question.gold)))
    if not whole:
        raise DocumentError("no question has its evidence in this corpus: is it the right one?")
    return Task(retriever, whole, places, lost)


def _corpus(path: Path) -> list[Document]:
    if path.suffix == ".jsonl":
        return list(reading.read(path, path.stem))
    data = _json(path)
    try:
        if isinstance(data, dict):
            pairs = [(title, "".join(lines)) for title, lines in data.items()]
        else:
            pairs = [(entry["title"], entry["text"]) for entry in data]
    except (KeyError, TypeError):
        raise DocumentError(f"{path}: write title -> sentences, or a list of objects with title and text") from None
    return [
        Document(str(number), title, _stored(text), language_of(text), str(path), _hash(title, text))
        for number, (title, text) in enumerate(pairs)
    ]


def _hash(title: str, text: str) -> str:
    import hashlib

    return hashlib.sha256(f"{title}\0{text}".encode()).hexdigest()


def _stored(text: str) -> str:
    return text.strip()


def _entries(path: Path) -> list[dict[str, Any]]:
    if path.suffix != ".jsonl":
        data = _json(path)
        if not isinstance(data, list) or not all(isinstance(entry, dict) and "question" in entry for entry in data):
            raise DocumentError(f"{path}: write a list of objects with a question each")
        return data
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from None
    entries = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                entry = orjson.loads(line)
                entry["question"]
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise DocumentError(f"{path}: line {number}: write one object with a question a line") from None
            entries.append(entry)
    return entries


def _json(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise DocumentError(f"{path}: is no JSON: {error}") from None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


# ---- measuring ------------------------------------------------------------------------------------------------


def measure(task: Task) -> dict[str, Any]:
    """The report: figures by signal, of the fused ranking without each of its parts, by kind, and latency."""
    retriever = task.retriever
    retriever.search("warm")
    rankings, milliseconds = [], []
    for question in _bar(task.asked):
        began = time.perf_counter()
        rankings.append(retriever.rank(retriever.understand(question.text)))
        milliseconds.append(1000 * (time.perf_counter() - began))
    rows: dict[str, list[NDArray[np.int64]]] = {
        name: [_places(task, signal(ranking)) for ranking in rankings] for name, signal in _SIGNALS.items()
    }
    weights = retriever.weights
    for part in ("bm25", "bridge", "walk", "title", "claim", "added"):
        left = replace(weights, **{part: 0.0})
        rows[f"hybrid without {part}"] = [
            _places(task, retriever.fused(retriever.understand(question.text), ranking, left))
            for question, ranking in zip(task.asked, rankings, strict=True)
        ]
    rows["hybrid without reranking"] = [
        _places(task, retriever.fused(retriever.understand(question.text), ranking, weights))
        for question, ranking in zip(task.asked, rankings, strict=True)
    ]
    hybrid = rows["hybrid"]
    kinds: dict[str, list[int]] = defaultdict(list)
    for number, question in enumerate(task.asked):
        kinds[question.kind].append(number)
    return {
        "questions": len(task.asked),
        "passages": len(retriever.rows),
        "without_gold": list(task.unfound),
        "signals": {name: figures(task.asked, orders) for name, orders in rows.items()},
        "by_kind": {
            kind: figures([task.asked[n] for n in numbers], [hybrid[n] for n in numbers])
            for kind, numbers in sorted(kinds.items())
            if kind
        },
        "latency_ms": {"p50": round(float(np.median(milliseconds)), 1), "p95": _percentile(milliseconds, 95)},
        "missed": [
            question.text
            for question, order in zip(task.asked, hybrid, strict=True)
            if any(not group.intersection(order[:5].tolist()) for group in question.gold)
        ],
    }


_SIGNALS: Mapping[str, Callable[[Ranking], NDArray[np.float32]]] = {
    "dense": lambda ranking: ranking.parts.dense,
    "bm25": lambda ranking: ranking.parts.bm25,
    "graph": lambda ranking: ranking.parts.walk,
    "hybrid": lambda ranking: ranking.total,
}


def figures(asked: Sequence[Asked], orders: Sequence[NDArray[np.int64]]) -> dict[str, float | list[float]]:
    """Recall@2, @5 and @10, all-recall@5 and MRR in percent, and the interval of recall@5."""
    found = {k: np.array([_recall(q.gold, order[:k]) for q, order in zip(asked, orders, strict=True)]) for k in CUTS}
    ranks = [_first(q.gold, order) for q, order in zip(asked, orders, strict=True)]
    draws = np.random.default_rng(0).choice(found[5], (2000, len(found[5]))).mean(1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return {
        **{f"recall@{k}": round(100 * float(values.mean()), 1) for k, values in found.items()},
        "recall@5_interval": [round(100 * float(low), 1), round(100 * float(high), 1)],
        "all_recall@5": round(100 * float((found[5] == 1).mean()), 1),
        "mrr": round(100 * float(np.mean([1 / rank if rank else 0.0 for rank in ranks])), 1),
    }


def table(report: Mapping[str, Any]) -> str:
    """The report as lines for a terminal."""
    names = [f"recall@{k}" for k in CUTS] + ["all_recall@5", "mrr"]
    width = max(map(len, (*report["signals"], *report["by_kind"])))
    lines = [
        f"{report['questions']} questions over {report['passages']} passages",
        " " * width + "  " + "  ".join(f"{name:>12}" for name in names) + "  95% of recall@5",
    ]
    for name, row in (*report["signals"].items(), *report["by_kind"].items()):
        low, high = row["recall@5_interval"]
        values = "  ".join(f"{row[column]:12.1f}" for column in names)
        lines.append(f"{name:{width}}  {values}  {low:.1f} to {high:.1f}")
    lines.append(f"ranking a question: p50 {report['latency_ms']['p50']} ms, p95 {report['latency_ms']['p95']} ms")
    if report["without_gold"]:
        lines.append(f"{len(report['without_gold'])} questions left out, as the corpus lacks their evidence")
    return "\n".join(lines)


def write(report: Mapping[str, Any], out: Path) -> None:
    """Write the report as JSON."""
    try:
        out.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror}") from None


def _places(task: Task, scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """The first places in order of score, each once."""
    depth = min(len(scores), 200)
    best = np.argpartition(-scores, depth - 1)[:depth]
    best = best[np.lexsort((best, -scores[best]))]
    found = task.places[best]
    return found[np.sort(np.unique(found, return_index=True)[1])]


def _recall(gold: Gold, first: NDArray[np.int64]) -> float:
    there = set(first.tolist())
    return sum(bool(group & there) for group in gold) / len(gold)


def _first(gold: Gold, order: NDArray[np.int64]) -> int:
    wanted = frozenset().union(*gold)
    return next((rank for rank, place in enumerate(order.tolist(), 1) if place in wanted), 0)


def _percentile(values: Sequence[float], share: int) -> float:
    return round(float(np.percentile(values, share)), 1)


def _bar(asked: list[Asked]) -> Iterable[Asked]:
    from tqdm import tqdm

    return tqdm(asked, desc="questions", disable=None)
