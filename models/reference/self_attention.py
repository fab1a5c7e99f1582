r"""Self-attention: every element asks all others and takes from those whose key answers.

A. Vaswani et al., "Attention Is All You Need", arXiv:1706.03762, section 3.2.1, equation 1; attention within one
sequence was proposed before by J. Cheng et al., arXiv:1601.06733.

What it changes against additive attention: queries, keys and values all come from the same sequence, and the score is
a scaled dot product, so that all pairs are one matrix multiplication.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded

METADATA = {
    "node": "self-attention",
    "title": {"en": "Self-attention", "zh": "自注意力"},
    "year": 2017,
    "paper": {
        "title": "Attention Is All You Need",
        "arxiv": "1706.03762",
        "sections": "3.2.1, equation 1",
    },
    "parents": ["bahdanau"],
    "demo": {
        "task": {
            "en": "Look a key up among eight pairs of key and value: one layer, one query",
            "zh": "在八个键值对中按键查值：一层注意力，一次查询",
        },
        "metric": "values found",
        "target": 0.95,
        "baseline": "the same layer with equal weights for all",
        "margin": 0.4,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    keys: int = 16  # different keys
    values: int = 16  # different values
    pairs: int = 8  # pairs in a sequence
    width: int = 32  # C
    updates: int = 600  # training steps for each of the two
    rate: float = 5e-3  # of Adam


TINY = Config(updates=20)
PRESETS: dict[str, Config] = {}


class SelfAttention(nn.Module):
    """(B, T, C) -> (B, T, C); `uniform` replaces the weights by 1 / T."""

    def __init__(self, width: int, uniform: bool = False) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.uniform, self.weights = uniform, torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        _, _, C = x.shape
        q, k, v = self.q(x), self.k(x), self.v(x)  # each (B, T, C)
        # (1)   Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V
        scores = q @ k.transpose(1, 2) / math.sqrt(C)  # (B, T, T)
        weights = (scores * 0 if self.uniform else scores).softmax(-1)
        self.weights = weights.detach()
        return weights @ v


class Lookup(nn.Module):
    """Pairs (B, P, 2) and a key (B,) -> logits of its value (B, values)."""

    def __init__(self, config: Config, uniform: bool = False) -> None:
        super().__init__()
        self.keys, self.values = nn.Embedding(config.keys, config.width), nn.Embedding(config.values, config.width)
        self.attention = SelfAttention(config.width, uniform)
        self.out = nn.Linear(config.width, config.values)

    def forward(self, pairs: Tensor, key: Tensor) -> Tensor:
        x = self.keys(pairs[..., 0]) + self.values(pairs[..., 1])  # (B, P, C)
        x = torch.cat([x, self.keys(key)[:, None]], 1)  # (B, P + 1, C): the question stands last
        return self.out(self.attention(x)[:, -1])


def questions(config: Config, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs (count, P, 2) with different keys, a key (count,) among them, and its value (count,)."""
    keys = torch.rand(count, config.keys).argsort(1)[:, : config.pairs]
    values = torch.randint(config.values, keys.shape)
    which = torch.randint(config.pairs, (count,))
    rows = torch.arange(count)
    return torch.stack([keys, values], -1), keys[rows, which], values[rows, which]


def build(config: Config) -> Lookup:
    return Lookup(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    test_pairs, test_key, test_value = questions(config, 1000)
    metrics: dict[str, float] = {}
    for done, (name, model) in enumerate((("baseline", Lookup(config, True)), ("values found", build(config)))):
        optimizer = torch.optim.Adam(model.parameters(), config.rate)
        for update in range(1, config.updates + 1):
            pairs, key, value = questions(config, 128)
            loss = F.cross_entropy(model(pairs, key), value)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if update % (config.updates // 10) == 0:
                with torch.no_grad():
                    found = model(test_pairs, test_key).argmax(-1) == test_value
                metrics[name] = float(found.float().mean())
                picture = None
                if done:  # where the questions of the first 20 sequences look
                    picture = (model.attention.weights[:20, -1] * 255).byte().numpy().repeat(12, 0).repeat(12, 1)
                yield Step(done * config.updates + update, 2 * config.updates, dict(metrics), picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
