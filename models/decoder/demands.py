"""What a sentence must hold to answer: a sum for a price, a share for what part, an age for how old, what is counted.

Who asks how to reach somebody wants an address or a number to call. A question that demands one of these has no
answer in sentences without it, however near they come otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ailineage.corpus.documents import language_of
from ailineage.models.decoder.knowledge import Knowledge, cleaned
from ailineage.models.decoder.quantities import numbers
from ailineage.models.decoder.selection import Piece

_PRICE = re.compile(
    r"\b(?:salar(?:y|ies)|wages?|budget|revenue|hourly rate|how much money|electricity (?:bill|cost)"
    r"|in (?:us )?(?:dollars|euros|pounds)|how many (?:us )?(?:dollars|euros|pounds|yuan))\b"
    r"|\bhow much\b[^?,]*\b(?:cost|pay|paid|spen[dt]|earn)|\bwhat (?:does|did|do|would)\b[^?,]*\bcost\b|\bpriced? at\b"
    r"|\bthe price of\b|多少钱|多少(?:美|欧|日)?元|什么价|售价|年薪|月薪|工资|薪水|稿费|电费|营收|年收入"
    r"|花了?多少(?:美元|钱)",
    re.I,
)
_SUM = re.compile(
    r"[$€£¥￥]\s?\d|\b(?:dollars?|euros?|pounds sterling|yuan|usd|cents?|free of charge)\b"
    r"|[美欧日]元|人民币|\d[万亿]?元|免费",
    re.I,
)
_PART = re.compile(
    r"\b(?:what|which) (?:fraction|percentage|percent|share|proportion)\b|\bhow many percent\b"
    r"|百分之(?:几|多少)|占比|(?:占|比例)(?:是|有|为)?多少|多大比例",
    re.I,
)
_SHARE = re.compile(
    r"\d\s?%|\bper ?cent\b|\b(?:half|third|quarter|fifth|tenth|all|most|none|nearly|mostly)\b"
    r"|百分之|分之|一半|近半|大部分|全部",
    re.I,
)
_AGE = re.compile(
    r"\bhow old (?:was|were)\b|\bhow old is (?:he|she)\b|\bwhat age\b|\bage of\b"
    r"|多大(?:年纪|岁数|年龄)|[几多]少?岁|年龄",
    re.I,
)
_BORN = re.compile(r"\bborn\b|\bbirth|\baged?\b|\byears? old\b|生于|出生|岁|诞生于", re.I)
_CONTACT = re.compile(
    r"\b(?:phone|mobile|cell) ?(?:number|no)?\b|\be-?mail (?:address|id)\b|\b(?:home|private|postal) add?ress(?:es)?\b"
    r"|\bpasswords?\b|\bwechat id\b"
    r"|手机号|电话号?码?|邮箱|家庭?(?:住址|地址)|住在哪|密码|微信号|身份证",
    re.I,
)
_REACHED = re.compile(r"\S@\S+\.\w|\+?\d[\d\- ]{8,}\d")
_MANY = re.compile(
    r"\b(?:how (?:many|much)|number of)\s+(?P<noun>[a-z][\w'’\-]*(?:[ ](?-i:(?=[a-z]))(?!(?:"
    r"pls|plz|please|exactly|roughly|total|did|do|does|are|is|were|was|has|have|had|can|could|will|would|may|must|should|in|of|per|for|to|on|at|with|from|by"
    r"|there|it|its|each|the|an?|that|and|or|than|used|needed|you|we|they|i|did|one)\b)[a-z][\w'’\-]*){0,3})",
    re.I,
)
_HAN_MANY = re.compile(
    r"(?<![这那近前后好哪])(?:多少|几(?![十百千代]))\s*(?:[万亿]?[个张块颗页次种项篇位台款条枚座幅道套])?\s*"
    r"(?P<noun>[\u3400-\u9fff]{1,8}|[A-Za-z][\w\-]+(?: [A-Za-z]\w*)?)"
)
_SOURCE = re.compile(r"\barXiv[ :]?\d{4}\.\d{4,5}", re.I)
_NONE = re.compile(
    r"\b(?:no|not|none|one|single|without|both|dozens?|hundreds?|thousands?)\b|没有|无|未|不|一[个张块层页次种项篇位台条轮步盘局]",
    re.I,
)
_ALIKE = tuple(
    tuple(group.split())
    for group in (
        "parameter param weight 参数 权重",
        "layer deep 层",
        "gpu card graphics tpu processor chip 显卡 图形处理器 芯片 加速器 处理器",
        "image picture photo photograph 图 照片 相片",
        "token word subword 词 标记",
        "hour 小时",
        "day 天 日",
        "head 头",
        "expert 专家",
        "class category label 类",
        "example sample demonstration instance shot 样本 例",
        "question problem item 题 问",
        "task 任务",
        "language tongue 语言 种语",
        "game match round 局 盘 场",
        "author researcher colleague writer 作者 人 位",
        "unit neuron cell 单元 神经元",
        "step iteration 步",
        "dimension width component 维 宽",
        "star 星",
        "user customer subscriber 用户",
        "citation cite cited 引用",
        "sentence pair 句 对",
        "bit 比特 位",
        "block 块",
        "book novel 书 本",
        "version size model 版本 规模 种 尺寸 型号",
        "component part network module 部分 网络 组成 模块",
        "stage phase step 阶段 步",
        "dataset corpus benchmark set 数据集 语料",
    )
)
_VAGUE = frozenset(
    "people person time times thing way ways kind kinds type types sort sorts part parts member members year years "
    "point points more fewer less better faster slower bigger larger smaller longer cheaper worse higher lower further "
    "data memory effort work money "
    "人 次 年 分 倍 种 样 大 多 久 钱 岁 才 算 是 的 了 能 会 还 到 有 被 要 月 天 时候 种类 方面 东西 事 百分".split()
)
"""Said in too many ways for their absence to tell anything."""


@dataclass(frozen=True)
class Demand:
    """What the question demands; `met` says whether a text meets it."""

    met: Callable[[str], bool]
    counted: str = ""
    language: str = ""

    def by(self, piece: Piece) -> bool:
        """Whether a sentence meets it; one of an article in another language need not say it in the same words."""
        evidence = piece.evidence
        if self.counted and piece.article and evidence.language != self.language:
            return False
        return self.met(cleaned(evidence.text))


def demand(question: str, knowledge: Knowledge) -> Demand | None:
    """What a sentence must hold to answer a question, if that can be told."""
    if _PRICE.search(question):
        return Demand(lambda text: _SUM.search(text) is not None)
    if _PART.search(question):
        return Demand(lambda text: _SHARE.search(text) is not None)
    if _CONTACT.search(question):
        return Demand(lambda text: _REACHED.search(text) is not None)
    if _AGE.search(question):
        return Demand(lambda text: _BORN.search(text) is not None)
    match = _MANY.search(question) or _HAN_MANY.search(question)
    noun = _noun(match["noun"], knowledge) if match else ""
    if match is None or not noun or noun in _VAGUE:
        return None
    given, language = numbers(question), language_of(question)
    stems = knowledge.words(noun) | knowledge.words(noun.removesuffix("s"))
    alike = [word for group in _ALIKE if _among(noun, group) or stems & _stems(group, knowledge) for word in group]
    latin = _stems(alike, knowledge) | stems
    han = [_counting(word) for word in (*alike, noun) if not word.isascii()]

    def met(text: str) -> bool:
        if not alike and language_of(text) != language:
            return True
        if not (numbers(_SOURCE.sub("", text)) - given or _NONE.search(text)):
            return False
        return bool(latin & knowledge.words(text)) or any(counted.search(text) for counted in han)

    return Demand(met, match["noun"], language)


def _among(noun: str, group: tuple[str, ...]) -> bool:
    """Whether what is counted is of a group: one of its words, or a Chinese one that holds one of them."""
    return any(noun == word or (not word.isascii() and word in noun) for word in group)


def _counting(word: str) -> re.Pattern[str]:
    """A Chinese word where it is counted; one character alone is part of too many words."""
    alone = rf"[\d一二两三四五六七八九十百千万亿][^，。；]{{0,12}}{word}|{word}数"
    return re.compile(alone if len(word) == 1 else word)


def _stems(words: Iterable[str], knowledge: Knowledge) -> set[str]:
    return {stem for word in words if word.isascii() for stem in knowledge.words(word)}


def _noun(phrase: str, knowledge: Knowledge) -> str:
    """The head of what is counted: the last English word, the first Chinese one."""
    if phrase.isascii():
        return phrase.split()[-1].casefold()
    return next(iter(knowledge.cut(phrase)), "")
