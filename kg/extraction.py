"""From a document nobody prepared to claims: lexicon and patterns, one document at a time.

Each pattern works inside one sentence or list item and yields claims whose span is that piece. Negated sentences
make no claim; hedged or hypothetical ones make a claim of low confidence. Extraction depends on the document and the
library's lexicon alone, so that adding a document never changes what was read in another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ailineage.corpus.documents import Document
from ailineage.corpus.passages import sentences
from ailineage.kg.identity import Lexicon, Mention, fold
from ailineage.kg.model import Claim, Node
from ailineage.kg.patterns import (
    BETWEEN,
    DATES,
    HEDGE,
    ITEM,
    LIST_ITEM,
    MADE_BY,
    MADE_BY_EN,
    MAKES,
    MAKES_EN,
    MONTHS,
    NEGATION,
    PUBLISHED,
    SIZE,
    UNITS,
)
from ailineage.kg.vocabulary import Kind, Relation

EXTRACTOR = "patterns-1"

_WORKS = frozenset({Kind.MODEL, Kind.TECHNIQUE, Kind.SOFTWARE, Kind.DATASET, Kind.CONCEPT, Kind.EVENT})
_MAKERS = frozenset({Kind.PERSON, Kind.ORGANIZATION})
_SYSTEMS = frozenset({Kind.MODEL, Kind.TECHNIQUE, Kind.SOFTWARE})


@dataclass
class Extract:
    """What one document contributes: claims, and nodes that the library does not know."""

    document: Document
    claims: list[Claim] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One sentence with what was found in it; `at` is where it starts in the document."""

    text: str
    at: int
    mentions: tuple[tuple[Mention, str], ...]
    dates: tuple[tuple[int, int, str], ...]
    item: bool


def extract(document: Document, lexicon: Lexicon, nodes: Mapping[str, Node]) -> Extract:
    """Read one document.

    Args:
        document: spans of claims refer to its stored text.
        lexicon: the library's names.
        nodes: the library's nodes, for their kinds.
    """
    result = Extract(document)
    known = dict(nodes)  # and what this document introduces, as it is met
    seen: set[tuple] = set()
    for start, end in sentences(document.text):
        text = document.text[start:end]
        if (item := ITEM.match(text)) and not lexicon.lookup(item["name"]):
            _provisional(result, item["name"], LIST_ITEM.match(text) is not None)
            known |= result.nodes
        piece = _piece(text, start, lexicon, known, result.nodes)
        if not piece.mentions or NEGATION.search(text):
            continue
        trust = 0.4 if HEDGE.search(text) else 1.0
        for relation, subject, obj, value, confidence in _relations(piece, known):
            key = (subject, relation, obj, value, start)
            if key in seen or subject == obj:
                continue
            seen.add(key)
            result.claims.append(
                Claim.make(
                    subject=subject,
                    relation=relation,
                    object=obj,
                    value=value,
                    document=document.id,
                    start=start,
                    end=end,
                    text=text,
                    extractor=EXTRACTOR,
                    confidence=round(confidence * trust, 3),
                )
            )
    used = {claim.subject for claim in result.claims} | {claim.object for claim in result.claims}
    result.nodes = {id: node for id, node in result.nodes.items() if id in used}
    return result


def _provisional(result: Extract, name: str, listed: bool) -> None:
    id = "provisional-" + re.sub(r"[^a-z0-9]+", "-", fold(name))
    if listed and id not in result.nodes:
        result.nodes[id] = Node(id, Kind.MODEL, {"en": name}, provisional=True)


def _piece(text: str, at: int, lexicon: Lexicon, nodes: Mapping[str, Node], new: Mapping[str, Node]) -> _Piece:
    mentions = [(mention, mention.nodes[0]) for mention in lexicon.find(text) if len(mention.nodes) == 1]
    for node in new.values():
        name = node.name()
        if (where := text.find(name)) >= 0 and not any(
            m.start < where + len(name) and where < m.end for m, _ in mentions
        ):
            mentions.append((Mention(where, where + len(name), name, (node.id,)), node.id))
    mentions = [pair for pair in mentions if pair[1] in nodes]
    mentions.sort(key=lambda pair: pair[0].start)
    return _Piece(text, at, tuple(mentions), tuple(_dates(text)), bool(LIST_ITEM.match(text)))


_Found = tuple[Relation, str, str | None, str | None, float]


def _relations(piece: _Piece, nodes: Mapping[str, Node]) -> Iterator[_Found]:
    for rule in _RULES:
        yield from rule(piece, nodes)


def _timeline(piece: _Piece, nodes: Mapping[str, Node]) -> Iterator[_Found]:
    """`- BERT 2018.10.11 Pre-training of ...`: names, then a date, then perhaps a title."""
    if not piece.dates or not piece.mentions:
        return
    start, _, date = piece.dates[0]
    first = piece.mentions[0][0]
    if piece.text[: first.start].strip(" -*•·\t") or piece.text[first.end : start].strip(
        " :：-–—,，(（/"
    ) not in _between(piece, start):
        return
    for mention, node in piece.mentions:
        if mention.end <= start and nodes[node].kind in _WORKS:
            yield Relation.PUBLISHED_ON, node, None, date, 0.85


def _between(piece: _Piece, stop: int) -> set[str]:
    """What may stand between a list item's first name and its date: nothing, or further names."""
    names = [mention.surface for mention, _ in piece.mentions[1:] if mention.end <= stop]
    return {"", *names}


def _published(piece: _Piece, nodes: Mapping[str, Node]) -> Iterator[_Found]:
    """A date, a verb of publishing and exactly one work between this date and the next."""
    if not piece.dates or not PUBLISHED.search(piece.text):
        return
    ends = [start for start, _, _ in piece.dates[1:]] + [len(piece.text)]
    for (start, stop, date), end in zip(piece.dates, ends, strict=True):
        clause = re.split(r"[。；;]", piece.text[stop:end])[0]
        limit = stop + len(clause)
        verb = PUBLISHED.search(clause)
        works = [
            node for m, node in piece.mentions if stop <= m.start and m.end <= limit and nodes[node].kind in _SYSTEMS
        ]
        if verb and works:
            after = [n for m, n in piece.mentions if m.start >= stop + verb.end() and n in works]
            near = after[0] if after else works[-1]
            yield Relation.PUBLISHED_ON, near, None, date, 0.7
        elif len(piece.dates) == 1:
            before = [(m, n) for m, n in piece.mentions if m.end <= start and nodes[n].kind in _SYSTEMS]
            if len(before) == 1 and PUBLISHED.search(piece.text[before[0][0].end : start]):
                yield Relation.PUBLISHED_ON, before[0][1], None, date, 0.7


def _sizes(piece: _Piece, nodes: Mapping[str, Node]) -> Iterator[_Found]:
    """A number of parameters belongs to the nearest model named before it, else the first after it."""
    for match in SIZE.finditer(piece.text):
        number, unit = (match["n"], match["u"]) if match["n"] else (match["n2"], match["u2"])
        value = float(number.replace(",", "")) * UNITS.get((unit or "").casefold(), 1)
        if value < 1000:
            continue
        models = [(m, n) for m, n in piece.mentions if nodes[n].kind is Kind.MODEL]
        before = [n for m, n in models if m.end <= match.start()]
        after = [n for m, n in models if m.start >= match.end()]
        if before or after:
            yield Relation.HAS_PARAMETERS, (before[-1] if before else after[0]), None, str(round(value)), 0.75


def _pairs(piece: _Piece, nodes: Mapping[str, Node]) -> Iterator[_Found]:
    """Two neighbouring names with a telling phrase between them."""
    for (left, one), (right, other) in zip(piece.mentions, piece.mentions[1:], strict=False):
        between = piece.text[left.end : right.start]
        after = piece.text[right.end : right.end + 14]
        kinds = nodes[one].kind, nodes[other].kind
        if kinds[0] in _MAKERS and kinds[1] in _WORKS and (MAKES.match(between) or MAKES_EN.match(between)):
            yield _maker(kinds[0]), other, one, None, 0.7
        elif kinds[0] in _WORKS and kinds[1] in _MAKERS:
            made = MADE_BY.match(between) and re.match(
                r"[^，。；]{0,8}(?:提出|发明|设计|开发|发布|推出|研发|创建|维护)", after
            )
            if made or MADE_BY_EN.match(between):
                yield _maker(kinds[1]), one, other, None, 0.75
        elif kinds[0] in _SYSTEMS and kinds[1] in _WORKS:
            yield from _between_works(between, after, one, other, kinds[1])


def _between_works(between: str, after: str, one: str, other: str, kind: Kind) -> Iterator[_Found]:
    if re.match(r"^[^，。；]{0,4}是[^，。；]{0,6}$", between) and re.match(
        r"的?(?:一个|一种)?(?:变体|变种|改进版|扩展|改进|升级版)", after
    ):
        yield Relation.VARIANT_OF, one, other, None, 0.75
        return
    for relation, forward, pattern, confidence in BETWEEN:
        if not pattern.match(between):
            continue
        if relation is Relation.TRAINED_ON and kind is not Kind.DATASET:
            continue
        yield (relation, one, other, None, confidence) if forward else (relation, other, one, None, confidence)
        return


def _maker(kind: Kind) -> Relation:
    return Relation.PROPOSED_BY if kind is Kind.PERSON else Relation.DEVELOPED_BY


_RULES: tuple[Callable[[_Piece, Mapping[str, Node]], Iterator[_Found]], ...] = (_timeline, _published, _sizes, _pairs)


def _dates(text: str) -> Iterator[tuple[int, int, str]]:
    """Dates in a text, left to right: start, end, ISO 8601 at the precision given."""
    found: list[tuple[int, int, str]] = []
    for pattern in DATES:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end, _ in found):
                continue
            parts = match.groupdict()
            month = parts.get("m") or (MONTHS[parts["M"][:3].casefold()] if parts.get("M") else None)
            iso = parts["y"] + (f"-{int(month):02d}" if month else "")
            iso += f"-{int(parts['d']):02d}" if parts.get("d") and month else ""
            found.append((match.start(), match.end(), iso))
    return iter(sorted(found))
