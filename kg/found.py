"""What extraction finds in one sentence before it becomes claims."""

from __future__ import annotations

from dataclasses import dataclass

from ailineage.kg.identity import Mention
from ailineage.kg.vocabulary import Kind, Relation

WORKS = frozenset({Kind.MODEL, Kind.TECHNIQUE, Kind.SOFTWARE, Kind.DATASET, Kind.CONCEPT, Kind.EVENT})
MAKERS = frozenset({Kind.PERSON, Kind.ORGANIZATION})
SYSTEMS = frozenset({Kind.MODEL, Kind.TECHNIQUE, Kind.SOFTWARE})

Found = tuple[Relation, str, str | None, str | None, float]
"""Relation, subject, object or value, and confidence."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One sentence, or a whole line, with what was found in it; `at` is where it starts in its block.

    `mentions` name one node each; `papers` are titles, which may also be the name of what the paper introduced;
    `dates` are (start, end, ISO 8601); `item` says whether it is an item of a list; `topic` is the node that the
    section, or else the page, is about.
    """

    text: str
    at: int
    mentions: tuple[tuple[Mention, str], ...]
    papers: tuple[tuple[Mention, str], ...]
    dates: tuple[tuple[int, int, str], ...]
    item: bool
    topic: str | None = None
