"""Tune how questions are embedded, so that they lie near the sentences that answer them, and measure it.

    python benchmarks/questions.py            # measure the tuning that is in use
    python benchmarks/questions.py --learn    # learn it anew and write retrieval/questions.npz

The questions are those written by hand in models/decoder/training/questions; the answering sentences are those their
answers quote. Only biases and LayerNorms are tuned (BitFit), for questions alone: passages keep their vectors, and the
4-bit weights of the package stay as they are. Only a part of what was learned is kept, which holds up better on
questions of another kind (weights between the untuned and the tuned, WiSE-FT). Contrastive loss over the sentences of
the library in the question's language, the nearest wrong ones among them. A question's language and
its mean cosine with all sentences are held. Measured: whether an answering sentence is
among the first k of the library's sentences, for families of nodes held out; of those in the other language, the ones
of the same node's other article that lie nearest to the answering ones are taken for right.

References:
    Ben Zaken et al., "BitFit", arXiv 2106.10199.
    Wortsman et al., "Robust fine-tuning of zero-shot models" (WiSE-FT), arXiv 2109.01903.
"""

# ruff: noqa: T201
from __future__ import annotations

import random
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm
from transformers import BertModel, PreTrainedTokenizerBase

import ailineage
from ailineage.engine import Engine
from ailineage.models.decoder.support import NEAR
from ailineage.models.decoder.training import written
from ailineage.retrieval import packaged_e5
from ailineage.retrieval.embedding import TUNING, PackagedEmbedder
from ailineage.retrieval.follow_up import Turn, in_full

EPOCHS, BATCH, RATE, TEMPERATURE = 4, 32, 1.5e-3, 0.02
RANDOM, HARD = 2_000, 15
STILL = 50.0
"""Weight of the squared change of a question's language and of its mean cosine, which shall stay near what they are."""
KEPT = 0.7
"""How much of what was learned is kept."""


@dataclass(frozen=True)
class Asked:
    """A question, the rows of the sentences that answer it, and of those nearest to them in the other language."""

    text: str
    language: str
    family: str
    answers: list[int]
    counterparts: list[int]


@dataclass(frozen=True)
class Sentences:
    """The library's sentences: unit vectors (S, D) without the language, which are English (S,), the axis (D,)."""

    vectors: Tensor
    english: Tensor
    axis: Tensor

    def cleared(self, vectors: Tensor) -> Tensor:
        """Unit vectors without the language."""
        return F.normalize(vectors - torch.outer(vectors @ self.axis, self.axis), dim=1)

    def foreign(self, asked: list[Asked]) -> Tensor:
        """Which sentences (N, S) are not in the language of each question."""
        return torch.stack([self.english if q.language == "zh" else ~self.english for q in asked])


def gather(engine: Engine) -> tuple[list[Asked], Sentences]:
    """All answerable questions, and the sentences."""
    retriever = engine.retriever
    index = retriever.sentences
    places: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for number, (row, start, end) in enumerate(index.spans.tolist()):
        places[retriever.rows[row].document].append((start, end, number))
    english = torch.tensor([retriever.rows[row].language == "en" for row in index.spans[:, 0]])
    axis = torch.tensor(index.axis.direction)
    vectors = Sentences(torch.tensor(index.vectors), english, axis).cleared(torch.tensor(index.vectors))
    found = []
    for path in sorted(written.FOLDER.glob("*.jsonl")):
        for question in written.read(path, engine.graph):
            spans = [span for said in question.answer for span in said.spans]
            rows = sorted({n for d, start, end in spans for a, b, n in places[d] if a < end and start < b})
            if not rows or question.refuse is not None:
                continue
            beside = [n for d in {_other(d) for d, _, _ in spans} for _, _, n in places[d]]
            nearest = (vectors[rows] @ vectors[beside].T).argmax(dim=1).tolist() if beside else []
            text = in_full(question.question, [Turn(before) for before in question.before], engine.graph)
            counterparts = sorted({beside[n] for n in nearest})
            found.append(Asked(text, question.language, question.family, rows, counterparts))
    return found, Sentences(vectors, english, axis)


def _other(document: str) -> str:
    """The article in the other language."""
    node, _, language = document.rpartition(".")
    return f"{node}.{'zh' if language == 'en' else 'en'}"


def report(name: str, asked: list[Asked], vectors: Tensor, sentences: Sentences) -> None:
    """Print how often an answering sentence is among the first."""
    vectors = sentences.cleared(vectors)
    foreign = sentences.foreign(asked)
    for scope in ("all", "its language", "the other"):
        hits = defaultdict(list)
        for question, vector, other in zip(asked, vectors, foreign, strict=True):
            right = question.counterparts if scope == "the other" else question.answers
            if not right:
                continue
            scores = sentences.vectors @ vector
            if scope != "all":
                scores[other if scope == "its language" else ~other] = -1
            before = int((scores > scores[right].max()).sum())
            for k in (1, 3, 5, 10):
                hits[k].append(before < k)
        values = "  ".join(f"first {k} {100 * np.mean(v):5.1f}" for k, v in hits.items())
        print(f"{name:8} {len(hits[1]):5}  sentences in {scope:12}  {values}")


def outside(engine: Engine) -> None:
    """Print how far questions that name nothing known lie from the library: those outside its field, and the others."""
    nearest: dict[tuple[str, str], list[float]] = defaultdict(list)
    for path in sorted(written.FOLDER.glob("*.jsonl")):
        for question in written.read(path, engine.graph):
            asked = engine.retriever.understand(question.question, question.language)
            if question.before or asked.nodes or question.refuse not in (None, "field"):
                continue
            scores, _ = engine.retriever.dense.search(engine.retriever.embedder.queries([asked.text]), 1)
            nearest[question.language, question.refuse or "answerable"].append(float(scores.max()))
    for (language, kind), cosines in sorted(nearest.items()):
        near = sum(cosine >= NEAR[language] for cosine in cosines)
        print(f"{language} {kind:10} {len(cosines):4}  from {NEAR[language]} on: {near}")


def learn(training: list[Asked], sentences: Sentences, folder: Path) -> dict[str, np.ndarray]:
    """What is added to biases and LayerNorms, by the tensors' names in the packaged file."""
    from transformers import AutoModel, AutoTokenizer

    random.seed(0)
    torch.manual_seed(0)
    model: BertModel = AutoModel.from_pretrained(folder)
    words: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    names = packaged_e5.names(model.config.num_hidden_layers)
    for name, weights in model.named_parameters():
        weights.requires_grad = name in names and weights.dim() == 1
    tuned = {name: weights for name, weights in model.named_parameters() if weights.requires_grad}
    before = {name: weights.detach().clone() for name, weights in tuned.items()}
    optimizer = torch.optim.AdamW(tuned.values(), lr=RATE, weight_decay=0.01)
    steps = EPOCHS * -(-len(training) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: min((n + 1) / 20, 1) * max(1 - n / steps, 0.02))
    fixed = torch.stack([sentences.axis, F.normalize(sentences.vectors.mean(dim=0), dim=0)])  # language and scale
    with torch.no_grad():
        places = [_encode(training[n : n + 100], model, words) @ fixed.T for n in range(0, len(training), 100)]
    kept = {question.text: place for question, place in zip(training, torch.cat(places), strict=True)}
    model.train()
    for _ in tqdm(range(EPOCHS), desc="epochs", disable=None):
        for batch in torch.utils.data.DataLoader(training, BATCH, shuffle=True, collate_fn=list):
            vectors = _encode(batch, model, words)
            moved = vectors @ fixed.T - torch.stack([kept[question.text] for question in batch])
            loss = _loss(batch, sentences.cleared(vectors), sentences) + STILL * moved.square().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tuned.values(), 1.0)
            optimizer.step()
            schedule.step()
    return {
        names[name]: (KEPT * (weights.detach() - before[name])).numpy().astype(np.float16)
        for name, weights in tuned.items()
    }


def _encode(batch: list[Asked], model: BertModel, words: PreTrainedTokenizerBase) -> Tensor:
    texts = [packaged_e5.PROMPTS["query"] + question.text for question in batch]
    given = words(texts, truncation=True, max_length=128, padding=True, return_tensors="pt")
    hidden = model(**given).last_hidden_state
    shown = given["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return F.normalize((hidden * shown).sum(1) / shown.sum(1), dim=1)


def _loss(batch: list[Asked], vectors: Tensor, sentences: Sentences) -> Tensor:
    """Cross-entropy of the right sentences among those of the batch, the nearest and some at random."""
    foreign = sentences.foreign(batch)
    with torch.no_grad():
        nearest = (vectors @ sentences.vectors.T).masked_fill(foreign, -1).topk(HARD, dim=1).indices
    rows = {row for question in batch for row in question.answers} | set(nearest.flatten().tolist())
    pool = torch.tensor(sorted(rows | set(random.sample(range(len(sentences.vectors)), RANDOM))))
    scores = (vectors @ sentences.vectors[pool].T / TEMPERATURE).masked_fill(foreign[:, pool], -50.0)
    shares = torch.stack([torch.isin(pool, torch.tensor(q.answers)) / len(q.answers) for q in batch])
    return -(shares * scores.log_softmax(dim=1)).sum(dim=1).mean()


def main(arguments: list[str]) -> None:
    """Measure, or learn and measure."""
    engine = ailineage.open()
    asked, sentences = gather(engine)
    training = [question for question in asked if question.family not in written.HELD_OUT]
    test = [question for question in asked if question.family in written.HELD_OUT]
    embedder = engine.retriever.embedder
    assert isinstance(embedder, PackagedEmbedder)
    if "--learn" in arguments:
        assert embedder.model is not None  # converted at the first use
        np.savez_compressed(TUNING, **learn(training, sentences, embedder.folder))
    cache = embedder.folder.parent
    for name, tuning in (("untuned", None), ("tuned", TUNING)):
        if tuning is None or tuning.is_file():
            vectors = PackagedEmbedder(cache, tuning=tuning).queries([question.text for question in test])
            report(name, test, torch.tensor(vectors), sentences)
    outside(engine)


if __name__ == "__main__":
    main(sys.argv[1:])
