"""Numbers as two languages write them: 1.3 million, 130 万, five billion, 五十亿."""

from __future__ import annotations

import re
from math import floor, log10

_EN_UNITS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_ZH_UNITS = {"千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "十亿": 1e9, "百亿": 1e10, "千亿": 1e11}
_ZH_UNITS |= {"万亿": 1e12}
_ONES = "one two three four five six seven eight nine ten".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_EN_WORDS: dict[str, float] = {"half": 0.5, "a": 1, "an": 1, "hundred": 100}
_EN_WORDS |= {word: n for n, word in enumerate(_ONES, 1)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_ZH_WORDS: dict[str, float] = {word: n for n, word in enumerate("一二三四五六七八九十", 1)}
_ZH_WORDS |= {"两": 2, "半": 0.5, "数": 1, "几": 1, "上": 1}
_DIGITS = r"(?<![A-Za-z0-9.,\-])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?"
_EN = re.compile(_DIGITS + r"(?:[ -]?(thousand|million|billion|trillion|[KMBT](?!\w)))?")
_ZH = re.compile(_DIGITS + r"\s*(万亿|千亿|百亿|十亿|千万|百万|亿|万|千|[KMBT](?!\w))?")
_EN_SAID = re.compile(rf"\b({'|'.join(_EN_WORDS)})(?: a)?(?: hundred)?[ -](thousand|million|billion|trillion)", re.I)
_ZH_SAID = re.compile(r"([一二三四五六七八九十两半数几上]?)(万亿|千亿|百亿|十亿|千万|百万|亿|万|千)")


def numbers(text: str, language: str) -> dict[float, str]:
    """The numbers written in digits, with their units multiplied out, and how each is written."""
    found = {}
    for match in (_EN if language == "en" else _ZH).finditer(text):
        units = _EN_UNITS if language == "en" else _ZH_UNITS | _EN_UNITS
        value = float(match[1].replace(",", "") + (match[2] or ""))
        found[value * units.get((match[3] or "").lower(), 1)] = match[0].strip()
    return found


def digits(text: str, language: str) -> set[float]:
    """The leading digits of all numbers of a text, in digits or words, each in [1, 10)."""
    found = {leading(value) for value in numbers(text, language)}
    if language == "en":
        found |= {leading(_EN_WORDS[match[1].lower()]) for match in _EN_SAID.finditer(text)}
    else:
        found |= {leading(_ZH_WORDS[match[1]] if match[1] else 1) for match in _ZH_SAID.finditer(text)}
    return found


def leading(value: float) -> float:
    """A number's digits without its size: 1.3 for 130 and for 1.3 million."""
    return round(value / 10 ** floor(log10(value)), 3) if value else 0.0
