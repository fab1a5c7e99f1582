"""Questions that lean on the turn before: said in full, so that they can be searched and answered by themselves.

Who proposed BERT? / and when was it published?     and when was BERT published?
BERT 有多少参数？ / 那 GPT-2 呢？                    GPT-2 有多少参数？
Who proposed dropout? / where did he work?          where did Geoffrey Hinton work?  (if the answer names him)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ailineage.corpus.documents import language_of
from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.identity import Mention
from ailineage.kg.vocabulary import Kind

TURNS = 4
"""So many turns back are looked at; what is older is forgotten."""
_OWN = re.compile(r"\b(?:its|their)\b(?! own)|它们的|它的|其(?=[^他它实中余次])", re.I)
_IT = re.compile(
    r"\b(?:it(?!\s+(?:true|possible|correct|likely|hard|easy|important|necessary|known)\b)|they|them"
    r"|(?:this|that|the same|the) (?:model|paper|method|technique|network|architecture|algorithm|idea|one|system))\b"
    r"|(?:该|这个|那个|这种|那种|这篇|那篇|此)(?:模型|论文|方法|技术|网络|架构|算法|思想|系统|机制)|它们|它"
    r"|(?<![\w\u4e00-\u9fff])(?:这个|那个)(?![\u4e00-\u9fff]*(?:问题|时候|年))",
    re.I,
)
_THEIR_OWN = re.compile(r"\b(?:his|her)\b|[他她]们?的", re.I)
_PERSON = re.compile(r"\b(?:he|she|him)\b|(?:这个|那个|这位|那位)(?:人|作者|学者|科学家)|[他她](?!们)", re.I)
_ALSO = re.compile(
    r"^(?:(?:and|but|so|ok|okay|then|now|also|what about|how about)\b[\s,]*)+"
    r"|^(?:那么|那|还有|以及|另外|再说|换成|至于)+[，,\s]*",
    re.I,
)
_REST = re.compile(r"^(?:the|an?|is|for|呢|吗|怎么样|如何|又|是|的|\W)*$", re.I)
_WHY = re.compile(
    r"^\W*(?:(?:and|but|so)\s+)?(?:why(?: not| is that| so)?|how come|how so|为什么|为何|为啥|怎么会)\W*呢?\W*$", re.I
)
_LEANS = re.compile(r"呢\W*$|^\W*(?:(?:and|but|so|then)\b|那|还有|另外)", re.I)
_SHORT = {"en": 6, "zh": 12}
"""Words, or characters, of a question that is too short to stand alone if it names nothing."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was asked, and its answer if there is one."""

    question: str
    answer: str = ""


def in_full(question: str, before: Sequence[Turn], graph: KnowledgeGraph) -> str:
    """A question as it would be asked without the turns before it; itself if it does not lean on them.

    Args:
        question: the new question.
        before: the turns, oldest first.
        graph: its lexicon knows the names.
    """
    said, last = "", Turn("")
    for turn in [*before[-TURNS:], Turn(question)]:
        said, last = _in_full(turn.question, said, last, graph), turn
    return said


def _in_full(question: str, earlier: str, turn: Turn, graph: KnowledgeGraph) -> str:
    """One step: `earlier` is the last question in full, `turn` as it was asked and answered."""
    subjects = _subjects(earlier, turn.answer, graph)
    if not subjects:
        return question
    mentions = graph.lexicon.find(question)
    if _WHY.match(question):
        return f"{question.strip().rstrip('?？。.')}{': ' if language_of(question) == 'en' else '：'}{earlier}"
    if mentions and _only(question, mentions):
        return _instead(earlier, [m.surface for m in mentions], graph)
    names = _joined([mention.surface for mention in subjects], language_of(question))
    person = next((m.surface for m in _people(turn.answer, graph) or _people(earlier, graph)), None)
    if person and (said := _replaced(question, person, _THEIR_OWN, _PERSON)) != question:
        return said
    if (said := _replaced(question, names, _OWN, _IT)) != question:
        return said
    if mentions or not _leans(question):
        return question
    return _about(question, names)


def _subjects(earlier: str, answer: str, graph: KnowledgeGraph) -> list[Mention]:
    """What the last question was about; where it named nothing, what its answer names first."""
    found = graph.lexicon.find(earlier) or graph.lexicon.find(answer)[:1]
    works = [m for m in found if not _are(m, graph, Kind.PERSON, Kind.ORGANIZATION)] or found
    return list({mention.nodes: mention for mention in works}.values())


def _people(text: str, graph: KnowledgeGraph) -> list[Mention]:
    return [mention for mention in graph.lexicon.find(text) if _are(mention, graph, Kind.PERSON)]


def _are(mention: Mention, graph: KnowledgeGraph, *kinds: Kind) -> bool:
    return all(graph.nodes[node].kind in kinds for node in mention.nodes)


def _only(question: str, mentions: Sequence[Mention]) -> bool:
    """Whether a question says nothing but names, as `and GPT-2?` does."""
    rest = question
    for mention in reversed(mentions):
        rest = rest[: mention.start] + " " + rest[mention.end :]
    return bool(_REST.match(_ALSO.sub("", rest.strip())))


def _instead(earlier: str, names: Sequence[str], graph: KnowledgeGraph) -> str:
    """The last question, asked of something else of the same sort."""
    mentions = graph.lexicon.find(earlier)
    if not mentions:
        return earlier
    works = [m for m in mentions if not _are(m, graph, Kind.PERSON, Kind.ORGANIZATION)] or mentions
    old = works[0]
    return _ALSO.sub("", earlier[: old.start] + _joined(names, language_of(earlier)) + earlier[old.end :])


def _replaced(question: str, name: str, own: re.Pattern[str], plain: re.Pattern[str]) -> str:
    """The first pronoun made a name, with the possessive of its language."""
    chinese = language_of(question) == "zh"

    def spaced(text: str) -> Callable[[re.Match[str]], str]:
        def put(match: re.Match[str]) -> str:
            latin = bool(re.match(r"[A-Za-z0-9]", text[-1])) and chinese
            before = " " if latin and match.start() and not question[match.start() - 1].isspace() else ""
            return f"{before}{text}{' ' if latin else ''}"

        return put

    if own.search(question):
        return own.sub(spaced(f"{name}的" if chinese else f"{name}'s"), question, count=1)
    return plain.sub(spaced(name), question, count=1)


def _leans(question: str) -> bool:
    """Whether a question without a name must be about the last one's subject."""
    if _LEANS.search(question):
        return True
    bare = re.sub(r"\W", "", question) if language_of(question) == "zh" else question.split()
    return len(bare) <= _SHORT[language_of(question)]


def _about(question: str, names: str) -> str:
    if language_of(question) == "zh":
        return f"{names} {_ALSO.sub('', question.strip())}"
    return f"{question.strip().rstrip('?.')} ({names})?"


def _joined(names: Sequence[str], language: str) -> str:
    if len(names) < 2:
        return names[0] if names else ""
    if language == "zh":
        return "、".join(names[:-1]) + "和" + names[-1]
    return ", ".join(names[:-1]) + " and " + names[-1]
