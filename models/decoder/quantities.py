"""Dates and numbers in two languages, brought to one form so that they can be compared.

`June 12, 2017`, `2017-06-12` and `2017年6月12日` are one date; `110M`, `110 million` and `1.1 亿` one number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MONTH = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_NAMED = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_YEAR = r"(?P<year>1[6-9]\d\d|20\d\d)"
_DATES = (
    re.compile(rf"(?<!\d){_YEAR}\s*年(?:\s*(?P<month>\d{{1,2}})\s*月(?:\s*(?P<day>\d{{1,2}})\s*[日号])?)?"),
    re.compile(
        rf"(?<![\d.]){_YEAR}(?P<sep>[-./])(?P<month>0?[1-9]|1[0-2])(?:(?P=sep)(?P<day>0?[1-9]|[12]\d|3[01]))?(?!\d)"
    ),
    re.compile(rf"\b{_NAMED}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}\b", re.I),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_NAMED},?\s+{_YEAR}\b", re.I),
    re.compile(rf"\b{_NAMED},?\s+{_YEAR}\b", re.I),
    re.compile(rf"(?<![\w.,\-‑–]){_YEAR}s?(?![\w,.]?\d|\s*(?:[万亿]|million|billion))(?![A-Za-z])"),
)
_SCALE = {
    "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12, "千": 10**3, "百万": 10**6, "千万": 10**7,
    "万": 10**4, "亿": 10**8, "十亿": 10**9, "百亿": 10**10, "千亿": 10**11, "万亿": 10**12,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.\-‑])(?P<digits>(?>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?))"
    r"(?:\s*(?P<word>thousand|million|billion|trillion|万亿|千亿|百亿|十亿|亿|千万|百万|万|千)|\s?(?P<letter>[kKMBT])(?![A-Za-z]))?"
    r"(?![A-Za-z])",
    re.I,
)
_WORDS = {
    word: n
    for n, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
        " eighteen nineteen twenty".split(),
        2,
    )
}
_HAN = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
_HAN_COUNT = re.compile(
    r"(?<!第)([一二三四五六七八九]?十[一二三四五六七八九]?|[两二三四五六七八九])(?=[个项种层次篇步类倍名位人年块张台头条局盘款代])"
)


def dates(text: str) -> set[str]:
    """The dates in a text, ISO 8601 at the precision given.

    >>> sorted(dates("on June 12, 2017 and 2018 年 10 月")), dates("GPT-2 in 2019")
    (['2017-06-12', '2018-10'], {'2019'})
    """
    return {date for _, _, date in _found(text)}


def numbers(text: str) -> set[float]:
    """The numbers in a text that are no dates and no part of a name; `110M` is 110000000.0.

    >>> sorted(numbers("BERT-base has 110M parameters and 12 layers; 1.1 亿")), numbers("GPT-2 of 2019")
    ([12.0, 110000000.0], set())
    """
    found = {value for _, _, value in located(text)}
    found.update(float(_WORDS[word]) for word in re.findall(r"[a-z]+", text.lower()) if word in _WORDS)
    found.update(float(_han(match[1])) for match in _HAN_COUNT.finditer(text))
    return found


def located(text: str) -> list[tuple[int, int, float]]:
    """Where the numbers written in digits stand, and what they are.

    >>> located("with 1.1 亿 of them")
    [(5, 10, 110000000.0)]
    """
    for start, end, _ in _found(text):
        text = text[:start] + " " * (end - start) + text[end:]
    found: list[tuple[int, int, float]] = []
    for match in _NUMBER.finditer(text):
        unit = (match["word"] or match["letter"] or "").lower()
        value = float(match["digits"].replace(",", "")) * _SCALE.get(unit, 1)
        found.append((match.start(), match.end(), round(value, 6)))
    return found


def dated(date: str, known: Iterable[str]) -> bool:
    """Whether a date is among those known, or is one of them said less precisely."""
    return any(other == date or other.startswith(date + "-") for other in known)


def counted(number: float, known: Iterable[float]) -> bool:
    """Whether a number is among those known; large ones may be rounded to three digits."""
    return any(number == other or (number >= 10_000 and abs(number - other) <= 0.005 * other) for other in known)


def _found(text: str) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end, _ in spans):
                continue
            parts = match.groupdict()
            month, day = parts.get("month"), parts.get("day")
            number = int(month) if month and month.isdigit() else _MONTH.get((month or "")[:3].lower())
            date = parts["year"]
            if number and 1 <= number <= 12:
                date += f"-{number:02d}" + (f"-{int(day):02d}" if day and 1 <= int(day) <= 31 else "")
            spans.append((match.start(), match.end(), date))
    return spans


def _han(numeral: str) -> int:
    if "十" not in numeral:
        return _HAN[numeral]
    tens, _, units = numeral.partition("十")
    return (_HAN[tens] if tens else 1) * 10 + (_HAN[units] if units else 0)
