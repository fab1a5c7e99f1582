"""Questions made from the graph: what a claim states is asked for, from either end, in the words of phrasings.toml.

A share of them must be refused: they ask a node for something that no claim and no sentence of its articles holds, or
say that it was made by somebody, or in a year, that the graph excludes. All randomness comes from one seed.
"""

from __future__ import annotations

import itertools
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from ailineage.kg.graph import KnowledgeGraph
from ailineage.kg.model import Claim, Node
from ailineage.kg.vocabulary import Kind, Relation
from ailineage.models.decoder.knowledge import Knowledge
from ailineage.models.decoder.quantities import numbers
from ailineage.models.decoder.training.written import Said, Written

_FILE = Path(__file__).with_name("phrasings.toml")
_TOGETHER = (Relation.PROPOSED_BY, Relation.BUILDS_ON, Relation.USES, Relation.TRAINED_ON)
"""Relations whose claims about one node are one answer."""
_MOST = 3
_MAKING = {
    "en": ("why did {o} {v} {n}?", "when did {o} {v} {n}?", "how did {o} come to {v} {n}"),
    "zh": ("{o}为什么要{v}{n}？", "{o}是什么时候{v}{n}的？", "{o}当年怎么想到{v}{n}的"),
}
_VERB = {"en": ("invent", "propose", "release"), "zh": ("提出", "发明", "发布")}
_DATED = {
    "en": ("what was new about {n} when it came out in {y}?", "why was {n} published in {y} and not earlier?"),
    "zh": ("{y}年发表的{n}有什么新意？", "{n}在{y}年提出时引起了什么反响？"),
}


@cache
def phrasings() -> dict[str, dict[str, tuple[str, ...]]]:
    """Every way to ask, by intent and language.

    >>> len(phrasings()["published_on"]["zh"]) > 30
    True
    """
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        intent: {language: tuple(dict.fromkeys(way for line in lines for way in _ways(line)))
                 for language, lines in by_language.items()}
        for intent, by_language in table.items()
    }  # fmt: skip


def _ways(line: str) -> Iterator[str]:
    parts = [part.split("|") for part in re.split(r"\(([^()]*)\)", line)]
    for chosen in itertools.product(*parts):
        yield " ".join("".join(chosen).split())


def questions(graph: KnowledgeGraph, families: Sequence[str], count: int, seed: int = 0) -> list[Written]:
    """About `count` questions on the nodes of some families, half in each language, a quarter to be refused.

    Args:
        graph: the library's graph.
        families: a node's family, or its kind where it has none.
        count: how many; fewer if the graph does not hold so many.
        seed: of all choices.
    """
    draw = random.Random(seed)
    knowledge = Knowledge(graph.nodes, graph.claims, graph.lexicon)
    nodes = [node for node in graph.nodes.values() if _family(node) in families]
    asked = [*_stated(graph, nodes, knowledge, draw), *_led_to(graph, nodes, knowledge, draw)]
    absent = [*_absent(graph, nodes, draw), *_wrong(graph, nodes, knowledge, draw)]
    draw.shuffle(asked)
    draw.shuffle(absent)
    refused = count // 4
    chosen = [*absent[:refused], *asked[: count - refused]]
    draw.shuffle(chosen)
    return [replace(one, question=_worn(one.question, draw)) for one in chosen]


def _stated(
    graph: KnowledgeGraph, nodes: Sequence[Node], knowledge: Knowledge, draw: random.Random
) -> Iterator[Written]:
    groups: dict[tuple[str, Relation, str, int], list[Claim]] = defaultdict(list)
    wanted = {node.id for node in nodes}
    for place, claim in enumerate(graph.claims.values()):
        if claim.subject in wanted and str(claim.relation) in phrasings() and claim.preferred:
            language = graph.documents[claim.document].language
            alone = 0 if claim.relation in _TOGETHER else place
            groups[claim.subject, claim.relation, language, alone].append(claim)
    for (subject, relation, language, _), claims in groups.items():
        said = [one for claim in claims[:_MOST] if (one := _said(claim, language, knowledge))]
        if said:
            node = graph.nodes[subject]
            name = claims[0].qualifier if relation is Relation.HAS_PARAMETERS and claims[0].qualifier else None
            other = graph.nodes[claims[0].object].name(language) if claims[0].object else ""
            question = _ask(str(relation), language, draw, name or _called(node, language, draw), other)
            yield Written(language, "fact", question, (subject,), tuple(said), family=_family(node))


def _led_to(
    graph: KnowledgeGraph, nodes: Sequence[Node], knowledge: Knowledge, draw: random.Random
) -> Iterator[Written]:
    for node in nodes:
        for language in ("en", "zh"):
            claims = [
                claim
                for claim in graph.claims.values()
                if claim.object == node.id and claim.relation in (Relation.BUILDS_ON, Relation.VARIANT_OF)
                and graph.documents[claim.document].language == language
            ]  # fmt: skip
            said = [one for claim in claims[:_MOST] if (one := _said(claim, language, knowledge))]
            if said:
                question = _ask("led_to", language, draw, _called(node, language, draw))
                yield Written(language, "lineage", question, (node.id,), tuple(said), family=_family(node))


def _absent(graph: KnowledgeGraph, nodes: Sequence[Node], draw: random.Random) -> Iterator[Written]:
    """Sizes and training data of nodes whose articles give none."""
    for node in nodes:
        if node.kind is not Kind.MODEL:
            continue
        held = {claim.relation for claim in graph.claims.values() if claim.subject == node.id}
        for language in ("en", "zh"):
            document = graph.documents.get(f"{node.id}.{language}")
            text = document.text if document else ""
            sizes = any(number >= 1e6 for number in numbers(text)) or re.search("parameter|参数", text, re.I)
            data = re.search("data|corpus|数据|语料|训练", text, re.I)
            for relation, known in ((Relation.HAS_PARAMETERS, sizes), (Relation.TRAINED_ON, data)):
                if relation not in held and not known:
                    question = _ask(str(relation), language, draw, _called(node, language, draw))
                    yield _refused(node, language, question, "missing", ())


def _wrong(
    graph: KnowledgeGraph, nodes: Sequence[Node], knowledge: Knowledge, draw: random.Random
) -> Iterator[Written]:
    """A maker who did not make it, a year that is not its own."""
    makers = [node for node in graph.nodes.values() if node.kind in (Kind.PERSON, Kind.ORGANIZATION)]
    for node in nodes:
        about = [claim for claim in graph.claims.values() if claim.subject == node.id and claim.preferred]
        for language in ("en", "zh"):
            here = [claim for claim in about if graph.documents[claim.document].language == language]
            made = [c for c in here if c.relation in (Relation.PROPOSED_BY, Relation.DEVELOPED_BY)]
            text = "\n".join(graph.documents[id].text for id in {c.document for c in about})
            others = [m for m in makers if not any(surface in text for surface in m.surfaces)]
            if made and others and (said := _said(made[0], language, knowledge)):
                other = draw.choice(others).name(language)
                question = draw.choice(_MAKING[language]).format(
                    o=other, v=draw.choice(_VERB[language]), n=_called(node, language, draw)
                )
                yield _refused(node, language, question, "premise", (said,))
            dated = [c for c in here if c.relation is Relation.PUBLISHED_ON and c.value]
            if dated and (said := _said(dated[0], language, knowledge)):
                year = int(str(dated[0].value)[:4]) - draw.choice((2, 3, 5, 9))
                question = draw.choice(_DATED[language]).format(n=_called(node, language, draw), y=year)
                yield _refused(node, language, question, "premise", (said,))


def _refused(node: Node, language: str, question: str, cause: str, said: tuple[Said, ...]) -> Written:
    return Written(language, "refuse", question, (node.id,), said, (), cause, _family(node))


def _said(claim: Claim, language: str, knowledge: Knowledge) -> Said | None:
    text = knowledge.rendered(claim, language)
    return Said(text, ((claim.document, claim.start, claim.end),)) if text else None


def _ask(intent: str, language: str, draw: random.Random, name: str, other: str = "") -> str:
    ways = [way for way in phrasings()[intent][language] if other or "{o}" not in way]
    return draw.choice(ways).format(n=name, o=other)


def _family(node: Node) -> str:
    return str(node.family or node.kind)


def _called(node: Node, language: str, draw: random.Random) -> str:
    """A name a person would use: mostly the usual one, now and then an alias of the same script."""
    usual = node.name(language)
    chinese = bool(re.search(r"[\u3400-\u9fff]", usual))
    aliases = [a for a in node.aliases if bool(re.search(r"[\u3400-\u9fff]", a)) == chinese and len(a) > 2]
    return draw.choice(aliases) if aliases and draw.random() < 0.2 else usual


def _worn(question: str, draw: random.Random) -> str:
    """As it is typed: sometimes in lower case, seldom with two letters of a long word exchanged."""
    if draw.random() < 0.3:
        question = question.lower()
    words = list(re.finditer(r"[a-z]{6,}", question))
    if words and draw.random() < 0.08:
        at = draw.choice(words).start() + draw.randrange(1, 4)
        question = question[:at] + question[at + 1] + question[at] + question[at + 2 :]
    return question
