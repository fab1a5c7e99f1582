"""The graph as pandas tables, for those who work in notebooks: one row a node, an edge, a claim.

>>> import ailineage
>>> from ailineage.kg import tables
>>> tables.nodes(ailineage.open().graph).groupby("kind").size()  # doctest: +SKIP

Closed vocabularies are categories; what is missing is NA. `first` and `last` are the days a date spans, so that a
date known to the year sorts and compares with one known to the day.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ailineage.kg.chronology import when
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import Family, Kind, Relation

if TYPE_CHECKING:
    import pandas as pd

NODES = ("id", "kind", "en", "zh", "family", "date", "first", "last", "provisional", "reference", "link", "wikidata")
EDGES = ("source", "relation", "target", "value", "claims")
CLAIMS = (
    *("id", "subject", "relation", "object", "value", "qualifier", "document", "start", "end", "text", "extractor"),
    *("confidence", "preferred", "conflicts", "references", "changed"),
)


def nodes(graph: KnowledgeGraph) -> pd.DataFrame:
    """Nodes: columns NODES; `first` and `last` are datetime64[s], `kind` and `family` categories."""
    rows = []
    for node in graph.nodes.values():
        period = when(node)
        names = node.names.get("en"), node.names.get("zh")
        days = (period.first, period.last) if period else (None, None)
        more = node.provisional, node.reference, node.link, node.wikidata
        rows.append((node.id, str(node.kind), *names, _text(node.family), node.date, *days, *more))
    table = _table(rows, NODES, {"kind": Kind, "family": Family})
    return table.astype({"first": "datetime64[s]", "last": "datetime64[s]", "provisional": bool})


def edges(graph: KnowledgeGraph) -> pd.DataFrame:
    """Edges: columns EDGES; `target` is a node's id or else `value` a literal, `claims` counts what supports it."""
    rows = [(edge.source, str(edge.relation), edge.target, edge.value, len(edge.claims)) for edge in graph.edges]
    return _table(rows, EDGES, {"relation": Relation}).astype({"claims": "int64"})


def claims(graph: KnowledgeGraph) -> pd.DataFrame:
    """Claims: columns CLAIMS; `conflicts` and `references` are tuples, spans count characters of the document."""
    rows = [
        (
            *(claim.id, claim.subject, str(claim.relation), claim.object, claim.value, claim.qualifier),
            *(claim.document, claim.start, claim.end, claim.text, claim.extractor, claim.confidence),
            *(claim.preferred, claim.conflicts_with, claim.references, claim.changed),
        )
        for claim in graph.claims.values()
    ]
    table = _table(rows, CLAIMS, {"relation": Relation}, plain=("conflicts", "references"))
    return table.astype({"start": "int64", "end": "int64", "confidence": float, "preferred": bool})


def _table(
    rows: Iterable[tuple[Any, ...]], columns: tuple[str, ...], closed: dict[str, Any], plain: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Rows as a table with `closed` vocabularies as categories and all else as strings, save what is numbers."""
    import pandas as pd

    table = pd.DataFrame.from_records(list(rows), columns=list(columns))
    numbers = {"first", "last", "provisional", "claims", "start", "end", "confidence", "preferred", *plain}
    kinds = {name: "string" for name in columns if name not in numbers and name not in closed}
    categories = {name: pd.CategoricalDtype([str(term) for term in terms]) for name, terms in closed.items()}
    return table.astype(kinds | categories)


def _text(term: Family | None) -> str | None:
    return None if term is None else str(term)
