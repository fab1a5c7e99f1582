"""What would a classifier add to the reading of documents? Relations by distant supervision, on families left out.

    python benchmarks/relations.py             # words, kinds and order
    python benchmarks/relations.py --encoder   # also with the packaged encoder's vectors of the sentences (ten minutes)

A sentence of an article that names two nodes, or one besides what the article is about, is taken to say their relation
in the graph, if they have one. A logistic regression over the words between and around the two, their kinds, order and
distance is asked about the nodes of families that it has not seen. `first N` is the share of its N surest answers
that the graph knows: a lower bound, since the graph does not hold everything that an article says.

It is in no use: no relation comes near nine right in ten (the figures are in README.md), which is what phrases reach.
"""

# ruff: noqa: T201
from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

import ailineage
from ailineage.corpus.passages import sentences
from ailineage.kg.found import SYSTEMS
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.identity import Mention
from ailineage.kg.model import Node
from ailineage.kg.patterns import JOINED, NEGATION
from ailineage.kg.reading import blocks
from ailineage.kg.vocabulary import Kind, Relation

FOLDS = 5
FIRST = (50, 100, 200)
LEARNED = (
    Relation.USES,
    Relation.ADDRESSES,
    Relation.BUILDS_ON,
    Relation.VARIANT_OF,
    Relation.INFLUENCED_BY,
    Relation.TRAINED_ON,
    Relation.EVALUATED_ON,
)
OBJECTS = SYSTEMS | {Kind.CONCEPT, Kind.TASK, Kind.DATASET}
NEAR = 240  # characters between two names of which one may say something of the other
_WORD = re.compile(r"[A-Za-z][A-Za-z’'-]*|\d+|[\u4e00-\u9fff]|[^\w\s]")
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Case:
    """Two nodes in a sentence: what is seen of them, and how the graph relates them, or `none`."""

    family: str
    relation: str
    features: list[str]
    sentence: str


def cases(graph: KnowledgeGraph) -> list[Case]:
    """The pairs of nodes in the prose of the library's articles; negated sentences are left out."""
    known: dict[tuple[str, str], Relation] = {}
    for claim in graph.claims.values():
        if claim.object and claim.relation in LEARNED:
            pair = claim.subject, claim.object
            known[pair] = min(known.get(pair, claim.relation), claim.relation, key=LEARNED.index)
    found = []
    for document in graph.documents.values():
        about = document.id.rsplit(".", 1)[0]
        if document.source != "library" or about not in graph.nodes:
            continue
        for block in blocks(re.split(r"\n## ", document.text)[0]):
            for begin, stop in sentences(block.text):
                text = block.text[begin:stop]
                if NEGATION.search(text):
                    continue
                named = [(m, m.nodes[0]) for m in graph.lexicon.find(text) if len(m.nodes) == 1]
                for source, subject, goal, place in _pairs(named, about, graph.nodes):
                    seen = list(_features(text, named, subject, goal, place, graph.nodes[source]))
                    kinds = f"{graph.nodes[source].kind}>{graph.nodes[goal[1]].kind}"
                    relation = known.get((source, goal[1]))
                    ends = f"{graph.nodes[source].name()} → {graph.nodes[goal[1]].name()}: "
                    found.append(
                        Case(
                            str(graph.nodes[about].family),
                            str(relation or "none"),
                            [*seen, f"kinds {kinds}", f"target {goal[1]}"],
                            ends + text[:300],
                        )
                    )
    return found


Named = tuple[Mention, str]


def _pairs(
    named: list[Named], about: str, nodes: Mapping[str, Node]
) -> Iterator[tuple[str, Mention | None, Named, int]]:
    """Each name with the first system, the two before it, the one after it, and what the article is about."""
    systems = [(place, *pair) for place, pair in enumerate(named) if nodes[pair[1]].kind in SYSTEMS]
    for place, goal in enumerate(named):
        if nodes[goal[1]].kind not in OBJECTS:
            continue
        before = [entry for entry in systems if entry[0] < place]
        near = [*before[:1], *before[-2:], *[entry for entry in systems if entry[0] > place][:1]]
        asked = {goal[1]}
        for _, mention, node in near:
            if node not in asked and abs(mention.start - goal[0].start) < NEAR:
                asked.add(node)
                yield node, mention, goal, place
        if about not in asked and nodes[about].kind in SYSTEMS:
            yield about, None, goal, place


def _features(
    text: str, named: list[Named], subject: Mention | None, goal: Named, place: int, source: Node
) -> Iterator[str]:
    mention, _ = goal
    order = "carried" if subject is None else "before" if subject.start < mention.start else "after"
    yield f"{'zh' if _HAN.search(text) else 'en'} {order} {source.kind} {min(place, 3)}"
    head = place  # where the list begins in which the name stands
    while head and JOINED.match(text[named[head - 1][0].end : named[head][0].start]):
        head -= 1
    lead = _words(text[: named[head][0].start][-80:])
    after = _words(text[mention.end : mention.end + 30])[:3]
    yield from (f"lead {' '.join(lead[-length:])}" for length in range(1, 4))
    yield from (f"after {' '.join(after[:length])}" for length in range(1, 4))
    between = lead
    if subject is not None:
        left, right = sorted((subject, mention), key=lambda m: m.start)
        between = _words(text[left.end : right.start])
        yield f"names between {order} {min(sum(left.end <= m.start < right.start for m, _ in named), 3)}"
        yield f"distance {order} {min(len(between) // 4, 6)}"
    for one, other in zip(between[-20:], [*between[-19:], ""], strict=False):
        yield f"word {order} {one}"
        yield f"words {order} {one} {other}"


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def across(found: list[Case], columns: Any) -> dict[str, np.ndarray]:
    """The score (P,) of each relation for each case, by a model that did not learn from its family."""
    families = sorted({case.family for case in found})
    fold = np.array([families.index(case.family) % FOLDS for case in found])
    relations = np.array([case.relation for case in found])
    scores = {str(relation): np.zeros(len(found)) for relation in LEARNED}
    for number in range(FOLDS):
        model = LogisticRegression(C=0.1, max_iter=200).fit(columns[fold != number], relations[fold != number])
        chances = model.predict_proba(columns[fold == number])
        for place, relation in enumerate(model.classes_):
            if relation in scores:
                scores[relation][fold == number] = chances[:, place]
    return scores


def report(name: str, found: list[Case], scores: Mapping[str, np.ndarray]) -> None:
    """Print how often the surest answers are right."""
    relations = np.array([case.relation for case in found])
    for relation, chances in scores.items():
        right = relations == relation
        order = np.argsort(-chances, kind="stable")
        first = "  ".join(f"first {n} {100 * right[order[:n]].mean():5.1f}" for n in FIRST)
        precision = 100 * average_precision_score(right, chances)
        print(f"{name:8} {relation:14} {right.sum():5} of {len(right)}  {first}  average precision {precision:5.1f}")


def main(arguments: list[str]) -> None:
    """Measure."""
    engine = ailineage.open()
    found = cases(engine.graph)
    counter = CountVectorizer(analyzer=lambda case: case.features, binary=True, min_df=3)
    words = counter.fit_transform(found).tocsr()
    report("words", found, across(found, words))
    if "--encoder" in arguments:
        vectors = csr_matrix(8 * engine.embedder.passages([case.sentence for case in found]))
        report("encoder", found, across(found, vectors))
        report("both", found, across(found, hstack([words, vectors]).tocsr()))


if __name__ == "__main__":
    main(sys.argv[1:])
