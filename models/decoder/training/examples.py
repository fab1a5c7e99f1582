"""From questions to what a decoder is trained on: the prompt it will see, and what it should have written.

The evidence is what retrieval and selection find for the question, with their distractors and misses, numbered and
cut as for any question; for half of the questions their order is shuffled, so that a decoder has to read them and
not only to take the last. A sentence of the answer cites those pieces that hold its quotes, or else one that states
it as the verifier reads it; a sentence nothing shown supports is left out, and a question of which nothing is left
is left out too.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ailineage.models.decoder import answer, extractive, selection
from ailineage.models.decoder.knowledge import Knowledge
from ailineage.models.decoder.prompt import prompt
from ailineage.models.decoder.runtime.base import DECLINED
from ailineage.models.decoder.training.written import Said, Written
from ailineage.models.decoder.verification import verify
from ailineage.retrieval.evidence import Evidence
from ailineage.retrieval.follow_up import Turn, in_full

if TYPE_CHECKING:
    from ailineage.retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and the line that should follow it; `refused` where that declines."""

    prompt: str
    answer: str
    language: str
    family: str
    question: str
    refused: bool


def examples(retriever: Retriever, questions: Iterable[Written], seed: int | None = None) -> Iterator[Example]:
    """The examples of questions, each with the evidence found for it; None as seed shuffles nothing."""
    graph, draw = retriever.graph, random.Random(seed)
    knowledge = Knowledge(graph.nodes, graph.claims, graph.lexicon)
    for asked in questions:
        text = in_full(asked.question, [Turn(before) for before in asked.before], graph)
        bundle = retriever.bundle(text, asked.language)
        ranked = selection.pieces(bundle, knowledge)
        shown = answer.shown(extractive.compose(bundle, ranked, knowledge), ranked)
        if not shown:
            continue
        if seed is not None and draw.random() < 0.5:
            draw.shuffle(shown)
        written, held = prompt(text, shown, asked.language, examples=False)
        said = [(one.text, cited) for one in asked.answer if (cited := _cited(one, held, knowledge))]
        if said or asked.refuse:
            line = _line(said, asked.language, refused=asked.refuse is not None)
            yield Example(written, line, asked.language, asked.family, text, asked.refuse is not None)


def _cited(said: Said, held: Sequence[Evidence], knowledge: Knowledge) -> tuple[int, ...]:
    """The numbers of the evidence that a sentence may cite: at most two; none if nothing shown supports it."""
    quoted = tuple(n for n, item in enumerate(held, 1) if any(_within(item, span) for span in said.spans))[:2]
    if quoted and verify(said.text, [held[n - 1] for n in quoted], knowledge).supported:
        return quoted
    return next(((n,) for n, item in enumerate(held, 1) if verify(said.text, [item], knowledge).supported), ())


def _within(item: Evidence, span: tuple[str, int, int]) -> bool:
    document, start, end = span
    return item.document == document and item.start < end and start < item.end


def _line(said: Sequence[tuple[str, tuple[int, ...]]], language: str, *, refused: bool) -> str:
    sentences = [DECLINED[language]] if refused else []
    sentences += [text + " " * (language == "en") + "".join(f"[{n}]" for n in cited) for text, cited in said]
    return " " * (language == "en") + (" " if language == "en" else "").join(sentences) + "\n"
