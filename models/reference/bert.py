r"""BERT: the Transformer's encoder alone, pre-trained to fill blanks and to tell whether two sentences belong together.

J. Devlin, M.-W. Chang, K. Lee and K. Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding", arXiv:1810.04805, section 3 (sizes), figure 2 (input), 3.1 (both tasks); code google-research/bert.

What it changes against the Transformer: no decoder, GELU, learned positions and segments, a [CLS] symbol whose state
stands for the whole; against GPT: every layer looks both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded
from ailineage.models.reference.mlm import EMPTY, LENGTH, SIZE, corrupt, sentence_pairs, show
from ailineage.models.reference.transformer import Layer

METADATA = {
    "node": "bert",
    "title": {"en": "BERT", "zh": "BERT"},
    "year": 2018,
    "paper": {
        "title": "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        "arxiv": "1810.04805",
        "sections": "3, 3.1, figure 2, appendix A",
    },
    "parents": ["transformer", "mlm", "gpt1"],
    "demo": {
        "task": {
            "en": "Fills blanks in written dates and says whether the date in digits that follows is the same",
            "zh": "补全日期文字中的空格，并判断其后的数字日期是否相同",
        },
        "metric": "blanks right",
        "target": 0.4,
        "baseline": "always the most frequent symbol",
        "margin": 0.2,
    },
    # the paper says 110 and 340 million. The encoder with its pooler is transformers' BertModel (bert-base-uncased and
    # bert-large-uncased); with the two pre-training heads, the output sharing the embedding, BertForPreTraining
    "presets": {
        "base": 109_482_240,
        "large": 335_141_888,
        "base with both heads": 110_106_428,
        "large with both heads": 336_226_108,
    },
}


@dataclass(frozen=True)
class Config:
    symbols: int = SIZE  # vocabulary
    positions: int = LENGTH  # longest input
    width: int = 64  # H in the paper
    heads: int = 4  # A in the paper
    layers: int = 2  # L in the paper
    dropout: float = 0.0  # 0.1 in the paper
    pretraining: bool = True  # with the heads of both tasks
    updates: int = 300  # training steps
    rate: float = 3e-3  # highest learning rate


TINY = Config(width=16, layers=1, updates=10)
PRESETS = {
    "base": Config(30_522, 512, 768, 12, 12, 0.1, pretraining=False),
    "large": Config(30_522, 512, 1024, 16, 24, 0.1, pretraining=False),
    "base with both heads": Config(30_522, 512, 768, 12, 12, 0.1),
    "large with both heads": Config(30_522, 512, 1024, 16, 24, 0.1),
}


class Heads(nn.Module):
    """Masked-symbol logits through the embedding's own weights, and next-sentence logits."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.transform, self.norm = nn.Linear(config.width, config.width), nn.LayerNorm(config.width, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(config.symbols))
        self.next_sentence = nn.Linear(config.width, 2)

    def forward(self, x: Tensor, pooled: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(F.gelu(self.transform(x)))  # (B, T, H)
        return x @ embedding.T + self.bias, self.next_sentence(pooled)  # (B, T, V), (B, 2)


class Bert(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.tokens, self.segments = nn.Embedding(c.symbols, c.width), nn.Embedding(2, c.width)
        self.positions = nn.Embedding(c.positions, c.width)
        self.norm, self.dropout = nn.LayerNorm(c.width, eps=1e-12), nn.Dropout(c.dropout)
        self.layers = nn.ModuleList(
            Layer(c.width, c.heads, 4 * c.width, c.dropout, activation=F.gelu, eps=1e-12) for _ in range(c.layers)
        )
        self.pooler = nn.Linear(c.width, c.width)
        self.heads = Heads(c) if c.pretraining else None
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def encode(self, ids: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Ids and segments (B, T) -> states (B, T, H) and the state of the whole (B, H)."""
        _, T = ids.shape
        # figure 2: the sum of the token's, the segment's and the position's embedding
        x = self.tokens(ids) + self.segments(segments) + self.positions.weight[:T]
        x = self.dropout(self.norm(x))
        seen = (ids != EMPTY)[:, None, None]  # (B, 1, 1, T): padding is not looked at, all else is
        for layer in self.layers:
            x = layer(x, seen)
        # section 3: C, the final state of [CLS], through a tanh layer
        return x, torch.tanh(self.pooler(x[:, 0]))

    def forward(self, ids: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of every symbol (B, T, V) and of "B follows A" (B, 2)."""
        assert self.heads is not None
        return self.heads(*self.encode(ids, segments), self.tokens.weight)


def build(config: Config) -> Bert:
    return Bert(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    ids, segments, same = sentence_pairs(6000, seed)
    train, test = slice(0, 5500), slice(5500, 6000)
    seen_test, asked_test = corrupt(ids[test], config.symbols)
    wanted = asked_test[asked_test >= 0]
    common = int(corrupt(ids[train], config.symbols)[1].clamp(min=0).flatten().bincount()[1:].argmax()) + 1
    baseline = float((wanted == common).float().mean())
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates, pct_start=0.2)
    for update in range(1, config.updates + 1):
        index = torch.randint(5500, (64,))
        seen, asked = corrupt(ids[train][index], config.symbols)
        symbols, follows = model(seen, segments[train][index])
        # the sum of the mean likelihoods of both tasks
        loss = F.cross_entropy(symbols.flatten(0, 1), asked.flatten()) + F.cross_entropy(follows, same[train][index])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if update % (config.updates // 10) == 0:
            with torch.no_grad():
                symbols, follows = model(seen_test, segments[test])
            guess = symbols.argmax(-1)
            metrics = {
                "blanks right": float((guess[asked_test >= 0] == wanted).float().mean()),
                "same date told": float((follows.argmax(-1) == same[test]).float().mean()),
                "baseline": baseline,
            }
            filled = torch.where(asked_test >= 0, guess, ids[test])
            sample = f"{show(seen_test[0])} -> {show(filled[0])}"
            yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
