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
            pool = [(c, hop) for c, hop in pool if c.relation not in _MADE or self._dates(c.subject)]
        if Relation.AUTHORED_BY in wanted:
            pool += [(claim, 1) for paper in self._papers(node) for claim in self._authors(paper)]
        pool.sort(key=lambda item: self._merit(item[0], node, wanted), reverse=True)
        if maker:
            pool.sort(key=lambda item: item[0].relation in _MADE and -self.prominence(item[0].subject))
        few = self.asked.compares and not self.asked.asks
        yield from self._each_once(pool, _LISTED if maker else _FACTS if few else _CLAIMS)

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

    def _dates(self, node: str) -> list[Claim]:
        """The claims that put a node into a year of the question."""
        about = self.graph.claims_about(node)
        return [c for c in about if c.relation is Relation.PUBLISHED_ON and (c.value or "")[:4] in self.asked.years]

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
