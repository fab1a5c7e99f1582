"""From evidence to sentences: which of them answer the question, best first.

What is known of each sentence is put into plain features: how near it is to the question, the words they share, rare
ones above all, the node asked about, the relation asked for, the kind of value asked for (a date for when, a number
for how many, a person for who), the language, its place in its text, its neighbours. Boosted trees that learned from
questions whose answers quote their evidence (LambdaMART by LightGBM; `python benchmarks/ranking.py`) order the
sentences by them; they stand in ranking.txt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ailineage.corpus.passages import sentences
from ailineage.kg.vocabulary import LINEAGE, Kind, Relation
from ailineage.models.decoder.intent import MAKERS, PERSONS, RELATIONS, Intent, intent, relations
from ailineage.models.decoder.knowledge import Knowledge, cleaned, overlap
from ailineage.models.decoder.quantities import dates, numbers
from ailineage.retrieval.evidence import Bundle, Evidence

if TYPE_CHECKING:
    from lightgbm import Booster

TREES = Path(__file__).with_name("ranking.txt")
_CHANCE = (1.03, -1.597)
"""Slope and offset that turn a score into a chance; fitted on questions that the trees did not learn from."""
_LONGEST = 450
_RARE = 10.0  # about the rarity (idf) of a word that occurs once
_FOREIGN = 1.5
"""What a sentence of an article loses where the same article is there in the question's language."""
_ADDED = 0.8
"""What a sentence of a document that was added to the library gains: who adds it wants it read."""
_CONTEXT = 3  # features that come from the sentences around
_SPREAD = 0.1  # cosines of sentences that are worth a thought lie within it
_UNCLEAR = re.compile(
    r"^(?:it|its|this|that|these|they|their|he|she|his|her|such|then|there|but|and|so)\b|^(?:它|他|她|这|那|其|但|而|于是|因此|同时)",
    re.I,
)
_DISPUTED = re.compile(r"^(?:Another source,|另一来源)")
_NAMING = re.compile(r"\bis also called\b|^[^,.]{2,60} stands for\b|又称|^[^，。]{2,30}的全称是")
_PERSON = re.compile(r"\b[A-Z][a-z]+(?: [A-Z]\.)?(?: [A-Z][a-zA-Zé\-]+)+\b")


@dataclass(frozen=True, slots=True)
class Piece:
    """One sentence of the evidence.

    `fits` says that it holds the kind of value the question wants, about a node the question names; `nodes` are the
    nodes it names or is about; `features` what its score was made of.
    """

    evidence: Evidence
    score: float
    fits: bool
    nodes: frozenset[str]
    features: tuple[float, ...] = ()

    @property
    def article(self) -> bool:
        """Whether it stands in an article of the library, which says it in both languages."""
        return _article(self.evidence)

    @property
    def unclear(self) -> bool:
        """Whether it opens with a word that points back, and so says little alone."""
        return _UNCLEAR.match(cleaned(self.evidence.text)) is not None

    @property
    def renames(self) -> bool:
        """Whether it only says what else a thing is called."""
        return _NAMING.search(cleaned(self.evidence.text)) is not None

    @property
    def disputed(self) -> bool:
        """Whether it only says that another source differs."""
        return _DISPUTED.match(cleaned(self.evidence.text)) is not None

    @property
    def names(self) -> bool:
        """Whether it names a node of the question itself."""
        return bool(self.features) and self.features[FEATURES.index("names")] > 0

    @property
    def chance(self) -> float:
        """How likely it is to answer, by the score, in (0, 1)."""
        slope, offset = _CHANCE
        return 1 / (1 + math.exp(-max(min(slope * self.score + offset, 30.0), -30.0)))


def pieces(bundle: Bundle, knowledge: Knowledge) -> list[Piece]:
    """The sentences of all evidence, best first, each once."""
    found = candidates(bundle, knowledge)
    if not found:
        return []
    scores = np.asarray(trees().predict(np.array([p.features for p in found]), raw_score=True, num_threads=1))
    articles = {e.document for e in bundle.evidence if _article(e) and e.language == bundle.language}
    best: dict[str, Piece] = {}
    for piece, score in zip(found, scores.tolist(), strict=True):
        evidence = piece.evidence
        if not _article(evidence):
            score += _ADDED
        elif evidence.language != bundle.language and f"{evidence.node}.{bundle.language}" in articles:
            score -= _FOREIGN
        key = re.sub(r"\W+", "", evidence.text).casefold()
        if key not in best or best[key].score < score:
            best[key] = replace(piece, score=score)
    return sorted(best.values(), key=lambda piece: -piece.score)


def candidates(bundle: Bundle, knowledge: Knowledge) -> list[Piece]:
    """The sentences of all evidence with their features and no score yet."""
    asked = _Asked(bundle, knowledge)
    found = []
    for rank, evidence in enumerate(bundle.evidence):
        before: frozenset[str] = frozenset()
        for part in _parts(evidence):
            piece = asked.piece(part, rank)
            if not _article(evidence):  # a sentence is also about what the one before it names
                piece, before = replace(piece, nodes=piece.nodes | before), piece.nodes
            found.append(piece)
    if not found:
        return []
    return [replace(p, features=tuple(row)) for p, row in zip(found, _with_neighbours(found).tolist(), strict=True)]


def _with_neighbours(found: list[Piece]) -> NDArray[np.float64]:
    """The features (P, F) of sentences, with what the sentences beside them in their document add."""
    table = np.array([piece.features for piece in found])
    near = table[:, FEATURES.index("near")]
    order = sorted(range(len(found)), key=lambda n: (found[n].evidence.document, found[n].evidence.start))
    before, after = np.full(len(found), -1.0), np.full(len(found), -1.0)
    for one, other in pairwise(order):
        if found[one].evidence.document == found[other].evidence.document:
            after[one], before[other] = near[other], near[one]
    best: dict[str, float] = {}
    for piece, value in zip(found, near.tolist(), strict=True):
        best[piece.evidence.document] = max(best.get(piece.evidence.document, value), value)
    whole = np.array([best[piece.evidence.document] for piece in found])
    return np.column_stack([table, before, after, whole])


def _parts(evidence: Evidence) -> Iterator[Evidence]:
    if evidence.claim is not None:
        yield evidence
        return
    for start, end in sentences(evidence.text):
        text = evidence.text[start:end]
        if len(cleaned(text)) >= 8 and not text.lstrip().startswith("#"):
            yield replace(evidence, start=evidence.start + start, end=evidence.start + end, text=text)


FEATURES = (
    "rank near nearest lacks_vector words words_back nodes names own language claim asked asked_of qualifier fits "
    "answers opens first lineage unclear long naming disputed rare_words rarest length place asked_words group lexical "
    "hop before after document"
).split()
"""What is known of a sentence, each about 0 to 1; the last three come from its neighbours."""
GROUPS = ("value", "explain", "comparison", "lineage", "list")
"""Kinds of questions."""


def group(question: str) -> str:
    """Of which kind a question is; a list or an account of what a relation holds is a value."""
    wanted = intent(question)
    if wanted in (Intent.EXPLAIN, Intent.LIST) and relations(question):
        return "value"
    return str(wanted) if str(wanted) in GROUPS else "value"


@cache
def trees() -> Booster:
    """The learned ranker."""
    from lightgbm import Booster

    return Booster(model_str=TREES.read_text(encoding="utf-8"))


def _article(evidence: Evidence) -> bool:
    """Whether a span stands in an article of the library: that is called after its node."""
    return evidence.document.rpartition(".")[0] == evidence.node


class _Asked:
    def __init__(self, bundle: Bundle, knowledge: Knowledge) -> None:
        self.bundle, self.knowledge = bundle, knowledge
        self.nodes = frozenset(bundle.nodes)
        self.intent = intent(bundle.question)
        self.relations = relations(bundle.question)
        self.words = {word for word in knowledge.bare_words(bundle.question) if not word.isdigit()}
        self.dates, self.numbers = dates(bundle.question), numbers(bundle.question)
        self.nearest = max(bundle.nearness.values(), default=0.0)
        self.group = GROUPS.index(group(bundle.question))
        self.rarity = {word: bundle.rarity.get(word, _RARE) for word in self.words}
        self.lexical = max((e.signals.get("bm25", 0.0) for e in bundle.evidence), default=0.0) or 1.0

    def piece(self, evidence: Evidence, rank: int) -> Piece:
        """A sentence with its own features; its score is still to come."""
        features, fits, nodes = self.features(evidence, rank)
        return Piece(evidence, 0.0, fits, nodes, tuple(features))

    def features(self, evidence: Evidence, rank: int) -> tuple[list[float], bool, frozenset[str]]:
        """The features of a sentence in their order, whether it fits, and the nodes it is about."""
        knowledge, text, asked = self.knowledge, cleaned(evidence.text), self.nodes
        claim = knowledge.claim(evidence)
        mentioned = knowledge.ids(text)
        ends = {id for id in (claim.subject, claim.object) if id} if claim else set()
        nodes = frozenset(mentioned | ends | ({evidence.node} if evidence.node else set()))
        about = not asked or bool(nodes & asked)
        words = knowledge.words(text)
        cosine = self.bundle.nearness.get((evidence.document, evidence.start, evidence.end))
        wanted = claim is not None and claim.relation in self.relations
        authors = claim is not None and claim.relation is Relation.AUTHORED_BY and evidence.hop == 1
        subject = authors or (claim is not None and claim.subject in asked)  # authors are those of the node's paper
        answers = subject and claim is not None and claim.relation in RELATIONS.get(self.intent, ())
        fits = about and (answers or self._fits(text, mentioned, claim.relation if claim else None))
        qualifier = claim.qualifier if claim else None
        values = {
            "rank": 1.0 - rank / max(len(self.bundle.evidence), 1),
            "near": 0.0 if cosine is None else max(1.0 - (self.nearest - cosine) / _SPREAD, -0.5),
            "nearest": cosine is not None and cosine == self.nearest,
            "lacks_vector": cosine is None,
            "words": overlap(self.words, words) if self.words else 0.0,
            "words_back": overlap(words, self.words) if words else 0.0,
            "nodes": len(nodes & asked) / len(asked) if asked else 0.0,
            "names": bool(mentioned & asked),
            "own": evidence.node in asked or (not _article(evidence) and bool(mentioned & asked)),
            "language": evidence.language == self.bundle.language or not _article(evidence),
            "claim": claim is not None,
            "asked": wanted and subject,
            "asked_of": wanted and claim is not None and claim.object in asked,
            "qualifier": bool(qualifier) and str(qualifier).casefold() in self.bundle.question.casefold(),
            "fits": fits,
            "answers": answers,
            "opens": self._opens(evidence, text),
            "first": evidence.start == 0,
            "lineage": claim is not None and claim.relation in LINEAGE,
            "unclear": _UNCLEAR.match(text) is not None,
            "long": len(text) > _LONGEST or text.endswith(("?", "？", ":", "：")),
            "naming": self.intent is not Intent.NAME and _NAMING.search(text) is not None,
            "rare_words": sum(self.rarity[word] for word in self.words & words) / max(sum(self.rarity.values()), 1e-9),
            "rarest": max((self.rarity[word] for word in self.words & words), default=0.0) / _RARE,
            "length": len(text) / 200,
            "place": evidence.start / 2000,
            "asked_words": len(self.words) / 8,
            "group": self.group,
            "lexical": evidence.signals.get("bm25", 0.0) / self.lexical,
            "hop": evidence.hop,
            "disputed": _DISPUTED.match(text) is not None or (claim is not None and not claim.preferred),
        }
        return [float(values[name]) for name in FEATURES[:-_CONTEXT]], fits, nodes

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

    def _opens(self, evidence: Evidence, text: str) -> bool:
        """Whether a sentence opens with the node's name and says what it is."""
        node = self.knowledge.nodes.get(evidence.node or "")
        if node is None or evidence.node not in self.nodes:
            return False
        opens = any(text.casefold().startswith(name.casefold()) for name in node.surfaces)
        return opens and re.search(r"\b(?:is|are|was) (?:an?|the)\b|是(?:一|指|把|用)", text[:80]) is not None
