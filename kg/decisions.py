"""What a user decided about provisional nodes: names met in a document that the library does not know.

A decision is applied whenever a graph is put together, and so lasts; taking it back restores what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from ailineage.errors import UsageError
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node


class Verdict(StrEnum):
    """What becomes of a provisional node."""

    CONFIRMED = "confirmed"
    MERGED = "merged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict on the provisional node `id`; `into` is the node it is merged into."""

    id: str
    verdict: Verdict
    into: str | None = None


def decide(graph: KnowledgeGraph, node: Node, verdict: Verdict, into: Node | None = None) -> Decision:
    """A decision about a node of a graph.

    Raises:
        UsageError: if the node is not provisional, or a merge has no other node that stays.
    """
    if not node.provisional:
        raise UsageError(f"{node.id!r} is not provisional: the library has an article on it")
    if (verdict is Verdict.MERGED) != (into is not None):
        raise UsageError("name the node to merge into, and only then" if into else "a merge needs a node to merge into")
    if into is not None and into.id == node.id:
        raise UsageError(f"{node.id!r} cannot be merged into itself")
    return Decision(node.id, verdict, into.id if into else None)


@dataclass(frozen=True, slots=True)
class Parted:
    """What is left after decisions."""

    nodes: list[Node]
    claims: list[Claim]


def apply(decisions: Mapping[str, Decision], nodes: Iterable[Node], claims: Iterable[Claim]) -> Parted:
    """Nodes and claims with the decisions carried out; a claim about a rejected node goes with it."""
    kept = {node.id: node for node in nodes}
    renamed: dict[str, str] = {}
    for decision in decisions.values():
        node = kept.get(decision.id)
        if node is None or not node.provisional:
            continue
        if decision.verdict is Verdict.CONFIRMED:
            kept[node.id] = replace(node, provisional=False)
        else:
            del kept[node.id]
            renamed[node.id] = decision.into or ""
    return Parted(list(kept.values()), list(_renamed(claims, renamed, kept)))


def _renamed(claims: Iterable[Claim], renamed: Mapping[str, str], kept: Mapping[str, Node]) -> Iterator[Claim]:
    def end(id: str) -> str:
        seen = set()
        while id in renamed and id not in seen:  # merged into one that was merged
            seen.add(id)
            id = renamed[id]
        return id

    for claim in claims:
        if claim.subject not in renamed and claim.object not in renamed:
            yield claim
            continue
        subject, target = end(claim.subject), claim.object and end(claim.object)
        if subject in kept and (claim.object is None or target in kept) and subject != target:
            said = {field.name: getattr(claim, field.name) for field in fields(claim) if field.name != "id"}
            yield Claim.make(**{**said, "subject": subject, "object": target})
