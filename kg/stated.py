"""What a sentence says of two names: a telling phrase, who it is said of, and of what.

A phrase stands before its object (`X is based on Y`), around it (`X 是 Y 的变体`) or behind it (`a Y-based model`). The
object is the name that follows with at most a few words of its own phrase between; the one it is said of is the
nearest name before the phrase that is no modifier there (`X is a Transformer decoder based on Y` speaks of X), else
what the section is about, if the phrase opens the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ailineage.kg.found import SYSTEMS, WORKS, Found, Piece
from ailineage.kg.identity import Mention
from ailineage.kg.model import Node
from ailineage.kg.patterns import HEAD_NOUNS, JOINED, PHRASES, PHRASES_ZH, Phrase
from ailineage.kg.vocabulary import LINEAGE, RANGE, Kind, Relation

_FILLER = re.compile(
    r"[”\"]?\s?[(“\"'`]?(?:(?!(?:and|or|to|in|on|with|for|that|which|by|from|using|when|while|where|is|are|was|were|it|we|they|as|"
    r"at|into|than|but|how|what|not)\b)[\w’'-]++\s?[(“\"'`]?){0,7}(?:,\s)?"
)
_MODIFIED = re.compile(
    r"\b(?:is|are|was|were|be|been|as|uses?|using|used|with|on|upon|of|in|for|to|from|by|than|like|via|through|into|over|"
    r"extends?|outperforms?|improves?|updates?|refines?|modif(?:y|ies)|named|called|dubbed|enhances?|augments?|combines?|adopts?|employs?|including|a|an|between|both)\s(?:[\w’'-]+\s){0,5}$",
    re.I,
)
_MODIFIED_ZH = re.compile(
    r"(?:是|使用|采用|利用|用|对|从|与|同|比|在|把|将|由|让|像|如|于|为|给|被|相比|一种|一个|提出了?)[^，,。；;、]{0,6}$"
)
_OTHER_CLAUSE = re.compile(
    r"[;；。]|\b(?:we|they|researchers|authors)\b|[,，]\s(?:and|but|while|whereas|so)\s(?:the|we|it)\b", re.I
)
_BEHIND = re.compile(
    r"^(?:['’]s)?[\s-](?:tokeni[sz]er|dataset|data|loss|paper|vocabulary|documentation|blog|tutorial|format|API|library|class|benchmark|corpus|leaderboard|(?:task )?guide)\b",
    re.I,
)
_AND_NEXT = re.compile(r"(?:\s[\w-]+){0,2}(?:\s\([^()]*\))?(?:,?\s(?:and|or)\s(?:an?\s|the\s)?(?:new\s|novel\s)?|,\s)")
_LAYER = re.compile(r"层$|\blayers?$")
_BY_DOING = re.compile(r"\)?\s?,?\sby\s\w+ing\b")
_IN_BRACKETS = re.compile(r"[(（][^()（）]*$")
_MEASURED = re.compile(r"(?:\s[a-z][\w-]*){0,2}(?:\s\([^()]{1,20}\))?,?\s?(?:and\s|or\s)?(?:the\s)?")
_WHICH = re.compile(r"s?\s?(?:[(（][^()（）]*[)）])?,\swhich\s")
_IDEA = re.compile(
    r"(?:The|Its|Our) (?:(?:core|key|main|central|basic) (?:idea|insight|contribution|innovation|concept)|(?:extensive )?experiments)\b[^.;]*"
)
_OWN = re.compile(r"^\s*(?:[-*•]\s)?The (?:\w+ )?(?:architecture|design|structure) of (?:the )?$", re.I)
_SOMETHING = re.compile(
    r"\b(?:prior|previous|existing|current|recent|most|many|other|some|these|traditional|conventional|unlike|compared (?:to|with))\s(?:[\w-]+\s)?$|许多|很多|其他|传统的?$|不少|大多数|大部分|一些",
    re.I,
)
_PLAIN = 0.8  # confidence of a phrase from which a name in small letters is believed to be one
_WAYS = re.compile(r"(?:training|supervised learning|GPU computing)$", re.I)
_SHORT = 30  # characters of an item that says what its section's subject uses
_HAN = re.compile(r"[\u4e00-\u9fff]")
PART = re.compile(r"(?:en|de)coders?|编码器|解码器|discriminators?|generators?|[判鉴]别器|生成器", re.I)
_DOERS: dict[Relation, frozenset[Kind]] = {
    Relation.USES: frozenset({Kind.MODEL, Kind.SOFTWARE}),
    Relation.TRAINED_ON: frozenset({Kind.MODEL}),
    Relation.EVALUATED_ON: frozenset({Kind.MODEL}),
    Relation.WON: frozenset({Kind.MODEL}),
    Relation.ADDRESSES: SYSTEMS,
}
_TARGETS: dict[Relation, frozenset[Kind]] = {
    Relation.BUILDS_ON: SYSTEMS | {Kind.CONCEPT},
    Relation.VARIANT_OF: SYSTEMS | {Kind.CONCEPT},
    Relation.SUCCEEDED_BY: SYSTEMS | {Kind.DATASET},
    Relation.INFLUENCED_BY: SYSTEMS | {Kind.CONCEPT},
    Relation.USES: SYSTEMS | {Kind.CONCEPT},
    Relation.PART_OF: SYSTEMS | {Kind.CONCEPT},
    Relation.WON: RANGE[Relation.WON],
    Relation.ADDRESSES: frozenset({Kind.TASK}),
    Relation.TRAINED_ON: frozenset({Kind.DATASET}),
    Relation.EVALUATED_ON: frozenset({Kind.DATASET}),
}


def stated(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """The relations that the phrases of a sentence state."""
    if not piece.mentions:
        return
    chinese = bool(_HAN.search(piece.text))
    for phrase in PHRASES_ZH if chinese else PHRASES:
        for match in phrase.pattern.finditer(piece.text):
            yield from _said(piece, nodes, phrase, match, chinese)


def _said(
    piece: Piece, nodes: Mapping[str, Node], phrase: Phrase, match: re.Match[str], chinese: bool
) -> Iterator[Found]:
    kinds = phrase.only or _TARGETS[phrase.relation]
    goals = list(_goals(piece, nodes, match.end(), kinds, phrase, chinese))
    if not goals:
        return
    doer = _doer(piece, nodes, phrase, match, goals)
    if doer is None or nodes[doer].kind not in _DOERS.get(phrase.relation, WORKS):
        return
    for goal in goals:
        if goal[1] == doer:
            continue
        ends = (doer, goal[1]) if phrase.forward else (goal[1], doer)
        yield phrase.relation, ends[0], ends[1], None, phrase.confidence


def _goals(
    piece: Piece, nodes: Mapping[str, Node], at: int, kinds: frozenset[Kind], phrase: Phrase, chinese: bool
) -> Iterator[tuple[Mention, str]]:
    """The names that a phrase ending at `at` speaks of: the first, and those that a list joins to it."""
    after = [(place, pair) for place, pair in enumerate(piece.mentions) if pair[0].start >= at]
    after = [
        item
        for number, item in enumerate(after)
        if not (number and _IN_BRACKETS.search(piece.text[at : item[1][0].start]))
    ]
    for number, (place, (mention, node)) in enumerate(after):
        between = piece.text[at : mention.start]
        if chinese:
            if not re.fullmatch(rf"[^，。；,;：:]{{0,{phrase.gap}}}", between):
                return
            if (number and re.search(r"的|和|与|、", between)) or (
                phrase.relation is Relation.USES and between[:1] == "的"
            ):
                return
            if phrase.relation in LINEAGE and not number and _compound(between, mention):
                return
            if (
                phrase.relation is Relation.VARIANT_OF
                and between.strip()
                and not re.search(r"(?:的|一[种个类])\s?$", between)
            ):
                return
        elif not _FILLER.fullmatch(between) or (at < 20 and "," in between):
            return
        if nodes[node].kind not in kinds or _unspecific(nodes[node], phrase.relation):
            if nodes[node].kind in (Kind.ORGANIZATION, Kind.PERSON) or (
                not chinese and nodes[node].kind is Kind.DATASET
            ):
                continue
            following = after[number + 1][1][0].start if number + 1 < len(after) else -1
            if _AND_NEXT.fullmatch(piece.text[mention.end : following]):
                at = following  # of a list what comes later may be of the kind
                continue
            return
        if phrase.relation in LINEAGE and not (
            chinese
            or _written(mention.surface)
            or "transformer" in mention.surface
            or (
                " " in mention.surface
                and nodes[node].kind is Kind.MODEL
                and (phrase.only or phrase.confidence >= _PLAIN)
            )
        ):
            return
        tail = piece.text[mention.end :]
        if PART.fullmatch(mention.surface):
            return
        if not _fits(phrase, tail, chinese or nodes[node].kind is Kind.DATASET):
            return
        if chinese and phrase.relation is Relation.USES and re.match(r"\s?(?:模型|架构)?的", tail):
            continue  # 使用预训练的编码器: what is used comes later
        yield mention, node
        yield from _listed(piece, nodes, place, kinds, phrase, chinese)
        return


def _unspecific(node: Node, relation: Relation) -> bool:
    """Of concepts only ways of training, and GPUs, are used; and these are no problems."""
    way = node.kind is Kind.CONCEPT and bool(_WAYS.search(node.name()))
    return (
        way if relation is Relation.ADDRESSES else relation is Relation.USES and node.kind is Kind.CONCEPT and not way
    )


def _compound(between: str, mention: Mention) -> bool:
    """Whether a Chinese name is only the last part of a longer word: 自主性提示 names no 提示."""
    return bool(
        re.match(r"[\u4e00-\u9fff]", mention.surface)
        and re.search(r"[\u4e00-\u9fff](?<![的了种个于到过类式])$", between)
    )


def _fits(phrase: Phrase, tail: str, whole: bool) -> bool:
    """Whether what follows the first object leaves it the object of the phrase; `whole` for Chinese and data sets."""
    if phrase.tail is not None:
        return phrase.tail.match(tail) is not None
    if not whole:
        return not _BEHIND.match(tail)
    if phrase.relation in (Relation.BUILDS_ON, Relation.VARIANT_OF):
        return not re.match(
            r"\s?的\s?(?!一|语言模型|模型|网络|架构|大|训练|方法|思想|基础|改进|变|扩展|升级|编码器|解码器|[Ee]ncoder|[Dd]ecoder)",
            tail,
        )
    return not re.match(r"[^，,。；;]{0,12}组成", tail)


def _listed(
    piece: Piece, nodes: Mapping[str, Node], place: int, kinds: frozenset[Kind], phrase: Phrase, chinese: bool
) -> Iterator[tuple[Mention, str]]:
    previous = piece.mentions[place]
    for mention, node in piece.mentions[place + 1 :]:
        between = piece.text[previous[0].end : mention.start]
        same = node == previous[1]
        if same and re.fullmatch(r"\s?[(（\[]?\s?", between):
            previous = (mention, node)
            continue
        if _IN_BRACKETS.search(between):
            continue  # it only explains
        if phrase.relation in LINEAGE and re.fullmatch(r"\)?,\s(?:an?|the)\s", between):
            return  # BERT, an encoder: says what it is
        plain = re.sub(r"^s?\s?[)）]|\s?\[\d+\]|\s?\([^()]*\)(?=,|\sand\b)", "", between)
        with_it = phrase.only and re.fullmatch(r"\s?(?:[\w-]+\s){0,3}with (?:the |an? )?", between)
        measured = phrase.relation is Relation.EVALUATED_ON and _MEASURED.fullmatch(between)
        if nodes[node].kind not in kinds or not (JOINED.match(plain) or with_it or measured):
            return
        yield mention, node
        previous = (mention, node)


def _doer(
    piece: Piece, nodes: Mapping[str, Node], phrase: Phrase, match: re.Match[str], goals: Sequence[tuple[Mention, str]]
) -> str | None:
    """Of what a phrase is said."""
    text, begin = piece.text, match.start()
    chinese = bool(_HAN.search(text))
    before = [pair for pair in piece.mentions if pair[0].end <= begin]
    spanned = [n for m, n in piece.mentions if begin <= m.start and m.end <= match.end() and _written(m.surface)]
    if phrase.relation is Relation.ADDRESSES and spanned and nodes[spanned[0]].kind in SYSTEMS:
        return spanned[0]  # applications of X include
    if re.search(r"[.)]\sIt(?:['’]s| is| was)\s$", text[:begin]):
        return piece.topic
    for place in range(len(before) - 1, -1, -1):
        mention, node = before[place]
        lead = re.split(r"[,，;；(（:：。]", text[: _list_head(piece, place)])[-1]
        if place and re.search(r"[(（][^)）]*$", text[: mention.start]):
            continue  # another name of what stands before the brackets, or a gloss
        while place and before[place - 1][0].end == mention.start:
            place -= 1  # Transformer解码器 speaks of the Transformer
            mention, node = before[place]
        modified = (_MODIFIED_ZH if chinese else _MODIFIED).search(lead) and not _OWN.search(lead)
        modified = modified and not _WHICH.match(text[mention.end : begin])
        gap = re.sub(r"[(（][^()（）]*[)）]|\[[\d,-]+\]", "", text[mention.end : begin])
        if modified and not (place == 0 and mention.start <= 3):
            continue
        if place and (_LAYER.search(mention.surface) or _BY_DOING.match(text[mention.end :])):
            continue  # a layer of what stands before it; X improves on it by ...
        if _SOMETHING.search(lead) or PART.fullmatch(mention.surface):
            return piece.topic if phrase.relation is Relation.ADDRESSES and not chinese else None
        if nodes[node].kind not in WORKS:
            if chinese and re.fullmatch(r"[^，,。；;]{0,6}", gap):
                return None  # a person or an organisation does it
            continue
        if not chinese and node != piece.topic and not _written(mention.surface):
            continue
        if nodes[node].kind not in _DOERS.get(phrase.relation, WORKS):
            continue
        if _OTHER_CLAUSE.search(gap) or len(gap) > (60 if chinese else 160):
            return None
        if chinese and not _close(gap):
            return None
        if not chinese and not _headed(match, text, mention, gap):
            return None
        return node
    opening = re.sub(r"^\s*(?:[-*•·]|\d+[.)、])?\s*", "", text[:begin])
    if not before and (len(opening) <= (2 if chinese else 0) or _IDEA.fullmatch(opening)):
        if not chinese:
            later = [
                pair for pair in piece.mentions if pair[0].start >= goals[-1][0].end and nodes[pair[1]].kind in SYSTEMS
            ]
            if later and re.fullmatch(r"[^.;]{0,40},\s(?:the\s)?", text[goals[-1][0].end : later[0][0].start]):
                return later[0][1]  # Inspired by X, Y is ...
        elif phrase.relation is Relation.USES and not (piece.item and len(text) < _SHORT):
            return None
        return piece.topic
    return None


def _list_head(piece: Piece, place: int) -> int:
    """Where the list begins in which a name stands; glosses in brackets are passed over."""
    start = piece.mentions[place][0].start
    while place:
        between = piece.text[piece.mentions[place - 1][0].end : start]
        glossed = between.startswith((")", "s)", "）")) and re.search(
            r"[(（][^()（）]*$", piece.text[: piece.mentions[place - 1][0].start]
        )
        if not JOINED.match(re.sub(r"^s?\s?[)）]", "", between)):
            break
        place -= 2 if glossed and place > 1 else 1
        start = piece.mentions[place][0].start
    return start


def _written(surface: str) -> bool:
    """Whether a name is written as one: a common noun in small letters names no system of its own."""
    return not surface.isascii() or not surface.islower()


def _close(gap: str) -> bool:
    """Whether a Chinese phrase may still speak of the name before this gap."""
    if re.match(r"\s?的(?!模型|网络|架构|结构|机制|语言模型)", gap):
        return False
    clauses = re.split(r"[，,]", gap)
    if len(clauses) > 3 or len(clauses[-1]) > 14:
        return False
    if len(clauses) > 1 and not clauses[-1].strip():
        return not re.search(r"[？?！!“”]|他们|我们|人们|研究|如果|之前|以前|相比|[您你]|如何|不能|可以看", gap)
    return not re.search(
        r"[？?！!]|“|”|他们|我们|人们|研究|设计|训练|实现|需要|构建|提出|包括|使用|采用|如果|当(?!时)|之前|以前|相比|加载|[您你]|如何|演示|脚本|代码|帮助|执行|不能",
        gap,
    )


def _headed(match: re.Match[str], text: str, mention: Mention, gap: str) -> bool:
    """Whether an English phrase speaks of the name and not of something nearer: `uses a tokenizer based on ...`."""
    if "based" not in match[0]:
        return True
    words = re.findall(r"[\w’'-]+|,", gap)
    while words and (words[-1].endswith("ly") or words[-1] in ("and", "built", "entirely", ",")):
        words = words[:-1]
    return not words or words[-1].casefold() in HEAD_NOUNS
