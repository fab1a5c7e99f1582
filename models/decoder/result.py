"""What an answer is: sentences, citations, and the events before it. `to_json` is the contract of `ask --json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ailineage.models.decoder.verification import Verdict
from ailineage.retrieval.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence without its markers, the citations it rests on, and how it was found right.

    `written` says that the decoder wrote it; else it was taken from the evidence.
    """

    text: str
    citations: tuple[int, ...]
    written: bool = False
    verdict: Verdict = field(default_factory=lambda: Verdict(True))

    def marked(self) -> str:
        """The text with its markers."""
        return self.text + "".join(f" [{n}]" if i == 0 else f"[{n}]" for i, n in enumerate(self.citations))


@dataclass(frozen=True, slots=True)
class Citation:
    """Number n of an answer: a node (None for a document that is about no known node) and the spans cited."""

    n: int
    node: str | None
    name: str
    kind: str | None
    evidence: tuple[Evidence, ...]

    def to_json(self) -> dict[str, Any]:
        """As in `ask --json`."""
        spans = [{"document": e.document, "start": e.start, "end": e.end, "text": e.text} for e in self.evidence]
        return {"n": self.n, "node": self.node, "name": self.name, "kind": self.kind, "evidence": spans}


@dataclass(frozen=True, slots=True)
class Step:
    """One hop of a path, and the citation that says so."""

    parent: str
    child: str
    relation: str
    changed: str | None
    citation: int | None

    def to_json(self) -> dict[str, Any]:
        """As in `ask --json`."""
        said = {"parent": self.parent, "child": self.child, "relation": str(self.relation), "changed": self.changed}
        return {**said, "citation": self.citation}


@dataclass(frozen=True)
class Answer:
    """An answer, or a refusal; `dropped` are sentences the decoder wrote that did not stand, with the reasons.

    `in_full` is what was answered where the question leaned on the turns before it. `timings_ms` holds retrieve,
    first_token and total, counted from the question.
    """

    question: str
    language: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...] = ()
    refused: bool = False
    path: tuple[Step, ...] | None = None
    model: dict[str, str | None] | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    dropped: tuple[tuple[str, str], ...] = ()
    in_full: str | None = None

    @property
    def answer(self) -> str:
        """The whole text with its markers."""
        return " ".join(sentence.marked() for sentence in self.sentences)

    def to_json(self, verdicts: bool = False) -> dict[str, Any]:
        """The document that `ask --json` prints.

        Args:
            verdicts: also say of each sentence who wrote it and why it stands, and which sentences were dropped.
        """
        said: dict[str, Any] = {
            "question": self.question,
            "language": self.language,
            "answer": self.answer,
            "refused": self.refused,
            "sentences": [{"text": s.text, "citations": list(s.citations)} for s in self.sentences],
            "citations": [citation.to_json() for citation in self.citations],
            "path": [step.to_json() for step in self.path] if self.path else None,
            "model": self.model,
            "timings_ms": {key: round(value, 1) for key, value in self.timings_ms.items()},
        }
        if self.in_full:
            said["in_full"] = self.in_full
        if verdicts:
            for entry, sentence in zip(said["sentences"], self.sentences, strict=True):
                entry |= {"written": sentence.written, "verdict": sentence.verdict.reason}
            said["dropped"] = [{"text": text, "reason": reason} for text, reason in self.dropped]
        return said


@dataclass(frozen=True, slots=True)
class Draft:
    """Text as the decoder writes it, not yet checked."""

    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence the decoder finished, and whether it stands."""

    sentence: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Done:
    """The last event."""

    answer: Answer


Event = Draft | Checked | Done
