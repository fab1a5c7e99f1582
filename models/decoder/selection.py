"""From evidence to sentences: which of them answer the question, best first.

A score is a sum of plain reasons: shared words, the node asked about, the relation asked for, the kind of value asked
for (a date for when, a number for how many, a person for who), the language, and the rank retrieval gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ailineage.corpus.passages import sentences
from ailineage.kg.vocabulary import Kind, Relation
from ailineage.models.decoder.intent import MAKERS, PERSONS, RELATIONS, Intent, intent, relations
from ailineage.models.decoder.knowledge import Knowledge, cleaned, overlap
from ailineage.models.decoder.quantities import dates, numbers
from ailineage.retrieval.evidence import Bundle, Evidence

_LONGEST = 450
_UNCLEAR = re.compile(
    r"^(?:it|its|this|that|these|they|their|he|she|his|her|such|then|there|but|and|so)\b|^(?:它|他|她|这|那|其|但|而|于是|因此|同时)",
    re.I,
)
_DISPUTED = re.compile(r"^(?:Another source,|另一来源)")
_NAMING = re.compile(r"\bis also called\b|又称")
_PERSON = re.compile(r"\b[A-Z][a-z]+(?: [A-Z]\.)?(?: [A-Z][a-zA-Zé\-]+)+\b")


@dataclass(frozen=True, slots=True)
class Piece:
    """One sentence of the evidence.

    `fits` says that it holds the kind of value the question wants, about a node the question names; `nodes` are the
    nodes it names or is about.
    """

    evidence: Evidence
    score: float
    fits: bool
    nodes: frozenset[str]


def pieces(bundle: Bundle, knowledge: Knowledge) -> list[Piece]:
    """The sentences of all evidence, best first, each once."""
    asked = _Asked(bundle, knowledge)
    found: dict[str, Piece] = {}
    for rank, evidence in enumerate(bundle.evidence):
        for part in _parts(evidence):
            piece = asked.judge(part, rank)
            key = re.sub(r"\W+", "", part.text).casefold()
            if key not in found or found[key].score < piece.score:
                found[key] = piece
    return sorted(found.values(), key=lambda piece: -piece.score)


def _parts(evidence: Evidence) -> Iterator[Evidence]:
    if evidence.claim is not None:
        yield evidence
        return
    for start, end in sentences(evidence.text):
        text = evidence.text[start:end]
        if len(cleaned(text)) >= 8 and not text.lstrip().startswith("#"):
            yield replace(evidence, start=evidence.start + start, end=evidence.start + end, text=text)


class _Asked:
    def __init__(self, bundle: Bundle, knowledge: Knowledge) -> None:
        self.bundle, self.knowledge = bundle, knowledge
        self.nodes = frozenset(bundle.nodes)
        self.intent = intent(bundle.question)
        self.relations = relations(bundle.question)
        self.words = {word for word in knowledge.bare_words(bundle.question) if not word.isdigit()}
        self.dates, self.numbers = dates(bundle.question), numbers(bundle.question)

    def judge(self, evidence: Evidence, rank: int) -> Piece:
        """A sentence with its score."""
        knowledge, text = self.knowledge, cleaned(evidence.text)
        claim = knowledge.claim(evidence)
        mentioned = knowledge.ids(text)
        ends = {id for id in (claim.subject, claim.object) if id} if claim else set()
        nodes = frozenset(mentioned | ends | ({evidence.node} if evidence.node else set()))
        about = not self.nodes or bool(nodes & self.nodes)
        words = knowledge.words(text)
        score = 1.0 - rank / max(len(self.bundle.evidence), 1)
        score += 3.0 * overlap(self.words, words) if self.words else 0.0
        score += 1.0 * len(nodes & self.nodes) / len(self.nodes) if self.nodes else 0.0
        score += 0.3 if mentioned & self.nodes else 0.0
        score += 0.6 if evidence.language == self.bundle.language else 0.0
        score += 0.7 if self.intent is Intent.EXPLAIN and evidence.node in self.nodes else 0.0
        if claim is not None and claim.relation in self.relations:
            score += 2.0 if claim.subject in self.nodes else 1.0 if claim.object in self.nodes else 0.0
        if claim is not None and claim.qualifier and claim.qualifier.casefold() in self.bundle.question.casefold():
            score += 2.0
        answers = claim is not None and claim.relation in RELATIONS.get(self.intent, ()) and claim.subject in self.nodes
        fits = about and (answers or self._fits(text, mentioned, claim.relation if claim else None))
        score += 1.5 if fits else 0.0
        score += 0.8 if answers else 0.0
        score += self._defines(evidence, text) if self.intent in (Intent.EXPLAIN, Intent.COMPARISON) else 0.0
        score -= 0.5 if _UNCLEAR.match(text) else 0.0
        score -= 1.0 if len(text) > _LONGEST or text.endswith(("?", "？", ":", "：")) else 0.0
        score -= 1.0 if self.intent is not Intent.NAME and _NAMING.search(text) else 0.0
        score -= 1.5 if _DISPUTED.match(text) or (claim is not None and not claim.preferred) else 0.0
        return Piece(evidence, score, fits, nodes)

    def _fits(self, text: str, mentioned: set[str], relation: Relation | None) -> bool:
        kinds = {
            knowledge_node.kind for id in mentioned - self.nodes if (knowledge_node := self.knowledge.nodes.get(id))
        }
        match self.intent:
            case Intent.WHEN:
                return bool(dates(text) - self.dates)
            case Intent.COUNT:
                return bool(numbers(text) - self.numbers)
            case Intent.WHO:
                people = kinds & (MAKERS if relation in RELATIONS[Intent.WHO] else PERSONS)
                return bool(people) or (relation is None and bool(_PERSON.search(text)))
            case Intent.ORGANIZATION:
                return Kind.ORGANIZATION in kinds
            case Intent.NAME:
                names = [
                    name
                    for id in self.nodes
                    if id in self.knowledge.nodes
                    for name in self.knowledge.nodes[id].surfaces
                ]
                long = [name for name in names if len(name.split()) > 1 or re.search(r"[\u3400-\u9fff]{4}", name)]
                return any(name.casefold() in text.casefold() for name in long)
            case Intent.TITLE:
                return relation is Relation.INTRODUCED_IN or bool(re.search(r"[“《\"].{8,}[”》\"]", text))
        return True

    def _defines(self, evidence: Evidence, text: str) -> float:
        if evidence.node not in self.nodes:
            return 0.0
        node = self.knowledge.nodes.get(evidence.node or "")
        opens = node is not None and any(text.casefold().startswith(name.casefold()) for name in node.surfaces)
        says = re.search(r"\b(?:is|are|was) (?:an?|the)\b|是(?:一|指|把|用)", text[:80]) is not None
        return (0.6 if opens and says else 0.0) + (0.5 if evidence.start == 0 else 0.0)
