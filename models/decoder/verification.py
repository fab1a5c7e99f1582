"""Is a sentence supported by the spans it cites? Dates, numbers, names, words, negation and direction must agree.

The check is lexical on purpose: it never asks a model. It errs towards rejecting: a true sentence that its span does
not visibly say is rejected too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ailineage.corpus.documents import Document, language_of
from ailineage.corpus.passages import sentences
from ailineage.kg.extraction import extract
from ailineage.kg.identity import Mention
from ailineage.kg.vocabulary import LINEAGE, Relation
from ailineage.models.decoder.knowledge import Knowledge, cleaned, overlap
from ailineage.models.decoder.quantities import counted, dated, dates, located, numbers
from ailineage.models.decoder.quotation import unquoted
from ailineage.retrieval.evidence import Evidence

NEEDED = 0.6
"""Share of a sentence's content words, names aside, that its spans must hold."""
_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|without|cannot|none|nothing|fail(?:s|ed)?|lacks?|unlike)\b|n['’]t\b"
    r"|没有|没能|未能|并未|尚未|并非|不是|不能|不会|不再|不需|不用|无法|无需|从未|(?<![特分区差个性识辨类级])别(?=[用再])|不(?=[由属含依使采])|未(?=[经使被])"
)
_CLAUSE = re.compile(r"[,;:，；：、—]|\b(?:but|while|whereas|although|and|which|that)\b|而|但")
_CAPITAL = re.compile(r"[A-Z][\w'’\-]*[A-Za-z0-9]|[A-Z]\b")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9\-]+")
_CHECKED_ELSEWHERE = re.compile(
    r".*\d.*|[a-z]|thousand|million|billion|trillion|万|亿|年|月|日|not|no|never|neither|nor|cannot|不|不是|没有|并非"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*"
)
"""Words whose agreement the other checks judge: numbers, dates, negation."""
_CIRCULAR = re.compile(
    r"^(?:the |an? )?(\w.{2,60}?) (?:is|are|was|were|builds?|uses?)\b[^.,;:]{0,30}\b(?:the |an? )?\1\W*(?:$|[.:,])"
    r"|^(\w.{1,20}?)\s*(?:是|基于|使用|建立在)[^，。]{0,8}\2(?:\W|的|之上|$)",
    re.I,
)
_COMMON_ABBREVIATIONS = frozenset({"ai", "i", "it"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence may stand, and why not."""

    supported: bool
    reason: str = "supported"


def verify(sentence: str, cited: Sequence[Evidence], knowledge: Knowledge) -> Verdict:
    """Check a sentence (without its markers) against the spans it cites.

    The checks run in this order, and the first that fails gives the reason: a citation, verbatim quotation (which
    settles it), dates, numbers, names, words, negation, direction of descent.
    """
    if not cited:
        return Verdict(False, "no citation")
    said = [cleaned(text) for evidence in cited for text in _sentences(evidence.text)]
    said += [text for e in cited if (c := knowledge.claim(e)) if (text := knowledge.rendered(c, language_of(sentence)))]
    if _same(unquoted(sentence)) in {_same(text) for text in said}:
        return Verdict(True, "quoted")
    around = "\n".join(knowledge.about(evidence) for evidence in cited)
    whole = "\n".join(said) + "\n" + around
    if _CIRCULAR.search(sentence):
        return Verdict(False, "it explains a thing by itself")
    for check in (_dates, _numbers, _names, _words, _negation, _direction):
        if (reason := check(sentence, said, whole, cited, knowledge)) is not None:
            return Verdict(False, reason)
    return Verdict(True)


def _dates(sentence: str, said: list[str], whole: str, cited: Sequence[Evidence], knowledge: Knowledge) -> str | None:
    known = dates(whole)
    wrong = sorted(date for date in dates(sentence) if not dated(date, known))
    return f"the cited text does not state the date {wrong[0]}" if wrong else None


def _numbers(sentence: str, said: list[str], whole: str, cited: Sequence[Evidence], knowledge: Knowledge) -> str | None:
    known = numbers(whole)
    wrong = sorted(number for number in numbers(sentence) if not counted(number, known))
    if wrong:
        return f"the cited text does not state the number {wrong[0]:g}"
    for _, end, number in located(sentence):
        thing = _counted_thing(sentence[end:], knowledge)
        near = [window for text in said for window in _around(text, number)]
        if thing and near and not any(thing & knowledge.words(window) for window in near):
            return f"the cited text states {number:g} of something else"
    return None


def _around(text: str, number: float) -> list[str]:
    """What stands around a number in a text, up to the next comma or other number on either side."""
    found = located(text)
    windows = []
    for start, end, value in found:
        if counted(number, {value}):
            after = min((a for a, _, other in found if a >= end and other != value), default=len(text))
            before = max((b for _, b, other in found if b <= start and other != value), default=0)
            left, right = text[max(before, start - 20) : start], text[end : min(after, end + 40)]
            windows.append(re.split(r"[,，;；。]", left)[-1] + " " + re.split(r"[,，;；。]", right)[0])
    return windows


def _counted_thing(rest: str, knowledge: Knowledge) -> set[str]:
    """The words of the first word after a number, a repetition of it in brackets left out: what there are so many of.

    In Chinese it may come after a measure word.
    """
    rest = re.sub(r"^\s*[(（][^)）]*[)）]", "", rest)
    match = re.match(r"\s*(?:([A-Za-z]{3,})|(?![年月日号])([\u3400-\u9fff]{2,12}))", rest)
    if match is None:
        return set()
    first = [match[1]] if match[1] else knowledge.cut(match[2])[:2]
    return knowledge.words(next((word for word in first if len(word) > 1), ""))


def _names(sentence: str, said: list[str], whole: str, cited: Sequence[Evidence], knowledge: Knowledge) -> str | None:
    known = knowledge.ids(whole) | {evidence.node for evidence in cited if evidence.node}
    rest = sentence
    for mention in reversed(knowledge.lexicon.find(sentence)):
        if not known.intersection(mention.nodes):
            return f"the cited text does not name {mention.surface}"
        if (variant := _variant(mention, knowledge)) and not any(variant in text.casefold() for text in said):
            return f"the cited text does not name {mention.surface}"
        rest = rest[: mention.start] + "\0" + rest[mention.end :]
    lower = whole.casefold()
    chinese = language_of(sentence) == "zh"
    for match in (_LATIN if chinese else _CAPITAL).finditer(rest):
        if not chinese and re.search(r"(?:^|[:.!?])[\s\"'“‘(]*$", rest[: match.start()]):
            continue  # the capital that opens a sentence
        word = re.sub(r"['’]s$", "", match[0])
        if word.casefold() not in _COMMON_ABBREVIATIONS and word.casefold() not in lower:
            return f"the cited text does not name {word}"
    return None


def _variant(mention: Mention, knowledge: Knowledge) -> str | None:
    """What a mention adds to its node's name: `large` in BERT-large."""
    for id in mention.nodes:
        for name in knowledge.nodes[id].names.values():
            added = re.fullmatch(re.escape(name) + r"[\s\-](.+)", mention.surface, re.I)
            if added:
                return added[1].casefold()
    return None


def _words(sentence: str, said: list[str], whole: str, cited: Sequence[Evidence], knowledge: Knowledge) -> str | None:
    wanted = {word for word in knowledge.bare_words(sentence) if not _CHECKED_ELSEWHERE.fullmatch(word)}
    share = overlap(wanted, knowledge.words(whole))
    if not wanted and not knowledge.ids(sentence):
        return "the sentence says nothing"
    return f"only {share:.0%} of its words are in the cited text" if share < NEEDED else None


def _negation(
    sentence: str, said: list[str], whole: str, cited: Sequence[Evidence], knowledge: Knowledge
) -> str | None:
    clauses = [clause for text in said for clause in (text, *_CLAUSE.split(text)) if clause.strip()]
    for clause in _CLAUSE.split(sentence):
        words = knowledge.words(clause)
        if len(words) < 2:
            continue
        best = max(clauses, key=lambda c: (overlap(words, knowledge.words(c)), -len(c)), default="")
        if overlap(words, knowledge.words(best)) < 0.5:
            continue
        if bool(_NEGATION.search(clause)) != bool(_NEGATION.search(best)):
            return "the cited text denies it" if _NEGATION.search(best) else "the cited text does not deny it"
    return None


def _direction(
    sentence: str, said: list[str], whole: str, cited: Sequence[Evidence], knowledge: Knowledge
) -> str | None:
    known = {(c.subject, c.relation, c.object) for e in cited if (c := knowledge.claim(e)) is not None}
    known |= {triple for text in said for triple in _triples(text, knowledge)}
    for subject, relation, target in _triples(sentence, knowledge):
        down = _downward(subject, relation, target)
        lines = {_downward(*triple) for triple in known if triple[1] in LINEAGE}
        if down[::-1] in lines and down not in lines:
            return "the cited text says it the other way round"
    return None


def _downward(subject: str, relation: Relation, target: str | None) -> tuple[str | None, str | None]:
    """Parent and child."""
    return (subject, target) if relation is Relation.SUCCEEDED_BY else (target, subject)


def _triples(text: str, knowledge: Knowledge) -> set[tuple[str, Relation, str | None]]:
    document = Document("sentence", "", text, language_of(text), "", "")
    found = extract(document, knowledge.lexicon, knowledge.nodes).claims
    return {(c.subject, c.relation, c.object) for c in found if c.relation in LINEAGE}


def _sentences(text: str) -> list[str]:
    return [text, *(text[start:end] for start, end in sentences(text))]


def _same(text: str) -> str:
    return re.sub(r"[\s。.]+", "", text).casefold()
