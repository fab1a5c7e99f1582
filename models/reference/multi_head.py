r"""Multi-head attention: several small attentions in parallel look at several places at once.

A. Vaswani et al., "Attention Is All You Need", arXiv:1706.03762, section 3.2.2.

What it changes against a single self-attention: the width is divided among heads with their own projections. One head
averages what it looks at; four can bring back four things and keep them apart, for the same number of weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "multi-head",
    "title": {"en": "Multi-head attention", "zh": "多头注意力"},
    "year": 2017,
    "paper": {"title": "Attention Is All You Need", "arxiv": "1706.03762", "sections": "3.2.2"},
    "parents": ["self_attention"],
    "demo": {
        "task": {
            "en": "One question asks for four values, in order, from the four marked places of a sequence",
            "zh": "一次提问要按顺序取回序列中四个标记位置的内容",
        },
        "metric": "all four found",
        "target": 0.9,
        "baseline": "one head of the same total width",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    heads: int = 4  # h; one in the baseline
    marks: int = 4  # values asked for
    symbols: int = 10  # different values
    length: int = 10  # places of a sequence
    width: int = 32  # d_model, divided among the heads
    updates: int = 450  # training steps for each of the two; with 900 one head begins to manage too
    rate: float = 5e-3  # of Adam


TINY = Config(updates=20)
PRESETS: dict[str, Config] = {}


class MultiHead(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """X (B, T, C) asks y (B, S, C): (B, T, C)."""
        B, T, C = x.shape
        S, H = y.shape[1], self.heads
        q = self.q(x).reshape(B, T, H, C // H).transpose(1, 2)  # (B, H, T, d)
        k = self.k(y).reshape(B, S, H, C // H).transpose(1, 2)  # (B, H, S, d)
        v = self.v(y).reshape(B, S, H, C // H).transpose(1, 2)  # (B, H, S, d)
        # head_i = Attention(Q W_i^Q, K W_i^K, V W_i^V)
        head = (q @ k.transpose(2, 3) / math.sqrt(C // H)).softmax(-1) @ v  # (B, H, T, d)
        # MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W^O
        return self.o(head.transpose(1, 2).reshape(B, T, C))


class FourThings(nn.Module):
    """Symbols and marks (B, S) -> logits of the symbol under each mark (B, M, V)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.symbols, self.marks = (
            nn.Embedding(config.symbols, config.width),
            nn.Embedding(config.marks + 1, config.width),
        )
        self.count = config.marks
        self.question = nn.Parameter(torch.randn(config.width))
        self.attention = MultiHead(config.width, config.heads)
        self.out = nn.Linear(config.width, config.marks * config.symbols)

    def forward(self, symbols: Tensor, marks: Tensor) -> Tensor:
        y = self.symbols(symbols) + self.marks(marks)  # (B, S, C)
        x = self.question.expand(len(y), 1, -1)  # (B, 1, C)
        return self.out(self.attention(x, y)[:, 0]).unflatten(1, (self.count, -1))  # (B, M, V)


def sequences(config: Config, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Symbols and marks (count, S), and the symbols wanted (count, M)."""
    symbols = torch.randint(config.symbols, (count, config.length))
    places = torch.rand(count, config.length).argsort(1)[:, : config.marks]
    marks = torch.zeros_like(symbols).scatter_(1, places, torch.arange(1, config.marks + 1).expand(count, -1))
    return symbols, marks, symbols.gather(1, places)


def build(config: Config) -> FourThings:
    return FourThings(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    test_symbols, test_marks, test_wanted = sequences(config, 1000)
    metrics: dict[str, float] = {}
    for done, (name, heads) in enumerate((("baseline", 1), ("all four found", config.heads))):
        model = build(replace(config, heads=heads))
        optimizer = torch.optim.Adam(model.parameters(), config.rate)
        for update in range(1, config.updates + 1):
            symbols, marks, wanted = sequences(config, 128)
            loss = F.cross_entropy(model(symbols, marks).flatten(0, 1), wanted.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if update % (config.updates // 10) == 0:
                with torch.no_grad():
                    right = (model(test_symbols, test_marks).argmax(-1) == test_wanted).all(1)
                metrics[name] = float(right.float().mean())
                yield Step(done * config.updates + update, 2 * config.updates, dict(metrics))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
