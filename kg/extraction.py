"""From a document nobody prepared to claims: lexicon and patterns, one document at a time.

Each pattern works inside one sentence or line and yields claims whose span is that piece. Negated sentences
make no claim; hedged or hypothetical ones make a claim of low confidence. Extraction depends on the document and the
library's lexicon alone, so that adding a document never changes what was read in another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ailineage.corpus.documents import Document
from ailineage.corpus.passages import sentences
from ailineage.kg import structured
from ailineage.kg.found import MAKERS, SYSTEMS, WORKS, Found, Piece
from ailineage.kg.identity import Lexicon, Mention, fold
from ailineage.kg.model import Claim, Node
from ailineage.kg.patterns import (
    BETWEEN,
    DATES,
    HEDGE,
    ITEM,
    JOINED,
    JOINED_MAKERS,
    LIST_ITEM,
    MADE_BY,
    MADE_BY_EN,
    MAKES,
    MAKES_EN,
    MAKING,
    MONTHS,
    NEGATION,
    PRONOUN,
    PUBLISHED,
    SIZE,
    UNITS,
)
from ailineage.kg.vocabulary import Kind, Relation

EXTRACTOR = "patterns-2"
Rule = Callable[[Piece, Mapping[str, Node]], Iterator[Found]]
_TITLE = 12  # characters from which a name can be the title of a paper
_LONGEST_LINE = 600
_HEADING = 40


@dataclass
class Extract:
    """What one document contributes: claims, and nodes that the library does not know."""

    document: Document
    claims: list[Claim] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)


def extract(document: Document, lexicon: Lexicon, nodes: Mapping[str, Node]) -> Extract:
    """Read one document.

    Args:
        document: spans of claims refer to its stored text.
        lexicon: the library's names.
        nodes: the library's nodes, for their kinds.
    """
    reading = _Reading(document, lexicon, nodes)
    for match in re.finditer(r"[^\n]+", document.text):
        reading.line(match.start(), match.end())
    return reading.result()


class _Reading:
    """One document while it is read: its claims, the nodes it introduces, and what it was last about."""

    def __init__(self, document: Document, lexicon: Lexicon, nodes: Mapping[str, Node]) -> None:
        self.document, self.lexicon = document, lexicon
        self.claims: list[Claim] = []
        self.new: dict[str, Node] = {}
        self.known = dict(nodes)  # and what this document introduces, as it is met
        self._seen: set[tuple] = set()
        self._subject: str | None = None

    def line(self, start: int, end: int) -> None:
        """Read a line: first what its structure says, then its sentences."""
        text = self.document.text[start:end]
        if (item := ITEM.match(text)) and LIST_ITEM.match(text) and not self.lexicon.lookup(item["name"], typos=False):
            self._introduce(item["name"])
        left = start + len(text) - len(text.lstrip())
        whole = self.document.text[left:end].rstrip()
        if len(whole) <= _LONGEST_LINE:
            self._keep(structured.RULES, _piece(whole, left, self.lexicon, self.known, self.new), 1.0)
            if (row := structured.glued(whole, self.lexicon, self.known)) is not None:
                self._claim((Relation.HAS_PARAMETERS, row[0], None, row[1], 0.85), left, left + len(whole), 1.0)
        for begin, stop in sentences(text, start):
            said = self.document.text[begin:stop]
            piece = _piece(said, begin, self.lexicon, self.known, self.new)
            piece = _with_pronoun(piece, self._subject)
            if not NEGATION.search(said):
                self._keep(_RULES, piece, 0.4 if HEDGE.search(said) else 1.0)
            systems = [node for _, node in piece.mentions if self.known[node].kind in SYSTEMS]
            self._subject = systems[0] if systems else self._subject
        if not text.strip().startswith(("#", "-", "*", "•")) and len(text) < _HEADING:
            return
        self._subject = self._subject if len(text) >= _HEADING else None

    def _introduce(self, name: str) -> None:
        id = "provisional-" + re.sub(r"[^a-z0-9]+", "-", fold(name))
        if id not in self.known:
            self.new[id] = self.known[id] = Node(id, Kind.MODEL, {"en": name}, provisional=True)

    def _keep(self, rules: Iterable[Rule], piece: Piece, trust: float) -> None:
        if piece.mentions or piece.papers:
            for rule in rules:
                for found in rule(piece, self.known):
                    self._claim(found, piece.at, piece.at + len(piece.text), trust)

    def _claim(self, found: Found, start: int, end: int, trust: float) -> None:
        relation, subject, obj, value, confidence = found
        line = self.document.text.rfind("\n", 0, start)
        key = (subject, relation, obj, value, line)
        if key in self._seen or subject == obj:
            return
        self._seen.add(key)
        self.claims.append(
            Claim.make(
                subject=subject,
                relation=relation,
                object=obj,
                value=value,
                document=self.document.id,
                start=start,
                end=end,
                text=self.document.text[start:end],
                extractor=EXTRACTOR,
                confidence=round(confidence * trust, 3),
            )
        )

    def result(self) -> Extract:
        """The claims, and those of the new nodes that they use."""
        used = {claim.subject for claim in self.claims} | {claim.object for claim in self.claims}
        return Extract(self.document, self.claims, {id: node for id, node in self.new.items() if id in used})


def _piece(text: str, at: int, lexicon: Lexicon, nodes: Mapping[str, Node], new: Mapping[str, Node]) -> Piece:
    named = lexicon.find(text)
    mentions = [(mention, mention.nodes[0]) for mention in named if len(mention.nodes) == 1]
    papers = [(m, node) for m in named for node in m.nodes if _is_title(m, node, nodes)]
    for node in new.values():
        name = node.name()
        if (where := text.find(name)) >= 0 and not any(
            m.start < where + len(name) and where < m.end for m, _ in mentions
        ):
            mentions.append((Mention(where, where + len(name), name, (node.id,)), node.id))
    mentions = [pair for pair in mentions if pair[1] in nodes]
    mentions.sort(key=lambda pair: pair[0].start)
    return Piece(text, at, tuple(mentions), tuple(papers), tuple(_dates(text)), bool(LIST_ITEM.match(text)))


def _is_title(mention: Mention, node: str, nodes: Mapping[str, Node]) -> bool:
    return node in nodes and nodes[node].kind is Kind.PAPER and len(mention.surface) >= _TITLE


def _with_pronoun(piece: Piece, subject: str | None) -> Piece:
    """A sentence that opens with a pronoun names what the one before it was about."""
    match = PRONOUN.match(piece.text)
    if match is None or subject is None or any(mention.start < match.end() for mention, _ in piece.mentions):
        return piece
    mention = Mention(match.start("it"), match.end("it"), match["it"], (subject,))
    return replace(piece, mentions=((mention, subject), *piece.mentions))


def _published(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
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
            if stop <= m.start and m.end <= limit and nodes[node].kind in SYSTEMS and not _glossed(piece.text, m)
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


def _sizes(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
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


def _pairs(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """Two neighbouring names with a telling phrase between them; a name joined to one by `and` shares its part."""
    found = piece.mentions
    for place, ((left, one), (right, other)) in enumerate(pairwise(found)):
        between = piece.text[left.end : right.start]
        after = piece.text[right.end : right.end + 14]
        kinds = nodes[one].kind, nodes[other].kind
        if kinds[0] in MAKERS and kinds[1] in WORKS and (MAKES.match(between) or MAKES_EN.match(between)):
            for maker in _joined(piece, range(place, -1, -1), nodes):
                yield _maker(nodes[maker].kind), other, maker, None, 0.7
        elif kinds[0] in WORKS and kinds[1] in MAKERS:
            verb = MADE_BY.match(between) and MAKING.match(piece.text[right.end :])
            if verb or MADE_BY_EN.match(between):
                work = _predicate_of(piece, place, between)
                last = _nearest(piece, place + 1, right.end + verb.start("verb") if verb else right.end, nodes)
                for maker in _joined(piece, range(last, len(found)), nodes) if work else ():
                    yield _maker(nodes[maker].kind), work or one, maker, None, 0.75
        elif kinds[0] in SYSTEMS and kinds[1] in WORKS:
            targets = list(_joined(piece, range(place + 1, len(found)), nodes))
            for subject in _joined(piece, range(place, -1, -1), nodes):
                for target in targets:
                    yield from _between_works(between, after, subject, target, nodes[target].kind)


def _joined(piece: Piece, places: range, nodes: Mapping[str, Node]) -> Iterator[str]:
    """The node at the first place, and those that a list joins to it, of the same sort, one after the other."""
    first = previous = piece.mentions[places[0]][1]
    makers = nodes[first].kind in MAKERS
    yield first
    for one, other in pairwise(places):
        left, right = piece.mentions[min(one, other)][0], piece.mentions[max(one, other)][0]
        between, node = piece.text[left.end : right.start], piece.mentions[other][1]
        if (nodes[node].kind in MAKERS) != makers:
            return
        if node == previous and not between.strip("(（ "):
            continue  # the same name in the other alphabet
        if not (JOINED_MAKERS if makers else JOINED).match(between):
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


def _between_works(between: str, after: str, one: str, other: str, kind: Kind) -> Iterator[Found]:
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
        if relation is Relation.USES and kind in (Kind.CONCEPT, Kind.TECHNIQUE) and after.startswith("的"):
            continue  # 使用预训练的编码器: what is used comes later
        yield (relation, one, other, None, confidence) if forward else (relation, other, one, None, confidence)
        return


def _maker(kind: Kind) -> Relation:
    return Relation.PROPOSED_BY if kind is Kind.PERSON else Relation.DEVELOPED_BY


_RULES: tuple[Rule, ...] = (_published, _sizes, _pairs)


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
