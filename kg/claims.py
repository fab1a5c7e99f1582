"""Weigh claims against each other: which contradict, and which one is followed.

The rule: what the authored library states is preferred, then what agrees with it; between other ingested claims the
higher confidence is, then what more documents say, then the smaller claim id, so that the order of reading never
matters. Nothing is deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ailineage.kg.model import Claim
from ailineage.kg.vocabulary import FUNCTIONAL, Relation

_TOLERANCE = 0.02
"""Parameter counts nearer than this, relatively, are roundings of each other."""


def judge(claims: Iterable[Claim]) -> list[Claim]:
    """The claims in a stable order, each with its conflicts and whether it is preferred."""
    ordered = sorted(
        {claim.id: claim for claim in claims}.values(), key=lambda claim: (claim.document, claim.start, claim.id)
    )
    groups: dict[tuple[str, Relation], list[Claim]] = defaultdict(list)
    for claim in ordered:
        if claim.relation in FUNCTIONAL or claim.relation is Relation.HAS_PARAMETERS:
            groups[claim.subject, claim.relation].append(claim)
    conflicts: dict[str, set[str]] = defaultdict(set)
    backed: set[str] = set()
    for group in groups.values():
        _compare(group, conflicts, backed)
    by_id = {claim.id: claim for claim in ordered}
    said_by: dict[tuple[str, Relation, str | None], set[str]] = defaultdict(set)
    for claim in ordered:
        said_by[claim.subject, claim.relation, claim.value].add(claim.document)

    def weight(claim: Claim) -> tuple[float, ...]:
        agreement = len(said_by[claim.subject, claim.relation, claim.value])
        return (claim.authored and claim.confidence == 1.0, claim.id in backed, claim.confidence, agreement)

    judged = []
    for claim in ordered:
        rivals = sorted(conflicts.get(claim.id, ()))
        mine = weight(claim)
        preferred = all(
            mine > (theirs := weight(by_id[rival])) or (mine == theirs and claim.id < rival) for rival in rivals
        )
        judged.append(claim.judged(preferred, tuple(rivals)))
    return judged


def _compare(group: list[Claim], conflicts: dict[str, set[str]], backed: set[str]) -> None:
    """Note which claims of one subject and relation contradict each other, and which the library backs."""
    trusted = [claim for claim in group if claim.authored and claim.confidence == 1.0]
    backed |= {claim.id for claim in group if any(not _contradict(claim, other) for other in trusted)}
    for index, left in enumerate(group):
        for right in group[index + 1 :]:
            if left in trusted and right in trusted:
                continue  # one node may have several authored sizes
            if not _contradict(left, right):
                continue
            doubted = right if left in trusted else left
            if any(not _contradict(doubted, other) for other in trusted):
                continue  # it agrees with another authored value
            conflicts[left.id].add(right.id)
            conflicts[right.id].add(left.id)


def _contradict(left: Claim, right: Claim) -> bool:
    one, other = left.value or "", right.value or ""
    if left.relation is Relation.PUBLISHED_ON:
        shared = min(len(one), len(other))
        return one[:shared] != other[:shared]
    if left.qualifier and right.qualifier and left.qualifier != right.qualifier:
        return False
    if not (one.isdigit() and other.isdigit()):
        return one != other
    return abs(int(one) - int(other)) > _TOLERANCE * max(int(one), int(other))
