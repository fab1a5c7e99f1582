"""Time in the graph: dates at the precision known, and questions of before, during and after.

A date such as 2017-06 is the interval of its days. Relations between intervals are Allen's (J. F. Allen,
"Maintaining Knowledge about Temporal Intervals", CACM 26(11), 1983), joined where precision cannot tell them apart.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date

from ailineage.corpus.library import Library
from ailineage.errors import UsageError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Node
from ailineage.kg.vocabulary import Relation

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, text: str) -> Period:
        """The interval of an ISO 8601 date at any precision, or of two of them joined by `/`.

        >>> Period.of("2016-02")
        Period(first=datetime.date(2016, 2, 1), last=datetime.date(2016, 2, 29))

        Raises:
            UsageError: if it is not such a date, or runs backwards.
        """
        start, _, end = text.partition("/")
        first, last = _interval(start, text), _interval(end or start, text)
        if last.last < first.first:
            raise UsageError(f"{text!r} ends before it begins")
        return cls(first.first, last.last)

    def before(self, other: Period) -> bool:
        """Whether all of it lies before the other begins (Allen: before, meets)."""
        return self.last < other.first

    def during(self, other: Period) -> bool:
        """Whether all of it lies within the other (Allen: during, starts, finishes, equals)."""
        return other.first <= self.first and self.last <= other.last

    def overlaps(self, other: Period) -> bool:
        """Whether the two share a day."""
        return self.first <= other.last and other.first <= self.last


def _interval(text: str, whole: str) -> Period:
    match = _ISO.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in match.groups())
        assert year is not None
        first = date(year, month or 1, day or 1)
        if month is None:
            return Period(first, date(year, 12, 31))
        if day is None:
            return Period(first, date(year, month, calendar.monthrange(year, month)[1]))
        return Period(first, first)
    except ValueError:
        raise UsageError(f"{whole!r} is not a date; write 2017, 2017-06, 2017-06-12 or two of them as A/B") from None


def when(node: Node) -> Period | None:
    """The interval of a node's date; None if it has none that is a date."""
    try:
        return Period.of(node.date) if node.date else None
    except UsageError:
        return None


def timeline(graph: KnowledgeGraph, during: str | None = None) -> list[Node]:
    """Dated nodes in order of time; with `during`, those whose whole interval lies in it."""
    window = Period.of(during) if during else None
    dated = [(period, node.id, node) for node in graph.nodes.values() if (period := when(node))]
    return [node for period, _, node in sorted(dated, key=lambda item: item[:2]) if not window or period.during(window)]


def before(graph: KnowledgeGraph, date: str) -> list[Node]:
    """Nodes surely dated before a date, in order of time."""
    limit = Period.of(date)
    return [node for node in timeline(graph) if (period := when(node)) and period.before(limit)]


def as_of(graph: KnowledgeGraph, date: str) -> KnowledgeGraph:
    """The field as it stood at the end of a date: nodes dated no later, undated ones that they relate to, their claims.

    A claim stays if both its ends do; what was written later about earlier things stays too.
    """
    end = Period.of(date).last
    there = {node.id for node in graph.nodes.values() if (period := when(node)) and period.first <= end}
    claims = [claim for claim in graph.claims.values() if claim.subject in there or claim.object in there]
    ends = {end for claim in claims for end in (claim.subject, claim.object) if end}
    kept = there | {id for id in ends if id in graph.nodes and not when(graph.nodes[id])}
    return KnowledgeGraph(
        (node for node in graph.nodes.values() if node.id in kept),
        (c for c in claims if c.subject in kept and (c.object is None or c.object in kept)),
        graph.documents.values(),
    )


def anachronisms(graph: KnowledgeGraph) -> Iterator[tuple[Node, Node]]:
    """Pairs of parent and child in the lineage where the child is surely dated before the parent."""
    for parent, child in graph.lineage.edges:
        older, newer = graph.nodes.get(parent), graph.nodes.get(child)
        if older and newer and (first := when(older)) and (then := when(newer)) and then.before(first):
            yield older, newer


def unexplained(graph: KnowledgeGraph, excused: Container[tuple[str, str]]) -> list[str]:
    """One line for each anachronism that `excused` (pairs of parent and child) gives no reason for, with its source."""
    lines = []
    for parent, child in anachronisms(graph):
        if (parent.id, child.id) in excused:
            continue
        held = graph.lineage.edges[parent.id, child.id]["claims"]
        sources = ", ".join(sorted({graph.claims[id].document for id in held}))
        lines.append(f"{child.id} ({child.date}) is dated before its parent {parent.id} ({parent.date}); see {sources}")
    return sorted(lines)


def excused(library: Library) -> set[tuple[str, str]]:
    """Pairs of parent and child for which the library gives the reason that the child is dated first."""
    pairs = set()
    for article in library.articles.values():
        for fact in article.facts:
            if fact.anachronism and fact.target:
                pair = (fact.target, article.id)
                pairs.add(pair[::-1] if fact.relation == Relation.SUCCEEDED_BY else pair)
    return pairs
