r"""Transformer: sequences translated by attention alone.

A. Vaswani et al., "Attention Is All You Need", arXiv:1706.03762, section 3 (figures 1 and 2, equations 1 and 2),
section 3.5 (positions), section 5.3 (the learning rate), table 3 (sizes).

What it changes against RNNsearch: no recurrence. Every position attends to every other in one step, by several heads in
parallel; order comes from added sinusoids; residual connections and layer normalisation make depth trainable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import BEGIN, PAD, seeded, translate_dates

METADATA = {
    "node": "transformer",
    "title": {"en": "Transformer", "zh": "Transformer"},
    "year": 2017,
    "paper": {
        "title": "Attention Is All You Need",
        "arxiv": "1706.03762",
        "sections": "3.1 to 3.5, equations 1 and 2, table 3",
    },
    "parents": ["bahdanau", "seq2seq", "multi_head", "positional_encoding"],
    "demo": {
        "task": {
            "en": 'Dates in five ways of writing, English and Chinese, translated into "1998-03-03"',
            "zh": "把中英文五种写法的日期翻译成“1998-03-03”",
        },
        "metric": "exact match",
        "target": 0.9,
        "baseline": "the most frequent symbol at each place",
        "margin": 0.5,
    },
    # table 3 says 65 and 213 million. With the 37,000 shared tokens of section 5.1 and biases everywhere the layers
    # sum to base: 6 (4 (512^2 + 512) + 2,099,712 + 2,048) + 6 (8 (512^2 + 512) + 2,099,712 + 3,072) + 37,000 * 512
    # big: the same with 1,024 and 4,096; the paper does not say what the rest of its rounded 65 million is
    "presets": {"base": 63_082_496, "big": 214_245_376},
}


@dataclass(frozen=True)
class Config:
    source: int = 46  # symbols of the source language
    target: int = 14  # symbols of the target language
    shared: bool = False  # one embedding for both languages and the output, as in section 3.4
    width: int = 64  # d_model
    heads: int = 4  # h; each is d_model / h wide
    hidden: int = 128  # d_ff
    layers: int = 1  # N, in the encoder and in the decoder
    dropout: float = 0.0  # P_drop
    pre_norm: bool = True  # normalise before each sublayer: the paper does it after, which needs far longer training
    updates: int = 700  # training steps of the demonstration
    rate: float = 4e-3  # highest learning rate


TINY = Config(width=32, hidden=32, updates=12)
PRESETS = {
    "base": Config(37_000, 37_000, True, 512, 8, 2048, 6, 0.1, pre_norm=False),
    "big": Config(37_000, 37_000, True, 1024, 16, 4096, 6, 0.3, pre_norm=False),
}


class MultiHead(nn.Module):
    """Attention by `heads` heads, each on its own part of the width."""

    def __init__(self, width: int, heads: int, bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=bias) for _ in range(4))
        self.weights: Tensor | None = None  # of the last call, for pictures

    def forward(self, x: Tensor, y: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Let x (B, T, C) ask y (B, S, C), itself if None; mask (B, 1, T, S) is True where it may look."""
        y = x if y is None else y
        B, T, C = x.shape
        S, H = y.shape[1], self.heads
        q = self.q(x).reshape(B, T, H, C // H).transpose(1, 2)  # (B, H, T, d)
        k = self.k(y).reshape(B, S, H, C // H).transpose(1, 2)  # (B, H, S, d)
        v = self.v(y).reshape(B, S, H, C // H).transpose(1, 2)  # (B, H, S, d)
        # (1)   Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V
        scores = q @ k.transpose(-2, -1) / math.sqrt(C // H)  # (B, H, T, S)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        weights = scores.softmax(-1)
        self.weights = weights.detach()
        # MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W^O
        heads = (weights @ v).transpose(1, 2).reshape(B, T, C)  # (B, H, T, d) -> (B, T, C)
        return self.o(heads)


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int, activation: Callable[[Tensor], Tensor] = F.relu) -> None:
        super().__init__()
        self.up, self.down, self.activation = nn.Linear(width, hidden), nn.Linear(hidden, width), activation

    def forward(self, x: Tensor) -> Tensor:
        # (2)   FFN(x) = max(0, x W_1 + b_1) W_2 + b_2
        return self.down(self.activation(self.up(x)))  # (B, T, C) -> (B, T, F) -> (B, T, C)


class Layer(nn.Module):
    """Self-attention, attention to `memory` where `cross`, and a feed-forward net, each residual and normalised."""

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        dropout: float = 0.0,
        *,
        cross: bool = False,
        pre_norm: bool = False,
        activation: Callable[[Tensor], Tensor] = F.relu,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.pre_norm, self.dropout = pre_norm, nn.Dropout(dropout)
        self.attention = MultiHead(width, heads)
        self.cross = MultiHead(width, heads) if cross else None
        self.forward_net = FeedForward(width, hidden, activation)
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=eps) for _ in range(3 if cross else 2))

    def _sublayer(self, x: Tensor, norm: nn.Module, f: Callable[[Tensor], Tensor]) -> Tensor:
        # section 3.1   LayerNorm(x + Sublayer(x)), or x + Sublayer(LayerNorm(x)) as later models have it
        return x + self.dropout(f(norm(x))) if self.pre_norm else norm(x + self.dropout(f(x)))

    def forward(
        self, x: Tensor, mask: Tensor | None = None, memory: Tensor | None = None, seen: Tensor | None = None
    ) -> Tensor:
        x = self._sublayer(x, self.norms[0], lambda z: self.attention(z, mask=mask))
        if self.cross is not None:
            cross = self.cross
            x = self._sublayer(x, self.norms[1], lambda z: cross(z, memory, seen))
        return self._sublayer(x, self.norms[-1], self.forward_net)  # (B, T, C)


def sinusoid(length: int, width: int) -> Tensor:
    """Positions (length, width)."""
    position = torch.arange(length)[:, None]
    # PE(pos, 2i) = sin(pos / 10000^(2i / d)),   PE(pos, 2i + 1) = cos(pos / 10000^(2i / d))
    angle = position * torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))  # (T, C / 2)
    return torch.stack([angle.sin(), angle.cos()], -1).reshape(length, width)


def causal(length: int) -> Tensor:
    """True (T, T) where position t may look at position s, that is s <= t."""
    return torch.ones(length, length).tril().bool()


class Transformer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.config = config
        self.embed_source = nn.Embedding(c.source, c.width)
        self.embed_target = self.embed_source if c.shared else nn.Embedding(c.target, c.width)
        self.encoder = nn.ModuleList(
            Layer(c.width, c.heads, c.hidden, c.dropout, pre_norm=c.pre_norm) for _ in range(c.layers)
        )
        self.decoder = nn.ModuleList(
            Layer(c.width, c.heads, c.hidden, c.dropout, cross=True, pre_norm=c.pre_norm) for _ in range(c.layers)
        )
        self.dropout = nn.Dropout(c.dropout)
        for table in (self.embed_source, self.embed_target):
            nn.init.normal_(table.weight, std=c.width**-0.5)

    def _embed(self, table: nn.Embedding, ids: Tensor) -> Tensor:
        # section 3.4: weights times sqrt(d_model), then the positions
        x = table(ids) * math.sqrt(self.config.width)  # (B, T) -> (B, T, C)
        return self.dropout(x + sinusoid(ids.shape[1], self.config.width).to(x))

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S) ids -> memory (B, S, C) and which places hold a symbol (B, 1, 1, S)."""
        seen = (source != PAD)[:, None, None]
        x = self._embed(self.embed_source, source)
        for layer in self.encoder:
            x = layer(x, seen)
        return x, seen

    def decode(self, target: Tensor, memory: Tensor, seen: Tensor) -> Tensor:
        x = self._embed(self.embed_target, target)
        for layer in self.decoder:
            x = layer(x, causal(target.shape[1]).to(x.device), memory, seen)
        return x @ self.embed_target.weight.T  # (B, T, C) -> (B, T, V): the output shares the embedding's weights

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.decode(target, *self.encode(source))

    def greedy(self, source: Tensor, length: int) -> Tensor:
        """The likeliest symbol at each step: (B, S) -> (B, length)."""
        memory, seen = self.encode(source)
        ids = torch.full((len(source), 1), BEGIN)
        for _ in range(length):
            ids = torch.cat([ids, self.decode(ids, memory, seen)[:, -1:].argmax(-1)], 1)
        return ids[:, 1:]


def build(config: Config) -> Transformer:
    return Transformer(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    model = build(config)
    for update, metrics, sample in translate_dates(model, model.greedy, config.updates, 64, config.rate, seed):
        yield Step(update, config.updates, metrics, sample=sample)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
