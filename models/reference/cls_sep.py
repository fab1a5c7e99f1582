r"""[CLS], [SEP] and segments: how one row of symbols holds two sentences and has a place for the answer.

J. Devlin, M.-W. Chang, K. Lee and K. Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding", arXiv:1810.04805, section 3 (input representations) and figure 2.

What it changes against the encoder's plain input: a first symbol [CLS] of no sentence, whose final state is the
whole's, a symbol [SEP] after each sentence, and a learned vector E_A or E_B added to each place of the first or
second sentence. Without marks the same row may be cut in many ways, and a question about the pair has no answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.bert import Bert
from ailineage.models.reference.bert import Config as BertConfig
from ailineage.models.reference.data import seeded
from ailineage.models.reference.mlm import CLS, EMPTY, FIRST, SEP

METADATA = {
    "node": "cls-sep",
    "title": {"en": "[CLS], [SEP] and segment embeddings", "zh": "[CLS]、[SEP] 与句段嵌入"},
    "year": 2018,
    "paper": {
        "title": "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        "arxiv": "1810.04805",
        "sections": "3, figure 2",
    },
    "parents": ["bert", "mlm"],
    "demo": {
        "task": {
            "en": "Two words of unknown length in one row: which symbol begins the second, told by the state of [CLS]",
            "zh": "两个长度不定的词排成一行：由 [CLS] 的状态说出第二个词以什么符号开头",
        },
        "metric": "accuracy",
        "target": 0.9,
        "baseline": "the same net on the same rows without [SEP] and segments",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    alphabet: int = 8  # symbols the words are made of
    shortest: int = 2  # symbols of a word
    longest: int = 6  # symbols of a word
    width: int = 32  # H
    heads: int = 2  # A
    layers: int = 2  # L
    batch: int = 64  # rows a step
    updates: int = 300  # training steps
    rate: float = 3e-3  # of Adam


TINY = Config(width=16, layers=1, updates=10)
PRESETS: dict[str, Config] = {}


def pack(a: Tensor, b: Tensor, length: int, separated: bool = True, segmented: bool = True) -> tuple[Tensor, Tensor]:
    """One input of two sentences: ids and segments (length,), [CLS] A [SEP] B [SEP], then padding."""
    sep = torch.tensor([SEP] if separated else [], dtype=torch.long)
    first, second = torch.cat([torch.tensor([CLS]), a, sep]), torch.cat([b, sep])
    ids, segments = torch.full((length,), EMPTY), torch.zeros(length, dtype=torch.long)
    ids[: len(first) + len(second)] = torch.cat([first, second])
    # figure 2: [CLS], A and its [SEP] get E_A (0); B and its [SEP] get E_B (1)
    if segmented:
        segments[len(first) : len(first) + len(second)] = 1
    return ids, segments


class PairReader(nn.Module):
    """Rows and segments (B, T) -> logits (B, alphabet), from the state of [CLS] alone."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        symbols, length = FIRST + c.alphabet, 2 * c.longest + 3
        self.bert = Bert(BertConfig(symbols, length, c.width, c.heads, c.layers, pretraining=False))
        self.out = nn.Linear(c.width, c.alphabet)

    def forward(self, ids: Tensor, segments: Tensor) -> Tensor:
        # section 4.1: the only new parameters are a classification layer W (K, H);   logits = C W^T
        return self.out(self.bert.encode(ids, segments)[1])


def build(config: Config) -> PairReader:
    return PairReader(config)


Words = list[tuple[Tensor, Tensor]]


def words(config: Config, count: int) -> Words:
    """Pairs of random words of random lengths."""
    lengths = torch.randint(config.shortest, config.longest + 1, (count, 2)).tolist()
    return [(*torch.randint(FIRST, FIRST + config.alphabet, (m + n,)).split([m, n]),) for m, n in lengths]  # type: ignore[misc]


def rows(config: Config, pairs: Words, separated: bool, segmented: bool) -> tuple[Tensor, Tensor]:
    """The pairs as ids and segments (N, T)."""
    packed = [pack(a, b, 2 * config.longest + 3, separated, segmented) for a, b in pairs]
    return torch.stack([ids for ids, _ in packed]), torch.stack([segments for _, segments in packed])


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    ways = {"baseline": (False, False), "[SEP] alone": (True, False), "accuracy": (True, True)}
    train, test = words(config, 3000), words(config, 400)
    y, y_test = (torch.stack([b[0] for _, b in pairs]) - FIRST for pairs in (train, test))
    reached: dict[str, float] = {}
    for number, (name, marks) in enumerate(ways.items()):
        (x, segments), held_out = rows(config, train, *marks), rows(config, test, *marks)
        model = build(config)
        optimizer = torch.optim.Adam(model.parameters(), config.rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.updates)
        for update in range(1, config.updates + 1):
            index = torch.randint(len(x), (config.batch,))
            loss = F.cross_entropy(model(x[index], segments[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            if update % max(1, config.updates // 5) == 0:
                with torch.no_grad():
                    reached[name] = float((model(*held_out).argmax(1) == y_test).float().mean())
                yield Step(number * config.updates + update, len(ways) * config.updates, dict(reached))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
