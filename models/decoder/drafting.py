"""Follow a decoder while it writes: cut its text into sentences, give each its citations, and judge it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ailineage.corpus.documents import language_of
from ailineage.corpus.passages import sentences
from ailineage.models.decoder.knowledge import Knowledge, overlap
from ailineage.models.decoder.result import Checked, Draft
from ailineage.models.decoder.verification import Verdict, verify
from ailineage.retrieval.evidence import Evidence

_MARKED = re.compile(r"(?P<body>[^\[\]]*?[^\s\[\]][^\[\]]*?)(?P<marks>(?:\s*\[\d+\])+)(?P<stop>\s*[.!?。！？])?")
_LOOP = re.compile(r"(.{2,60}?)(?:\W*\1){3,}")
_LONGEST = {"en": 500, "zh": 220}
"""Characters after which an unfinished sentence is given up."""
_PATIENCE = 2
"""Failed sentences after which the decoder is stopped."""


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence the decoder wrote, the evidences it cites (numbers from 1), and the verdict."""

    text: str
    cited: tuple[int, ...]
    verdict: Verdict


def follow(
    pieces: Iterator[str], evidence: Sequence[Evidence], language: str, knowledge: Knowledge, kept: list[Written]
) -> Iterator[Draft | Checked]:
    """Pass a decoder's pieces on and judge each sentence as soon as it is whole; all verdicts go to `kept`.

    The decoder is stopped when it repeats itself or fails too often.
    """
    buffer = ""
    try:
        for piece in pieces:
            yield Draft(piece)
            buffer += piece
            while (match := _MARKED.match(buffer)) and buffer[match.end() :].lstrip()[:1] not in ("", "["):
                buffer = buffer[match.end() :]
                for checked in _judge(match, evidence, language, knowledge, kept):
                    yield checked
                    if _hopeless(kept):
                        return
            if len(buffer) > _LONGEST[language] or _LOOP.search(buffer):
                buffer = ""
                return
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    position = 0
    while match := _MARKED.match(buffer, position):
        position = match.end()
        yield from _judge(match, evidence, language, knowledge, kept)
    for start, end in sentences(buffer[position:]):
        yield from _keep(buffer[position:][start:end], (), evidence, language, knowledge, kept)


def _judge(
    match: re.Match[str], evidence: Sequence[Evidence], language: str, knowledge: Knowledge, kept: list[Written]
) -> Iterator[Checked]:
    cited = tuple(dict.fromkeys(int(n) for n in re.findall(r"\d+", match["marks"])))
    body = match["body"].strip() + (match["stop"] or "").strip()
    for start, end in sentences(body):
        yield from _keep(body[start:end], cited, evidence, language, knowledge, kept)


def _keep(
    text: str,
    cited: tuple[int, ...],
    evidence: Sequence[Evidence],
    language: str,
    knowledge: Knowledge,
    kept: list[Written],
) -> Iterator[Checked]:
    text = text.strip()
    if not re.search(r"\w", text):
        return
    text = text if text.endswith(tuple(".!?。！？")) else text + ("." if language == "en" else "。")
    cited = tuple(n for n in cited if 1 <= n <= len(evidence)) or _attached(text, evidence, knowledge)
    verdict = _form(text, language, kept) or verify(text, [evidence[n - 1] for n in cited], knowledge)
    if not verdict.supported and (other := _attached(text, evidence, knowledge)) not in ((), cited):
        second = _form(text, language, kept) or verify(text, [evidence[n - 1] for n in other], knowledge)
        if second.supported:  # right, and only marked wrongly
            cited, verdict = other, second
    kept.append(Written(text, cited, verdict))
    yield Checked(text, verdict)


def _attached(text: str, evidence: Sequence[Evidence], knowledge: Knowledge) -> tuple[int, ...]:
    """The evidence an unmarked sentence is nearest to in words, if any is near."""
    words = knowledge.words(text)
    share, n = max(((overlap(words, knowledge.words(e.text)), -n) for n, e in enumerate(evidence, 1)), default=(0.0, 0))
    return (-n,) if share >= 0.5 and words else ()


def _form(text: str, language: str, kept: list[Written]) -> Verdict | None:
    """What is wrong with a sentence whatever it says."""
    if text.endswith(("?", "？")):
        return Verdict(False, "a question")
    if language_of(text) != language and re.search(r"[a-z]{3,}\s+[a-z]{2,}\s+[a-z]{2,}|[\u3400-\u9fff]{2}", text):
        return Verdict(False, "the wrong language")
    bare = re.sub(r"\W+", "", text).casefold()
    if any(bare == re.sub(r"\W+", "", other.text).casefold() for other in kept):
        return Verdict(False, "a repetition")
    if _LOOP.search(text):
        return Verdict(False, "a repetition")
    return None


def _hopeless(kept: list[Written]) -> bool:
    failed = [written for written in kept if not written.verdict.supported]
    return len(failed) >= _PATIENCE or any(written.verdict.reason == "a repetition" for written in failed)
