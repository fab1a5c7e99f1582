"""A document as it is read: paragraphs, headings, items and rows, without markup, each character traceable.

Code, comments and tags are left out; lines that were broken at a width are joined; links keep their words. A `Block`
knows for each of its characters where that stands in the document, so that spans always refer to the stored text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"<!--.*?-->", re.S)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.M)
_SKIPPED = re.compile(r"^\s*(?:\[\[.*|(?:<[^<>]*>\s*)+|:[a-z]+:`[^`]*`|[-=*_ ]{3,}|#@\w+.*|\$\$)\s*$")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+")
_STRUCTURE = re.compile(r"^\s*(?:[-*+•·]\s|\(?\d{1,3}[.)、]\s?|\[\d|#{1,6}\s|\||>|!\[|:\w+:|\[\[|<)")
_OVER = re.compile(r"[.!?。！？；;:：…][\"')\]*_”’）」]*\s*$")
_MARKUP = re.compile(
    r"!\[[^\]\n]*\]\([^)\n]*\)"  # an image
    r"|\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)"  # the target of a link
    r"|\[(?=[^\[\]]+\]\()"  # the bracket before its words
    r"|:[a-z]+:`[^`\n]*`"  # a role: a reference, a label
    r"|</?[A-Za-z][^<>\n]*>"
    r"|https?://[^\s，。；、）)】》\"'`]+"
    r"|(?<![A-Za-z0-9*])\*{1,3}(?=[^\s*])|(?<=[^\s*])\*{1,3}(?![A-Za-z0-9*])"
    r"|`+|\\(?=[_*`])"
)
_WIDTH, _NARROW = 60, 35
_HAN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading (`level` 1 to 6, else 0), an item of a list or a row of a table.

    `strong` are spans of `text` that were set off by emphasis, `code` those that were code; `links` have their target.
    """

    text: str
    level: int
    strong: tuple[tuple[int, int], ...]
    code: tuple[tuple[int, int], ...]
    links: tuple[tuple[int, int, str], ...]
    _places: tuple[int, ...]
    _origins: tuple[int, ...]

    def origin(self, place: int) -> int:
        """Where a character of `text` stands in the document."""
        at = bisect_right(self._places, place) - 1
        return self._origins[at] + place - self._places[at]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The document's characters that `text[start:end]` was made from."""
        return self.origin(start), self.origin(end - 1) + 1


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a stored text, in order."""
    hidden = _hidden(text)
    held: list[tuple[int, int]] = []
    for match in re.finditer(r"[^\n]+|\n[ \t]*(?=\n)", text):
        start, end = match.span()
        line = match[0]
        if hidden and any(begin <= start < stop for begin, stop in hidden):
            continue
        blank = not line.strip()
        if held and (blank or not _goes_on(text, held[-1], line)):
            yield from _block(text, held)
            held = []
        if not blank and not _SKIPPED.match(line):
            held.append((start, end))
    if held:
        yield from _block(text, held)


def _hidden(text: str) -> list[tuple[int, int]]:
    """Spans of comments and code."""
    found = [match.span() for match in _COMMENT.finditer(text)] if "<!--" in text else []
    fences = [match.span() for match in _FENCE.finditer(text)]
    found += [(begin[0], end[1]) for begin, end in zip(fences[::2], fences[1::2], strict=False)]
    return found


def _goes_on(text: str, before: tuple[int, int], line: str) -> bool:
    """Whether a line goes on with the sentence of the line before it."""
    last = text[before[0] : before[1]].rstrip()
    if _STRUCTURE.match(line) or _SKIPPED.match(line) or _HEADING.match(last) or last.lstrip().startswith("|"):
        return False
    if _OVER.search(last):
        return False
    if last.endswith((",", "，", "、")):
        return len(last) >= _NARROW or bool(_HAN.search(last))
    first = line.lstrip()[:1]
    return len(last) >= _WIDTH or (len(last) >= _NARROW and first.islower() and not _HAN.search(last))


def _block(text: str, lines: list[tuple[int, int]]) -> Iterator[Block]:
    heading = _HEADING.match(text[lines[0][0] : lines[0][1]])
    pieces: list[str] = []
    places: list[int] = []
    origins: list[int] = []
    marks: dict[str, list[int]] = {"*": [], "`": []}
    links: list[tuple[int, int, str]] = []
    opened = -1
    length = 0

    def take(start: int, end: int) -> None:
        nonlocal length
        if end > start:
            pieces.append(text[start:end])
            places.append(length)
            origins.append(start)
            length += end - start

    for number, (start, end) in enumerate(lines):
        if number == 0 and heading:
            start += heading.end()
        elif number:
            while start < end and text[start] in " \t":
                start += 1
            before = text[lines[number - 1][1] - 1]
            if not (_HAN.match(text[start : start + 1]) or _HAN.match(before)):
                take(lines[number - 1][1], lines[number - 1][1] + 1)  # the line end stands for a space
        at = start
        for match in _MARKUP.finditer(text, start, end):
            take(at, match.start())
            at = match.end()
            sign = match[0][0]
            if sign in "*`":
                marks[sign].append(length)
            elif sign == "[":
                opened = length
            elif sign == "]" and opened >= 0:
                links.append((opened, length, match[0][2:-1]))
                opened = -1
        take(at, end)
    whole = "".join(pieces).replace("\n", " ").replace("\xa0", " ")
    if whole.strip():
        strong, code = (tuple(zip(marks[sign][::2], marks[sign][1::2], strict=False)) for sign in "*`")
        level = len(heading[1]) if heading else 0
        yield Block(whole, level, strong, code, tuple(links), tuple(places), tuple(origins))
