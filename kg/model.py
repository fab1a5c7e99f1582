"""The graph's records: nodes, claims and edges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ailineage.kg.vocabulary import Family, Kind, Relation

AUTHORED = "authored"
"""Extractor of claims that the authored library states; they are preferred over all others."""


@dataclass(frozen=True, slots=True)
class Node:
    """One thing the graph knows.

    `date` is ISO 8601 at the precision known. `provisional` nodes were met in a document and are not in the library.
    `ambiguous` are names that another node bears too.
    """

    id: str
    kind: Kind
    names: Mapping[str, str]
    aliases: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    family: Family | None = None
    date: str | None = None
    provisional: bool = False
    reference: str | None = None
    link: str | None = None
    wikidata: str | None = None

    def name(self, language: str = "en") -> str:
        """The node's name in a language, or in the other one."""
        return self.names.get(language) or self.names.get("en") or next(iter(self.names.values()), self.id)

    @property
    def surfaces(self) -> tuple[str, ...]:
        """Every name and alias, each once."""
        return tuple(dict.fromkeys((*self.names.values(), *self.aliases, *self.ambiguous)))


@dataclass(frozen=True, slots=True)
class Claim:
    """What a document says: subject, relation, and an object (node id) or a value, with the span that says so.

    `text == document[start:end]` in characters of the stored document. `confidence` is in [0, 1].
    `conflicts_with` lists claims that cannot be true together with this one; `preferred` says which of them we follow.
    """

    id: str
    subject: str
    relation: Relation
    object: str | None
    value: str | None
    document: str
    start: int
    end: int
    text: str
    extractor: str
    confidence: float
    preferred: bool = True
    conflicts_with: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    qualifier: str | None = None
    changed: str | None = None

    @classmethod
    def make(cls, **fields: Any) -> Claim:
        """A claim whose id is the hash of what it says and where."""
        said = (fields[key] for key in ("subject", "relation", "document", "start", "end"))
        key = "\x1f".join(map(str, (*said, fields.get("object"), fields.get("value"), fields.get("qualifier"))))
        defaults: dict[str, Any] = {"object": None, "value": None}
        return cls(id=hashlib.sha256(key.encode()).hexdigest()[:16], **{**defaults, **fields})

    @property
    def authored(self) -> bool:
        """Whether the authored library states it."""
        return self.extractor == AUTHORED

    def judged(self, preferred: bool, conflicts: tuple[str, ...]) -> Claim:
        """The same claim with the verdict on its conflicts."""
        return replace(self, preferred=preferred, conflicts_with=conflicts)


@dataclass(frozen=True, slots=True)
class Edge:
    """What one or more claims support: `source relation target`, or `source relation value`."""

    source: str
    relation: Relation
    target: str | None
    value: str | None
    claims: tuple[str, ...] = field(default=())
