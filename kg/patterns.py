"""The phrases that extraction looks for, in both languages: dates, sizes, negation, and what stands between two names.

Each table is one kind of phrase. A pattern never crosses a sentence; `extraction` decides what it means.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ailineage.kg.vocabulary import Kind, Relation

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
    r"发布|发表|提出|推出|问世|诞生|横空出世|公布|开源|发明|设计了|构建了|\bpublish|\breleas|\bintroduc|\bpropos|\bannounc|\blaunch|\binvent|\bpresented\b|\bappear",
    re.I,
)
SIZE = re.compile(
    r"(?P<n>\d+(?:[.,]\d+)*)\s*(?P<u>万亿|千亿|百亿|十亿|亿|千万|百万|万|trillion|billion|million|thousand|[TBMK](?![A-Za-z]))?[,，]?[\s-]*(?:个|多)*\s*(?:参数|parameters?\b|params?\b)"
    r"|(?:参数(?:量|规模|数量|数)?|parameter count|parameters)[^\d。.;；\n]{0,12}?(?P<n2>\d+(?:[.,]\d+)*)\s*(?P<u2>万亿|千亿|百亿|十亿|亿|千万|百万|万|trillion|billion|million|[TBMK](?![A-Za-z]))",
    re.I,
)
UNITS = {
    "万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "十亿": 10**9, "亿": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4,
    "trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 10**3, "t": 10**12, "b": 10**9, "m": 10**6, "k": 10**3,
}  # fmt: skip


class Phrase(NamedTuple):
    """A telling phrase: what it states of the name before it and the one after it.

    `forward` says whether the first is the subject; `gap` how many characters may stand before the object in Chinese;
    `tail` what must follow the object; `only` the kinds that alone may be the object.
    """

    relation: Relation
    pattern: re.Pattern[str]
    confidence: float = 0.8
    forward: bool = True
    gap: int = 6
    tail: re.Pattern[str] | None = None
    only: frozenset[Kind] | None = None


_MODELS = frozenset({Kind.MODEL})
_TECHNIQUES = frozenset({Kind.TECHNIQUE})
_PROBLEMS = frozenset({Kind.TASK, Kind.CONCEPT})


def _en(
    relation: Relation,
    pattern: str,
    confidence: float = 0.8,
    forward: bool = True,
    tail: str = "",
    only: frozenset[Kind] | None = None,
) -> Phrase:
    after = re.compile(tail, re.I) if tail else None
    whole = re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.I)
    return Phrase(relation, whole, confidence, forward, tail=after, only=only)


def _zh(
    relation: Relation, pattern: str, confidence: float = 0.75, forward: bool = True, gap: int = 6, tail: str = "",
    only: frozenset[Kind] | None = None,
) -> Phrase:  # fmt: skip
    after = re.compile(tail) if tail else None
    return Phrase(relation, re.compile(pattern), confidence, forward, gap, after, only)


HEAD_NOUNS = frozenset(
    "is are was were be model models architecture network networks framework design version method approach system llm llms "
    "transformer transformers detector lm vlm assistant family series it variant variants encoder decoder backbone mllm "
    "purely solely largely".split()
)
"""What `based on` may follow if it is to speak of the whole."""
_WORK = r"(?:\s(?:architecture|design|structure|framework|recipe|setup|backbone|model|network|decoder|encoder)s?\b)"
PHRASES: tuple[Phrase, ...] = (
    _en(Relation.BUILDS_ON, r"based (?:up)?on|buil(?:ds?|t|ding) (?:directly )?(?:(?:up)?on(?: top of)?)|extend(?:s|ing)|adapts|moderni[sz](?:es?|ing)|derived from|derives from"),
    _en(Relation.BUILDS_ON, r"(?:an?|its|the) (?:\w+ )?(?:extension|evolution|adaptation|reimplementation|reproduction|generali[sz]ation|tweak) (?:of|to|in)(?: the (?:traditional|standard|original))?"),
    _en(Relation.BUILDS_ON, r"improv(?:es|ing|ement)(?: (?:up)?on| over)?(?: the (?:\w+ ){1,3}of)?", 0.75),
    _en(Relation.BUILDS_ON, r"(?:adapted|evolved|initiali[sz]ed|distilled|fine-?tuned|trained starting|expanded|upcycled) from|(?:initiali[sz]ed|warm-started) with", 0.75),
    _en(Relation.BUILDS_ON, r"(?:follow(?:s|ing)?|inherits|adopts|shares|keeps|retains) (?:the )?(?:same |overall |general |original )?(?:\w+ )?(?:architecture|design|structure|framework)s? (?:of|as|from|with)", 0.75),
    _en(Relation.BUILDS_ON, r"(?:has|have|uses?|with|shares?) (?:the |an? )?(?:exact )?(?:same|identical) (?:\w+ )?(?:architecture|structure|design)s? (?:as|to|with|of)", 0.75),
    _en(Relation.BUILDS_ON, r"(?:(?<=architecture )|(?<=design )|(?<=structure ))is (?:almost |nearly |very |largely |mostly )?(?:identical|similar|the same)(?: to| as)(?: that of)?", 0.7),
    _en(Relation.BUILDS_ON, r"(?:is|are) (?:(?:(?:almost|nearly|largely|essentially) )?identical to|very similar to)(?: that of)?", 0.65, only=_MODELS),
    _en(Relation.BUILDS_ON, r"(?:its|their|the) (?:direct |immediate )?predecessors?,?|inherits (?:\w+ ){0,4}(?:from|of)(?: both)?", 0.65, only=_MODELS),
    _en(Relation.BUILDS_ON, r"uses|adopts|employs|follows|inherits", 0.7, tail=r"[’']?s?(?:[\w -]{0,20})?\s(?:architecture|framework|design)\b", only=_MODELS),
    _en(Relation.BUILDS_ON, r"(?:uses|adopts|employs|has|keeps)(?: (?:the|an?))?(?: (?:standard|original|same|plain))?", 0.7, tail=r"[’']?s? (?:at its core|(?:as|for) (?:its|the) (?:base|core|foundation|backbone))\b", only=_MODELS),
    _en(Relation.BUILDS_ON, r"(?:design|architecture|setup) following|a combination of|combin(?:es|ing)(?: (?:the )?(?:\w+ ){1,3}(?:of|from))?(?: both)?|merges", 0.6, only=_MODELS),
    _en(Relation.BUILDS_ON, r"(?:is|are|was) an?", 0.75, tail=r"-based\s(?:[\w-]+\s){0,3}(?:model|network|architecture|encoder|decoder|framework|detector|LLM|method)\b"),
    _en(Relation.VARIANT_OF, r"(?:(?<=is )|(?<=are )|(?<=was )|(?<=s )|(?<=, )|(?<=\()|(?<=- )|(?<=as ))(?:an?|the) (?:[\w-]+ ){0,4}?(?:variant|version|modification|flavou?r|fork) of", 0.8),
    _en(Relation.SUCCEEDED_BY, r"(?:successor|follow-?up|sequel) (?:of|to)|(?:next|new|second|third|latest) (?:generation|iteration|version|release) of|upgrade (?:of|to|over)|succeeds", 0.8, False),
    _en(Relation.SUCCEEDED_BY, r"(?:\w+ly )?(?:supersed(?:es|ed)|supplant(?:s|ed)|displac(?:es|ed))", 0.7, False, only=_MODELS),
    _en(Relation.SUCCEEDED_BY, r"(?:is|was) (?:succeeded|superseded|followed) by", 0.8),
    _en(Relation.INFLUENCED_BY, r"(?:inspired|influenced|motivated) by(?: the (?:\w+ ){1,3}(?:of|in))?|(?:draws|takes|drawing|taking) inspiration from|borrow(?:s|ed|ing) (?:\w+ ){0,4}from", 0.8),
    _en(Relation.USES, r"uses|(?<=models )use|(?<=we )(?:use|employ|adopt|leverage|apply)|employs|adopts|relies on|by using|utili[sz]es|leverages|incorporates|integrates|applies|makes use of|built using|equipped with|powered by|replaces (?:[\w-]+ ){1,4}with", 0.65),
    _en(Relation.USES, r"(?:introduc|present|propos|learn|incorporat|pioneer)(?:e|e?s|ing)|mixes in|(?:is |are )?made up of|with (?:the |its )?(?:two|three|four|several) (?:\w+ ){0,2}(?:ideas|techniques|components|mechanisms|innovations|improvements|changes)[,:]|(?:setup|model|network|decoder|encoder|framework) using (?:an?|the)|(?:via|through)", 0.6, only=_TECHNIQUES),
    _en(Relation.USES, r"(?:setup|idea\b[^.;]{0,80}) using (?:an?|the) (?:standard|plain|single|vanilla)|(?<=match) using", 0.6),
    _en(Relation.USES, r"(?:pre-?|fine-?|post-?)?trained (?:by|through|via|with|using)(?: means of)?(?: an?| the)?", 0.65),
    _en(Relation.TRAINED_ON, r"(?:(?:pre-?|fine-?|post-?)?train(?:ed|ing)|finetuned|fine-tuned)(?: \w+){0,3} (?:on|with|using)(?: (?:\w+ ){0,2}(?:text|data|images?|speech|code|examples|samples|corpus) (?:from|of|comprising|consisting of))?(?: the)?", 0.75),
    _en(Relation.EVALUATED_ON, r"(?:evaluat(?:ed?|ion|ions|ing)|test(?:ed|s)?|results?|performance|accuracy|scores?|state[ -]of[ -]the[ -]art|sota|improvements?|gains?|AP(?:_\w+)?|mAP|mIoU|F1|BLEU|WER|competitive|experiments?|achiev\w+|reach\w+|obtain\w+|attain\w+|surpass\w+|outperform\w+)(?:\s(?!(?:pre-?|fine-?)?train|fine-?tun)(?:[^\s.;]|\.(?=\d))+){0,9}? on(?: the| both)?", 0.7),
    _en(Relation.EVALUATED_ON, r"(?:achiev|reach|obtain|attain)\w+(?:\s[\d.,%+-]+)?(?: on(?: the)?)?", 0.7, tail=r"(?:\s[\w-]+){0,3}\s(?:accuracy|score|mAP|AP|mIoU|BLEU|F1)\b"),
    _en(Relation.EVALUATED_ON, r"(?:experiments?|results|evaluations?|performance) (?:on|across) (?:[\w-]+ ){0,3}(?:benchmarks|tasks|datasets) (?:of|for|in)", 0.7, only=frozenset({Kind.TASK, Kind.DATASET})),
    _en(Relation.EVALUATED_ON, r"benchmarks?,? (?:such as|like|including|e\.g\.)", 0.7),
    _en(Relation.ADDRESSES, r"(?:designed|used|useful|trained|built|proposed|suited|suitable|optimi[sz]ed|fine-?tuned|model|models|network|framework|architecture|approach|method|transformers|detector|solution) for(?: the task of)?|tasks?(?:(?: [\w-]+){1,4})?,? (?:such as|like|including)|applications (?:of|for) (?:[\w-]+ ){1,3}(?:include|are)|(?:excels|great|good|effective|strong|useful|performs well) (?:at|in|for|on)|appl(?:y|ies|ied|ying) (?:[\w-]+ ){1,6}to(?: (?:different|various|many|several|diverse))?|(?:can|to) (?:perform|solve|tackle|address|handle)", 0.65),
    _en(Relation.ADDRESSES, r"for(?: (?:the|many|various|different|several|most|other|diverse))?", 0.65, tail=r"(?:\s[\w-]+)?\s(?:tasks?|problems?|applications?|benchmarks?)\b"),
    _en(Relation.ADDRESSES, r"(?:solv|address|mitigat|alleviat|prevent|avoid|tackl|overcom|eliminat|combat)(?:e|es|s|ing)?(?: the (?:[\w-]+ )?(?:issue|problem|challenge|difficulty)s? of)?", 0.65, only=_PROBLEMS),
    _en(Relation.PART_OF, r"(?:is|was|are) (?:an? )?(?:integral )?(?:part|component|member) of", 0.7),
    _en(Relation.WON, r"(?:won|wins|winner of|winning|winner in)(?: the)?", 0.75),
)  # fmt: skip
_OF = r"\s?(?:模型|网络|架构|结构|框架)?\s?的?(?:基础|框架)(?:之)?上"
_FROM = r"(?:模型|网络|架构)?\s?(?:发展|演变|演化|衍生|改进|进化|扩展|改造|简化)而?(?:来|成)"
_KIN = r"\s?的?(?:一[个种])?(?:[^的，。；,;、]{0,4}?)(?:变体|变种|改进|扩展|升级|增强版|后续|简化版|推广|高效工程实现|延伸)"
PHRASES_ZH: tuple[Phrase, ...] = (
    _zh(Relation.BUILDS_ON, r"(?<!用的是)(?<!或)(?:是|则|就|都)?(?:主要|直接|也|仍|均)?(?:所)?(?:建立在|基于|构建于|脱胎于|源于|源自|继承自|继承了|改进自|扩展自|改编自|衍生自|改进了|扩展了|改良了|沿袭了)", 0.8),
    _zh(Relation.BUILDS_ON, r"(?<!现)(?<!正)(?<!存)在", 0.75, tail=_OF),
    _zh(Relation.BUILDS_ON, r"从|由", 0.75, gap=2, tail=_FROM),
    _zh(Relation.BUILDS_ON, r"以|用", 0.75, gap=2, tail=r"\s?(?:模型|网络|架构)?(?:作?为)(?:基础|蓝本|底座|原型|起点)"),
    _zh(Relation.BUILDS_ON, r"结合了?|融合了?|(?:其|它的)?前身(?:是|为)?", 0.65, only=_MODELS),
    _zh(Relation.BUILDS_ON, r"对", 0.7, gap=2, tail=r"(?:模型|网络|架构)?\s?(?:进行|做)了?[^，。]{0,6}(?:改进|扩展|改造|优化)"),
    _zh(Relation.BUILDS_ON, r"(?:成为|是|为|奠定了?|构成了?)", 0.7, False, 2, r"(?:等[^，。]{0,8})?(?:模型)?的?(?:发展的)?(?:核心)?基础"),
    _zh(Relation.BUILDS_ON, r"催生了(?:后续)?|(?:演化|发展|演变|演进|升级)(?:为|成|到)了?", 0.7, False, 4),
    _zh(Relation.VARIANT_OF, r"(?:是|作为|看作|可以看作是?)", 0.75, gap=8, tail=_KIN),
    _zh(Relation.SUCCEEDED_BY, r"(?:的后继者?(?:是|为)|的继任者(?:是|为)|之后推出了?|的下一代(?:是|为)?)", 0.65, gap=4),
    _zh(Relation.SUCCEEDED_BY, r"(?:是|作为)", 0.75, False, 2, r"\s?的(?:后继|继任|接班|下一代|升级)"),
    _zh(Relation.SUCCEEDED_BY, r"(?:迅速|逐渐|逐步|很快|完全|彻底|最终)?(?:取代|替代|淘汰)了?(?:传统的?|以往的?)?", 0.7, False, 2, only=_MODELS),
    _zh(Relation.INFLUENCED_BY, r"受到?了?|从", 0.75, gap=4, tail=r"(?:[^，。；]{0,10})?(?:的)?(?:启发|影响)|中?(?:得到|获得|受到|汲取)了?(?:启发|灵感)"),
    _zh(Relation.INFLUENCED_BY, r"借鉴了?|沿用了?|参考了|吸收了?|(?:的)?(?:设计)?(?:灵感|启发)(?:来自|来源|源自?)于?", 0.7),
    _zh(Relation.INFLUENCED_BY, r"(?<!能)(?<!可以)模[拟仿]了?|仿照了?|效仿了?", 0.65, gap=3),
    _zh(Relation.USES, r"使用了?|采用了?|利用了?|运用了?|用了|引入了?|集成了|应用了|加入了|增加了?|转为只?使用", 0.65, gap=10),
    _zh(Relation.USES, r"以|用", 0.65, gap=2, tail=r"\s?(?:模型|网络|架构)?(?:作?为)(?:其)?(?:核心|骨干|主干|编码器|解码器|主体)"),
    _zh(Relation.USES, r"(?<!不)通过(?:使用|采用)?", 0.6, gap=8),
    _zh(Relation.TRAINED_ON, r"(?<!现)(?<!正)(?<!存)在|使用|基于|用", 0.75, gap=8, tail=r"\s?(?:数据集?|语料库?|等?[^，。；]{0,8}数据集?)?\s?(?:上|中|来|进行|的|之)*\s?(?:了)?(?:进行)?(?:过)?(?:预)?训练"),
    _zh(Relation.EVALUATED_ON, r"(?<!现)(?<!正)(?<!存)在", 0.7, gap=12, tail=r"[^，。；]{0,14}(?:上|中|里)[^，。；]{0,10}(?:取得|达到|测试|评测|评估|表现|夺|超过|超越|大放异彩|刷新|优于|击败|效果|准确率|错误率)"),
    _zh(Relation.ADDRESSES, r"(?:主要|可以?|适合|适|专门|也|能)?用(?:于|来(?:做|解决|处理)?)|应用于|(?:为了)?解决了?|针对|擅长|适用于", 0.65, gap=6),
    _zh(Relation.ADDRESSES, r"解决了?|缓解了?|避免了?|防止了?|克服了?|减轻了?|消除了?|应对", 0.65, gap=4, only=_PROBLEMS),
    _zh(Relation.ADDRESSES, r"(?:大幅|显著|极大地?|明显)?(?:提升|提高|减少|降低|刷新|改善|推动|革新)了?", 0.65, gap=4, tail=r"\s?(?:任务|领域)?的?(?:错误率|准确率|精度|性能|效果|质量|水平|发展)"),
    _zh(Relation.PART_OF, r"(?:是|属于|作为)", 0.65, gap=2, tail=r"\s?(?:模型|架构)?的(?:一部分|组成部分|核心|核心组件|关键组件|组成)"),
    _zh(Relation.WON, r"赢得了?|获得了?|夺得了?|拿下了?|打赢了|荣获", 0.7, gap=12),
)  # fmt: skip
MAKES = re.compile(
    r"^[^，。；,;]{0,25}?(?:提出|发明|设计|开发|发布|推出|研发|创建|构建|创立|公布|开源|发表)了?(?:了)?(?![^，。；,;]*(?:通过|关于|使用|利用|基于))[^，。；,;]{0,14}$"
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
    r"^\s*(?:[-*•>]\s*)?(?:(?:In this (?:\w+ )?(?:paper|work|report|study|article)|To [^,.;]{3,60}|Based on this \w+|Specifically|Moreover|Finally|Here|Instead|However|Therefore|Additionally|Furthermore|In addition|Like \w+),? )?(?P<it>它|其(?=基于|采用|使用|前身|架构)|该(?:模型|网络|方法|架构|算法|技术|系统)|这(?:个|种|一)(?:模型|网络|方法|架构|算法|技术)"
    r"|(?:It|(?<=, )it|(?:This|The|Our|Its) (?:(?:proposed|new|whole|overall|pre-?trained|instruction-tuned|final|resulting|full|base) )?(?:model|network|method|architecture|algorithm|technique|approach|framework"
    r"|system|design)s?(?!\s(?:of|for|in|used|from|proposed)\b)|Our (?:[\w-]+ ){0,3}(?:models?|networks?|transformers?|encoders?|approach|method)(?!\s(?:of|for|in|used|from|proposed)\b)|These models|(?<=[, ])[Ww]e(?= (?:use|employ|adopt|apply|leverage|introduce|propose|present|train|pre-?train|fine-?tune|evaluate|produce|develop|design)\b)|We(?= (?:\w+ly [“\"]?)?(?:build|extend|adapt|follow|improve|moderni[sz]e|use|employ|adopt|introduce|propose|present|train|pre-?train|fine-?tune|evaluate|produce|develop|design)\b))\b)"
)
MADE_BY = re.compile(r"^[^，。；,;]{0,12}?(?:由|是由|是)[^，。；,;]{0,10}$")
MAKING = re.compile(r"[^，。；,;]{0,30}?(?P<verb>提出|发明|设计|开发|发布|推出|研发|创建|维护)")
MADE_BY_EN = re.compile(
    r"^[^.;]{0,40}?\b(?:introduced|proposed|developed|released|created|invented|published|written|made) (?:in [^.;]{0,20} )?by(?: the)?\s[^.;,]{0,15}$|^[^.;]{0,20}\b(?:introduced|proposed|developed|released|created|invented|made) by(?: the)?\s$",
    re.I,
)
RELEASED_BY_EN = re.compile(
    r"^[^.;]{0,40}?\b(?:introduced|proposed|developed|released|created|published) in [^;]{0,120}?\bby(?: the)?\s$", re.I
)
"""A maker after the title of what it was introduced in; after a person's name it is rather the paper that is theirs."""
TITLE = re.compile(r"《([^《》]{4,200})》|[“\"]([A-Z][^“”\"]{15,200})[”\"]")
ITEM = re.compile(r"^\s*[-*•·]?\s*(?P<name>[A-Z][\w.+-]*(?:[ /-][A-Z0-9][\w.+-]*){0,3})\s+(?=(?:19|20)\d\d[./-])")
LIST_ITEM = re.compile(r"^\s*[-*•·]\s")
