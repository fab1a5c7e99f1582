"""Names to nodes: bilingual, version-aware, tolerant of typos, honest about ambiguity.

A name is compared in a folded form (NFKC, lower case, hyphens, dots and spaces dropped), so `GPT-2`, `gpt 2` and
`GPT2` are one name and `GPT` is another. In running text the longest name wins, and a Latin name must end where a
letter or digit does not follow: `GPT` is not found inside `GPT-3`, nor `BERT` inside `RoBERTa`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import ahocorasick

from ailineage.kg.model import Node

_DROPPED = re.compile(r"[\s\-‐‑–—_·・.,'’/()（）]+")
_VERSION = re.compile(r"[\s\-]?v?\d+(\.\d+)?\b")
_COMMON = frozenset(
    "a adapter all alpaca an and apple are art at attention bard base be caffe can claude cohere colab copilot "
    "dell do dolly donut falcon flow for gato gemini gemma glue go has how in intel is it kosmos lamda llama may "
    "meta nature new no not of on one opt or palm pegasus phi retention retro runway sam snowflake star the to "
    "triton up us we yi zero".split()
)
"""Names that are English words too: found in running text only where they are written with a capital."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Characters `start` to `end` of a text name one of `nodes`; several nodes mean that the name is ambiguous."""

    start: int
    end: int
    surface: str
    nodes: tuple[str, ...]


def fold(name: str) -> str:
    """The form in which names are compared.

    >>> fold("GPT‑2"), fold("Self-Attention"), fold("注意力 机制")
    ('gpt2', 'selfattention', '注意力机制')
    """
    return _DROPPED.sub("", unicodedata.normalize("NFKC", name).casefold())


class Lexicon:
    """All names of a set of nodes."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        own: dict[str, dict[str, None]] = defaultdict(dict)
        shared: dict[str, dict[str, None]] = defaultdict(dict)
        self.surfaces: dict[str, str] = {}
        for node in nodes:
            for name in (*node.surfaces, node.id):
                folded = fold(name)
                if not folded:
                    continue
                (shared if name in node.ambiguous else own)[folded].setdefault(node.id)
                self.surfaces.setdefault(folded, name)
        self._names = {
            name: tuple(dict.fromkeys((*own.get(name, ()), *shared.get(name, ())))) for name in (*own, *shared)
        }

    @cached_property
    def _automaton(self) -> ahocorasick.Automaton:
        automaton = ahocorasick.Automaton()
        for name, nodes in self._names.items():
            if len(name) > 1:
                automaton.add_word(name, (len(name), nodes))
        if len(automaton):
            automaton.make_automaton()
        return automaton

    def lookup(self, name: str, typos: bool = True) -> tuple[str, ...]:
        """Ids of the nodes a name may mean: exactly, else the nearest within a typo or two, else none.

        Digits are never forgiven: `GPT-5` does not mean `GPT-3`.
        """
        folded = fold(name)
        if found := self._names.get(folded):
            return found
        if not typos or len(folded) < 4:
            return ()
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        allowed = 1 if len(folded) < 8 else 2
        digits = re.sub(r"\D", "", folded)
        near = process.extract(folded, self._names.keys(), scorer=DamerauLevenshtein.distance, score_cutoff=allowed)
        same = [hit for hit in near if re.sub(r"\D", "", hit[0]) == digits and len(hit[0]) > 3]
        if not same:
            return ()
        best = min(score for _, score, _ in same)
        return tuple(dict.fromkeys(node for hit, score, _ in same if score == best for node in self._names[hit]))

    def suggestions(self, name: str, limit: int = 3) -> list[str]:
        """Names that look like `name`, best first, for an error message."""
        from rapidfuzz import fuzz, process

        hits = process.extract(fold(name), self._names.keys(), scorer=fuzz.WRatio, limit=limit, score_cutoff=60)
        return [self.surfaces[hit] for hit, _, _ in hits]

    def find(self, text: str) -> list[Mention]:
        """Mentions in a text, left to right, the longest at each place, never overlapping."""
        if not len(self._automaton):
            return []
        folded, origin = _folded(text)
        spans: list[tuple[int, int, tuple[str, ...]]] = []
        for last, (length, nodes) in self._automaton.iter(folded):
            start, end = origin[last - length + 1], origin[last] + 1
            if _whole(text, start, end):
                spans.append((start, end, nodes))
        spans.sort(key=lambda span: (span[0], -span[1]))
        mentions: list[Mention] = []
        for start, end, nodes in spans:
            if not mentions or start >= mentions[-1].end:
                mentions.append(Mention(start, end, text[start:end], nodes))
        return mentions


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text and, for each of its characters, the index it came from."""
    pieces: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        if _DROPPED.match(character):
            continue
        for folded in unicodedata.normalize("NFKC", character).casefold():
            pieces.append(folded)
            origin.append(index)
    return "".join(pieces), origin


def _whole(text: str, start: int, end: int) -> bool:
    """Whether a span is a whole name: no Latin letter or digit goes on at either side, and no version follows."""
    surface = text[start:end]
    if "\n" in surface or "  " in surface:
        return False
    before, after = text[start - 1 : start], text[end : end + 1]
    if after == "奖" and not surface.endswith("奖"):
        return False  # 图灵奖 does not name 图灵
    if _latin(surface[0]) and (_latin(before) or re.search(r"[A-Za-z]['’]$", text[:start])):
        return False  # a longer word, or what follows an apostrophe: where'd it
    if surface[-1].isdigit() and re.match(r"\.\d", text[end:]):
        return False
    if _latin(surface[-1]):
        plural = after == "s" and not _latin(text[end + 1 : end + 2])
        if _latin(after) and not (plural and (len(surface) > 3 or (len(surface) == 3 and surface.isupper()))):
            return False
        if surface[-1].isalpha() and _VERSION.match(text, end) and not re.match(r"\s\d{4}\b|\s\d+\.?\s", text[end:]):
            return bool(re.match(r"\s", text[end:])) and not re.match(r"\s\d(\.\d)?(?![\d,])", text[end:])
        if re.match(r"[\-‐‑–][A-Za-z]?\d", text[end:]) and surface[-1].isalpha():
            return False
    return not (surface.casefold() in _COMMON and surface.islower())


def _latin(character: str) -> bool:
    return bool(character) and (character.isascii() and character.isalnum())
