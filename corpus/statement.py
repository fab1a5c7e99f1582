"""Say a relation between two names as a sentence, in English or Chinese.

One table of templates serves the fact sheets of the library and answers that cross languages: a claim read in a
Chinese document can be said in English. Nothing here knows the graph; names come in as strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_HAN = "[\u3400-\u9fff，。；：！？、（）《》“”]"
_MONTHS = "January February March April May June July August September October November December".split()

_SETTINGS = {
    "layers": "层数", "hidden": "隐藏维度", "heads": "注意力头数", "width": "宽度", "experts": "专家数", "embedding": "嵌入维度",
    "context": "上下文长度", "context_width": "条件向量宽度", "fully_connected_layers": "全连接层数", "convolutional_layers": "卷积层数", "blocks": "块数",
    "queries": "查询数", "feedforward": "前馈维度", "connections": "连接数", "cells": "单元数", "vocabulary": "词表大小",
    "units": "单元数", "text_tokens": "文本词元数", "image_tokens": "图像词元数", "steps": "步数", "projection": "投影维度",
    "patch": "图像块边长", "neurons": "神经元数", "hidden_layers": "隐藏层数", "encoder_layers": "编码器层数",
    "decoder_layers": "解码器层数", "dimension": "维度", "channels": "通道数", "latent": "隐变量",
}  # fmt: skip
"""Settings of a configuration in Chinese; one that is not listed keeps its English name."""

_TEMPLATES: dict[str, dict[str, str]] = {
    "introduced_in": {"en": "{s} was introduced in the paper “{o}”", "zh": "{s} 出自论文《{o}》"},
    "authored_by": {"en": "The paper “{s}” was written by {o}", "zh": "论文《{s}》的作者是{o}"},
    "proposed_by": {"en": "{s} was proposed by {o}", "zh": "{s} 由 {o} 提出"},
    "developed_by": {"en": "{s} was developed by {o}", "zh": "{s} 由 {o} 研发"},
    "builds_on": {"en": "{s} builds on {o}", "zh": "{s} 建立在 {o} 之上"},
    "variant_of": {"en": "{s} is a variant of {o}", "zh": "{s} 是 {o} 的变体"},
    "part_of": {"en": "{s} is part of {o}", "zh": "{s} 属于 {o}"},
    "uses": {"en": "{s} uses {o}", "zh": "{s} 使用了 {o}"},
    "succeeded_by": {"en": "{s} was succeeded by {o}", "zh": "{s} 的后继者是 {o}"},
    "influenced_by": {"en": "{s} was influenced by {o}", "zh": "{s} 受到 {o} 的影响"},
    "trained_on": {"en": "{s} was trained on {o}", "zh": "{s} 的训练数据包括 {o}"},
    "evaluated_on": {"en": "{s} was evaluated on {o}", "zh": "{s} 在 {o} 上做过评测"},
    "addresses": {"en": "{s} addresses {o}", "zh": "{s} 面向的问题是{o}"},
    "has_parameters": {"en": "{s} has {o} parameters", "zh": "{s} 有 {o}个参数"},
    "won": {"en": "{s} won {o}", "zh": "{s} 赢得了 {o}"},
    "published_on": {"en": "{s} was first published {o}", "zh": "{s} 首次发表于 {o}"},
}
_DATED: dict[str, dict[str, str]] = {
    "organization": {"en": "{s} was founded {o}", "zh": "{s} 成立于 {o}"},
    "event": {"en": "{s} took place {o}", "zh": "{s} 发生于 {o}"},
    "software": {"en": "{s} was first released {o}", "zh": "{s} 首次发布于 {o}"},
    "dataset": {"en": "{s} was first released {o}", "zh": "{s} 首次发布于 {o}"},
    "paper": {"en": "The paper “{s}” was published {o}", "zh": "论文《{s}》发表于 {o}"},
}


def sentence(
    relation: str,
    subject: str,
    obj: str,
    language: str,
    *,
    kind: str = "",
    changed: str | None = None,
    note: str | None = None,
) -> str:
    """One sentence that states a relation.

    Args:
        relation: a term of the closed vocabulary.
        subject: the subject's name in `language`.
        obj: the object's name, or a value already put into words by `date` or `count`.
        language: `en` or `zh`.
        kind: the subject's kind; it decides how a date is put (founded, took place, published).
        changed: what a lineage step changed, one sentence.
        note: one more sentence.

    >>> sentence("builds_on", "BERT", "Transformer", "zh", changed="只保留编码器。")
    'BERT 建立在 Transformer 之上：只保留编码器。'
    """
    table = _DATED.get(kind, _TEMPLATES[relation]) if relation == "published_on" else _TEMPLATES[relation]
    said = table[language].format(s=subject, o=obj)
    stop, colon, space = (".", ": ", " ") if language == "en" else ("。", "：", "")
    said += f"{colon}{changed}" if changed else stop
    said += space + note if note else ""
    return tight(said) if language == "zh" else said


def tight(text: str) -> str:
    """The text without spaces between two Chinese characters; those beside Latin letters and digits stay.

    >>> tight("谷歌 成立于 1998 年")
    '谷歌成立于 1998 年'
    """
    return re.sub(rf"(?<={_HAN}) (?={_HAN})", "", text)


def date(value: str, language: str, *, preposition: bool = True) -> str:
    """An ISO 8601 date at the precision given, in words.

    >>> date("2018-10-11", "en"), date("2018-10", "zh")
    ('on October 11, 2018', '2018 年 10 月')
    """
    year, *rest = value.split("-")
    if language == "zh":
        return f"{int(year)} 年" + "".join(f" {int(n)} {unit}" for n, unit in zip(rest, "月日", strict=False))
    if not rest:
        said = str(int(year))
    elif len(rest) == 1:
        said = f"{_MONTHS[int(rest[0]) - 1]} {int(year)}"
    else:
        said = f"{_MONTHS[int(rest[0]) - 1]} {int(rest[1])}, {int(year)}"
    return f"{'on' if len(rest) == 2 else 'in'} {said}" if preposition else said


def count(value: int, language: str) -> str:
    """A number of parameters, in words and short: `110 million (110M)`, `1.1 亿（110M）`; exact below ten thousand.

    >>> count(110_000_000, "en"), count(1_557_611_200, "zh")
    ('110 million (110M)', '15.58 亿（1.558B）')
    """
    if value < 10_000:
        return f"{value:,}" if language == "en" else f"{value} "
    scale, word, letter = next(
        (scale, word, letter)
        for scale, word, letter in (
            (10**12, "trillion", "T"),
            (10**9, "billion", "B"),
            (10**6, "million", "M"),
            (1, "", ""),
        )
        if value >= scale
    )
    short = f"{_short(value / scale)}{letter}" if letter else f"{value:,}"
    if language == "en":
        return f"{_short(value / scale)} {word} ({short})" if word else short
    for scale, word in ((10**12, "万亿"), (10**8, "亿"), (10**4, "万")):
        if value >= scale:
            return f"{_short(value / scale)} {word}（{short}）"
    return short


def _short(number: float) -> str:
    return f"{number:.4g}" if number < 10_000 else f"{number:.0f}"


def listing(names: Sequence[str], language: str) -> str:
    """Names joined as a list: `A, B and C`, `A、B 和 C`."""
    if len(names) < 2:
        return "".join(names)
    comma, conjunction = (", ", " and ") if language == "en" else ("、", " 和 ")
    return comma.join(names[:-1]) + conjunction + names[-1]


def settings(configuration: Mapping[str, object], language: str) -> str:
    """A configuration in brackets: ` (layers 12, hidden 768)`; empty for none."""
    if not configuration:
        return ""
    if language == "zh":
        said = [f"{_SETTINGS.get(key, key.replace('_', ' '))} {value}" for key, value in configuration.items()]
    else:
        said = [f"{key.replace('_', ' ')} {value}" for key, value in configuration.items()]
    return f" ({', '.join(said)})" if language == "en" else f"（{'，'.join(said)}）"
