"""Who made what, when, how large, and in which paper: what a sentence says of one work and its makers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from ailineage.kg.found import MAKERS, SYSTEMS, WORKS, Found, Piece
from ailineage.kg.identity import Mention
from ailineage.kg.model import Node
from ailineage.kg.patterns import (
    JOINED_MAKERS,
    MADE_BY,
    MADE_BY_EN,
    MAKES,
    MAKES_EN,
    MAKING,
    PUBLISHED,
    RELEASED_BY_EN,
    SIZE,
    UNITS,
)
from ailineage.kg.vocabulary import Kind, Relation

_DATED = SYSTEMS | {Kind.DATASET}


def published(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """A date, a verb of publishing and exactly one work between this date and the next."""
    if not piece.dates or not PUBLISHED.search(piece.text):
        return
    ends = [start for start, _, _ in piece.dates[1:]] + [len(piece.text)]
    for (start, stop, date), end in zip(piece.dates, ends, strict=True):
        clause = re.split(r"[。；;]", piece.text[stop:end])[0]
        limit = stop + len(clause)
        verb = PUBLISHED.search(clause)
        works = [
            node
            for m, node in piece.mentions
            if stop <= m.start and m.end <= limit and nodes[node].kind in _DATED and not _glossed(piece.text, m)
        ]
        if verb and works:
            after = [n for m, n in piece.mentions if m.start >= stop + verb.end() and n in works]
            near = after[0] if after else works[-1]
            yield Relation.PUBLISHED_ON, near, None, date, 0.7
        elif len(piece.dates) == 1:
            before = [(m, n) for m, n in piece.mentions if m.end <= start and nodes[n].kind in SYSTEMS]
            if len(before) == 1 and PUBLISHED.search(piece.text[before[0][0].end : start]):
                yield Relation.PUBLISHED_ON, before[0][1], None, date, 0.7


def _glossed(text: str, mention: Mention) -> bool:
    """Whether a mention stands in the brackets after a title, which translate it, or in the title itself."""
    before = text[: mention.start]
    return bool(re.search(r"[》”\"]\s*[(（][^)）]*$", before)) or before.count("《") > before.count("》")


_COMPARED = re.compile(
    r"(?:similar to|\blike|\bthan|compared (?:with|to)|smaller|larger|比|相比|不如)\s?(?:the |an? |其前身)?\s?$", re.I
)


_CITED = re.compile(
    r"s?\)?,?\s(?:was |were )?(?:first )?(?:introduced|proposed|presented|described) (?:in|by) \W?(?=[A-Z])"
    r"(?P<who>[^.;]{0,50}?)(?: et al\.?)?,? [(\[]?(?P<y>(?:19|20)\d\d)\b"
)


def cited(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """A work introduced in a paper that is cited by its author and year."""
    for mention, node in piece.mentions:
        match = _CITED.match(piece.text, mention.end) if nodes[node].kind in _DATED else None
        if match is None:
            continue
        yield Relation.PUBLISHED_ON, node, None, match["y"], 0.7
        for author, person in piece.mentions:
            if nodes[person].kind is Kind.PERSON and match.start("who") <= author.start < match.end("who"):
                yield Relation.AUTHORED_BY, node, person, None, 0.7


def sizes(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """A number of parameters belongs to the nearest model named before it, else the first after it."""
    for match in SIZE.finditer(piece.text):
        number, unit = (match["n"], match["u"]) if match["n"] else (match["n2"], match["u2"])
        if not re.fullmatch(r"\d+(?:\.\d+)?", number := number.replace(",", "")):
            continue  # a date
        value = float(number) * UNITS.get((unit or "").casefold(), 1)
        if (
            value < 1000
            or _BOUND.search(piece.text[: match.start()])
            or _ACTIVE.search(piece.text[max(match.start() - 30, 0) : match.end() + 12])
        ):
            continue
        models = [
            (m, n)
            for m, n in piece.mentions
            if nodes[n].kind is Kind.MODEL
            and not _COMPARED.search(piece.text[max(m.start - 40, 0) : m.start])
            and not re.match(r"(?:en|de)coder", m.surface)
        ]
        before = [n for m, n in models if m.end <= match.start()]
        after = [n for m, n in models if m.start >= match.end()]
        if before or after:
            model = before[-1] if before else after[0]
            for size in (*_listed_sizes(piece.text[: match.start()]), value):
                yield Relation.HAS_PARAMETERS, model, None, str(round(size)), 0.75
        elif piece.topic and piece.item and len(piece.text) < 60:
            yield Relation.HAS_PARAMETERS, piece.topic, None, str(round(value)), 0.6


_BOUND = re.compile(r"\b(?:under|below|(?:less|fewer|smaller) than)\s*$|(?:小于|不到|低于)\s*$")
_ACTIVE = re.compile(r"\bactiv(?:e|ated?|ates|ating|ation)\b(?!.{0,40}\btotal)|激活(?!函数)", re.I)
"""Of a mixture of experts: parameters that are used at a time, not all it has."""
_SIZES = re.compile(r"(?:\d+(?:\.\d+)?\s?[TBM]\s*(?:[,，、/]\s*(?:and\s|or\s)?|\s(?:and|or)\s|和|或))+$")


def _listed_sizes(before: str) -> Iterator[float]:
    """The sizes that a list gives before its last one: 7B, 13B and (70B parameters)."""
    if match := _SIZES.search(before):
        for number, unit in re.findall(r"(\d+(?:\.\d+)?)\s?([TBM])", match[0]):
            yield float(number) * UNITS[unit.casefold()]


def made(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """Two neighbouring names, one of a maker, with a verb of making between them; a list of makers shares its part."""
    found = [
        (m, node) for m, node in piece.mentions if nodes[node].kind is not Kind.PAPER and not _glossed(piece.text, m)
    ]
    piece = replace(piece, mentions=tuple(found))
    for place, ((left, one), (right, other)) in enumerate(pairwise(found)):
        between = re.sub(r"《[^》]*》", "", piece.text[left.end : right.start])
        kinds = nodes[one].kind, nodes[other].kind
        if kinds[0] in MAKERS and (of := re.match(r"\s?的?(?:变体|变种)?", piece.text[right.end :])) and of[0].strip():
            variant = [
                n for m, n in found[place + 2 :] if re.fullmatch(r"\W{0,3}", piece.text[right.end + of.end() : m.start])
            ]
            if "变" not in of[0] or not variant or not MAKES.match(between):
                continue  # 提出了卷积神经网络的……: something else was made
            yield Relation.VARIANT_OF, variant[0], other, None, 0.75
            other, kinds = variant[0], (kinds[0], nodes[variant[0]].kind)
        if kinds[0] in MAKERS and kinds[1] in WORKS and (MAKES.match(between) or MAKES_EN.match(between)):
            for maker in _joined(piece, range(place, -1, -1), nodes):
                yield _maker(nodes[maker].kind), other, maker, None, 0.7
        elif kinds[0] in WORKS and kinds[1] in MAKERS:
            verb = MADE_BY.match(between) and MAKING.match(piece.text[right.end :])
            since = next(m for m, node in found if node == one).end
            released = kinds[1] is Kind.ORGANIZATION and RELEASED_BY_EN.match(piece.text[since : right.start])
            if verb or released or MADE_BY_EN.match(between):
                work = _predicate_of(piece, place, between)
                last = _nearest(piece, place + 1, right.end + verb.start("verb") if verb else right.end, nodes)
                for maker in _joined(piece, range(last, len(found)), nodes) if work else ():
                    yield _maker(nodes[maker].kind), work or one, maker, None, 0.75


def owned(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """An item, in a section about a model, that opens with nothing but an organisation: its maker."""
    opening = re.match(r"\s*[-*•·]\s*", piece.text)
    first = next((pair for pair in piece.mentions if opening and pair[0].start == opening.end()), None)
    if not first or not piece.topic or not re.match(r"\s*(?:$|[,，;；])", piece.text[first[0].end :]):
        return
    if nodes[first[1]].kind is Kind.ORGANIZATION and nodes[piece.topic].kind is Kind.MODEL:
        yield Relation.DEVELOPED_BY, piece.topic, first[1], None, 0.6


def _joined(piece: Piece, places: range, nodes: Mapping[str, Node]) -> Iterator[str]:
    """The maker at the first place, and those that a list joins to it, one after the other."""
    first = previous = piece.mentions[places[0]][1]
    yield first
    for one, other in pairwise(places):
        left, right = piece.mentions[min(one, other)][0], piece.mentions[max(one, other)][0]
        between, node = piece.text[left.end : right.start], piece.mentions[other][1]
        if nodes[node].kind not in MAKERS:
            return
        if node == previous and not between.strip("(（ "):
            continue  # the same name in the other alphabet
        if not JOINED_MAKERS.match(between):
            return
        previous = node
        yield node


def _nearest(piece: Piece, place: int, stop: int, nodes: Mapping[str, Node]) -> int:
    """The place of the last maker named before `stop`, from `place` on, unless a list begins there."""
    for later in range(place + 1, len(piece.mentions)):
        mention, node = piece.mentions[later]
        if mention.end > stop or nodes[node].kind not in MAKERS:
            break
        if JOINED_MAKERS.match(piece.text[piece.mentions[later - 1][0].end : mention.start]):
            break
        place = later
    return place


def _predicate_of(piece: Piece, place: int, between: str) -> str | None:
    """Who a predicate is about: `X builds on BERT and was proposed by ...` speaks of X, which may be unknown."""
    if not re.match(r"\s*,?\s*(?:and|but)\b|\s*[，,]", between):
        return piece.mentions[place][1]
    first, node = piece.mentions[0]
    return node if first.start <= 4 else None


def _maker(kind: Kind) -> Relation:
    return Relation.PROPOSED_BY if kind is Kind.PERSON else Relation.DEVELOPED_BY
