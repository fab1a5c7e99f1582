"""What a sentence says a thing is, and what its parts are: predicates, examples, sizes, components, notes.

EfficientNets are a family of image classification models       a task before the head: what they are for
X is an encoder-decoder transformer model                       the last model named: its kind; before it: what it uses
We present X, a mixture-of-experts model                        the same, beside the name
ResNet是一种卷积神经网络                                        the same in Chinese
Transformers (e.g., Swin), such as, represented by              an example is a variant; of what is for a task, for it
EfficientNet-B7, Falcon-40B                                     a size is a variant
Transformer中包含编码器和解码器两部分                            parts
- Dropout防止过拟合                                             a note, under a heading that names a model: what it uses
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ailineage.kg.found import SYSTEMS, Found, Piece
from ailineage.kg.identity import fold
from ailineage.kg.model import Node
from ailineage.kg.patterns import JOINED
from ailineage.kg.stated import PART
from ailineage.kg.vocabulary import Kind, Relation

_IS = re.compile(
    r"^s?(?:\s?[(（][^()（）]{0,80}[)）])?,?\s(?:is|are|was|were)\san?\s"
    r"(?:(?:[\w-]+\s){0,2}(?:family|series|class|collection|suite|set|type|kind)\sof\s)?"
)
_NAMELY = re.compile(
    r"^(?:\s?[(（][^()（）]{0,80}[)）])?,\san?\s(?:(?:new|novel)\s)?(?:(?:family|series|suite)\sof\s)?"
)
_END = re.compile(
    r"[,.;:]|\s(?:that|which|who|whose|for|with|without|by|from|to|in|on|of|at|and|or|as|than|between|trained|pre-?trained|designed|built|based|"
    r"introduced|proposed|developed|released|created|capable|able|using|used|consisting|inspired|adapted|tailored|"
    r"fine-?tuned|featuring|combining|based|where|when|but|made|specifically|is|are|was)\b"
)
_HEAD = re.compile(
    r"\s?(?:[\w-]+\s){0,2}(?:models?|networks?|architectures?|frameworks?|detectors?|encoders?|decoders?|transformers?|systems?|LLMs?|backbones?|method|approach|classifiers?)$",
    re.I,
)
_WITH = re.compile(r"\s|-(?:based|enhanced|augmented|powered)\b")
_WHOLE = re.compile(r"encoder[-–/ ]decoder|编码器[-–/]?解码器", re.I)
_KIN = re.compile(
    r"s?(?:\s(?:[\w-]+\s)?(?:models?|networks?|architectures?|encoders?|decoders?|variants?|LLMs?|backbones?|autoencoders?))?$",
    re.I,
)
_IS_ZH = re.compile(r"^(?:\s?[(（][^()（）]{0,60}[)）])?\s?(?:就|也|都|则|其实|本质上|实质上)?是一[种个类款]")
_KIN_ZH = re.compile(r"\s?(?:语言)?(?:模型|网络|架构|结构)?(?:的?(?:变体|变种))?(?=\s?(?:[,，。；;！]|$))")
_TASK_ZH = re.compile(r"\s?(?:模型|算法|网络|方法|框架|系统|架构)(?=\s?(?:[,，。；;！]|$))")
_SUCH_AS = re.compile(
    r"s?(?:\s(?:models?|architectures?|networks?|variants?|LLMs?))?\s?[,，(（]?\s?"
    r"(?:such as|e\.g\.,?|represented by|exemplified by)\s(?:the\s)?$"
    r"|s?\s(?:models?|architectures?|networks?|variants?)(?:,|\s)\s?(?:like|including)\s(?:the\s)?$",
    re.I,
)
_SUCH_AS_ZH = re.compile(
    r"\s?(?:模型|网络|架构|变体|变种)?\s?[,，(（]?\s?(?:例如|比如|譬如|(?<!假)(?<!不)如)\s?[:：]?\s?$"
)
_FOR_SUCH_AS = (
    re.compile(
        r"\s(?:models|methods|algorithms|approaches|networks|detectors|frameworks|systems),?\s\(?(?:such as|like|including|e\.g\.,?)\s"
    ),
    re.compile(r"\s?(?:模型|方法|算法|网络|框架|系统)\s?[,，(（]?\s?(?:例如|比如|如)\s?"),
)
_PARTS = re.compile(
    r"^\s?(?:模型|网络|架构|结构)?(?:中|里)?[,，]?\s?(?:主要)?(?:包含|包括|由)了?\s?$"
    r"|^(?:\s(?:model|network|architecture))?\s(?:mainly\s)?(?:consists of|is composed of|is made up of|comprises|has two parts:)\s(?:an?\s|the\s|two\s)?$"
)
_AS_PARTS_ZH = re.compile(r"[^，。；;]{0,6}(?:部分|组成|构成)")
_SIZED = re.compile(
    r"(?P<of>.*[A-Za-z\d])[-\s](?:[Tt]iny|[Ss]mall|[Bb]ase|[Mm]edium|[Ll]arge|[Hh]uge|[Gg]iant|XX?L|[A-Z]\d{1,2}|\d+(?:\.\d+)?[BM]|[TSBLH])"
)
_NOTE = re.compile(
    r"(?:\s*[-*•·]\s*(?:主要|核心|创新点?|特点|技术|结构|方法)?[:：]?|[,，;；、]|\+)\s?(?:再|先|首次)?"
    r"(?:使用|采用|利用|引入|加入|增加|放入|进行|用|[Uu]ses?|[Uu]sing|[Ww]ith)?了?\s?"
)
_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|can|cannot|should|will|you|your|must|if|to|how|the|see|instead|not)\b|[?？]|如何|怎么|什么|区别|问题|缺点|不足|相比|对比"
)
_SHORT = 60
_BARE = 3  # names in a predicate from which it is an enumeration


def is_a(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """X is a ... Y: of X, what stands in the predicate."""
    for place, (subject, node) in enumerate(piece.mentions):
        if nodes[node].kind not in SYSTEMS or PART.fullmatch(subject.surface):
            continue
        rest = piece.text[subject.end :]
        if (match := _NAMELY.match(rest)) and not subject.surface.islower():
            yield from _english(piece, nodes, place, subject.end + match.end())
        elif not _speaks(piece, place):
            continue
        elif match := _IS.match(rest):
            yield from _english(piece, nodes, place, subject.end + match.end())
        elif match := _IS_ZH.match(rest):
            yield from _chinese(piece, nodes, place, subject.end + match.end())


def _speaks(piece: Piece, place: int) -> bool:
    """Whether the sentence is about this name: it opens the sentence, or a clause of it."""
    lead = re.split(r"[,，;；:：。]", piece.text[: piece.mentions[place][0].start])[-1]
    return bool(re.fullmatch(r"\s*(?:[-*•·>]\s)?(?:The |the |and |其中|而|因此)?\s?", lead))


def _english(piece: Piece, nodes: Mapping[str, Node], place: int, begin: int) -> Iterator[Found]:
    text = re.sub(r"\([^()]*\)", lambda match: "\0" * len(match[0]), piece.text)
    end = _END.search(text, begin)
    stop = end.start() if end else len(text)
    named = [
        (m, n)
        for m, n in piece.mentions[place + 1 :]
        if begin <= m.start and m.end <= stop and text[m.start] > "\0" and not PART.fullmatch(m.surface)
    ]
    doer = piece.mentions[place][1]
    if len(named) > _BARE:
        return
    for mention, node in piece.mentions[place + 1 :]:
        glossed = piece.text[mention.start - 1] + piece.text[mention.end : mention.end + 1] == "()"
        if (
            glossed
            and begin < mention.start
            and mention.end + 1 == stop
            and nodes[node].kind is Kind.MODEL
            and not named
        ):
            yield Relation.VARIANT_OF, doer, node, None, 0.7
    for number, (mention, node) in enumerate(named):
        tail = re.sub(r"\s?\0+", "", text[mention.end : stop])
        kind, last = nodes[node].kind, number == len(named) - 1
        if _WHOLE.fullmatch(mention.surface):
            yield Relation.USES, doer, node, None, 0.65
        elif kind is Kind.MODEL and last and _KIN.fullmatch(tail):
            yield Relation.VARIANT_OF, doer, node, None, 0.75
        elif kind is Kind.TASK and _HEAD.search(tail):
            yield Relation.ADDRESSES, doer, node, None, 0.75
        elif kind in (Kind.MODEL, Kind.TECHNIQUE) and _WITH.match(tail) and _HEAD.search(tail):
            yield Relation.USES, doer, node, None, 0.65


def _chinese(piece: Piece, nodes: Mapping[str, Node], place: int, begin: int) -> Iterator[Found]:
    doer = piece.mentions[place][1]
    for mention, node in piece.mentions[place + 1 :]:
        between = piece.text[begin : mention.start] if mention.start >= begin else "，"
        if not re.fullmatch(
            r"(?:[^，。；;、的]{0,8}的)?(?:深度|深层|新的?|特殊的?|经典的?|简单的?|大型|轻量级)?", between
        ):
            return
        if nodes[node].kind is Kind.MODEL and _KIN_ZH.match(piece.text, mention.end):
            yield Relation.VARIANT_OF, doer, node, None, 0.75
        elif nodes[node].kind is Kind.TASK and _TASK_ZH.match(piece.text, mention.end):
            yield Relation.ADDRESSES, doer, node, None, 0.7


def examples(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """Models of a kind, and after `such as` one of them, or several."""
    for place, (mention, node) in enumerate(piece.mentions[:-1]):
        following, other = piece.mentions[place + 1]
        between = piece.text[mention.end : following.start]
        task = nodes[node].kind is Kind.TASK
        if not (task or nodes[node].kind is Kind.MODEL) or PART.fullmatch(mention.surface):
            continue
        if not any(p.fullmatch(between) for p in (_FOR_SUCH_AS if task else (_SUCH_AS, _SUCH_AS_ZH))):
            continue
        if "e.g." in between and not (mention.surface.endswith("s") or re.match(r"s\b|\s\w+s\b", between)):
            continue  # one thing has no examples
        for later in range(place + 1, len(piece.mentions)):
            named, other = piece.mentions[later]
            joined = later == place + 1 or JOINED.match(piece.text[piece.mentions[later - 1][0].end : named.start])
            if nodes[other].kind is not Kind.MODEL or PART.fullmatch(named.surface) or not joined:
                break
            yield Relation.ADDRESSES if task else Relation.VARIANT_OF, other, node, None, 0.65


def components(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """X consists of A and B."""
    for place, (mention, node) in enumerate(piece.mentions[:-1]):
        following, _ = piece.mentions[place + 1]
        if (
            nodes[node].kind is not Kind.MODEL
            or PART.fullmatch(mention.surface)
            or not _PARTS.match(piece.text[mention.end : following.start])
        ):
            continue
        last = place + 1
        while last + 1 < len(piece.mentions) and JOINED.match(
            piece.text[piece.mentions[last][0].end : piece.mentions[last + 1][0].start]
        ):
            last += 1
        if re.search(r"[\u4e00-\u9fff]", piece.text) and not _AS_PARTS_ZH.match(
            piece.text, piece.mentions[last][0].end
        ):
            continue
        for named, part in piece.mentions[place + 1 : last + 1]:
            if nodes[part].kind in SYSTEMS and piece.text[named.end : named.end + 1] != "-":
                yield Relation.PART_OF, part, node, None, 0.7


def sized(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """A name that is another's with a size behind it, where the other is what the section is about or is named too."""
    for mention, node in piece.mentions:
        match = _SIZED.fullmatch(mention.surface) if nodes[node].provisional else None
        if match is None or nodes[node].kind is not Kind.MODEL:
            continue
        own = fold(match["of"])
        others = {other for _, other in piece.mentions} | ({piece.topic} if piece.topic else set())
        for other in sorted(others - {node}):
            if nodes[other].kind is Kind.MODEL and own in map(fold, nodes[other].surfaces):
                yield Relation.VARIANT_OF, node, other, None, 0.75


def noted(piece: Piece, nodes: Mapping[str, Node]) -> Iterator[Found]:
    """A short item under a model's heading: each clause that opens with a technique says that the model uses it."""
    if not (piece.item and piece.topic) or len(piece.text) > _SHORT or _SENTENCE.search(piece.text):
        return
    if nodes[piece.topic].kind is not Kind.MODEL or any(nodes[n].kind is Kind.MODEL for _, n in piece.mentions):
        return
    for mention, node in piece.mentions:
        clause = re.search(r"(?:^\s*[-*•·]|[,，;；、+])[^,，;；、+]*$", piece.text[: mention.start])
        after = re.match(r"\s?(?:的|和|与|论文|教程|文档|指南|模型|[A-Za-z-])", piece.text[mention.end :])
        notable = nodes[node].kind is Kind.TECHNIQUE or (
            nodes[node].kind is Kind.CONCEPT and not nodes[node].provisional
        )
        if notable and clause and _NOTE.fullmatch(clause[0]) and not after:
            yield Relation.USES, piece.topic, node, None, 0.6
