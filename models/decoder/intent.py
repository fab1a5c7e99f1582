"""What a question wants to know: who, when, how many, a list, a comparison, a line of descent, or an explanation."""

from __future__ import annotations

import re
from enum import StrEnum

from ailineage.kg.vocabulary import Kind, Relation


class Intent(StrEnum):
    """The kinds of answer a question can want."""

    WHO = "who"
    ORGANIZATION = "organization"
    WHEN = "when"
    COUNT = "count"
    TITLE = "title"
    NAME = "name"
    LINEAGE = "lineage"
    COMPARISON = "comparison"
    LIST = "list"
    EXPLAIN = "explain"


_PATTERNS: tuple[tuple[Intent, re.Pattern[str]], ...] = tuple(
    (intent, re.compile("|".join(patterns), re.I))
    for intent, patterns in (
        (
            Intent.COMPARISON,
            (
                r"\bdiffer(?!entia)|\bcompar|\bversus\b|\bvs\.?\b|\b(?:better|worse|preferred|ahead|superior)\b",
                "区别|不同|差在|差别|差异|异同|不一样|相比|对比|一回事|比较|哪个更|谁更|领先",
            ),
        ),
        (
            Intent.ORGANIZATION,
            (
                r"\b(?:which|what) (?:company|lab|organi[sz]ation|institut|university|team)",
                "哪(?:家|个)(?:公司|机构|实验室|团队|大学|组织)",
            ),
        ),
        (
            Intent.TITLE,
            (
                r"\b(?:title|name) of (?:the|its|that)\b.*\bpaper|paper.{0,20}(?:title|called)|\bwhich paper\b",
                r"\b(?:which|what) (?:\w+ )?(?:journal|conference|venue|magazine|proceedings)\b",
                "(?:哪|什么|啥)[个本份家种]?(?:学术)?(?:期刊|杂志|会议|刊物|顶会)|哪篇论文|论文.{0,6}(?:题目|标题|名字|叫)",
            ),
        ),
        (
            Intent.NAME,
            (
                r"\bstands? for\b|\babbreviat|\bfull (?:name|form)\b|\bacronym\b|\bshort for\b|\bspell(?:ed|s)? out\b",
                "全称|缩写|简称|全名",
            ),
        ),
        (
            Intent.LIST,
            (
                r"^(?:name|list)\b|\bwhat are\b|\bexamples? of|\bauthors\b",
                r"\bwhich (?:\w+ ){0,3}(?:models|papers|people|techniques|datasets|works|systems|tasks|networks)\b",
                "哪些|列出|列举|列几|有哪几|都有谁|作者有",
            ),
        ),
        (
            Intent.LINEAGE,
            (
                r"\b(?:lead|led) to\b|\bevol|\bdescend|\bancest|\blineage\b|\bfrom .+ to \b|\bpredecessor|\bsuccessor",
                r"\bbuil[dt]s? (?:on|upon)\b|\bbased on\b|\binfluenc|\bderive|\btrace\b|\bgave rise|\bspawn|\bheirs?\b",
                r"\bcame (?:of|after|from)\b|\bgr[eo]wn? out of\b|\bfine-?tuned from\b",
                "演变|演化|发展到|发展成|一步步|谱系|前身|后继|祖先|后代|基于|源于|源自|从.+到|脉络|一脉|往下做|催生|传承|脱胎",
                "建立在|继承|(?:在|以).{1,14}(?:基础|为基础|底子)|(?:由|从).{1,14}(?:改|发展|演|微调)(?:出|而|过)?来",
            ),
        ),
        (
            Intent.WHEN,
            (
                r"\bwhen\b(?: \w+)? (?:did|was|were|had|has|is|came)\b(?! (?:that|it|this) \w+$)|\bwhen\W*$",
                r"\b(?:which|what|whose) (?:year|date|month|day)|\bwhat time\b|\b(?:date|year) of\b|\bto when\b",
                r"\bwh(?:ich|at) (?:\w+ )?(?:came|was|is|appeared)\b.{0,12}\b(?:first|earlier|older|newer|later)\b",
                r"\b(?:date|year)\W*$|\bor [\w\- ]{2,30} (?:first|earlier)\W*$",
                "哪(?:一)?[年天]|[什啥]么?时候|何时|(?<![这近那前后好]) ?几几?年|几月|哪(?:个)?月|日期",
                "谁先|哪个(?:更|最|比较)?[早先晚]",
                "(?:发布|提出|发表|诞生|出现|问世|推出|什么)时间|时间是",
            ),
        ),
        (
            Intent.COUNT,
            (
                r"\bhow (?:many|much|large|big|deep)\b|\bnumber of\b",
                "多少|几(?:个|层|种|项|次|篇|万|亿)|多大|参数量|规模",
            ),
        ),
        (Intent.WHO, (r"\bwho(?:m|se)?\b|\bauthors?\b|\badvis[eo]rs?\b", "谁|作者|哪两?位|何人|哪些人|导师")),
    )
)

RELATIONS: dict[Intent, frozenset[Relation]] = {
    Intent.WHO: frozenset({Relation.PROPOSED_BY, Relation.AUTHORED_BY, Relation.DEVELOPED_BY}),
    Intent.ORGANIZATION: frozenset({Relation.DEVELOPED_BY, Relation.PROPOSED_BY}),
    Intent.WHEN: frozenset({Relation.PUBLISHED_ON}),
    Intent.COUNT: frozenset({Relation.HAS_PARAMETERS}),
    Intent.TITLE: frozenset({Relation.INTRODUCED_IN}),
    Intent.LINEAGE: frozenset({Relation.BUILDS_ON, Relation.VARIANT_OF, Relation.SUCCEEDED_BY, Relation.INFLUENCED_BY}),
}
"""The relations whose claims answer an intent."""

_MORE: tuple[tuple[Relation, re.Pattern[str]], ...] = tuple(
    (relation, re.compile(pattern, re.I))
    for relation, pattern in (
        (
            Relation.TRAINED_ON,
            r"\btrain(?:ed|ing)? (?:on|data|set)|\b(?:which|what) (?:[\w-]+ ){0,2}(?:corpus|corpora|data)"
            r"|训练(?:数据|集|语料)|[什啥哪]么?些?个?(?:数据|语料)",
        ),
        (
            Relation.ADDRESSES,
            r"\bwhat (?:is|are|was|were|['’]s) .{2,40} (?:good )?for\b|\bpurpose of\b|\bpoint of\b|\bsolves?\b"
            r"|\bproblems?\b.{0,30}\b(?:solve|address|fix|tackle)|干[嘛啥什]么?(?:用|的)|有[什啥]么?用|用[处途]"
            r"|解决(?:了|的)?(?:是)?[什啥哪]|为了解决",
        ),
        (Relation.EVALUATED_ON, r"\bevaluat|\bbenchmark|评测|基准"),
        (Relation.WON, r"\bw[io]n(?:s|ner|ning)?\b|冠军|夺冠|赢|获胜"),
        (Relation.USES, r"\buses?\b|\busing\b|用了|使用|采用"),
        (Relation.HAS_PARAMETERS, r"\bparameters?\b|参数"),
        (Relation.INTRODUCED_IN, r"\bpapers?\b|\bjournal\b|论文|期刊"),
        (Relation.AUTHORED_BY, r"\bauthors?\b|作者"),
    )
)
PERSONS = frozenset({Kind.PERSON})
MAKERS = frozenset({Kind.PERSON, Kind.ORGANIZATION})
VALUES = frozenset({Intent.WHO, Intent.WHEN, Intent.COUNT, Intent.ORGANIZATION, Intent.TITLE, Intent.NAME})
"""Intents that want one kind of value; without it there is no answer."""


_ABOUT_SOMEBODY = re.compile(
    r"^\W*(?:and |so )?who(?: is|'s| was| are| were) (?!the\b|a\b|an\b|behind\b|it\b|this\b|that\b|first\b)"
    r"[\w.\- ·]{2,40}\W*$|^(?!.*(?:作者|提出者|发明者|一作|创始人|开发者))[^的谁]{2,16}(?:是谁|是什么人|何许人也?)\W*$"
    r"|^\W*谁是[^的]{2,16}\W*$",
    re.I,
)
_MANNER = re.compile(
    r"^\W*(?:and |so |but |then |ok |well )*(?:why|explain|describe|how (?!many\b|much\b|large\b|big\b|deep\b|old\b))\b"
    r"|为什么|为何|为啥|怎么(?!称呼)|怎样|如何|咋|凭什么",
    re.I,
)
"""How or why: a who, when or how many further on in the question is not what it wants."""
_WHO_AND_WHEN = re.compile(
    r"\bwho\b.{0,60}\b(?:and when|when and|in (?:which|what) year)\b|\bwhen and by whom\b"
    r"|谁.{0,8}(?:哪一?年|什么时候|何时)|(?:哪一?年|什么时候|何时).{0,6}[由被]?谁",
    re.I,
)
_PARTS = re.compile(r"[,，;；]|\band\b|以及|并且|，?还有", re.I)


def intent(question: str) -> Intent:
    """The kind of answer a question wants.

    >>> intent("Who proposed the perceptron?").value, intent("BERT 和 GPT 有什么区别？").value
    ('who', 'comparison')
    >>> intent("Who is Yann LeCun?").value, intent("Who was the first author?").value
    ('explain', 'who')
    """
    if _ABOUT_SOMEBODY.search(question):
        return Intent.EXPLAIN
    found = (kind for kind, pattern in _PATTERNS if pattern.search(question))
    if _MANNER.search(question):
        found = (kind for kind in found if kind not in VALUES)
    return next(found, Intent.EXPLAIN)


def values(question: str) -> list[Intent]:
    """The kinds of value a question wants, if it wants several: how many and by whom."""
    wanted = [kind for part in _PARTS.split(question) if (kind := intent(part)) in VALUES]
    if _WHO_AND_WHEN.search(question):
        wanted += [Intent.WHO, Intent.WHEN]
    return list(dict.fromkeys(wanted)) if len(set(wanted)) > 1 else []


def relations(question: str) -> frozenset[Relation]:
    """Relations whose claims may answer a question."""
    wanted = RELATIONS.get(intent(question), frozenset())
    if intent(question) is Intent.COUNT and not re.search(r"param|参数|large|big|多大|规模", question, re.I):
        wanted = frozenset()
    return wanted | {relation for relation, pattern in _MORE if pattern.search(question)}
