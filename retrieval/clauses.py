"""A question that asks several things, taken apart: each in words that can be searched for alone.

    Who proposed it, and in which journal did it appear?    who ... | in which journal ...
    InstructGPT是在谁的基础上微调的，后来催生了哪个产品？        ...在谁的基础上... | ...催生了哪个产品

What a clause leaves out is said again: clauses that ask nothing go with each that does, and before a clause that
leans on the one before it stand the names of the question.
"""

from __future__ import annotations

import re

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.vocabulary import Kind

MOST = 3
"""Most parts of a question."""
_ASKS = {
    "en": re.compile(
        r"\b(?:who(?:m|se)?|what(?:['’]s)?|which|where|why|how)\b|^(?:\w+\s)?when\b"
        r"|^(?:name|list|explain|describe|give)\b",
        re.I,
    ),
    "zh": re.compile(r"谁|什么|[啥哪咋]|多少|几(?![乎率何])|怎么|怎样|如何|为何|何时|列出|列举"),
}
_BREAK = {
    "en": re.compile(
        r"[?!.;][\s\"”]+(?=\w)"
        r"|(?:,\s*(?:and\s+|but\s+|so\s+)?|\s+and\s+|\s+[-–—]+\s+|:\s+)"
        r"(?=(?:(?:in|at|on|by|for|to|from|with|of|under|then)\s+)?(?:who(?:m|se)?|what(?:['’]s)?|which|when|where|why|how)\b)",
        re.I,
    ),
    "zh": re.compile(r"[?？!！。；;，,、]\s*(?=.)"),
}
_LITTLE = re.compile(
    r"(?:and\s)?(?:why|how|how so|why not|(?:name|list|give) (?:me )?(?:a few|one|some|them)|explain)"
    r"(?: that| it| please)?"
    r"|(?:这是|那|又|请|也)?(?:[是因]?为[啥何]|为什么|怎么(?:做|回事)|列[一几两三]?[下个]+|有哪些|原理是[啥什]么?)[吗呢啊的]?",
    re.I,
)
"""Asks for more of the same."""
_SHORT = 6
"""Words up to which an English clause without a name leans on the one before."""
_VAGUE = frozenset({Kind.CONCEPT, Kind.TASK, Kind.TECHNIQUE})
_MANNER = re.compile(r"(?:explain|describe)\b.{0,20}\blike\b.*|eli5|tl;?dr|(?:quick|short) question|in short", re.I)
"""Only says how to answer."""
_LEANS = re.compile(r"\b(?:it|its|they|their|them|he|his|she|her|that|this|those|each|both)\b", re.I)


def clauses(text: str, graph: KnowledgeGraph, language: str) -> list[str]:
    """The parts of a question in full; empty if it asks one thing, or more than `MOST`."""
    comma, colon = ("，", "：") if language == "zh" else (", ", ": ")
    said: list[str] = []
    asking: list[str] = []
    for piece in (piece.strip(" ?？!！。.,，;；、") for piece in _BREAK[language].split(text)):
        if not piece or _MANNER.fullmatch(piece):
            continue
        if _ASKS[language].search(piece) and not (asking and _LITTLE.fullmatch(piece)):
            asking.append(piece)
        elif asking:
            asking[-1] += comma + piece  # what follows a question belongs to it
        else:
            said.append(piece)
    if not 1 < len(asking) <= MOST:
        return []
    names = _subjects(comma.join([*said, asking[0]]), graph)
    parts = []
    for piece in asking:
        part = comma.join([*said, piece])
        named = {mention.surface for mention in graph.lexicon.find(part)}
        leans = language == "zh" or _LEANS.search(piece) or (not named and len(piece.split()) <= _SHORT)
        if names and names[0] not in named and leans:
            part = f"{comma.join(names)}{colon}{part}"
        parts.append(part)
    return parts


def _subjects(text: str, graph: KnowledgeGraph) -> list[str]:
    """The names a text gives to works, people and makers; to ideas and tasks only if there are no others."""
    found = [(m.surface, {graph.nodes[id].kind for id in m.nodes}) for m in graph.lexicon.find(text)]
    definite = [surface for surface, kinds in found if kinds - _VAGUE]
    return list(dict.fromkeys(definite or [surface for surface, _ in found]))[:MOST]
