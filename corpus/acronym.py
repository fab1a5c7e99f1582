"""Whether a long name is what a short one stands for."""

from __future__ import annotations

import re

_SMALL = frozenset("a an and by for from in of on the to with".split())


def stands_for(short: str, long: str) -> bool:
    """Whether `short` is made of beginnings of the words of `long`, in order, with the same numbers.

    Small words and what follows a hyphen may be passed over. A name written apart is nothing it stands for.

    >>> stands_for("BERT", "Bidirectional Encoder Representations from Transformers")
    True
    >>> stands_for("GPT-2", "Generative Pre-trained Transformer 3"), stands_for("BigBird", "Big Bird")
    (False, False)
    """
    if _bare(long).startswith(_bare(short)):
        return False
    letters = re.sub(r"[^a-z]", "", short.casefold())
    words = [(word, bool(hyphen) or word in _SMALL) for hyphen, word in re.findall(r"(-?)([a-z]+)", long.casefold())]
    if len(words) < 2 or not 2 <= len(letters) <= 8 or " " in short or _digits(short) != _digits(long):
        return False
    return _spelled(letters, words)


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _spelled(letters: str, words: list[tuple[str, bool]]) -> bool:
    if not words:
        return not letters
    (word, optional), rest = words[0], words[1:]
    if optional and _spelled(letters, rest):
        return True
    taken = 0
    while taken < min(len(word), len(letters)) and word[taken] == letters[taken]:
        taken += 1
        if _spelled(letters[taken:], rest):
            return True
    return False
