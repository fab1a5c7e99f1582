"""What a question names and what it asks for, read without any model.

Names are looked up in the graph's lexicon; words that look like names and are near one are taken for typos of it;
those that no node bears are unknown. What is asked for is a set of relations, read from telling words of both
languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from ailineage.corpus.documents import language_of
from ailineage.corpus.glossary import Term, terms
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.identity import fold
from ailineage.kg.vocabulary import Relation

_ASKS: tuple[tuple[frozenset[Relation], str], ...] = (
    (
        frozenset({Relation.AUTHORED_BY, Relation.PROPOSED_BY}),
        r"\bwho(?:m|se)?\b|\bauthors?\b|\bwr(?:ote|itten)\b|\binvent|\bpropos|\bcreat(?:ed|or)|\bcame up with"
        r"|谁|作者|提出|发明|撰写|哪位|何人",
    ),
    (
        frozenset({Relation.PUBLISHED_ON}),
        r"\bwhen\b|\bdate\b|\bhow old\b|\byear\b|\bpublished\b|\breleased?\b|\bfounded\b|\bfirst\b(?! author)"
        r"|哪一?[年天月]|何时|[什啥]么?时候|时间|日期|年份|几[年月]|发布|发表|问世|诞生|成立|最早|先后",
    ),
    (
        frozenset({Relation.HAS_PARAMETERS}),
        r"\bparam|\bhow (?:big|large|many)\b|\bsizes?\b|\bweights\b|\blayers?\b|参数|多大|规模|尺寸|几层|多少层|层数|大小",
    ),
    (
        frozenset({Relation.DEVELOPED_BY}),
        r"\bcompan|\bdevelop|\borgani[sz]ation|\blabs?\b|\bteam\b|\binstitut|\bwho made\b|\bmaintain|\bbuilt by\b"
        r"|公司|机构|哪家|研发|开发|团队|实验室|维护|出品",
    ),
    (
        frozenset({Relation.INTRODUCED_IN}),
        r"\bpapers?\b|\btitle\b|\bintroduced\b|\barxiv\b|\bjournal\b|\bconference\b|论文|期刊|刊物|题目|标题|文章|出自|首次提出",
    ),
    (frozenset({Relation.TRAINED_ON}), r"\btrain(?:ed|ing)?\b|\bdata(?:set)?s?\b|\bcorpus\b|训练|数据|语料"),
    (frozenset({Relation.EVALUATED_ON}), r"\bevaluat|\bbenchmarks?\b|\bscores?\b|\baccura|评测|评估|基准|得分|准确率"),
    (
        frozenset({Relation.WON}),
        r"\bwon\b|\bwins?\b|\bwinner|\bcompetition|\bcontest|\bchallenge\b"
        r"|冠军|获胜|夺冠|竞赛|比赛|挑战赛",
    ),
    (
        frozenset({Relation.USES, Relation.PART_OF}),
        r"\buses?\b|\busing\b|\bcomponents?\b|\bconsist|\bparts?\b|\bcontain|\barchitecture\b|\bbackbone\b|\binside\b"
        r"|使用|用了|采用|用到|组成|组件|部分|包含|结构|架构|拿什么|属于|标识",
    ),
    (
        frozenset({Relation.ADDRESSES}),
        r"\bproblems?\b|\bsolv|\btasks?\b|\bpurpose\b|\bused for\b|\bwhy\b|\bhelp|\baddress"
        r"|解决|问题|任务|用途|用来|用于|有什么用|为什么|作用|干[嘛啥]|用处|毛病",
    ),
)
_DESCENT = re.compile(
    r"\blead\b|\bled\b|\blineage\b|\bdescen|\bancest|\bbas(?:ed|is)\b|\bbuil(?:d|t)s?\b|\bcame from\b|\bcome from\b"
    r"|\borigin|\bevol|\binfluenc|\binspir|\bpredecessor|\bsuccess|\bderiv|\bgrew\b|\bfollow|\broots?\b|\bhow did\b"
    r"|\bvariants?\b|\bfamily\b|\bpath\b|\bfrom\b.+\bto\b|\bchanged?\b|\bimprov|\bextends?\b|\btrace\b|\bgave rise|\bspawn"
    r"|\bheirs?\b|\boffspring\b|\bpaved\b|\bfine-?tuned from\b|\bcame after\b"
    r"|基于|源于|来源|起源|演变|演化|演进|发展|影响|继承|前身|后继|后代|祖先|衍生|启发|脉络|谱系|怎么来|如何来|变体|基础|地基"
    r"|改进|建立在|到.{1,30}的|一步步|沿革|催生|往下|后续|一脉|传承|脱胎|进化|家族|微调出来|改出来",
    re.I,
)
DOWN = re.compile(
    r"\blead to\b|\bled to\b|\bdescend|\bsuccessors?\b|\bsucceeded\b|\binfluenced?\b(?! by)|\binspired?\b(?! by)"
    r"|\bcame after\b|\bc[oa]me of\b|\bbuil[dt]s? on\b.*\?|\bvariants?\b|\bgave rise|\bspawn|\bheirs?\b|\boffspring\b"
    r"|\bpaved\b|\btrace\b.*\bfamily\b|\bfamily\b.*\btrace\b|\bdeveloped into\b|\bevolved? into\b"
    r"|后继|后代|影响了|启发了|衍生|变体|之后|催生|往下|后续|后来.{0,12}(?:发展|演|出)|(?:出来|问世)(?:以|之)?后",
    re.I,
)
"""Asks what came of something, not what it came from."""
BUILT = re.compile(
    r"\bbuil(?:ds?|t|ding)\b|\bbased\b|\bderiv\w+ from|\bc[oa]me from|\bextends?\b"
    r"|基于|建立在|源于|源自|来自|脱胎|继承",
    re.I,
)
"""What a child does: named before it is the child, named after it the parent."""
_COMPARE = re.compile(
    r"\bvs\.?\b|\bversus\b|\bdiffer(?!entia)|\bcompar|\bdistin|\bsame\b|\bsimilar|\bbetter\b|\bor\b|\brather than\b|\bunlike\b"
    r"|区别|不同|差在|差别|差异|对比|比较|相比|异同|还是|一样|一回事|哪个更",
    re.I,
)
_SHORT = 6
"""Chinese characters up to which words in quotation marks may be a name."""
_QUOTED = re.compile(r"《([^》]{2,120})》|“([^”]{2,120})”|「([^」]{2,120})」|\"([^\"]{2,120})\"")
_TERM = re.compile(
    r"[A-Za-z·]|(?:网络|模型|算法|机|定理|注意力|学习|测试|系统|法|层|函数|变换|架构|框架|数据集|计划|奖|杯|实验)$"
)
_THING = re.compile(r"(?:大|语言|这个|那个)*(?:模型|网络|算法|系统|机器人|框架|架构|数据集)")  # after a quoted name
_L = r"A-Za-z0-9\u00c0-\u024f"
_NAME = re.compile(
    rf"(?<![{_L}])(?:[A-Z0-9][{_L}'’+./\-]*(?:[ ](?:of |the |and )?[A-Z][{_L}'’+./\-]*)*"
    rf"|[a-z]+-?\d[{_L}.\-]*|[a-z]+[A-Z][{_L}]*)"
)
_WORD = re.compile(r"[A-Za-z][A-Za-z\-]{3,}")
_AMOUNT = re.compile(r"[\d.]+(?:[x×][\d.]+)*(?:-[a-z]+)?\s?[A-Za-z]{0,2}")  # "121-layer", "3x3", "48G"
_PLAIN = frozenset(
    "a about after all an and are ai as at be before briefly can compare could define describe did do does explain "
    "for from give had has have how i if in is it its let list many me more most much my name no not of on one or our "
    "please show since so some summarise summarize tell than that the their them then there these they this those "
    "to was we were what whats when where which who whom whose why will with would you your first both between also "
    "ok nlp us uk eli5 tldr btw english chinese".split()
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as understood.

    `nodes` are those it names, in order; `unknown` the names in it that neither a node bears nor the glossary has;
    `glossed` all names of its terms that the glossary has; `asks` the relations it asks about, the most telling first;
    `years` the years it names; `descent` whether it asks where something came from or (`down`) what it led to;
    `compares` whether it compares.
    """

    text: str
    language: str
    nodes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    glossed: tuple[str, ...] = ()
    asks: tuple[Relation, ...] = ()
    years: tuple[str, ...] = ()
    descent: bool = False
    down: bool = False
    compares: bool = False


def understand(
    text: str,
    graph: KnowledgeGraph,
    known: Callable[[str], bool] = lambda _: False,
    language: str | None = None,
    ordinary: Callable[[str], bool] = lambda _: False,
) -> Question:
    """What a question names and asks for.

    Args:
        text: the question.
        graph: its lexicon knows the names.
        known: whether all words of a phrase occur in the corpus; such a word is no typo.
        language: `en` or `zh`; the question's own if None.
        ordinary: whether a Chinese phrase is made of words of the dictionary; in quotation marks it is no name then.
    """
    text = text.strip()
    mentions = graph.lexicon.find(text)
    found = [(mention.start, mention.nodes) for mention in mentions]
    taken = [(mention.start, mention.end) for mention in mentions]
    unknown: list[str] = []
    glossed: list[str] = []
    for start, end, sure in _candidates(text):
        if any(start < right and left < end for left, right in taken):
            continue
        surface = text[start:end]
        if text[start - 1 : start] in ("“", "「") and not _technical(text, start, end) and ordinary(surface):
            continue
        before = text[:start].rstrip()
        opens = before[-1:] in ("", ".", "?", "!", ":") and surface[1:].islower()  # capital only because it comes first
        if (" " not in surface and known(surface)) or (opens and _misspelt(surface)):
            continue
        if nodes := graph.lexicon.lookup(surface):
            found.append((start, nodes))
            taken.append((start, end))
        elif term := _terms().get(fold(surface)):
            glossed += [*term.en, *term.zh]
            taken.append((start, end))
        elif sure:
            unknown.append(surface)
            taken.append((start, end))
    found.sort()
    asks = dict.fromkeys(r for relations, pattern in _ASKS if re.search(pattern, text, re.I) for r in sorted(relations))
    return Question(
        text,
        language or language_of(text),
        _choose([nodes for _, nodes in found], graph),
        tuple(dict.fromkeys(unknown)),
        tuple(dict.fromkeys(glossed)),
        tuple(asks),
        tuple(dict.fromkeys(re.findall(r"(?<!\d)(?:19[3-9]|20[0-4])\d(?!\d)", text))),
        bool(_DESCENT.search(text) or DOWN.search(text)),
        _down(text, [start for start, _ in found]),
        bool(_COMPARE.search(text)),
    )


@cache
def _terms() -> dict[str, Term]:
    """The glossary by folded name."""
    return {fold(name): term for term in reversed(terms()) for name in (*term.en, *term.zh)}


def _down(text: str, named: list[int]) -> bool:
    """Whether a question asks what came of its first node, rather than what that came from."""
    if verb := BUILT.search(text):
        return bool(named) and named[0] > verb.start()
    return bool(DOWN.search(text))


def _candidates(text: str) -> Iterator[tuple[int, int, bool]]:
    """Spans that look like names, and whether they surely are some: quoted, capitalised or with digits."""
    for match in _QUOTED.finditer(text):
        group = match.lastindex or 0
        sure = match[0].startswith("《") or _names(match[group]) or _technical(text, *match.span(group))
        yield match.start(group), match.end(group), sure
    for match in _NAME.finditer(text):
        start, end = match.span()
        words = match[0].rstrip(".").split()
        end = match.start() + len(match[0].rstrip(".-/"))
        while words and (_bare(words[0]) in _PLAIN or words[0].isdigit()):  # "Does Mamba", "What's", "1974 PhD"
            start += len(words[0]) + 1
            words = words[1:]
        surface = text[start:end]
        if words and end - start > 1 and re.search(r"[A-Z]|[a-z]-?\d", surface) and not _AMOUNT.fullmatch(surface):
            yield start, end, True
    for match in _WORD.finditer(text):
        if match[0].casefold() not in _PLAIN:
            yield match.start(), match.end(), False


def _bare(word: str) -> str:
    """A word in lower case without a contracted verb or a possessive ending."""
    return re.sub(r"['’](?:s|re|ve|ll|d|m|t)?$", "", word.casefold())


def _technical(text: str, start: int, end: int) -> bool:
    """Whether quoted words end, or are followed, as names of methods and systems are."""
    return _TERM.search(text[start:end]) is not None or _THING.match(text, end + 1) is not None


def _misspelt(word: str) -> bool:
    """Whether a word is one slip away from a word that questions begin with."""
    from rapidfuzz.distance import OSA

    return any(OSA.distance(word.casefold(), plain, score_cutoff=1) <= 1 for plain in _PLAIN if len(plain) > 2)


def _names(quoted: str) -> bool:
    """Whether what stands between quotation marks is a name or a title rather than something somebody says.

    >>> _names("Attention Is All You Need"), _names("天衍四九"), _names("同一个词语境不同意思不同")
    (True, True, False)
    """
    return re.search("[A-Z]", quoted) is not None or (
        re.search(r"[\u3400-\u9fff]", quoted) is not None and 2 < len(quoted) <= _SHORT
    )


def _choose(mentioned: list[tuple[str, ...]], graph: KnowledgeGraph) -> tuple[str, ...]:
    """One node a mention: of several, one that is related to another node of the question, else the first."""
    sure = {nodes[0] for nodes in mentioned if len(nodes) == 1}
    chosen: dict[str, None] = {}
    for nodes in mentioned:
        related = (node for node in nodes if node in graph.nx and sure & set(_neighbours(node, graph)))
        chosen[next(related, nodes[0])] = None
    return tuple(chosen)


def _neighbours(node: str, graph: KnowledgeGraph) -> Iterator[str]:
    yield from graph.nx.successors(node)
    yield from graph.nx.predecessors(node)
