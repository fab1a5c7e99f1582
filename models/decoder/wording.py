"""How a refusal is put, in both languages."""

from __future__ import annotations

from ailineage.models.decoder.support import Refusal

_WHY = {
    "en": {
        "field": "I cannot answer this: nothing in the documents is about it."
        " I answer questions about the history of AI.",
        "unknown": "I cannot answer this: no document mentions {subject}.",
        "missing": "I cannot answer this: the documents about {subject} do not say it.",
        "apart": "I cannot answer this: the documents do not say that {subject} had to do with each other.",
        "premise": "The premise of the question is not supported by what the documents say about {subject}.",
    },
    "zh": {
        "field": "无法回答：资料中没有与此有关的内容。这里只回答关于人工智能历史的问题。",
        "unknown": "无法回答：没有资料提到 {subject}。",
        "missing": "无法回答：关于 {subject} 的资料没有说明这一点。",
        "apart": "无法回答：资料没有提到 {subject} 之间有什么关系。",
        "premise": "问题的前提有误：关于 {subject} 的资料并不支持这种说法。",
    },
}


def why(refusal: Refusal, language: str) -> str:
    """The sentence that says why there is no answer."""
    cause = "field" if refusal.cause == "missing" and not refusal.subject else refusal.cause
    return _WHY[language][cause].format(subject=refusal.subject)
