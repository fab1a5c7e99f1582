"""Names in passages of any subject, without a lexicon: titles of documents, and phrases written with capitals.

This is what ties passages together where the graph knows none of the names: two passages that name the same thing
are neighbours, and a passage whose title another one names is one step away from it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ailineage.retrieval.fusion import OWN

_WORD = r"[A-Z\u00c0-\u00de][\w'’&\-]*"
_PHRASE = re.compile(
    rf"{_WORD}(?:\.? (?:(?:of|the|and|de|van|von|for|in|on|at|to|&) )?{_WORD})*|\b\d+(?:st|nd|rd|th)\b"
)
_TOKEN = re.compile(r"\w+", re.UNICODE)
_QUALIFIER = re.compile(r"\s*\([^)]*\)\s*$")
_LONGEST = 8
_OPENING = frozenset(
    "a after all although an and another are as at because before both but by can did do does during each "
    "for from had has have he her here his how however i if in is it its later many more most new no not "
    "of on one only or other our she since so some such than that the their then there these they this "
    "those though through to two under until was we were what when where which while who whose why with "
    "you your".split()
)


def key(phrase: str) -> str:
    """The form in which phrases are compared: words in lower case, a qualifier in brackets left out.

    >>> key("The Wall (album)")
    'wall'
    """
    words = _TOKEN.findall(_QUALIFIER.sub("", phrase).casefold())
    while words and words[0] in ("the", "a", "an"):
        words = words[1:]
    return " ".join(words)


def capitalised(text: str) -> set[str]:
    """Keys of the phrases written with capitals; a lone word that only opens a sentence is none."""
    found: set[str] = set()
    for match in _PHRASE.finditer(text):
        words = match[0].split()
        while words and words[0].casefold() in _OPENING:
            words = words[1:]
        if words and (phrase := key(" ".join(words))) and not phrase.isdigit():
            found.add(phrase)
    return found


def vocabulary(passages: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The phrases worth a place in the graph, numbered: titles, and what two passages or more name.

    Args:
        passages: title and text of each.
    """
    counts: Counter[str] = Counter()
    titles: dict[str, None] = {}
    for title, text in passages:
        if name := key(title):
            titles[name] = None
        counts.update(capitalised(text))
    limit = max(3, len(passages) // 20)  # what every twentieth passage names ties nothing together
    common = (phrase for phrase, count in counts.items() if 2 <= count <= limit)
    return {phrase: number for number, phrase in enumerate(dict.fromkeys((*titles, *common)))}


def find(text: str, known: dict[str, int]) -> set[int]:
    """Numbers of the known phrases that a text names, in whatever case; the longest at each place."""
    words = _TOKEN.findall(text.casefold())
    found: set[int] = set()
    start = 0
    while start < len(words):
        for length in range(min(_LONGEST, len(words) - start), 0, -1):
            number = known.get(" ".join(words[start : start + length]))
            if number is not None and (length > 1 or _telling(words[start])):
                found.add(number)
                start += length - 1
                break
        start += 1
    return found


def _telling(word: str) -> bool:
    return len(word) > 2 and word not in _OPENING and not word.isdigit()


def mentions(passages: Iterable[tuple[str, str]], known: dict[str, int]) -> list[tuple[int, int, float]]:
    """Which passage names which phrase: (passage, phrase, weight); its own title weighs most."""
    links: list[tuple[int, int, float]] = []
    for number, (title, text) in enumerate(passages):
        own = known.get(key(title))
        named = {known[p] for p in capitalised(text) if p in known} | _titles(text, known)
        links += [(number, phrase, 1.0) for phrase in named if phrase != own]
        if own is not None:
            links.append((number, own, OWN))
    return links


def _titles(text: str, known: dict[str, int]) -> set[int]:
    """Known phrases of two words or more inside longer capitalised ones, or beyond them."""
    words = _TOKEN.findall(text.casefold())
    found: set[int] = set()
    for start in range(len(words)):
        for length in range(min(_LONGEST, len(words) - start), 1, -1):
            if (number := known.get(" ".join(words[start : start + length]))) is not None:
                found.add(number)
                break
    return found
