r"""Pooling: neighbouring places are summed up in one, so that small shifts of the input change little.

K. Fukushima, "Neocognitron", Biological Cybernetics 36, 1980 (C-cells over S-cells); as average with a trainable scale:
Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of
the IEEE 86(11), 1998, section II.A (sub-sampling). The maximum became usual later.

What it changes against plain convolution: the map shrinks, the view of what follows grows, and exact position is given
up on purpose. The demonstration measures that: digits are tested after being moved by a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Split, accuracy, digits, minibatches, seeded

METADATA = {
    "node": "pooling",
    "title": {"en": "Pooling", "zh": "池化"},
    "year": 1980,
    "paper": {
        "title": "Neocognitron: A Self-organizing Neural Network Model for a Mechanism of Pattern Recognition",
        "doi": "10.1007/BF00344251",
        "sections": "Fukushima 1980, section 2; LeCun et al. 1998, section II.A",
    },
    "parents": [],
    "demo": {
        "task": {
            "en": "Digits learned in the middle of the frame and tested one pixel aside",
            "zh": "学习时数字居中，测试时偏移一个像素",
        },
        "metric": "accuracy on shifted digits",
        "target": 0.48,
        "baseline": "the same net without pooling",
        "margin": 0.08,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    kind: str = "max"  # max, average or none
    maps: int = 16  # of the convolution
    window: int = 3  # side of the pooled square
    stride: int = 2  # places between squares
    examples: int = 600  # training digits
    epochs: int = 15  # passes
    rate: float = 3e-3  # of Adam


TINY = Config(maps=4, examples=100, epochs=1)
PRESETS: dict[str, Config] = {}


def pool(x: Tensor, kind: str, window: int, stride: int) -> Tensor:
    """(B, C, H, W) -> (B, C, (H - w) / s + 1, ...) by the squares' maxima or means."""
    squares = x.unfold(2, window, stride).unfold(3, window, stride)  # (B, C, h, w, window, window)
    # max:   y_{ij} = max_{(p, q) in R_ij} x_{pq};   average:   y_{ij} = 1 / |R_ij| sum_{(p, q) in R_ij} x_{pq}
    return squares.amax((-2, -1)) if kind == "max" else squares.mean((-2, -1))


class Net(nn.Module):
    """One convolution, pooling if any, one dense layer: (B, 1, 10, 10) -> (B, 10)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.conv = nn.Conv2d(1, config.maps, 3)
        side = (8 - config.window) // config.stride + 1 if config.kind != "none" else 8
        self.out = nn.Linear(config.maps * side**2, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))  # (B, C, 8, 8)
        if self.config.kind != "none":
            x = pool(x, self.config.kind, self.config.window, self.config.stride)
        return self.out(x.flatten(1))


def build(config: Config) -> Net:
    return Net(config)


def framed(x: Tensor, down: int = 0, right: int = 0) -> Tensor:
    """Digits (B, 1, 8, 8) in a frame of 10x10, moved from its middle by at most one pixel."""
    return F.pad(x, (1 + right, 1 - right, 1 + down, 1 - down))


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    plain: Split = digits().first(config.examples)
    kinds = ("none", "average", "max")
    nets = {kind: build(replace(config, kind=kind)) for kind in kinds}
    optimizers = {kind: torch.optim.Adam(net.parameters(), config.rate) for kind, net in nets.items()}
    moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
    for epoch in range(1, config.epochs + 1):
        for kind, net in nets.items():
            for index in minibatches(len(plain.x), 32):
                loss = F.cross_entropy(net(framed(plain.x[index])), plain.y[index])
                optimizers[kind].zero_grad()
                loss.backward()
                optimizers[kind].step()
        shifted = {
            kind: sum(accuracy(net, framed(plain.x_test, *move), plain.y_test) for move in moves) / len(moves)
            for kind, net in nets.items()
        }
        centred = accuracy(nets["max"], framed(plain.x_test), plain.y_test)
        metrics = {"accuracy on shifted digits": shifted["max"], "with averages": shifted["average"]}
        yield Step(epoch, config.epochs, metrics | {"in the middle": centred, "baseline": shifted["none"]})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
