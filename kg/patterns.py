"""The phrases that extraction looks for, in both languages: dates, sizes, negation, and what stands between two names.

Each table is one kind of phrase. A pattern never crosses a sentence; `extraction` decides what it means.
"""

from __future__ import annotations

import re

from ailineage.kg.vocabulary import Relation

MONTH = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?"
    "|Nov(?:ember)?|Dec(?:ember)?"
)
DATES: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"(?<!\d)(?P<y>1[89]\d\d|20[0-3]\d)\s*年\s*(?:(?P<m>1[0-2]|0?[1-9])\s*月\s*(?:(?P<d>3[01]|[12]\d|0?[1-9])\s*日)?)?"
    ),
    re.compile(
        r"(?<![\d.])(?P<y>1[89]\d\d|20[0-3]\d)[./-](?P<m>1[0-2]|0?[1-9])(?:[./-](?P<d>3[01]|[12]\d|0?[1-9]))?(?![\d])"
    ),
    re.compile(rf"(?P<M>{MONTH})\.?\s+(?:(?P<d>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?,?\s+)?(?P<y>1[89]\d\d|20[0-3]\d)"),
    re.compile(rf"(?P<d>3[01]|[12]\d|0?[1-9])\s+(?P<M>{MONTH})\s+(?P<y>1[89]\d\d|20[0-3]\d)"),
    re.compile(r"\b(?:in|since|from|of|\()\s*(?P<y>1[89]\d\d|20[0-3]\d)\b(?!\s*(?:tokens|words|%|px))", re.I),
)
MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
NEGATION = re.compile(
    r"不再|不用|无需|不是|并非|没有|不基于|并不|未曾|从未|\bnot\b|\bnever\b|n't\b|\bno longer\b|\brather than\b", re.I
)
HEDGE = re.compile(
    r"有人认为|据说|可能|也许|或许|如果|假如|据传|猜测|是否|吗[？?]|\bmay\b|\bmight\b|\bcould\b|\bperhaps\b|\brumou?r|\bif\b|\bsome (?:say|believe)|\ballegedly\b|[?？]\s*$",
    re.I,
)
PUBLISHED = re.compile(
    r"发布|发表|提出|推出|问世|诞生|公布|开源|发明|设计了|构建了|\bpublish|\breleas|\bintroduc|\bpropos|\bannounc|\blaunch|\binvent|\bpresented\b|\bappear",
    re.I,
)
SIZE = re.compile(
    r"(?P<n>\d+(?:[.,]\d+)*)\s*(?P<u>万亿|千亿|百亿|十亿|亿|千万|百万|万|trillion|billion|million|thousand|[TBMK](?![A-Za-z]))?\s*(?:个)?\s*(?:多)?\s*(?:参数|parameters?\b|params?\b)"
    r"|(?:参数(?:量|规模|数量|数)?|parameter count|parameters)[^\d。.;；\n]{0,12}?(?P<n2>\d+(?:[.,]\d+)*)\s*(?P<u2>万亿|千亿|百亿|十亿|亿|千万|百万|万|trillion|billion|million|[TBMK](?![A-Za-z]))",
    re.I,
)
UNITS = {
    "万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "十亿": 10**9, "亿": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4,
    "trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 10**3, "t": 10**12, "b": 10**9, "m": 10**6, "k": 10**3,
}  # fmt: skip
BETWEEN: tuple[tuple[Relation, bool, re.Pattern[str], float], ...] = (
    # relation, whether the first name is the subject, what stands between the two names, confidence
    (Relation.BUILDS_ON, True, re.compile(r"^(?!.*(?:和|与|及|、|或)\s*(?:一种)?基于)(?!.*(?:使用|采用|利用|用了).*基于).{0,12}?(?:是|则|就)?(?:建立在|基于|构建于|脱胎于|源于|源自|继承自|改进自|扩展自)[^，。；,;]{0,8}$"), 0.8),
    (Relation.BUILDS_ON, True, re.compile(r"^[^.;]{0,25}?\b(?:builds? (?:up)?on|(?:is |was |are )?based on|extends?|(?:is |was )?derived from|(?:is |was )?built (?:on|upon))(?: the| a| an)?\s[^.,;]{0,12}$", re.I), 0.8),
    (Relation.VARIANT_OF, True, re.compile(r"^[^.;]{0,12}?\b(?:is|was)\s+an?\s+[\w -]{0,25}(?:variant|version|modification|extension) of(?: the)?\s?$", re.I), 0.8),
    (Relation.SUCCEEDED_BY, True, re.compile(r"^[^，。；,;]{0,4}(?:的后继|的继任者|之后推出了|的下一代是)[^，。；,;]{0,4}$"), 0.6),
    (Relation.SUCCEEDED_BY, False, re.compile(r"^[^.;]{0,12}?\b(?:is|was)\s+the successor (?:to|of)(?: the)?\s?$", re.I), 0.8),
    (Relation.INFLUENCED_BY, True, re.compile(r"^[^，。；,;]{0,8}(?:受到?了?|借鉴了?|沿用了?|参考了?|的灵感来自)[^，。；,;]{0,6}$"), 0.7),
    (Relation.INFLUENCED_BY, True, re.compile(r"^[^.;]{0,20}?\b(?:was |is )?(?:inspired|influenced) by(?: the)?\s?$", re.I), 0.8),
    (Relation.USES, True, re.compile(r"^[^，。；,;]{0,8}?(?:使用了?|采用了?|利用了?|用了|引入了)[^，。；,;]{0,6}$"), 0.65),
    (Relation.USES, True, re.compile(r"^[^.;,]{0,12}?\b(?:uses?|employs?|adopts?|relies on)(?: the| a| an)?\s?$", re.I), 0.65),
    (Relation.TRAINED_ON, True, re.compile(r"^[^.;]{0,25}?\b(?:was |is |are )?(?:pre-?)?trained on(?: the)?\s?$", re.I), 0.75),
)  # fmt: skip
MAKES = re.compile(
    r"^[^，。；,;]{0,25}?(?:提出|发明|设计|开发|发布|推出|研发|创建|构建|创立|公布|开源|发表)了?(?:了)?[^，。；,;]{0,14}$"
)
MAKES_EN = re.compile(
    r"^[^.;]{0,25}?\b(?:introduced|proposed|developed|released|created|invented|announced|published|launched|open-sourced)(?: the| its| an?)?\s[^.;]{0,10}$|^\s*(?:introduced|proposed|developed|released|created|invented)\s$",
    re.I,
)
JOINED = re.compile(r"^\s*(?:、|和|与|及|以及|或|,|，|and|or|&|,\s*and)\s*(?:the |a |an )?$")
JOINED_MAKERS = re.compile(
    r"^\s*[)）]?\s*(?:[(（][^()（）]*[)）])?\s*(?:、|[,，]?以及|[,，]?及其|[,，]?和|与|及|,\s*and|,|and|&)"
    r"\s*[^，。；,;、]{0,24}$"
)
PRONOUN = re.compile(
    r"^\s*(?:[-*•]\s*)?(?P<it>它|该(?:模型|网络|方法|架构|算法|技术|系统)|这(?:个|种|一)(?:模型|网络|方法|架构|算法|技术)"
    r"|(?:It|This (?:model|network|method|architecture|algorithm|technique)|The (?:model|network|method|architecture))\b)"
)
MADE_BY = re.compile(r"^[^，。；,;]{0,12}?(?:由|是由|是)[^，。；,;]{0,10}$")
MAKING = re.compile(r"[^，。；,;]{0,30}?(?P<verb>提出|发明|设计|开发|发布|推出|研发|创建|维护)")
MADE_BY_EN = re.compile(
    r"^[^.;]{0,40}?\b(?:introduced|proposed|developed|released|created|invented|published|written|made) (?:in [^.;]{0,20} )?by(?: the)?\s[^.;,]{0,15}$|^[^.;]{0,20}\b(?:introduced|proposed|developed|released|created|invented|made) by(?: the)?\s$",
    re.I,
)
TITLE = re.compile(r"《([^《》]{4,200})》|[“\"]([A-Z][^“”\"]{15,200})[”\"]")
ITEM = re.compile(r"^\s*[-*•·]?\s*(?P<name>[A-Z][\w.+-]*(?:[ /-][A-Z0-9][\w.+-]*){0,3})\s+(?=(?:19|20)\d\d[./-])")
LIST_ITEM = re.compile(r"^\s*[-*•·]\s")
