"""The graph: nodes, the claims that support its edges, the documents they stand in, and who is mentioned where.

A `KnowledgeGraph` is made once from its parts and then only read. Everything derived (edges, lexicon, networkx
view) is computed when first asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

import networkx

from ailineage.corpus.documents import Document
from ailineage.corpus.passages import Passage, split
from ailineage.errors import AmbiguousNodeError, UnknownNodeError
from ailineage.kg.identity import Lexicon
from ailineage.kg.model import Claim, Edge, Node
from ailineage.kg.vocabulary import Relation

if TYPE_CHECKING:
    from ailineage.kg.columns import Columns


class KnowledgeGraph:
    """Nodes, claims and documents, and what follows from them."""

    def __init__(
        self,
        nodes: Iterable[Node] | Mapping[str, Node],
        claims: Iterable[Claim] | Mapping[str, Claim],
        documents: Iterable[Document] | Mapping[str, Document],
    ) -> None:
        self.nodes: Mapping[str, Node] = _by_id(nodes)
        self.claims: Mapping[str, Claim] = _by_id(claims)
        self.documents: Mapping[str, Document] = _by_id(documents)

    @cached_property
    def lexicon(self) -> Lexicon:
        """The names of all nodes except paper titles' authors without an article, which would drown the rest."""
        return Lexicon(self.nodes.values())

    @cached_property
    def passages(self) -> list[Passage]:
        """All passages, in the order of documents."""
        return [passage for document in self.documents.values() for passage in split(document)]

    @cached_property
    def mentions(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the nodes each passage names, by passage id; the node whose document it is comes first."""
        found: dict[str, tuple[str, ...]] = {}
        for passage in self.passages:
            own = [node] if (node := self.node_of(passage.document)) else []
            named = [m.nodes[0] for m in self.lexicon.find(passage.text) if len(m.nodes) == 1]
            found[passage.id] = tuple(dict.fromkeys((*own, *named)))
        return found

    def node_of(self, document: str) -> str | None:
        """The node whose article a library document is; None for documents of the user."""
        id, _, language = document.rpartition(".")
        return id if language in ("en", "zh") and self.documents[document].source == "library" else None

    @cached_property
    def _by_subject(self) -> Mapping[str, list[Claim]]:
        return _group((claim.subject, claim) for claim in self.claims.values())

    @cached_property
    def _by_object(self) -> Mapping[str, list[Claim]]:
        return _group((claim.object, claim) for claim in self.claims.values() if claim.object)

    @cached_property
    def by_document(self) -> Mapping[str, list[Claim]]:
        """Claims by the document that makes them."""
        return _group((claim.document, claim) for claim in self.claims.values())

    def claims_about(self, node: str) -> list[Claim]:
        """Claims with the node as subject, then those with it as object."""
        return [*self._by_subject.get(node, ()), *self._by_object.get(node, ())]

    @cached_property
    def edges(self) -> list[Edge]:
        """What preferred claims support, each edge once, with all the claims that support it."""
        support: dict[tuple[str, Relation, str | None, str | None], list[str]] = defaultdict(list)
        for claim in self.claims.values():
            if claim.preferred:
                support[claim.subject, claim.relation, claim.object, claim.value].append(claim.id)
        return [Edge(*key, claims=tuple(ids)) for key, ids in support.items()]

    @cached_property
    def nx(self) -> networkx.MultiDiGraph:
        """The graph for networkx: nodes carry `node`, edges (keyed by relation) carry `claims`; no literals."""
        graph = networkx.MultiDiGraph()
        for node in self.nodes.values():
            graph.add_node(node.id, node=node)
        for edge in self.edges:
            if edge.target is not None:
                graph.add_edge(edge.source, edge.target, key=edge.relation, claims=edge.claims)
        return graph

    @cached_property
    def columns(self) -> Columns:
        """The family tree as arrays, which questions of descent search (`ailineage.kg.lineage`)."""
        from ailineage.kg.columns import Columns

        return Columns.of(self)

    @cached_property
    def lineage(self) -> networkx.DiGraph:
        """The family tree for networkx: edges from parent to child, with the relation and claims that support them."""
        columns = self.columns
        ids = columns.ids.tolist()
        graph = networkx.DiGraph()
        graph.add_nodes_from(ids)
        graph.add_edges_from(
            (ids[parent], ids[child], {"relation": columns.relation(step), "claims": columns.support(step)})
            for step, (parent, child) in enumerate(
                zip(columns.parents.tolist(), columns.children.tolist(), strict=True)
            )
        )
        return graph

    def resolve(self, name: str) -> Node:
        """The one node a name means.

        Raises:
            UnknownNodeError: if no node bears it; the message suggests names that look like it.
            AmbiguousNodeError: if several nodes bear it.
        """
        if name in self.nodes:
            return self.nodes[name]
        found = self.lexicon.lookup(name)
        if len(found) == 1:
            return self.nodes[found[0]]
        if found:
            meant = ", ".join(f"{self.nodes[id].name()} ({id})" for id in found)
            raise AmbiguousNodeError(f"{name!r} may mean {meant}; say which id")
        near = self.lexicon.suggestions(name)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownNodeError(f"no node is called {name[:80]!r}{hint}")


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_Identified)


def _by_id(records: Iterable[R] | Mapping[str, R]) -> Mapping[str, R]:
    return records if isinstance(records, Mapping) else {record.id: record for record in records}


def _group(pairs: Iterable[tuple[str | None, Claim]]) -> dict[str, list[Claim]]:
    groups: dict[str, list[Claim]] = defaultdict(list)
    for key, claim in pairs:
        if key is not None:
            groups[key].append(claim)
    return groups
