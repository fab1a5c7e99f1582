"""Put the evidence for a question together, best first and within a budget.

First the path between the nodes of the question, then the claims it asks for, then what introduces its nodes, then
the best sentences of the best passages. A statement that stands in both languages is taken in the question's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from ailineage.kg import lineage
from ailineage.retrieval.asked_claims import AskedClaims
from ailineage.retrieval.evidence import Bundle, Evidence, Hop
from ailineage.retrieval.excerpts import Excerpts
from ailineage.retrieval.question import Question

if TYPE_CHECKING:
    from ailineage.kg.model import Claim
    from ailineage.retrieval.retriever import Ranking, Retriever, Scores

_HAN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_ENDS = 3  # nodes between which paths are sought


def weight(text: str) -> int:
    """The length of a text in characters of English: a Chinese one carries as much as two and a half.

    >>> weight("BERT 是")
    7
    """
    return len(text) + int(1.5 * len(_HAN.findall(text)))


def gather(retriever: Retriever, asked: Question, ranking: Ranking, budget: int) -> Bundle:
    """The evidence for a question; both ends of its path are in it, whatever the budget."""
    path = _path(retriever, asked, ranking)
    ends = _unique([path[0].evidence, path[-1].evidence] if path else [])
    found = [*ends, *(hop.evidence for hop in path)]
    for claim, hop in AskedClaims(retriever.graph, asked, bool(path), retriever.prominence).find():
        found.append(stated(retriever, ranking, claim, hop))
    found = _unique(found)
    excerpts = Excerpts(retriever, asked, ranking)
    nodes = dict.fromkeys((*asked.nodes, *(node for hop in path for node in (hop.parent, hop.child))))
    found = _unique([*found, *excerpts.introductions(nodes)])
    found = _unique([*found, *excerpts.best(found)])
    kept: list[Evidence] = []
    spent = 0
    for number, evidence in enumerate(found):
        cost = weight(evidence.text)
        if number < len(ends) or spent + cost <= budget or not kept:
            kept.append(evidence)
            spent += cost
    order = {(hop.evidence.document, hop.evidence.start): place for place, hop in enumerate(path)}
    kept.sort(key=lambda evidence: order.get((evidence.document, evidence.start), len(order)))
    unknown, near = _unknown(retriever, asked, ranking), _nearness(retriever, excerpts.cosines, kept)
    apart = retriever.apart(asked.nodes)
    return Bundle(asked.text, asked.language, asked.nodes, tuple(kept), path, unknown, near, excerpts.rarity, apart)


def stated(retriever: Retriever, ranking: Ranking, claim: Claim, hop: int = 0) -> Evidence:
    """A claim as evidence."""
    document = retriever.graph.documents[claim.document]
    row = retriever.row_at(claim.document, claim.start)
    return Evidence(
        claim.document,
        claim.start,
        claim.end,
        document.text[claim.start : claim.end],
        document.title,
        document.language,
        retriever.graph.node_of(claim.document) or claim.subject,
        claim.id,
        claim.confidence * (1.0 if claim.preferred else 0.5),
        {"name": 1.0} | (ranking.signals(row) if row is not None else {}),
        hop,
    )


def _path(retriever: Retriever, asked: Question, ranking: Ranking) -> tuple[Hop, ...]:
    """The best line of descent between the nodes of the question, if it names two or more that have one."""
    graph = retriever.graph
    nodes = [node for node in asked.nodes if node in graph.lineage][:_ENDS]
    hops: dict[tuple[str, str], Hop] = {}
    for start, goal in pairwise(nodes):
        route = lineage.path(graph, start, goal, asked.language)
        if route is None or (route.shared is not None and not asked.descent):
            continue
        for step in route.hops:
            evidence = stated(retriever, ranking, step.claims[0])
            hops[step.parent, step.child] = Hop(step.parent, step.child, step.relation, step.changed, evidence)
    return tuple(hops.values())


def _unknown(retriever: Retriever, asked: Question, ranking: Ranking) -> tuple[str, ...]:
    """The names of the question that neither a node bears nor a good passage has."""
    best = [retriever.rows[row] for row in ranking.best(20)]
    texts = [retriever.graph.documents[row.document].text[row.start : row.end].casefold() for row in best]
    return tuple(name for name in asked.unknown if not any(name.casefold() in text for text in texts))


def _nearness(retriever: Retriever, cosines: Scores, kept: list[Evidence]) -> dict[tuple[str, int, int], float]:
    """The cosines of the sentences that lie in the evidence, the language taken out."""
    near = {}
    for evidence in kept:
        row = retriever.row_at(evidence.document, evidence.start)
        for number in retriever.sentences.of(row) if row is not None else ():
            start, end = map(int, retriever.sentences.spans[number, 1:])
            if evidence.start <= start and end <= evidence.end:
                near[evidence.document, start, end] = float(cosines[number])
    return near


def _unique(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Each span once; a span inside an earlier one, and a text said before, are left out."""
    kept: list[Evidence] = []
    for new in evidence:
        inside = any(
            (old.document == new.document and old.start <= new.start and new.end <= old.end) or old.text == new.text
            for old in kept
        )
        if not inside:
            kept.append(new)
    return kept
