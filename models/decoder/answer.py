"""From evidence to a cited answer: decide support, let the decoder write, verify, fill in from the evidence.

The evidence's best sentences (or the hops of a path) are the core of the answer. The decoder puts them into its own
words: a sentence it wrote takes the place of one of the core if it stands up to verification and says what that says,
and others that stand are added. A tuned decoder may also say that the evidence holds no answer; that counts where
there is doubt (`doubt`) whether it does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from ailineage.kg.identity import Lexicon
from ailineage.kg.model import Claim, Node
from ailineage.models.decoder import doubt, extractive, selection
from ailineage.models.decoder.demands import demand
from ailineage.models.decoder.drafting import Writing, Written
from ailineage.models.decoder.extractive import Quoted
from ailineage.models.decoder.intent import Intent, intent
from ailineage.models.decoder.knowledge import Knowledge, cleaned, overlap
from ailineage.models.decoder.prompt import prompt
from ailineage.models.decoder.quantities import dated, dates, numbers
from ailineage.models.decoder.result import Answer, Checked, Citation, Done, Draft, Event, Sentence, Step
from ailineage.models.decoder.runtime.base import Decoder
from ailineage.models.decoder.selection import Piece
from ailineage.models.decoder.support import Refusal, refusal, subjects
from ailineage.models.decoder.verification import Verdict
from ailineage.models.decoder.wording import why
from ailineage.retrieval.evidence import Bundle, Evidence

__all__ = ["Answer", "Checked", "Citation", "Done", "Draft", "Event", "Sentence", "Step", "answer"]

SHOWN = 8
"""Most sentences of evidence that the decoder is shown."""
_DOUBTFUL = 0.6
"""The chance that the evidence holds no answer from which a decoder that declines is followed."""


def answer(
    bundle: Bundle,
    decoder: Decoder | None,
    *,
    nodes: Mapping[str, Node],
    claims: Mapping[str, Claim] | None = None,
    lexicon: Lexicon | None = None,
    retrieve_ms: float = 0.0,
    verified: bool = True,
) -> Iterator[Event]:
    """Answer a question from its evidence, or refuse; the last event is `Done`.

    Args:
        bundle: the question and its evidence, best first.
        decoder: who writes; None takes every sentence from the evidence.
        nodes: the graph's nodes by id.
        claims: the graph's claims by id; with them a fact can be said in the other language.
        lexicon: the nodes' names, if they have been gathered already.
        retrieve_ms: how long retrieval took; it counts in the other timings.
        verified: whether what the decoder writes is checked against what it cites; off only to measure the check.
    """
    clock = _Clock(retrieve_ms)
    knowledge = Knowledge(nodes, claims or {}, lexicon)
    ranked = selection.pieces(bundle, knowledge)
    if (refused := refusal(bundle, ranked, knowledge)) is not None:
        yield Done(_refused(bundle, refused, knowledge, clock))
        return
    core = extractive.compose(bundle, ranked, knowledge)
    if not core:
        yield Done(_refused(bundle, _missing(bundle, ranked, knowledge), knowledge, clock))
        return
    evidence = shown(core, ranked)
    written: list[Written] = []
    tuned = decoder is not None and decoder.adapter is not None
    if decoder is not None:
        text, evidence = prompt(bundle.question, evidence, bundle.language, examples=not tuned)
        writing = Writing(evidence, bundle.language, knowledge, verified)
        for event in writing.write(decoder, text):
            clock.first()
            yield event
        written = writing.kept
        if tuned and writing.declined and _doubtful(bundle, ranked, knowledge):
            yield Done(_declined(bundle, writing, ranked, knowledge, clock))
            return
    clock.first()
    sentences, used = _assemble(bundle, core, written, evidence, knowledge)
    model = {"base": decoder.base, "adapter": decoder.adapter} if decoder is not None else None
    dropped = tuple((w.text, w.verdict.reason) for w in written if not w.verdict.supported)
    citations = tuple(_citation(n, item, knowledge) for n, item in enumerate(used, 1))
    path = _path(bundle, used) if bundle.path and extractive.follows(bundle) else None
    yield Done(
        Answer(bundle.question, bundle.language, sentences, citations, False, path, model, clock.read(), dropped)
    )


def _doubtful(bundle: Bundle, ranked: list[Piece], knowledge: Knowledge) -> bool:
    """Whether a decoder that declines is followed: not where a sentence holds the number or sum that is asked for."""
    demanded = demand(bundle.question, knowledge)
    met = demanded is not None and any(map(demanded.by, subjects(bundle, ranked, knowledge, demanded)))
    return not met and doubt.chance(bundle, ranked, knowledge) > _DOUBTFUL


def shown(core: Sequence[Quoted], ranked: Sequence[Piece], most: int = SHOWN) -> list[Evidence]:
    """The evidence the decoder sees: the core first, then what ranks next."""
    spans = {(e.document, e.start, e.end): e for e in (*(q.evidence for q in core), *(p.evidence for p in ranked))}
    return list(spans.values())[: max(most, len(core))]


def _led(written: Sequence[Written], evidence: Sequence[Evidence]) -> tuple[tuple[Sentence, ...], list[Evidence]]:
    """The decoder's own sentences as far as they stand, and the evidence they cite by number."""
    stood = [w for w in written if w.verdict.supported]
    used = [evidence[n - 1] for n in dict.fromkeys(n for w in stood for n in w.cited)]
    sentences = tuple(
        Sentence(w.text, tuple(used.index(evidence[n - 1]) + 1 for n in w.cited), written=True, verdict=w.verdict)
        for w in stood
    )
    return sentences, used


def _declined(bundle: Bundle, writing: Writing, ranked: Sequence[Piece], knowledge: Knowledge, clock: _Clock) -> Answer:
    """The decoder found no answer in the evidence: what it says instead, or the nearest sentence."""
    refused = _missing(bundle, ranked, knowledge)
    instead, used = _led(writing.kept, writing.evidence)
    if not instead:
        return _refused(bundle, refused, knowledge, clock)
    sentences = (Sentence(why(refused, bundle.language), ()), *instead)
    citations = tuple(_citation(n, item, knowledge) for n, item in enumerate(used, 1))
    return Answer(bundle.question, bundle.language, sentences, citations, True, timings_ms=clock.read())


def _missing(bundle: Bundle, ranked: Sequence[Piece], knowledge: Knowledge) -> Refusal:
    """Nothing says it; the nearest sentence that stands by itself is what there is."""
    subject = next((knowledge.nodes[id].name(bundle.language) for id in bundle.nodes if id in knowledge.nodes), "")
    return Refusal("missing", subject, tuple([piece for piece in ranked if not piece.unclear][:1]))


def _assemble(
    bundle: Bundle,
    core: Sequence[Quoted],
    written: Sequence[Written],
    evidence: Sequence[Evidence],
    knowledge: Knowledge,
) -> tuple[tuple[Sentence, ...], list[Evidence]]:
    """The answer's sentences, renumbered in order of use, and the evidence by number."""
    used: list[Evidence] = []

    def number(item: Evidence) -> int:
        if item not in used:
            used.append(item)
        return used.index(item) + 1

    free = [w for w in written if w.verdict.supported]
    sentences: list[Sentence] = []
    for quoted in core:
        taken = next((w for w in free if _covers(w, quoted, evidence, bundle, knowledge)), None)
        if taken is None:
            sentences.append(Sentence(quoted.text, (number(quoted.evidence),), verdict=Verdict(True, "quoted")))
        else:
            free.remove(taken)
            cited = tuple(number(evidence[n - 1]) for n in taken.cited)
            sentences.append(Sentence(taken.text, cited, written=True, verdict=taken.verdict))
    if intent(bundle.question) in (Intent.EXPLAIN, Intent.COMPARISON, Intent.LIST):
        for extra in free:
            again = any(overlap(knowledge.words(extra.text), knowledge.words(s.text)) > 0.6 for s in sentences)
            about = not bundle.nodes or knowledge.ids(extra.text).intersection(bundle.nodes)
            if len(sentences) < extractive.MOST and about and not again:
                cited = tuple(number(evidence[n - 1]) for n in extra.cited)
                sentences.append(Sentence(extra.text, cited, written=True, verdict=extra.verdict))
    return tuple(sentences), used


def _covers(
    written: Written, quoted: Quoted, evidence: Sequence[Evidence], bundle: Bundle, knowledge: Knowledge
) -> bool:
    """Whether a written sentence says what a sentence of the core says that the question wants to know."""
    if quoted.evidence not in [evidence[n - 1] for n in written.cited]:
        return False
    said, wanted = cleaned(written.text), intent(bundle.question)
    asked = set(bundle.nodes)
    if asked and quoted.nodes & asked and not (knowledge.ids(said) & asked):
        return False
    if wanted in (Intent.WHEN, Intent.COUNT) and overlap(_wanted(bundle, knowledge), knowledge.words(said)) == 1.0:
        return bool(dates(said) if wanted is Intent.WHEN else numbers(said))
    if wanted is Intent.WHEN:
        return bool(dates(said)) and all(dated(d, dates(said)) for d in dates(quoted.text) - dates(bundle.question))
    if wanted is Intent.COUNT:
        return bool(numbers(said)) and numbers(quoted.text) - numbers(bundle.question) <= numbers(said)
    if extractive.follows(bundle):
        return (
            quoted.nodes <= knowledge.ids(said) and overlap(knowledge.words(quoted.text), knowledge.words(said)) >= 0.6
        )
    if not (knowledge.ids(quoted.text) - asked <= knowledge.ids(said)):
        return False
    return overlap(knowledge.words(quoted.text), knowledge.words(said)) >= 0.6


def _wanted(bundle: Bundle, knowledge: Knowledge) -> set[str]:
    """The question's content words outside the names of nodes; one that cannot be met if there are none."""
    return {word for word in knowledge.bare_words(bundle.question) if not word.isdigit()} or {""}


def _refused(bundle: Bundle, refused: Refusal, knowledge: Knowledge, clock: _Clock) -> Answer:
    language = bundle.language
    sentences = [Sentence(why(refused, language), ())]
    used = [piece.evidence for piece in refused.found]
    for n, item in enumerate(used, 1):
        lead = "What they do say: " if language == "en" else "资料中的说法是："
        said = extractive.say(item, language, knowledge)
        sentences.append(Sentence(lead + said, (n,), verdict=Verdict(True, "quoted")))
    clock.first()
    citations = tuple(_citation(n, item, knowledge) for n, item in enumerate(used, 1))
    return Answer(bundle.question, language, tuple(sentences), citations, True, timings_ms=clock.read())


def _citation(n: int, evidence: Evidence, knowledge: Knowledge) -> Citation:
    node = knowledge.nodes.get(evidence.node or "")
    if node is None:
        return Citation(n, None, evidence.title, None, (evidence,))
    return Citation(n, node.id, node.name(evidence.language), str(node.kind), (evidence,))


def _path(bundle: Bundle, used: Sequence[Evidence]) -> tuple[Step, ...]:
    return tuple(
        Step(h.parent, h.child, h.relation, h.changed, used.index(h.evidence) + 1 if h.evidence in used else None)
        for h in bundle.path
    )


class _Clock:
    """Milliseconds since the question was asked."""

    def __init__(self, retrieve: float) -> None:
        self._began, self._retrieve = time.perf_counter(), retrieve
        self._first: float | None = None

    def _now(self) -> float:
        return self._retrieve + (time.perf_counter() - self._began) * 1000

    def first(self) -> None:
        """Mark the first text that could be shown."""
        if self._first is None:
            self._first = self._now()

    def read(self) -> dict[str, float]:
        """The timings of an answer that ends now."""
        now = self._now()
        return {"retrieve": self._retrieve, "first_token": self._first or now, "total": now}
