"""A conversation as Markdown with footnotes, and the papers behind it as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ailineage.kg import citing
from ailineage.kg.graph import KnowledgeGraph
from ailineage.models.decoder.answer import Answer

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(history: Iterable[Mapping[str, Any]]) -> str:
    """All questions and answers; each citation is a footnote that quotes the span and names its document."""
    parts: list[str] = []
    for number, turn in enumerate(history, 1):
        parts.append(f"## {_plain(turn['question'])}")
        answer: Answer | None = turn.get("answer")
        if answer is None:
            parts.append(_plain(turn.get("error", "…")))
            continue
        parts.append(
            " ".join(
                _plain(sentence.text) + "".join(f"[^{number}-{n}]" for n in sentence.citations)
                for sentence in answer.sentences
            )
        )
        for citation in answer.citations:
            spans = "; ".join(f"“{_plain(e.text)}” ({_plain(e.document)}:{e.start}–{e.end})" for e in citation.evidence)
            parts.append(f"[^{number}-{citation.n}]: {_plain(citation.name)}: {spans}")
    return "\n\n".join(parts) + "\n"


def bibtex(graph: KnowledgeGraph, history: Iterable[Mapping[str, Any]]) -> str:
    """The papers that introduced what the answers cite."""
    answers: list[Answer] = [turn["answer"] for turn in history if "answer" in turn]
    nodes = {c.node for answer in answers for c in answer.citations if c.node in graph.nodes}
    papers = citing.papers_of(graph, sorted(node for node in nodes if node))
    return citing.bibtex(graph, papers)


def _plain(text: str) -> str:
    """The text on one line, in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", re.sub(r"\s+", " ", text)).strip()
