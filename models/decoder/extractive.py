"""Answers without a model: the sentences of the evidence that answer, in the question's language, every one cited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ailineage.corpus import statement
from ailineage.kg.vocabulary import LINEAGE, Kind, Relation
from ailineage.models.decoder.intent import RELATIONS, VALUES, Intent, intent, relations, values
from ailineage.models.decoder.knowledge import Knowledge, cleaned, overlap
from ailineage.models.decoder.quantities import dates, numbers
from ailineage.models.decoder.quotation import quotation
from ailineage.models.decoder.selection import Piece, pieces
from ailineage.models.decoder.support import refusal
from ailineage.retrieval.evidence import Bundle, Evidence, Hop
from ailineage.retrieval.question import BUILT, DOWN

MOST = 5
"""Most sentences of an answer that is no path and no list."""
_LISTED = 8
_ENOUGH = 3
_BOTH = 3
_FULL = 6
_GENERATIONS = 4
"""Most steps of a line of descent that is told from one end."""
_EACH = 2
"""Most sentences on each of several things asked."""
_AGAIN = 0.7
"""The share of its words from which a sentence says again what another said."""
_WHOLLY = 0.8
"""The same for sentences on different things asked."""
_FEW = 4
"""Most sentences once the best ones are added: of an explanation, of a value."""
_BEST = 3
"""The best sentences have a place in an answer, whatever else is chosen, if they are `_ALMOST` as good as the first."""
_ALMOST = 0.3
_OWN = 3
"""So have as many sentences of added documents, if they are among the best `_NEAR`."""
_NEAR = 8
_SURE = 1
"""The best sentence of added documents is about what is asked, whatever it names."""
_MORE = 0.15
"""Chance from which a sentence is added to a line of descent."""
_MADE = frozenset({Relation.DEVELOPED_BY, Relation.PROPOSED_BY, Relation.AUTHORED_BY})
_NAMED = frozenset({Kind.MODEL, Kind.SOFTWARE, Kind.DATASET})
_TOLD = frozenset({Relation.TRAINED_ON, Relation.EVALUATED_ON, Relation.ADDRESSES})
_CATALOGUE = (
    _MADE
    | (_TOLD - {Relation.ADDRESSES})
    | {Relation.PUBLISHED_ON, Relation.INTRODUCED_IN, Relation.WON, Relation.HAS_PARAMETERS}
)
_PROPOSING = re.compile(
    r"\bpropos|\binvent|\bintroduc|\bcame up\b|\bbehind\b|\bcreat|\bthought of\b|\bidea\b|提出|发明|想出|创造|首创",
    re.I,
)
_WRITTEN = re.compile(r"\bauthors?\b|\bwr(?:ote|itten)\b|\bpapers?\b|作者|论文|撰写|写的", re.I)
_PROPOSED = re.compile(r"\b(?:proposed|invented|introduced) by\b|由[^，。；《]{2,40}提出", re.I)
_ANNOUNCED = 2
"""Sentences that follow such a one."""
_SIZES = re.compile(
    r"\b(?:what|which|list|all)\b(?: [\w-]+){0,3} sizes\b|\bhow many sizes\b"
    r"|(?:几|哪些|哪几|多少)[个种]?(?:不同的?)?(?:尺寸|规模|型号|大小)",
    re.I,
)
_VENUE = re.compile(r"\bjournal\b|\bconference\b|\bvenue\b|\bmagazine\b|期刊|杂志|会议|刊物|顶会", re.I)
_SMALLEST = re.compile(r"\bsmallest\b|\btiniest\b|最小", re.I)
_ANNOUNCES = re.compile(
    r"\b(?:two|three|four) (?:\w+ )?(?:parts|stages|steps|ways|kinds|networks|components|things)\b"
    r"|[两二三四][个种类步项条大](?:部分|阶段|步|方面|组件|角色|网络)?|分为|[:：]\W*$|如下",
    re.I,
)
"""A sentence that says how many things the next ones name."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A sentence of the answer and the span it says again."""

    text: str
    evidence: Evidence
    nodes: frozenset[str] = frozenset()


def compose(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Quoted]:
    """One to six sentences that answer a question; along a path, one a hop. Empty if nothing answers.

    Where it asks several things, the best ones on each come first.

    Args:
        bundle: the question, its nodes and its path.
        ranked: the sentences of the evidence, best first.
        knowledge: names and claims.
    """
    whole = _composed(bundle, ranked, knowledge)
    parts = [_composed(part, found, knowledge)[:_EACH] for part, found in _answerable(bundle, knowledge)]
    if not parts:
        return whole
    first = follows(bundle) or intent(bundle.question) is Intent.COMPARISON
    said = [whole, *parts] if first else [*parts, whole]
    return _once((quoted for part in said for quoted in part), knowledge, max(_FULL, len(said[0])))


def _answerable(bundle: Bundle, knowledge: Knowledge) -> Iterator[tuple[Bundle, list[Piece]]]:
    """The parts of a question that have an answer, with their sentences, best first."""
    for part in bundle.parts:
        ranked = pieces(part, knowledge)
        if refusal(part, ranked, knowledge) is None:
            yield part, ranked


def _once(said: Iterable[Quoted], knowledge: Knowledge, most: int) -> list[Quoted]:
    """The first sentences that do not say again what one before them said."""
    kept: list[tuple[Quoted, set[str]]] = []
    for quoted in said:
        words = knowledge.words(quoted.text)
        if not any(overlap(words, before) > _WHOLLY for _, before in kept):
            kept.append((quoted, words))
    return [quoted for quoted, _ in kept[:most]]


def _composed(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Quoted]:
    if bundle.path and follows(bundle):
        hops = [hop_sentence(hop, bundle.language, knowledge) for hop in bundle.path]
        taken = {(q.evidence.document, q.evidence.start) for q in hops}
        about = [p for p in ranked if p.names and not p.unclear and not _catalogued(p, bundle, knowledge)]
        more = [p for p in about if (p.evidence.document, p.evidence.start) not in taken and p.chance >= _MORE]
        return hops + _quoted(_distinct(more, knowledge, max(MOST - len(hops), 1)), bundle, knowledge)
    chosen = _completed(_choose(bundle, ranked, knowledge), bundle, ranked, knowledge)
    return _quoted(_readable(chosen, bundle, knowledge), bundle, knowledge)


def _completed(chosen: list[Piece], bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """With the very best sentences, and the best ones of documents that were added to the library, if not chosen."""
    wanted = intent(bundle.question)
    if not chosen or wanted is Intent.LIST:
        return chosen
    value = wanted in VALUES
    about = _about(bundle, ranked, knowledge)
    said = _proposers(bundle, [p for p in about if p.fits])
    about = [p for p in about if not p.fits or p in said]
    best = [p for p in about[:_BEST] if p.chance >= _ALMOST * about[0].chance]
    told = [p for p in ranked if _tells(p, bundle, knowledge)][:_EACH]
    added = [p for p in about if p in ranked[:_NEAR] and not p.article and knowledge.claim(p.evidence) is None]
    best += [p for p in ([] if value else added[:_OWN]) if p not in best]
    chosen = [*told, *(p for p in chosen if p not in told)]
    more = [p for p in best if p not in chosen]
    full = _FEW if value else _FULL
    return _distinct([*chosen[: max(full - len(more), 1)], *more], knowledge, full)


def _tells(piece: Piece, bundle: Bundle, knowledge: Knowledge) -> bool:
    """Whether it states of what a question names the data, the benchmark or the problem that the question wants."""
    claim = knowledge.claim(piece.evidence)
    wanted = relations(bundle.question) & _TOLD
    return claim is not None and claim.relation in wanted and claim.subject in bundle.nodes and claim.preferred


def _about(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """The sentences about what the question names that may stand in its answer, best first."""
    wanted, asked = intent(bundle.question), set(bundle.nodes)
    about = [p for place, p in enumerate(ranked) if not asked or p.nodes & asked or (place < _SURE and not p.article)]
    about = about or ranked
    if wanted not in (Intent.NAME, Intent.TITLE):  # what a thing is also called explains nothing
        about = [piece for piece in about if not piece.renames] or about
    if wanted in (Intent.EXPLAIN, Intent.COMPARISON):
        about = [piece for piece in about if not _catalogued(piece, bundle, knowledge)] or about
    return about


def _readable(chosen: list[Piece], bundle: Bundle, knowledge: Knowledge) -> list[Piece]:
    """Without the library's sentences in the other language, where three or more others are chosen."""
    other = [p for p in chosen if p.article and p.evidence.language != bundle.language]
    left = [p for p in chosen if p not in other or knowledge.claim(p.evidence) is not None]
    return left if len(left) >= _ENOUGH else chosen


def _quoted(chosen: list[Piece], bundle: Bundle, knowledge: Knowledge) -> list[Quoted]:
    return [Quoted(say(p.evidence, bundle.language, knowledge), p.evidence, p.nodes) for p in chosen]


def follows(bundle: Bundle) -> bool:
    """Whether the path of a bundle is what the question asks for."""
    return bool(bundle.path) and intent(bundle.question) is Intent.LINEAGE


def hop_sentence(hop: Hop, language: str, knowledge: Knowledge) -> Quoted:
    """One step of descent with what changed."""
    text = say(hop.evidence, language, knowledge)
    ends = frozenset((hop.parent, hop.child))
    if hop.evidence.language == language and ends <= knowledge.ids(text) | {hop.evidence.node}:
        return Quoted(text, hop.evidence, ends)
    succeeded = hop.relation == Relation.SUCCEEDED_BY
    subject, target = (hop.parent, hop.child) if succeeded else (hop.child, hop.parent)
    one, other = (knowledge.nodes[id].name(language) if id in knowledge.nodes else id for id in (subject, target))
    changed = hop.changed if hop.changed and _written_in(hop.changed, language) else None
    return Quoted(statement.sentence(hop.relation, one, other, language, changed=changed), hop.evidence, ends)


def say(evidence: Evidence, language: str, knowledge: Knowledge) -> str:
    """What a span says, in a language: itself, its claim rendered, or itself quoted with the language it is in."""
    text = cleaned(evidence.text)
    if evidence.language == language:
        text = text.rstrip("；;，,")
        return text if text.endswith(tuple(".。!！?？”")) else text + ("." if language == "en" else "。")
    claim = knowledge.claim(evidence)
    if claim is not None and (said := knowledge.rendered(claim, language)):
        return said
    return quotation(text, evidence.language, language)


def _choose(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    wanted = intent(bundle.question)
    asked = set(bundle.nodes)
    about = _about(bundle, ranked, knowledge)
    if _SIZES.search(bundle.question) and len(sizes := _sizes(bundle, ranked, knowledge)) > 1:
        return _distinct([*sizes, *about[:1]], knowledge, _LISTED)
    if several := _several(bundle, ranked, knowledge):
        return _distinct(several, knowledge, max(MOST, len(several)))
    listed = wanted is Intent.LIST and DOWN.search(bundle.question) is not None
    if (wanted is Intent.LINEAGE or listed) and (steps := _steps(bundle, ranked, knowledge)):
        return _distinct([*_distinct(steps, knowledge, MOST if listed else _GENERATIONS), *about[:2]], knowledge, MOST)
    if wanted in VALUES:
        fitting = _proposers(bundle, [piece for piece in about if piece.fits])
        most = 2 if wanted in (Intent.WHO, Intent.COUNT) else 1
        if not fitting:
            return []
        if wanted is Intent.TITLE:
            fitting = _titles(bundle, fitting, knowledge)
        near = [p for p in fitting if p.chance >= 0.6 * fitting[0].chance]
        passed = [p for p in about if p.fits and p not in fitting]
        better = [
            p for p in about[:2] if p not in passed and p.chance > 0.3 * fitting[0].chance
        ]  # of what else is asked
        near = _distinct([*_sized(bundle, ranked, knowledge), *near], knowledge, most)
        return _distinct([*near, *better], knowledge, most + 2)
    if wanted is Intent.COMPARISON and len(asked) > 1:
        return _compared(bundle, [piece for piece in about if not piece.unclear] or about, knowledge)
    if (
        wanted is Intent.LIST
        and (members := _members(bundle, ranked, knowledge))
        and (not asked or dates(bundle.question) or about[0] in members)
    ):
        return _distinct(members, knowledge, _LISTED)
    if wanted is Intent.LIST and about:
        return _in_order(_distinct(_continued(about, ranked, 0.2), knowledge, MOST))
    if wanted is Intent.LINEAGE and about:
        return _distinct([p for p in about if p.chance >= 0.4 * about[0].chance], knowledge, MOST)
    most = 4 if relations(bundle.question) else MOST
    return _in_order(_distinct(_continued(about, ranked, 0.1), knowledge, most)) if about else []


def _catalogued(piece: Piece, bundle: Bundle, knowledge: Knowledge) -> bool:
    """Whether it only gives the date, the paper or the makers of something, and the question asks for none of it."""
    claim = knowledge.claim(piece.evidence)
    if claim is None:
        return piece.disputed
    return claim.relation in _CATALOGUE - relations(bundle.question) or not claim.preferred


def _in_order(chosen: list[Piece]) -> list[Piece]:
    """Those of the best one's document in the order of its text, then the others; one that names its subject first."""
    home = chosen[0].evidence.document
    said = sorted(chosen, key=lambda piece: (piece.evidence.document != home, _place(chosen, piece, home)))
    clear = [piece for piece in said if not piece.unclear]
    first = next((piece for piece in clear if piece.names), clear[0] if clear else said[0])
    return [first, *(piece for piece in said if piece is not first)]


def _place(chosen: list[Piece], piece: Piece, home: str) -> int:
    return piece.evidence.start if piece.evidence.document == home else chosen.index(piece)


def _proposers(bundle: Bundle, fitting: list[Piece]) -> list[Piece]:
    """For who proposed something, the statements of that alone, if there are any: its paper's authors say it less."""
    asked = bundle.question
    if intent(asked) is not Intent.WHO or _WRITTEN.search(asked) or not _PROPOSING.search(asked):
        return fitting
    said = [p for p in fitting if _PROPOSED.search(p.evidence.text)]
    return said or fitting


def _steps(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """The statements of descent that a question asks for: what a node came from, or what came of it."""
    named = [m.start for m in knowledge.lexicon.find(bundle.question) if set(m.nodes) & set(bundle.nodes)]
    verb = BUILT.search(bundle.question)
    up = min(named, default=0) < verb.start() if verb else not DOWN.search(bundle.question)
    steps: dict[tuple[bool, bool], list[Piece]] = {}
    for piece in ranked:
        claim = knowledge.claim(piece.evidence)
        if claim is None or claim.relation not in LINEAGE or claim.object is None or not claim.preferred:
            continue
        parent, child = claim.object, claim.subject
        if claim.relation is Relation.SUCCEEDED_BY:
            parent, child = child, parent
        near = (child if up else parent) in bundle.nodes
        if near or (not up and piece.evidence.hop):
            built = claim.relation in (Relation.BUILDS_ON, Relation.VARIANT_OF)
            steps.setdefault((near, built), []).append(piece)
    later = sorted(steps.get((False, True), []), key=lambda piece: piece.evidence.hop)
    return [*steps.get((True, True), []), *later, *steps.get((True, False), [])]


def _several(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """The best statement of each value of each work, where a question wants several; empty if one has none."""
    question = bundle.question
    only = intent(question)
    wanted = values(question) or ([only] if RELATIONS.get(only, frozenset()) & relations(question) else [])
    kinds = {id: knowledge.nodes[id].kind for id in bundle.nodes if id in knowledge.nodes}
    works = [id for id in kinds if kinds[id] in _NAMED] or list(kinds)
    if len(wanted) * len(works) < 2 or not VALUES.issuperset(wanted):
        return []
    found = [_statement(kind, node, question, ranked, knowledge) for kind in wanted for node in works]
    return [piece for piece in found if piece is not None] if None not in found else []


def _titles(bundle: Bundle, fitting: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """Sentences with a title: first those that name most of what the question names, or say where it appeared."""
    asked, venue = set(bundle.nodes), _VENUE.search(bundle.question) is not None

    def merit(piece: Piece) -> tuple[bool, int]:
        claim = knowledge.claim(piece.evidence)
        said = venue and claim is not None and claim.relation is Relation.INTRODUCED_IN
        return said, len(knowledge.ids(piece.evidence.text) & asked)

    return sorted(fitting, key=merit, reverse=True)


def _sizes(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """All that is stated of the sizes of a question's works, the smallest first."""
    stating = []
    for piece in ranked:
        claim = knowledge.claim(piece.evidence)
        if claim is not None and claim.relation is Relation.HAS_PARAMETERS and claim.subject in bundle.nodes:
            stating.append((max(numbers(claim.value or ""), default=0.0), piece))
    return [piece for _, piece in sorted(stating, key=lambda pair: pair[0])]


def _sized(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """The statement of a work's size, where that is what a question wants."""
    if intent(bundle.question) is not Intent.COUNT or Relation.HAS_PARAMETERS not in relations(bundle.question):
        return []
    found = [_statement(Intent.COUNT, node, bundle.question, ranked, knowledge) for node in bundle.nodes]
    return [piece for piece in found if piece is not None][:1]


def _statement(wanted: Intent, node: str, question: str, ranked: list[Piece], knowledge: Knowledge) -> Piece | None:
    """The best sentence that states a value of a node; of its sizes that which is asked for, else the largest."""
    stating = []
    for piece in ranked:
        claim = knowledge.claim(piece.evidence)
        if claim is None or claim.relation not in RELATIONS.get(wanted, ()):
            continue
        if claim.subject == node or (claim.relation is Relation.AUTHORED_BY and node in piece.nodes):
            stating.append((piece, claim))
    if wanted is Intent.COUNT:
        called = question.casefold()
        sign = -1 if _SMALLEST.search(question) else 1
        stating.sort(key=lambda pair: sign * max(numbers(pair[1].value or ""), default=0.0), reverse=True)
        stating.sort(key=lambda pair: (pair[1].qualifier or "-").casefold() not in called)
    return stating[0][0] if stating else None


def _members(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """Of a list of what somebody made or of what a year brought: the statements of it, if there are several."""
    years = {date[:4] for date in dates(bundle.question)}
    found: dict[str, Piece] = {}
    for piece in ranked:
        claim = knowledge.claim(piece.evidence)
        if claim is None:
            continue
        made = claim.relation in _MADE and claim.object in bundle.nodes
        then = claim.relation is Relation.PUBLISHED_ON and (claim.value or "")[:4] in years and not bundle.nodes
        if made or then:
            found.setdefault(claim.subject, piece)
    given = {(e.document, e.start): place for place, e in enumerate(bundle.evidence)}  # the best known first
    members = sorted(
        found.values(), key=lambda piece: given.get((piece.evidence.document, piece.evidence.start), len(given))
    )
    return members if len(found) > 1 else []


def _with_next(piece: Piece, ranked: list[Piece], least: int = 0) -> list[Piece]:
    """A sentence and those that follow it in its text: as many as it announces."""
    after = [piece]
    for _ in range(_ANNOUNCED if _ANNOUNCES.search(piece.evidence.text) else least):
        last = after[-1].evidence
        following = (p for p in ranked if p.evidence.document == last.document)
        after += [p for p in following if 0 <= p.evidence.start - last.end <= 2][:1]
    return after


def _continued(about: list[Piece], ranked: list[Piece], share: float) -> list[Piece]:
    """The best sentence, those that follow it in its text, then those that come near it."""
    best = about[0]
    after = _with_next(best, ranked, 1)
    near = [p for p in about[1:] if p not in after and p.chance >= share * best.chance]
    return [*after, *(p for n in near for p in _with_next(n, ranked))]


def _joins(piece: Piece, bundle: Bundle, knowledge: Knowledge) -> bool:
    """Whether it states that one of the things compared came from another, and so what changed."""
    claim = knowledge.claim(piece.evidence)
    return (
        claim is not None
        and claim.relation in LINEAGE
        and claim.preferred
        and {claim.subject, claim.object} <= set(bundle.nodes)
    )


def _compared(bundle: Bundle, about: list[Piece], knowledge: Knowledge) -> list[Piece]:
    """The sentences about several of the things compared that are among the best, then those about each."""
    steps = [piece for piece in about if _joins(piece, bundle, knowledge)][:1]
    chosen = [*steps, *(piece for piece in about[:_BOTH] if len(piece.nodes.intersection(bundle.nodes)) > 1)]
    of = [
        [p for p in about if node in p.nodes and len(p.nodes.intersection(bundle.nodes)) == 1]
        or [p for p in about if node in p.nodes]
        for node in bundle.nodes[:3]
    ]
    chosen += [pieces[place] for place in range(2) for pieces in of if place < len(pieces)]
    return _distinct(chosen, knowledge, MOST)


def _distinct(ranked: Iterable[Piece], knowledge: Knowledge, most: int) -> list[Piece]:
    """The first that do not say again what one before them said, in either language."""
    held: list[tuple[Piece, set[str]]] = []
    claims = set()
    for piece in ranked:
        claim = knowledge.claim(piece.evidence)
        said = (claim.subject, claim.relation, claim.object, claim.value, claim.qualifier) if claim else None
        words = knowledge.words(piece.evidence.text)
        again = said in claims or any(overlap(words, other) > _AGAIN for _, other in held)
        if again and (said is not None or held):
            continue
        if said:
            claims.add(said)
        held.append((piece, words))
        if len(held) == most:
            break
    return [piece for piece, _ in held]


def _written_in(text: str, language: str) -> bool:
    from ailineage.corpus.documents import language_of

    return language_of(text) == language
