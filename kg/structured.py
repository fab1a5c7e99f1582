"""Claims that stand in structure rather than in a sentence: timelines, glued tables, reference lists, titles of papers.

This model was released on 2018-10-11 and added to ...                       the first line of a page about a model
- BERT 2018.10.11 Pre-training of Deep Bidirectional Transformers ...       a timeline's line
GPT-3174.59 B1750亿个                                                        a table whose columns were glued together
[5] Vaswani, Ashish, et al. "Attention is all you need." (2017).            an entry of a reference list
2018年6月，OpenAI 发布论文《Improving Language Understanding ...》            a paper announced by its title
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from ailineage.kg.found import SYSTEMS, WORKS, Found, Piece
from ailineage.kg.identity import Lexicon
from ailineage.kg.model import Node
from ailineage.kg.patterns import PUBLISHED, UNITS
from ailineage.kg.vocabulary import Kind, Relation

_ENTRY = re.compile(r"^\s*(?:\[\d{1,3}\]|\d{1,3}\.\s|[-*•·]\s)")
_YEAR = re.compile(r"\((?P<a>(?:19|20)\d\d)[a-z]?\)|(?<!\d)(?P<b>(?:19|20)\d\d)[.。]?\s*$|,\s(?P<c>(?:19|20)\d\d)\b")
_GLUED = re.compile(
    r"(?P<n>\d+(?:\.\d+)?)\s?(?P<u>[KMBT])(?![A-Za-z])\s*(?:(?P<m>\d+(?:\.\d+)?)\s*(?P<z>千万|百万|万亿|万|千亿|百亿|十亿|亿))?"
)
_RELEASED = re.compile(r"This model was (?:released|published) (?:on|in)\s+")
_IN_PAPER = re.compile(
    r"\b(?:introduced|proposed|presented|released|described|published|outlined|detailed|appeared)\b[^.;]{0,60}?\b(?:in|with)"
    r"(?: (?:the|their|its|a))?(?: (?:\w+ ){0,2}(?:papers?|reports?|preprint|work|blog post))?[,:]?\s?[“\"(]?$"
    r"|\b(?:from|in) the paper[,:]?\s?[“\"(]?$",
    re.I,
)
_INTRODUCING = re.compile(r"[,，)）》]\s*(?:并)?(?:首次|同时)?(?:提出|公布|介绍|推出|开源)了?")
_BY = re.compile(r"[)\]”\"]*\s?(?:\([^()]{0,40}\)\s?)?,?\s*(?:written |published )?by\s")
_LISTED = re.compile(
    r"[)\]”\"]*\s?(?:\([^()]{0,40}\)\s?)?(?:,?\s*(?:written |published )?by\s+|[\s*†∗]*,?\s*(?:and|&)?\s*)(?:the\s)?"
)
_AGREE = 0.06
"""How far two statements of one size in a row may lie apart: tables round."""
_LONGEST_ROW, _LONGEST_NAME = 80, 40


def timeline(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """Names, then a date, then perhaps the title of the paper."""
    if not piece.dates or not piece.mentions:
        return
    start, stop, date = piece.dates[0]
    first = piece.mentions[0][0]
    before = piece.text[: first.start].strip(" -*•·\t")
    names = {"", *(mention.surface for mention, _ in piece.mentions[1:] if mention.end <= start)}
    if before or piece.text[first.end : start].strip(" :：-–—,，(（/") not in names:
        return
    dated = [node for mention, node in piece.mentions if mention.end <= start and nodes[node].kind in WORKS]
    for node in dated:
        yield Relation.PUBLISHED_ON, node, None, date, 0.85
    if len(dated) == 1:
        for mention, paper in piece.papers:
            if mention.start >= stop and (set(mention.nodes) <= {dated[0], paper} or mention.start - stop < 3):
                yield Relation.INTRODUCED_IN, dated[0], paper, None, 0.8


def released(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """The line that says when the model which a page is about was released."""
    match = _RELEASED.match(piece.text)
    if match and piece.topic and piece.dates and piece.dates[0][0] == match.end():
        yield Relation.PUBLISHED_ON, piece.topic, None, piece.dates[0][2], 0.9


def introduced(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """A work, a verb of publishing, the title of a paper, and perhaps `by` and its authors."""
    for mention, paper in piece.papers:
        before = piece.text[: mention.start]
        if piece.item and _ENTRY.match(piece.text) and not _IN_PAPER.search(before):
            continue
        named = [n for m, n in piece.mentions if m.start == mention.start and nodes[n].kind in SYSTEMS]
        if verb := _IN_PAPER.search(before):
            works = [n for m, n in piece.mentions if m.end <= verb.start() and nodes[n].kind in WORKS]
            work = works[0] if works else piece.topic
            if work is not None:
                yield Relation.INTRODUCED_IN, work, paper, None, 0.85
        elif named and named[0] == piece.topic and not before.strip(" -*•The"):
            yield Relation.INTRODUCED_IN, named[0], paper, None, 0.7  # [RoBERTa](its paper) improves ...
        if verb or re.search(r"\bpaper\b[^.]{0,30}$|论文[^。]{0,12}$", before):
            for person in _authors(piece, mention.end, nodes):
                yield Relation.AUTHORED_BY, paper, person, None, 0.85


def _authors(piece: Piece, at: int, nodes: Mapping[str, Node]) -> Iterator[str]:
    """The people that are listed after `by`."""
    if not _BY.match(piece.text, at):
        return
    for mention, node in piece.mentions:
        if mention.start < at:
            continue
        if nodes[node].kind is not Kind.PERSON or not _LISTED.fullmatch(piece.text[at : mention.start]):
            return
        yield node
        at = mention.end


def reference(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """An entry of a reference list: its authors, as far as they are known, and its year."""
    if not _ENTRY.match(piece.text) or not piece.papers:
        return
    mention, paper = piece.papers[0]
    for person, node in piece.mentions:
        if nodes[node].kind is Kind.PERSON and person.end <= mention.start:
            yield Relation.AUTHORED_BY, paper, node, None, 0.8
    if match := _YEAR.search(piece.text, mention.end) or _YEAR.search(piece.text[: mention.start]):
        yield Relation.PUBLISHED_ON, paper, None, next(filter(None, match.groups())), 0.7


def announced(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """A date or a maker, a verb of publishing, and a paper's title: what the paper introduced was published then."""
    for mention, paper in piece.papers:
        if _ENTRY.match(piece.text) and not piece.item:
            return
        before = piece.text[: mention.start]
        if not PUBLISHED.search(before[-24:]) and not re.search(r"论文\s*[《“\"]?$", before):
            continue
        works = [node for node in mention.nodes if node in nodes and nodes[node].kind in WORKS]
        if new := _INTRODUCING.search(piece.text, mention.end):
            named = [n for m, n in piece.mentions if 0 <= m.start - new.end() < 3 and nodes[n].kind in WORKS]
            works = named[:1] or works
            for work in named[:1]:
                yield Relation.INTRODUCED_IN, work, paper, None, 0.8
        dates = [date for start, end, date in piece.dates if end <= mention.start and mention.start - end < 60]
        if dates:
            for node in works or [paper]:
                yield Relation.PUBLISHED_ON, node, None, dates[-1], 0.7
        makers = [
            node
            for maker, node in piece.mentions
            if nodes[node].kind is Kind.ORGANIZATION
            and 0 <= mention.start - maker.end < 24
            and not re.match(r"的?(?:博士|硕士|学位)", piece.text[maker.end :])
        ]
        for work in works if makers else ():
            yield Relation.DEVELOPED_BY, work, makers[-1], None, 0.7


def glued(text: str, lexicon: Lexicon, nodes: Mapping[str, Node]) -> tuple[str, str] | None:
    """A row of a table of sizes whose columns were glued together: the model, and how many parameters it has.

    The name may end in digits: `VGG-16138.36 M1.38亿个` can be cut in five places. A cut counts if it leaves a known
    name and a number that a second statement in the row, if there is one, says again; among those the longest name.
    """
    row = text.strip()
    if len(row) > _LONGEST_ROW:
        return None
    found: list[tuple[int, str, str]] = []
    for match in _GLUED.finditer(row):
        for shift in range(len(match["n"])):
            number, cut = match["n"][shift:], match.start("n") + shift
            name = row[:cut].strip(" -*•·\t|:：")
            if not re.fullmatch(r"(?:0|[1-9]\d*)(?:\.\d+)?", number) or not 1 < len(name) <= _LONGEST_NAME:
                continue
            node = lexicon.lookup(name, typos=False)
            if len(node) != 1 or nodes[node[0]].kind is not Kind.MODEL:
                continue
            size = float(number) * UNITS[match["u"].casefold()]
            if match["m"] is None or _same(size, match["m"], float(match["m"]) * UNITS[match["z"]]):
                found.append((cut, node[0], str(round(size))))
    return max(found)[1:] if found else None


def _same(size: float, digits: str, again: float) -> bool:
    """Whether a size is said again, rounded or cut off: 138.36 M and 1.38亿, 61.10 M and 6千万."""
    cut_off = str(round(size)).startswith(re.sub(r"^0+|\.", "", digits)) and 0.1 < size / again < 10
    return abs(size - again) <= _AGREE * again or cut_off


def size(node: str, parameters: str) -> Found:
    """What a row says of a model's size."""
    return Relation.HAS_PARAMETERS, node, None, parameters, 0.85


RULES: tuple[Callable[[Piece, Mapping[str, Node]], Iterator[Found]], ...] = (
    released,
    timeline,
    introduced,
    reference,
    announced,
)
