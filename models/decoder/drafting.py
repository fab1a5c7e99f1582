"""Let a decoder write and follow it: cut its text into sentences, give each its citations, and judge it.

The first sentence that does not stand is written once more, from the sentences before it and without the citation it
leaned on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ailineage.corpus.documents import language_of
from ailineage.corpus.passages import sentences
from ailineage.models.decoder.knowledge import Knowledge, overlap
from ailineage.models.decoder.result import Checked, Draft
from ailineage.models.decoder.runtime.base import DECLINED, SENTENCES, Decoder
from ailineage.models.decoder.verification import Verdict, verify
from ailineage.retrieval.evidence import Evidence

_MARKED = re.compile(r"(?P<body>[^\[\]]*?[^\s\[\]][^\[\]]*?)(?P<marks>(?:\s*\[\d+\])+)(?P<stop>\s*[.!?。！？])?")
_LOOP = re.compile(r"(.{2,60}?)(?:\W*\1){3,}")
_LONGEST = {"en": 500, "zh": 220}
"""Characters after which an unfinished sentence is given up."""
_PATIENCE = 2
"""Failed sentences after which the decoder is stopped."""
_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence the decoder wrote, the evidences it cites (numbers from 1), and the verdict."""

    text: str
    cited: tuple[int, ...]
    verdict: Verdict


@dataclass
class Writing:
    """One answer while it is written.

    Attributes:
        evidence: what the prompt shows, by number from 1.
        language: of the answer.
        knowledge: names and claims.
        verified: whether sentences are checked against what they cite; without it only their form is.
        kept: the sentences so far, with their verdicts.
        declined: whether the decoder said that the evidence holds no answer.
    """

    evidence: Sequence[Evidence]
    language: str
    knowledge: Knowledge
    verified: bool = True
    kept: list[Written] = field(default_factory=list)
    declined: bool = False

    @property
    def stood(self) -> list[Written]:
        """The sentences that may stand."""
        return [written for written in self.kept if written.verdict.supported]

    def write(self, decoder: Decoder, text: str) -> Iterator[Draft | Checked]:
        """Let a decoder answer a prompt; what it writes is passed on."""
        markers = list(range(1, len(self.evidence) + 1))
        yield from self.follow(decoder.generate(text, markers, _TOKENS))
        failed = next((w for w in self.kept if not w.verdict.supported), None)
        left = [n for n in markers if failed is not None and n not in failed.cited]
        if decoder.adapter is None or failed is None or not left:
            return
        self.kept = [w for w in self.kept[: self.kept.index(failed)] if w.verdict.supported]
        space = " " if self.language == "en" else ""
        said = [space + DECLINED[self.language]] if self.declined else []
        said += [space + w.text + space + "".join(f"[{n}]" for n in w.cited) for w in self.kept]
        if len(self.kept) < SENTENCES:
            yield from self.follow(decoder.generate(text + "".join(said), left, _TOKENS))

    def follow(self, pieces: Iterator[str]) -> Iterator[Draft | Checked]:
        """Pass a decoder's pieces on and judge each sentence as soon as it is whole.

        The decoder is stopped when it repeats itself or fails too often.
        """
        buffer, opened = "", bool(self.kept) or self.declined
        try:
            for piece in pieces:
                yield Draft(piece)
                buffer += piece
                if not opened:
                    said = buffer.lstrip()
                    line = next((line for line in DECLINED.values() if said.startswith(line)), None)
                    if line is not None:
                        self.declined, buffer = True, said[len(line) :]
                    elif any(line.startswith(said) for line in DECLINED.values()):
                        continue
                    opened = True
                while (match := _MARKED.match(buffer)) and buffer[match.end() :].lstrip()[:1] not in ("", "["):
                    buffer = buffer[match.end() :]
                    for checked in self._judge(match):
                        yield checked
                        if self._hopeless():
                            return
                if len(buffer) > _LONGEST[self.language] or _LOOP.search(buffer):
                    buffer = ""
                    return
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        position = 0
        while match := _MARKED.match(buffer, position):
            position = match.end()
            yield from self._judge(match)
        for start, end in sentences(buffer[position:]):
            yield from self._keep(buffer[position:][start:end], ())

    def _judge(self, match: re.Match[str]) -> Iterator[Checked]:
        cited = tuple(dict.fromkeys(int(n) for n in re.findall(r"\d+", match["marks"])))
        body = match["body"].strip() + (match["stop"] or "").strip()
        for start, end in sentences(body):
            yield from self._keep(body[start:end], cited)

    def _keep(self, text: str, cited: tuple[int, ...]) -> Iterator[Checked]:
        text = text.strip()
        if not re.search(r"\w", text) or text in DECLINED.values():
            return
        text = text if text.endswith(tuple(".!?。！？")) else text + ("." if self.language == "en" else "。")
        cited = tuple(n for n in cited if 1 <= n <= len(self.evidence)) or self._attached(text)
        verdict = self._verdict(text, cited)
        if not verdict.supported and (other := self._attached(text)) not in ((), cited):
            second = self._verdict(text, other)
            if second.supported:  # right, and only marked wrongly
                cited, verdict = other, second
        self.kept.append(Written(text, cited, verdict))
        yield Checked(text, verdict)

    def _verdict(self, text: str, cited: tuple[int, ...]) -> Verdict:
        wrong = _form(text, self.language, self.kept)
        if wrong is not None or not self.verified:
            return wrong or Verdict(bool(cited), "not checked")
        return verify(text, [self.evidence[n - 1] for n in cited], self.knowledge)

    def _attached(self, text: str) -> tuple[int, ...]:
        """The evidence an unmarked sentence is nearest to in words, if any is near."""
        words = self.knowledge.words(text)
        shares = ((overlap(words, self.knowledge.words(e.text)), -n) for n, e in enumerate(self.evidence, 1))
        share, n = max(shares, default=(0.0, 0))
        return (-n,) if share >= 0.5 and words else ()

    def _hopeless(self) -> bool:
        failed = [written for written in self.kept if not written.verdict.supported]
        return len(failed) >= _PATIENCE or any(written.verdict.reason == "a repetition" for written in failed)


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
