"""A sentence of a source in the other language, put into an answer as it stands."""

from __future__ import annotations

import re

_NAMES = {"en": {"en": "English", "zh": "Chinese"}, "zh": {"en": "英文", "zh": "中文"}}
_FRAME = re.compile(r"(?:The source says, in \w+: “|资料（\w+）写道：“)(?P<said>.+)”[.。]", re.DOTALL)


def quotation(text: str, written: str, language: str) -> str:
    """A text written in one language as a sentence of an answer in another.

    >>> quotation("BERT 是编码器。", "zh", "en")
    'The source says, in Chinese: “BERT 是编码器”.'
    """
    name, bare = _NAMES[language][written], text.rstrip(".。")
    return f"The source says, in {name}: “{bare}”." if language == "en" else f"资料（{name}）写道：“{bare}”。"


def unquoted(sentence: str) -> str:
    """What such a sentence quotes; any other sentence is what it is.

    >>> unquoted("The source says, in Chinese: “BERT 是编码器”.")
    'BERT 是编码器'
    """
    match = _FRAME.fullmatch(sentence.strip())
    return match["said"] if match else sentence
