"""Cut a document into passages: pieces small enough to cite, that never split a sentence or lose their heading.

Spans are characters of the stored text: `passage.text == document.text[passage.start:passage.end]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ailineage.corpus.documents import Document

_SENTENCE = re.compile(
    r"(?:[^。！？!?；\n]|[!?](?![!?]*[\"')\]]*(?:\s|$)))*?"  # a mark amid a word ends nothing
    r"(?:[。！？；]+[”’」』）)\"]*|[!?]+[\"')\]]*(?=\s|$)|\.(?=\s+[\"'(\[]?[A-Z0-9\u3400-\u9fff])|\n|\Z)"
)
_INITIAL = re.compile(r"[^\W\d_]\.?\s[A-Z]\.\s*$")  # the middle name in Vijay R. Konda
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_ABBREVIATIONS = ("et al.", "e.g.", "i.e.", "etc.", "vs.", "Fig.", "Eq.", "Sec.", "Dr.", "Mr.", "No.", "cf.", "St.")


@dataclass(frozen=True, slots=True)
class Passage:
    """A citable piece of a document; `id` is `<document>#<start>`, `heading` the headings above it."""

    document: str
    start: int
    end: int
    text: str
    language: str
    title: str
    heading: str = ""

    @property
    def id(self) -> str:
        """Where the passage stands, unique in a corpus."""
        return f"{self.document}#{self.start}"


def sentences(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a text, Chinese or English, offset by `start`; white space around them left out.

    >>> [("A b. C 是。D?"[a:b]) for a, b in sentences("A b. C 是。D?")]
    ['A b.', 'C 是。', 'D?']
    """
    begin = 0
    for match in _SENTENCE.finditer(text):
        piece = text[begin : match.end()]
        if not piece.strip():
            begin = match.end()
            continue
        short = piece.rstrip().endswith(_ABBREVIATIONS) or _INITIAL.search(piece)
        if short and match.end() < len(text) and text[match.end() - 1] == ".":
            continue
        left = begin + len(piece) - len(piece.lstrip())
        right = begin + len(piece.rstrip())
        yield start + left, start + right
        begin = match.end()
    if text[begin:].strip():
        rest = text[begin:]
        yield start + begin + len(rest) - len(rest.lstrip()), start + begin + len(rest.rstrip())


def split(document: Document, size: int = 700) -> list[Passage]:
    """Passages of a document in order.

    Args:
        document: its stored text is what the spans refer to.
        size: aim, in characters of English; Chinese passages hold half as many. A paragraph that fits is one
            passage with its neighbours under the same heading; a longer one is cut between sentences.
    """
    limit = size if document.language == "en" else size // 2
    passages: list[Passage] = []
    headings: list[tuple[int, str]] = []
    held: list[tuple[int, int]] = []

    def flush() -> None:
        if held:
            start, end = held[0][0], held[-1][1]
            text = document.text[start:end]
            heading = " / ".join(title for _, title in headings)
            passages.append(Passage(document.id, start, end, text, document.language, document.title, heading))
            held.clear()

    for start, end in _blocks(document.text):
        block = document.text[start:end]
        if match := _HEADING.match(block):
            flush()
            level = len(block) - len(block.lstrip("#"))
            headings[:] = [*((depth, title) for depth, title in headings if depth < level), (level, match[1].strip())]
            continue
        pieces = [(start, end)] if end - start <= limit else list(_pack(document.text, start, end, limit))
        for piece in pieces:
            if held and piece[1] - held[0][0] > limit:
                flush()
            held.append(piece)
    flush()
    return passages


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Spans of paragraphs, list items and headings."""
    for match in re.finditer(r"[^\n]+", text):
        line = match[0]
        if line.strip():
            left = match.start() + len(line) - len(line.lstrip())
            yield left, match.start() + len(line.rstrip())


def _pack(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    first = last = None
    for left, right in sentences(text[start:end], start):
        while right - left > 2 * limit:  # a "sentence" without any stop: cut at the limit
            if first is not None and last is not None:
                yield first, last
                first = None
            yield left, left + limit
            left += limit
        if first is None:
            first = left
        elif right - first > limit and last is not None:
            yield first, last
            first = left
        last = right
    if first is not None and last is not None:
        yield first, last
