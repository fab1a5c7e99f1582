"""What retrieval hands to the decoder: numbered spans of documents, and why each is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Evidence:
    """One span that may be cited: `text == document[start:end]`.

    `node` is the node it is about (None where a document names no known node); `claim` the claim it states, if it
    is one; `score` the fused score; `signals` the parts of it (dense, bm25, graph, name), `hop` the steps in the
    graph from a node of the question.
    """

    document: str
    start: int
    end: int
    text: str
    title: str
    language: str
    node: str | None = None
    claim: str | None = None
    score: float = 0.0
    signals: Mapping[str, float] = field(default_factory=dict)
    hop: int = 0


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a lineage path: `child` came from `parent`; the evidence that says so, and what changed."""

    parent: str
    child: str
    relation: str
    changed: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Bundle:
    """All evidence for one question, best first, with the nodes the question names and a path between them.

    `nearness` is the cosine of the question with sentences of the evidence, by (document, start, end), where those
    have vectors of their own; `rarity` the inverse document frequency of the question's words in the index; `apart` the
    pairs of its nodes that no passage of the index names together. Where the question asks several things, `parts` has
    the evidence for each.
    """

    question: str
    language: str
    nodes: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    path: tuple[Hop, ...] = ()
    unknown: tuple[str, ...] = ()
    nearness: Mapping[tuple[str, int, int], float] = field(default_factory=dict)
    rarity: Mapping[str, float] = field(default_factory=dict)
    apart: tuple[tuple[str, str], ...] = ()
    parts: tuple[Bundle, ...] = ()
