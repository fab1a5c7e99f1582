"""Questions and answers written by hand for training: `questions/<family>.jsonl`, one object a line.

    lang      en or zh, of the question and its answer
    type      explain, comparison, how, why, list, lineage, fact, who, when, story, or refuse
    question  as a person would type it
    before    the questions asked before it, oldest first, if it leans on them
    nodes     ids of the nodes it is about; empty where it is outside the field
    answer    sentences, each {"text", "quotes": [[document, exact words of it], ...]}
    refuse    field, unknown, missing or premise, where it must be refused; the answer is then what may be said
              instead: the correction of a premise, or nothing

`python -m ailineage.models.decoder.training.written FILE ...` checks files against the library.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from ailineage.corpus.documents import language_of
from ailineage.errors import DocumentError
from ailineage.kg.building import Parts, library
from ailineage.kg.graph import KnowledgeGraph
from ailineage.models.decoder.knowledge import Knowledge
from ailineage.models.decoder.verification import verify
from ailineage.retrieval.evidence import Evidence

FOLDER = Path(__file__).parent / "questions"
TYPES = frozenset("explain comparison how why list lineage fact who when story refuse".split())
CAUSES = frozenset("field unknown missing premise".split())
HELD_OUT = frozenset({"perception", "alignment", "foundations", "speech", "organization"})
"""Families that nothing is trained on; what is learned is measured on them."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of an answer, and the spans (document, start, end) that say it."""

    text: str
    spans: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A question with its answer; `refuse` is the cause where it must be refused."""

    language: str
    type: str
    question: str
    nodes: tuple[str, ...]
    answer: tuple[Said, ...]
    before: tuple[str, ...] = ()
    refuse: str | None = None
    family: str = ""


def read(path: Path, graph: KnowledgeGraph) -> list[Written]:
    """The questions of a file.

    Raises:
        DocumentError: naming the file and line of the first that is malformed.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                found.append(_one(orjson.loads(line), graph, path.stem))
            except (ValueError, KeyError, TypeError) as error:
                raise DocumentError(f"{path.name}, line {number}: {error}") from None
    return found


def _one(entry: dict[str, Any], graph: KnowledgeGraph, family: str) -> Written:
    if unknown := set(entry) - {"lang", "type", "question", "before", "nodes", "answer", "refuse"}:
        raise ValueError(f"no field is called {sorted(unknown)[0]}")
    if entry["lang"] not in ("en", "zh") or entry["type"] not in TYPES:
        raise ValueError(f"lang {entry['lang']!r} or type {entry['type']!r} does not exist")
    refuse = entry.get("refuse")
    if (refuse is not None and refuse not in CAUSES) or (refuse is None) == (entry["type"] == "refuse"):
        raise ValueError(f"refuse is one of {', '.join(sorted(CAUSES))}, and goes with the type refuse")
    if absent := [node for node in entry["nodes"] if node not in graph.nodes]:
        raise ValueError(f"no node is called {absent[0]}")
    if not entry["answer"] and refuse is None:
        raise ValueError("an answer without a sentence")
    return Written(
        entry["lang"],
        entry["type"],
        entry["question"].strip(),
        tuple(entry["nodes"]),
        tuple(Said(said["text"], _spans(said["quotes"], graph)) for said in entry["answer"]),
        tuple(entry.get("before", ())),
        refuse,
        family,
    )


def _spans(quotes: Sequence[Sequence[str]], graph: KnowledgeGraph) -> tuple[tuple[str, int, int], ...]:
    spans = []
    for document, words in quotes:
        if document not in graph.documents:
            raise ValueError(f"no document is called {document}")
        start = graph.documents[document].text.find(words)
        if start < 0 or not words.strip():
            raise ValueError(f"{document} does not say {words!r}")
        spans.append((document, start, start + len(words)))
    return tuple(spans)


def evidence(spans: Sequence[tuple[str, int, int]], graph: KnowledgeGraph) -> list[Evidence]:
    """Spans as evidence, with the claims they state."""
    found = []
    for document, start, end in spans:
        at = graph.documents[document]
        claim = next((c.id for c in graph.by_document.get(document, ()) if (c.start, c.end) == (start, end)), None)
        text = at.text[start:end]
        found.append(Evidence(document, start, end, text, at.title, at.language, graph.node_of(document), claim))
    return found


def faults(questions: Sequence[Written], graph: KnowledgeGraph) -> Iterator[str]:
    """What is wrong with questions: a sentence its quotes do not support, the wrong language, one asked twice."""
    knowledge = Knowledge(graph.nodes, graph.claims)
    seen: Counter[str] = Counter()
    for asked in questions:
        seen[asked.question + "\n".join(asked.before)] += 1
        if seen[asked.question + "\n".join(asked.before)] == 2:
            yield f"{asked.question}: asked twice"
        for said in asked.answer:
            verdict = verify(said.text, evidence(said.spans, graph), knowledge)
            if not verdict.supported:
                yield f"{asked.question}: {said.text}: {verdict.reason}"
            if language_of(said.text) != asked.language:
                yield f"{asked.question}: {said.text}: not in {asked.language}"


@cache
def library_graph() -> KnowledgeGraph:
    """The library's own graph."""
    return Parts(library()).graph()


def main(paths: Sequence[str]) -> int:
    """Check files (all by default) and print what is wrong; the exit status is 1 if anything is."""
    graph = library_graph()
    wrong = 0
    for path in map(Path, paths) if paths else sorted(FOLDER.glob("*.jsonl")):
        try:
            questions = read(path, graph)
        except DocumentError as error:
            print(error)  # noqa: T201
            wrong += 1
            continue
        found = list(faults(questions, graph))
        wrong += len(found)
        print(*found, sep="\n", end="\n" if found else "")  # noqa: T201
        kinds = Counter(f"{asked.language} {asked.type}" for asked in questions)
        print(f"{path.name}: {len(questions)}", dict(sorted(kinds.items())))  # noqa: T201
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
