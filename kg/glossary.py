"""The glossary as names for reading documents: nodes that enter a graph only with a document that mentions them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ailineage.corpus import glossary
from ailineage.kg.identity import Lexicon, fold
from ailineage.kg.model import Node
from ailineage.kg.naming import provisional_id
from ailineage.kg.vocabulary import Kind


@dataclass(frozen=True)
class Vocabulary:
    """All that is known before a document is read: the library's nodes, the glossary's terms, and their names."""

    nodes: Mapping[str, Node]
    lexicon: Lexicon


def vocabulary(nodes: Mapping[str, Node]) -> Vocabulary:
    """The names of the library's nodes with those of the glossary.

    A term that one of the nodes bears lends it its other names; one that several bear is left out, and a name means
    the first term that has it.
    """
    own = Lexicon(nodes.values())
    lent: dict[str, list[str]] = defaultdict(list)
    terms: dict[str, Node] = {}
    taken: set[str] = set()
    for term in glossary.terms():
        bearers = {id for name in (*term.en, *term.zh) for id in own.lookup(name, typos=False)}
        en, zh = ([name for name in names if fold(name) not in taken] for names in (term.en, term.zh))
        free = [name for name in (*en, *zh) if not own.lookup(name, typos=False)]
        if len(bearers) == 1:
            lent[bearers.pop()] += free
            taken.update(map(fold, free))
        elif not bearers and en:
            id = provisional_id(en[0])
            usual = {"en": en[0]} | ({"zh": zh[0]} if zh else {})
            terms.setdefault(id, Node(id, Kind(term.kind), usual, (*en[1:], *zh[1:]), provisional=True))
            taken.update(map(fold, free))
    known = {**nodes, **terms}
    named = [replace(node, aliases=(*node.aliases, *lent.get(node.id, ()))) for node in known.values()]
    return Vocabulary(known, Lexicon(named))
