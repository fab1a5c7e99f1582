"""Can the evidence support an answer at all? Decided before a word is written.

A question is refused if it is outside the field, about something no document names, asks for what the documents do
not say, or rests on a premise they contradict or know nothing of: a year before its subject existed, a maker who did
not make it, a contest it did not win, a thing that it never had to do with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ailineage.kg.identity import fold
from ailineage.kg.vocabulary import Kind, Relation
from ailineage.models.decoder.demands import Demand, demand
from ailineage.models.decoder.intent import MAKERS, VALUES, Intent, intent
from ailineage.models.decoder.knowledge import Knowledge, overlap
from ailineage.models.decoder.quantities import dates
from ailineage.models.decoder.selection import Piece
from ailineage.retrieval.evidence import Bundle

NEAR = {"en": 0.815, "zh": 0.84}
"""Cosine from which the best evidence counts as near without a word in common, for the packaged encoder.

Of 42 written questions from outside the field all but one lie below it, of 68 others that name no node eight
(`python benchmarks/questions.py`).
"""
COVERED = 0.6
"""Share of the question's content words that one evidence must hold where no node is named and none is near."""
_FIELD = re.compile(
    r"\b(?:neur\w+|networks?|models?|learn\w*|train\w*|algorithms?|attention|tokens?|embedding\w*|encod\w+|decod\w+"
    r"|transformers?|classif\w+|gradients?|layers?|ai|artificial|deep|chatbots?|dropout|overfit\w*|regulari\w+|papers?)\b"
    r"|神经|网络|模型|学习|训练|算法|注意力|词元|词向量|嵌入|编码|解码|分类|梯度|卷积|人工智能|智能|过拟合|正则|论文",
    re.I,
)
_PROPER = re.compile(r"(?<!^)(?<![?.!] )\b[A-Z][A-Za-z\-]{3,}")
_SMALL = re.compile(r"(?<![A-Za-z])[a-z]{3,8}(?:-?\d+)?(?![A-Za-z])")
_WORKS = frozenset({Kind.MODEL, Kind.TECHNIQUE, Kind.SOFTWARE, Kind.DATASET, Kind.PAPER})
_DEFINITE = _WORKS | MAKERS | {Kind.EVENT}
_TOGETHER = frozenset({Intent.COMPARISON, Intent.LIST, Intent.LINEAGE})
"""What a question may ask of two things that have nothing to do with each other."""
_LISTING = re.compile(
    r"\W*(?:和|与|跟|同|及|以及|还有|或|还是|比|对比|and|or|nor|against|versus|vs\.?|than|to|到|、|,)?\W*", re.I
)
_MADE = re.compile(
    r"\b(?:publish|propos|introduc|invent|releas|develop|creat|design|built?|wrote|author|announc|came out|launch)\w*"
    r"|提出|发布|发表|发明|推出|问世|开发|研发|创造|设计|撰写",
    re.I,
)
_WON = re.compile(
    r"\bw[io]n(?:s|ner|ning)?\b|\bbeat\b|\bdefeat\w*|\bchampion\w*|\bfirst place\b|冠军|夺冠|打败|击败|获胜|赢", re.I
)
_BETWEEN = re.compile(r"\b(?:before|since|until|after|between|from|prior|earlier)\b|之前|以前|以来|之后|以后|从", re.I)
_KEPT = re.compile(
    r"\bundisclosed\b|\b(?:not|never|without)\b.{0,40}\b(?:disclos|reveal|publish|made public|g[ia]v|state)\w*"
    r"|\bkept (?:secret|back)\b|\bno (?:details|figures?|numbers?)\b"
    r"|(?:没有|未曾?|不曾?|从未)(?:给出|公布|公开|披露|透露|说明|提供)|保密",
    re.I,
)
"""Says that something is not made known."""
_ASKED_YEAR = re.compile(
    r"\b(?:which|what|any|name|list)\b[^?]{0,40}?(?:in|of|from)\s+\d{4}|\d{4}\s*年.{0,8}(?:哪|什么|有谁)|(?:哪|什么).{0,8}\d{4}",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer: `cause` is field, unknown, missing, premise or apart; `found` is what is said."""

    cause: str
    subject: str = ""
    found: tuple[Piece, ...] = ()


def refusal(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> Refusal | None:
    """Why a question must be refused, or None if the evidence may support an answer.

    Args:
        bundle: the question and its evidence.
        ranked: the sentences of the evidence, best first.
        knowledge: names and claims.
    """
    if not ranked or not _in_field(bundle, ranked, knowledge):
        return Refusal("field")
    if unknown := _unknown(bundle):
        return Refusal("unknown", unknown, tuple(_about(bundle, ranked)[:1]) if bundle.nodes else ())
    if (wrong := _false_premise(bundle, ranked, knowledge)) is not None:
        return wrong
    demanded = demand(bundle.question, knowledge)
    if demanded is not None:
        about = subjects(bundle, ranked, knowledge, demanded)
        kept = [piece for piece in about if _KEPT.search(piece.evidence.text)]
        if all(piece in kept for piece in about if demanded.by(piece)):
            nearest = tuple([*kept, *_about(bundle, ranked)][:1])
            return Refusal("missing", _names(bundle.nodes, knowledge, bundle.language), nearest)
    if intent(bundle.question) in VALUES:
        about = _about(bundle, ranked)
        if not any(piece.fits for piece in about):
            return Refusal("missing", _names(bundle.nodes, knowledge, bundle.language), tuple(about[:1]))
    return None


def subjects(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge, demanded: Demand) -> list[Piece]:
    """The sentences about what the question is about: its works, if it names any, but for what is to be counted."""
    nodes = set(bundle.nodes) - knowledge.ids(demanded.counted)
    nodes = {id for id in nodes if id in knowledge.nodes and knowledge.nodes[id].kind in _WORKS} or nodes
    return [piece for piece in ranked if not nodes or piece.nodes & nodes]


def _in_field(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> bool:
    if bundle.nodes or any(evidence.signals.get("name", 0.0) >= 1.0 for evidence in bundle.evidence):
        return True
    dense = max((evidence.signals.get("dense", 0.0) for evidence in bundle.evidence), default=0.0)
    if dense >= NEAR[bundle.language] - (0.03 if _FIELD.search(bundle.question) else 0.0):
        return True
    texts = [f"{evidence.title} {evidence.text}" for evidence in bundle.evidence]
    if bundle.language == "zh":  # an abbreviation, or a name with its version, typed in small letters
        small = [re.escape(word if word[-1].isdigit() else word.upper()) for word in _SMALL.findall(bundle.question)]
        found = re.compile("|".join(rf"(?<![A-Za-z]){word}(?![A-Za-z])" for word in small) or "(?!)")
        if any(found.search(form) for text in texts for form in (text, text.lower())):
            return True
    proper = _PROPER.findall(bundle.question)
    if proper and dense >= NEAR[bundle.language] - 0.04 and any(all(name in text for name in proper) for text in texts):
        return True
    asked = {word for word in knowledge.words(bundle.question) if not word.isdigit()}
    return bool(asked) and any(overlap(asked, knowledge.words(text)) >= COVERED for text in texts)


def _unknown(bundle: Bundle) -> str:
    """The first name in the question that no node bears and no evidence holds."""
    text = fold(" ".join(f"{evidence.title} {evidence.text}" for evidence in bundle.evidence))
    return next((name for name in bundle.unknown if fold(name) not in text), "")


def _about(bundle: Bundle, ranked: list[Piece]) -> list[Piece]:
    return [piece for piece in ranked if not bundle.nodes or piece.nodes.intersection(bundle.nodes)]


def _false_premise(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> Refusal | None:
    works = [id for id in bundle.nodes if id in knowledge.nodes and knowledge.nodes[id].kind in _WORKS]
    for check in (_year, _maker, _victory, _apart):
        if (found := check(bundle, ranked, knowledge, works)) is not None:
            return found
    return None


def _year(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge, works: list[str]) -> Refusal | None:
    """A year before a subject's own, or a year of making that no evidence about it holds."""
    question = bundle.question
    years = {date[:4] for date in dates(question)}
    if not years or _BETWEEN.search(question) or _ASKED_YEAR.search(question) or intent(question) is Intent.LIST:
        return None
    for id in works:
        if (born := _born(id, ranked, knowledge)) is None:
            continue
        early = min(years) < min(born)
        alien = bool(_MADE.search(question)) and len(works) == 1 and not years & born
        if (early or alien) and not _stated(id, years, ranked):
            return Refusal(
                "premise",
                knowledge.nodes[id].name(bundle.language),
                _evidence(id, ranked, knowledge, Relation.PUBLISHED_ON),
            )
    return None


def _born(id: str, ranked: list[Piece], knowledge: Knowledge) -> set[str] | None:
    """The years a node is said to be from."""
    node = knowledge.nodes[id]
    years = {node.date[:4]} if node.date else set()
    for piece in ranked:
        claim = knowledge.claim(piece.evidence)
        if claim is not None and claim.subject == id and claim.relation is Relation.PUBLISHED_ON and claim.value:
            years.add(claim.value[:4])
    return years or None


def _stated(id: str, years: set[str], ranked: list[Piece]) -> bool:
    """Whether a sentence that is about a node and no other work holds one of the years."""
    return any(
        piece.evidence.node == id and years & {date[:4] for date in dates(piece.evidence.text)} for piece in ranked
    )


def _maker(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge, works: list[str]) -> Refusal | None:
    """A person or organization that the question says made a work, and that the makers known of it exclude."""
    makers = [id for id in bundle.nodes if id in knowledge.nodes and knowledge.nodes[id].kind in MAKERS]
    if len(works) != 1 or not makers or not _MADE.search(bundle.question):
        return None
    made = {Relation.PROPOSED_BY, Relation.DEVELOPED_BY, Relation.AUTHORED_BY}
    claims = [claim for claim in knowledge.claims.values() if claim.subject == works[0] and claim.relation in made]
    known = {claim.object for claim in claims if claim.object}
    kinds = {knowledge.nodes[id].kind for id in known if id in knowledge.nodes}
    for id in makers:
        mentioned = any(works[0] in piece.nodes and id in piece.nodes for piece in ranked)
        if known and id not in known and knowledge.nodes[id].kind in kinds and not mentioned:
            subject = knowledge.nodes[works[0]].name(bundle.language)
            return Refusal("premise", subject, _evidence(works[0], ranked, knowledge, *made))
    return None


def _victory(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge, works: list[str]) -> Refusal | None:
    """A contest that the question says a work won, of which no evidence about that work says so."""
    contests = [
        id for id in bundle.nodes if id in knowledge.nodes and knowledge.nodes[id].kind in (Kind.EVENT, Kind.DATASET)
    ]
    if not _WON.search(bundle.question) or not contests or intent(bundle.question) is Intent.WHO:
        return None
    first = next((id for id in works if id not in contests), None)
    if first is None or any(
        first in piece.nodes and (_WON.search(piece.evidence.text) or _claims(piece, Relation.WON, knowledge))
        for piece in ranked
    ):
        return None
    return Refusal(
        "premise", knowledge.nodes[first].name(bundle.language), _evidence(first, ranked, knowledge, Relation.WON)
    )


def _apart(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge, works: list[str]) -> Refusal | None:
    """Two things that a question takes to have to do with each other, and that no passage names together."""
    question = bundle.question
    if not bundle.apart or bundle.path or intent(question) in _TOGETHER:
        return None
    listed: list[set[str]] = []
    end = None
    for mention in knowledge.lexicon.find(question):
        if end is not None and _LISTING.fullmatch(question[end : mention.start]):
            listed[-1].update(mention.nodes)
        else:
            listed.append(set(mention.nodes))
        end = mention.end
    for one, other in bundle.apart:
        kinds = {knowledge.nodes[id].kind for id in (one, other) if id in knowledge.nodes}
        if not kinds <= _DEFINITE or any({one, other} <= group for group in listed):
            continue
        work = next((id for id in (one, other) if id in works), one)
        name = (" and " if bundle.language == "en" else " 与 ").join(
            knowledge.nodes[id].name(bundle.language) for id in (one, other)
        )
        return Refusal("apart", name, _evidence(work, ranked, knowledge))
    return None


def _claims(piece: Piece, relation: Relation, knowledge: Knowledge) -> bool:
    claim = knowledge.claim(piece.evidence)
    return claim is not None and claim.relation is relation


def _evidence(id: str, ranked: list[Piece], knowledge: Knowledge, *wanted: Relation) -> tuple[Piece, ...]:
    """The best sentence about a node, of the wanted relations if there is one."""
    about = [piece for piece in ranked if piece.evidence.node == id] or [p for p in ranked if id in p.nodes]
    exact = [p for p in about if (c := knowledge.claim(p.evidence)) and c.subject == id and c.relation in wanted]
    dated = [p for p in about if dates(p.evidence.text)] if Relation.PUBLISHED_ON in wanted else []
    return tuple((exact or dated or about)[:1])


def _names(ids: tuple[str, ...], knowledge: Knowledge, language: str) -> str:
    names = [knowledge.nodes[id].name(language) for id in ids if id in knowledge.nodes]
    return (", " if language == "en" else "、").join(names[:3])
