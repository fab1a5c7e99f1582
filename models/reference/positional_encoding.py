r"""Positional encoding: sinusoids of many wavelengths tell attention where each element stands.

A. Vaswani et al., "Attention Is All You Need", arXiv:1706.03762, section 3.5.

What it changes against bare attention, which sees a set: a fixed pattern, a clock with many hands, is added to each
element. The pattern k places on is a rotation of the present one, the same wherever one stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded
from ailineage.models.reference.self_attention import SelfAttention

METADATA = {
    "node": "positional-encoding",
    "title": {"en": "Positional encoding", "zh": "位置编码"},
    "year": 2017,
    "paper": {"title": "Attention Is All You Need", "arxiv": "1706.03762", "sections": "3.5"},
    "parents": ["self_attention"],
    "demo": {
        "task": {
            "en": "Which of two letters came first? Attention with the encoding knows, without it must guess",
            "zh": "两个字母谁在前？有位置编码的注意力知道，没有则只能猜",
        },
        "metric": "order right",
        "target": 0.93,
        "baseline": "the same net without the encoding",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    positions: bool = True  # False: the baseline
    symbols: int = 10  # different letters; the order of letters 0 and 1 is asked
    length: int = 12  # letters of a sequence
    width: int = 32  # d_model
    updates: int = 600  # training steps for each of the two
    rate: float = 5e-3  # of Adam


TINY = Config(updates=20)
PRESETS: dict[str, Config] = {}


def sinusoids(length: int, width: int) -> Tensor:
    position = torch.arange(length)[:, None]
    wavelength = 10_000 ** (torch.arange(0, width, 2) / width)  # (C / 2,)
    # PE(pos, 2i) = sin(pos / 10000^(2i / d)),   PE(pos, 2i + 1) = cos(pos / 10000^(2i / d))
    return torch.stack([(position / wavelength).sin(), (position / wavelength).cos()], -1).reshape(length, width)


def shift(encoding: Tensor, k: int) -> Tensor:
    """PE(pos + k) from PE(pos) (T, C), by one rotation for each pair of numbers, the same at every place."""
    _, C = encoding.shape
    angle = k / 10_000 ** (torch.arange(0, C, 2) / C)
    sin, cos = encoding[:, 0::2], encoding[:, 1::2]
    # sin(a + b) = sin a cos b + cos a sin b,   cos(a + b) = cos a cos b - sin a sin b
    turned = torch.stack([sin * angle.cos() + cos * angle.sin(), cos * angle.cos() - sin * angle.sin()], -1)
    return turned.reshape(encoding.shape)


class Order(nn.Module):
    """Letters (B, T) -> logits (B, 2) of whether letter 0 or letter 1 came first."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embed = nn.Embedding(config.symbols, config.width)
        self.attention = nn.ModuleList(SelfAttention(config.width) for _ in range(2))
        self.hidden, self.out = nn.Linear(config.width, 2 * config.width), nn.Linear(2 * config.width, 2)
        self.positions = config.positions

    def forward(self, ids: Tensor) -> Tensor:
        _, T = ids.shape
        x = self.embed(ids)  # (B, T, C)
        if self.positions:
            x = x + sinusoids(T, x.shape[2])
        for attention in self.attention:
            x = x + attention(x)
        return self.out(F.relu(self.hidden(x.mean(1))))  # (B, T, C) -> (B, C) -> (B, 2)


def sequences(config: Config, count: int) -> tuple[Tensor, Tensor]:
    """Letters (count, T), with 0 and 1 once each, and which of them came first (count,)."""
    ids = torch.randint(2, config.symbols, (count, config.length))
    places = torch.rand(count, config.length).argsort(1)[:, :2]
    ids.scatter_(1, places, torch.tensor([[0, 1]]).expand(count, -1))
    return ids, (places[:, 1] < places[:, 0]).long()


def build(config: Config) -> Order:
    return Order(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    test, wanted = sequences(config, 1000)
    table = sinusoids(60, config.width)
    picture = ((table + 1) * 127.5).byte().numpy().repeat(4, 0).repeat(8, 1)
    rotation = float((shift(table[:50], 10) - table[10:]).abs().max())
    metrics: dict[str, float] = {"error of the rotation by 10 places": rotation}
    for done, (name, positions) in enumerate((("baseline", False), ("order right", True))):
        model = build(replace(config, positions=positions))
        optimizer = torch.optim.Adam(model.parameters(), config.rate)
        for update in range(1, config.updates + 1):
            ids, first = sequences(config, 128)
            loss = F.cross_entropy(model(ids), first)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if update % (config.updates // 10) == 0:
                with torch.no_grad():
                    metrics[name] = float((model(test).argmax(-1) == wanted).float().mean())
                done_so_far = done * config.updates + update
                yield Step(done_so_far, 2 * config.updates, dict(metrics), picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
