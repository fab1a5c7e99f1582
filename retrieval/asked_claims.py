"""The claims of the graph that a question asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim
from ailineage.kg.vocabulary import LINEAGE, Kind, Relation
from ailineage.retrieval.question import Question

_CLAIMS = 6  # statements a node, where relations are asked for
_FACTS = 4  # statements a node, in a comparison
_GENERATIONS = 4
_NARROW = 3  # nodes of a generation beyond which no next one is told
_LISTED = 10  # statements, where the question asks for what a year or an organisation brought
_SORTS: tuple[tuple[frozenset[Kind], re.Pattern[str]], ...] = (
    (frozenset({Kind.MODEL}), re.compile(r"\bmodels?\b|\bnetworks?\b|\bsystems?\b|模型|网络|系统", re.I)),
    (
        frozenset({Kind.TECHNIQUE, Kind.CONCEPT}),
        re.compile(r"\btechniques?\b|\bmethods?\b|\balgorithms?\b|\bideas?\b|方法|技术|算法|思想", re.I),
    ),
    (frozenset({Kind.DATASET}), re.compile(r"\bdata ?sets?\b|数据集", re.I)),
    (frozenset({Kind.SOFTWARE}), re.compile(r"\bsoftware\b|\blibrar(?:y|ies)\b|\bframeworks?\b|框架|软件", re.I)),
)
_CONTRAST = (
    Relation.BUILDS_ON,
    Relation.VARIANT_OF,
    Relation.INFLUENCED_BY,
    Relation.HAS_PARAMETERS,
    Relation.ADDRESSES,
    Relation.USES,
    Relation.PUBLISHED_ON,
)
_MADE = (Relation.DEVELOPED_BY, Relation.PROPOSED_BY, Relation.AUTHORED_BY)

Statement = tuple[str, Relation, str | None, str | None, str | None]


class AskedClaims:
    """Chooses claims for one question.

    Args:
        graph: its claims are chosen from.
        asked: the question.
        path: whether the question's nodes are joined by a path already.
        prominence: how well known a node is; of many the best known come first.
    """

    def __init__(self, graph: KnowledgeGraph, asked: Question, path: bool, prominence: Callable[[str], int]) -> None:
        self.graph = graph
        self.asked = asked
        self.prominence = prominence
        self.wanted = list(asked.asks)
        if asked.descent and not path:
            self.wanted += sorted(LINEAGE)
        if asked.compares and len(asked.nodes) > 1:
            self.wanted += _CONTRAST
        self._said: set[Statement] = set()
        self._spans: set[tuple[str, int]] = set()

    def find(self) -> Iterator[tuple[Claim, int]]:
        """Claims and the steps from a node of the question to them, node by node in turn, each statement once."""
        groups = [list(self._about(node)) for node in self.asked.nodes]
        for turn in range(max(map(len, groups), default=0)):
            yield from (group[turn] for group in groups if turn < len(group))
        if self.asked.years and len(self.asked.nodes) < 2:
            yield from self._of_years()

    def _about(self, node: str) -> Iterator[tuple[Claim, int]]:
        wanted = list(self.wanted)
        maker = self.graph.nodes[node].kind in (Kind.PERSON, Kind.ORGANIZATION)
        if maker:
            wanted += _MADE
        pool = [(claim, 0) for claim in self.graph.claims_about(node) if claim.relation in wanted]
        if maker and self.asked.years:
            pool = [(c, hop) for c, hop in pool if c.relation not in _MADE or self._then(c.subject)]
        if Relation.AUTHORED_BY in wanted:
            pool += [(claim, 1) for paper in self._papers(node) for claim in self._authors(paper)]
        pool.sort(key=lambda item: self._merit(item[0], node, wanted), reverse=True)
        if maker:
            pool.sort(key=lambda item: item[0].relation in _MADE and -self.prominence(item[0].subject))
        few = self.asked.compares and not self.asked.asks
        many = maker or self.asked.down or Relation.HAS_PARAMETERS in wanted
        yield from self._each_once(pool, _LISTED if many else _FACTS if few else _CLAIMS)
        if self.asked.down:
            yield from self._each_once(self._on(node), _CLAIMS)

    def _on(self, node: str) -> list[tuple[Claim, int]]:
        """What came of what came of a node, generation by generation, as long as they are few."""
        claims: list[tuple[Claim, int]] = []
        seen, last = {node}, [node]
        for hop in range(_GENERATIONS):
            steps = [claim for parent in last for claim in self._children(parent) if claim.subject not in seen]
            last = list(dict.fromkeys(claim.subject for claim in steps))
            if not 0 < len(last) <= _NARROW:
                break
            seen.update(last)
            claims += [(claim, hop) for claim in steps]
        return claims

    def _children(self, node: str) -> list[Claim]:
        """The claims that something builds on a node or is a variant of it, in the question's language."""
        return [
            claim
            for claim in self.graph.claims_about(node)
            if claim.relation in (Relation.BUILDS_ON, Relation.VARIANT_OF)
            and claim.object == node
            and claim.preferred
            and self.graph.documents[claim.document].language == self.asked.language
        ]

    def _of_years(self) -> Iterator[tuple[Claim, int]]:
        """Claims of what appeared in a year of the question, of the sort it asks for, the best known first."""
        sorts = frozenset().union(*(kinds for kinds, telling in _SORTS if telling.search(self.asked.text)))
        dated = [
            (claim, 1)
            for claim in self.graph.claims.values()
            if claim.relation is Relation.PUBLISHED_ON and (claim.value or "")[:4] in self.asked.years
        ]
        fitting = [(claim, hop) for claim, hop in dated if self.graph.nodes[claim.subject].kind in sorts] or dated
        fitting.sort(key=lambda item: self._merit(item[0], "", self.wanted), reverse=True)
        fitting.sort(key=lambda item: -self.prominence(item[0].subject))
        yield from self._each_once(fitting, _LISTED)

    def _then(self, node: str) -> bool:
        """Whether a node is of a year of the question."""
        dated = (c.value or "" for c in self.graph.claims_about(node) if c.relation is Relation.PUBLISHED_ON)
        return any(date[:4] in self.asked.years for date in (self.graph.nodes[node].date or "", *dated))

    def _each_once(self, pool: list[tuple[Claim, int]], limit: int) -> Iterator[tuple[Claim, int]]:
        """The first `limit` spans that state something new; one span may state several things, as lists do."""
        given = 0
        for claim, hop in pool:
            statement = (claim.subject, claim.relation, claim.object, claim.value, claim.qualifier)
            span = (claim.document, claim.start)
            if statement in self._said:
                continue
            if span not in self._spans:
                if given == limit:
                    break
                given += 1
                self._spans.add(span)
                yield claim, hop
            self._said.add(statement)

    def _papers(self, node: str) -> list[str]:
        introduced = (claim for claim in self.graph.claims_about(node) if claim.relation is Relation.INTRODUCED_IN)
        return list(dict.fromkeys(claim.object for claim in introduced if claim.object and claim.subject == node))

    def _authors(self, paper: str) -> list[Claim]:
        return [claim for claim in self.graph.claims_about(paper) if claim.relation is Relation.AUTHORED_BY]

    def _merit(self, claim: Claim, node: str, wanted: list[Relation]) -> tuple[float, ...]:
        """What makes one claim better than another, the weightiest first."""
        place = wanted.index(claim.relation) if claim.relation in wanted else len(wanted)
        upwards = (claim.object if claim.relation is Relation.SUCCEEDED_BY else claim.subject) == node
        turned = claim.relation in LINEAGE and self.asked.descent and upwards == self.asked.down
        return (
            -float(turned),
            float(claim.subject == node or claim.relation in _MADE),
            -float(min(place, len(self.asked.asks))),
            float(claim.document.rpartition(".")[0] == node),
            float(claim.preferred),
            float(self.graph.documents[claim.document].language == self.asked.language),
            -float(place),
            claim.confidence,
        )
