"""From a document nobody prepared to claims: lexicon, names and phrases, one document at a time.

Each rule works inside one sentence or line and yields claims whose span is that piece. Negated sentences make no
claim; hedged or hypothetical ones make a claim of low confidence. Extraction depends on the document and the library's
lexicon alone, so that adding a document never changes what was read in another.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ailineage.corpus.documents import Document
from ailineage.corpus.passages import sentences
from ailineage.kg import making, naming, predicates, structured
from ailineage.kg.found import SYSTEMS, Found, Piece
from ailineage.kg.identity import Lexicon, Mention, fold
from ailineage.kg.model import Claim, Node
from ailineage.kg.patterns import DATES, HEDGE, LIST_ITEM, MONTHS, NEGATION, PRONOUN, PUBLISHED
from ailineage.kg.reading import Block, blocks
from ailineage.kg.stated import PART, stated
from ailineage.kg.vocabulary import Kind

EXTRACTOR = "patterns-5"
PARTS = ("structure", "makers", "phrases", "predicates", "names", "topics")
"""Structure of lines; dates, sizes and makers in sentences; telling phrases; what a
thing is said to be; names the library does not know; what a
section is about and what pronouns mean."""
Rule = Callable[[Piece, Mapping[str, Node]], Iterator[Found]]
_TITLE = 12  # characters from which a name can be the title of a paper
_LONGEST_LINE = 600
_LONGEST_SENTENCE = 1500  # characters from which it is a table or code that lost its lines
_HEADING = 100
_OPENING = 12  # characters within which the subject of a sentence stands
_SENTENCE = re.compile(r"[。.!?！？:：;；,，]$|[。！？]|\.\s[A-Z]")


@dataclass
class Extract:
    """What one document contributes: claims, and nodes that the library does not know."""

    document: Document
    claims: list[Claim] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)


def extract(document: Document, lexicon: Lexicon, nodes: Mapping[str, Node], without: Collection[str] = ()) -> Extract:
    """Read one document.

    Args:
        document: spans of claims refer to its stored text.
        lexicon: the names known before.
        nodes: which bear them, for their kinds; provisional ones that the document mentions become its own.
        without: parts of `PARTS` that are left out, to measure what each adds.
    """
    found = list(blocks(document.text))
    names = naming.NONE if "names" in without else naming.unknown(found, lexicon, nodes)
    known = {**nodes, **names.nodes}
    named = [_mentions(block, lexicon, names, known) for block in found]
    votes = Counter(
        node for mentions in named for mention in mentions for node in mention.nodes if len(mention.nodes) == 1
    )
    reading = _Reading(document, lexicon, known, None if "topics" in without else names.topic, without)
    for number, (block, mentions) in enumerate(zip(found, named, strict=True)):
        heads = any(LIST_ITEM.match(later.text) for later in found[number + 1 : number + 3])
        reading.block(block, _Named.of(block, mentions, known, votes), heads=heads)
    terms = {id for mentions in named for m in mentions for id in m.nodes if id in nodes and nodes[id].provisional}
    return Extract(document, reading.claims, names.nodes | {id: nodes[id] for id in sorted(terms)})


@dataclass(frozen=True)
class _Named:
    """What a block names: nodes, and papers by their titles, left to right."""

    mentions: list[tuple[Mention, str]]
    papers: list[tuple[Mention, str]]

    @classmethod
    def of(cls, block: Block, mentions: list[Mention], known: Mapping[str, Node], votes: Mapping[str, int]) -> _Named:
        """Resolve mentions: a name that several nodes bear means the one that the document also names otherwise."""
        papers = [(m, node) for m in mentions for node in m.nodes if _is_title(m, node, known)]
        single: list[tuple[Mention, str]] = []
        for mention in mentions:
            nodes = mention.nodes
            if len(nodes) > 1:
                best = max(votes.get(node, 0) for node in nodes)
                likely = [node for node in nodes if votes.get(node, 0) == best]
                nodes = tuple(
                    likely if best or len(likely) > 2 else likely[:1] if _chiefly(mention, likely, known) else ()
                )
            if len(nodes) == 1:
                single.append((mention, nodes[0]))
        for start, end, target in block.links:
            match = naming.PAPER_AT.search(target)
            if match and (id := f"paper-{match[1]}-{match[2]}") in known and all(node != id for _, node in papers):
                papers.append((Mention(start, end, block.text[start:end], (id,)), id))
        papers.sort(key=lambda pair: pair[0].start)
        return cls(single, papers)

    def within(self, start: int, end: int) -> _Named:
        """What is named from `start` to `end`, counted from `start`."""
        return _Named(_shifted(self.mentions, start, end), _shifted(self.papers, start, end))


def _chiefly(mention: Mention, nodes: list[str], known: Mapping[str, Node]) -> bool:
    """Whether a shared name is the first node's own, and the others bear it only besides."""
    folded = fold(mention.surface)
    bears = [folded in map(fold, known[node].ambiguous) for node in nodes if node in known]
    return bool(bears) and not bears[0] and all(bears[1:])


def _shifted(pairs: list[tuple[Mention, str]], start: int, end: int) -> list[tuple[Mention, str]]:
    first = bisect_left(pairs, start, key=lambda pair: pair[0].start)
    return [
        (replace(mention, start=mention.start - start, end=mention.end - start), node)
        for mention, node in pairs[first:]
        if mention.end <= end
    ]


class _Reading:
    """One document while it is read: its claims and what it is about at the moment."""

    def __init__(
        self,
        document: Document,
        lexicon: Lexicon,
        known: Mapping[str, Node],
        page: str | None,
        without: Collection[str] = (),
    ) -> None:
        self.document, self.lexicon, self.known, self.page = document, lexicon, known, page
        self.without = without
        self.rules = tuple(rule for part, rules in _RULES.items() if part not in without for rule in rules)
        self.claims: list[Claim] = []
        self._seen: set[tuple] = set()
        self._section: str | None = None
        self._level = 0

    def block(self, block: Block, named: _Named, *, heads: bool) -> None:
        """Read a block: first what its structure says, then its sentences; `heads` says whether a list follows."""
        self._enter(block, named, heads)
        left = len(block.text) - len(block.text.lstrip())
        whole = block.text.strip()
        at = block, left, left + len(whole)
        structure = "structure" not in self.without
        if structure and len(whole) <= _LONGEST_LINE:
            self._keep(structured.RULES, self._piece(*at, named), block, 1.0)
            if (row := structured.glued(whole, self.lexicon, self.known)) is not None:
                self._claim(structured.size(*row), *at, 1.0)
        if block.level:
            return
        subject = self._section or self.page
        for begin, stop in sentences(block.text):
            said = block.text[begin:stop]
            if len(said) > _LONGEST_SENTENCE:
                continue
            piece = self._piece(block, begin, stop, named)
            piece = _with_pronoun(piece, subject, self.page)
            trust = 0.4 if HEDGE.search(said) else 1.0
            if structure and len(whole) > _LONGEST_LINE:
                self._keep((structured.introduced, structured.announced), _affirmed(piece), block, trust)
            self._keep(self.rules, _affirmed(piece), block, trust)
            systems = [(m, node) for m, node in piece.mentions if self.known[node].kind in SYSTEMS]
            if systems:
                alone = self.page is None and len({node for _, node in systems}) == 1 and PUBLISHED.search(said)
                clear = alone or systems[0][0].start <= _OPENING
                subject = systems[0][1] if clear and "topics" not in self.without else self.page

    def _enter(self, block: Block, named: _Named, heads: bool) -> None:
        """A heading, or a short line that opens with a name, says what the lines after it are about."""
        if "topics" in self.without:
            return
        text = block.text.strip()
        if not block.level and (LIST_ITEM.match(text) or len(text) > _HEADING or _SENTENCE.search(text)):
            return
        if not block.level and text.startswith(("(", "（")):
            return
        opening = [(m, n) for m, n in named.mentions if m.start <= 4 and self.known[n].kind in SYSTEMS]
        if self._section and not block.level and opening and PART.fullmatch(opening[0][0].surface):
            return  # an encoder, under the model that it is a part of
        name = opening[0][1] if opening else None
        level = block.level or 7
        rest = "".join(text[a:b] for a, b in _between(named.mentions, len(block.text) - len(block.text.lstrip()), text))
        heads = heads or len(re.findall(r"[^\W\d_]", rest)) < 4
        if name is not None and block.level != 1 and (block.level or heads):
            self._section, self._level = name, level
        elif block.level == 1 or level <= self._level:
            self._section, self._level = None, 0

    def _piece(self, block: Block, start: int, end: int, named: _Named) -> Piece:
        text = block.text[start:end]
        inside = named.within(start, end)
        dates = tuple(_dates(text)) if re.search(r"\d{4}", text) else ()
        topic = self._section or self.page
        return Piece(
            text, start, tuple(inside.mentions), tuple(inside.papers), dates, bool(LIST_ITEM.match(text)), topic
        )

    def _keep(self, rules: Iterable[Rule], piece: Piece, block: Block, trust: float) -> None:
        if piece.mentions or piece.papers or piece.topic:
            for rule in rules:
                for found in rule(piece, self.known):
                    self._claim(found, block, piece.at, piece.at + len(piece.text), trust)

    def _claim(self, found: Found, block: Block, begin: int, stop: int, trust: float) -> None:
        relation, subject, obj, value, confidence = found
        key = (subject, relation, obj, value, id(block))
        if key in self._seen or subject == obj:
            return
        self._seen.add(key)
        start, end = block.span(begin, stop)
        start -= self.document.text.startswith("[", start - 1) if start else 0  # it begins with a link
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


def _mentions(block: Block, lexicon: Lexicon, names: naming.Names, known: Mapping[str, Node]) -> list[Mention]:
    """The names in a block, of the library's nodes and the document's own; where two overlap the longer."""
    found = [m for m in lexicon.find(block.text) if any(node in known for node in m.nodes)]
    if names.finder is None:
        return found
    own = [
        Mention(match.start(), match.end(), match[0], (node,))
        for match in names.finder.finditer(block.text)
        if (node := names.by_surface.get(fold(match[0])))
    ]
    if not own:
        return found
    merged: list[Mention] = []
    for mention in sorted([*found, *own], key=lambda m: (m.start, -m.end)):
        if not merged or mention.start >= merged[-1].end:
            merged.append(mention)
        elif mention.end - mention.start > merged[-1].end - merged[-1].start:
            merged[-1] = mention
    return merged


def _between(mentions: list[tuple[Mention, str]], left: int, text: str) -> Iterator[tuple[int, int]]:
    """The spans of a text, which starts at `left`, that are no mention."""
    at = 0
    for mention, _ in mentions:
        yield at, max(at, mention.start - left)
        at = mention.end - left
    yield at, len(text)


def _is_title(mention: Mention, node: str, nodes: Mapping[str, Node]) -> bool:
    return node in nodes and nodes[node].kind is Kind.PAPER and len(mention.surface) >= _TITLE


def _with_pronoun(piece: Piece, subject: str | None, page: str | None) -> Piece:
    """A sentence that opens with a pronoun names what the one before it was about."""
    match = PRONOUN.match(piece.text)
    if match is None:
        return piece
    if page and match["it"].startswith("Our "):
        piece = replace(piece, mentions=tuple(pair for pair in piece.mentions if pair[0].start >= match.end()))
    if any(mention.start < match.end() for mention, _ in piece.mentions):
        return piece
    meant = subject if match["it"] in ("It", "it", "它") else page or subject
    if meant is None:
        return piece
    mention = Mention(match.start("it"), match.end("it"), match["it"], (meant,))
    return replace(piece, mentions=((mention, meant), *piece.mentions))


def _affirmed(piece: Piece) -> Piece:
    """A sentence without what its negated clauses name."""
    if not NEGATION.search(piece.text):
        return piece
    denied = []
    start = 0
    for clause in re.split(r"(?<=[,，;；:：])", piece.text):
        if NEGATION.search(clause):
            denied.append((start, start + len(clause)))
        start += len(clause)

    def free(place: int) -> bool:
        return not any(begin <= place < end for begin, end in denied)

    return replace(
        piece,
        mentions=tuple(pair for pair in piece.mentions if free(pair[0].start)),
        papers=tuple(pair for pair in piece.papers if free(pair[0].start)),
        dates=tuple(date for date in piece.dates if free(date[0])),
        topic=piece.topic if free(0) else None,
    )


_RULES: dict[str, tuple[Rule, ...]] = {
    "makers": (making.published, making.cited, making.sizes, making.made, making.owned),
    "phrases": (stated,),
    "predicates": (predicates.is_a, predicates.examples, predicates.components, predicates.sized, predicates.noted),
}


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
