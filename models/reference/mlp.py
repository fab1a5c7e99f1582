r"""Multilayer perceptron: hidden units learn the features a single layer lacks.

D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating errors", Nature 323,
1986, equations 1-2 (the units) and 8-9 (descent with momentum); layered perceptrons go back to Rosenblatt, 1961.

What it changes against the perceptron: a layer of smooth units between input and output, trained as a whole by
backpropagation (autograd here; backprop.py writes it out). XOR, which defeats the perceptron, is solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import classify, digits, nearest_mean, seeded

METADATA = {
    "node": "mlp",
    "title": {"en": "Multilayer perceptron", "zh": "多层感知机"},
    "year": 1986,
    "paper": {
        "title": "Learning representations by back-propagating errors",
        "doi": "10.1038/323533a0",
        "sections": "equations 1, 2, 8, 9",
    },
    "parents": ["perceptron", "backprop"],
    "demo": {
        "task": {
            "en": "XOR with 2-3-1 sigmoid units from several starts, then the digits with 64-64-10",
            "zh": "用 2-3-1 的 S 型单元多次求解异或，再用 64-64-10 识别手写数字",
        },
        "metric": "test accuracy",
        "target": 0.95,
        "baseline": "nearest class mean",
        "margin": 0.03,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    sizes: tuple[int, ...] = (64, 64, 10)  # units a layer, input first
    epochs: int = 15  # passes over the digits
    rate: float = 0.3  # epsilon of the weight change
    momentum: float = 0.9  # alpha, the share of the previous change that is kept
    xor_starts: int = 3  # random starts of the XOR net
    xor_steps: int = 1000  # full passes over its four rows


TINY = Config(epochs=2, xor_starts=1, xor_steps=300)
PRESETS: dict[str, Config] = {}


class MLP(nn.Module):
    """Sigmoid units in layers; the last layer gives logits."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        y = x.flatten(1)  # (B, ...) -> (B, D)
        for depth, layer in enumerate(self.layers, 1):
            # (1)   x_j = sum_i y_i w_ji
            z = layer(y)
            # (2)   y_j = 1 / (1 + e^-x_j)
            y = torch.sigmoid(z) if depth < len(self.layers) else z
        return y  # (B, classes)


def build(config: Config) -> MLP:
    return MLP(config.sizes)


def learn_xor(config: Config) -> float:
    """Share of the four rows a fresh 2-3-1 net gets right after training."""
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    t = torch.tensor([[0.0], [1], [1], [0]])
    model = MLP((2, 3, 1))
    with torch.no_grad():
        for p in model.parameters():
            p.normal_()
    # (9)   dw(t) = -epsilon dE/dw(t) + alpha dw(t - 1)
    optimizer = torch.optim.SGD(model.parameters(), config.rate, config.momentum)
    for _ in range(config.xor_steps):
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(((model(x) > 0) == (t > 0)).float().mean())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    total = config.xor_starts + config.epochs
    rows: list[float] = []
    for start in range(1, config.xor_starts + 1):
        rows.append(learn_xor(config))
        yield Step(start, total, {"XOR rows correct": sum(rows) / len(rows)})
    split = digits()
    baseline = nearest_mean(split)
    model = build(config)
    optimizer = torch.optim.SGD(model.parameters(), config.rate, config.momentum)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        metrics = {"test accuracy": accuracy, "loss": loss, "XOR rows correct": sum(rows) / len(rows)}
        yield Step(config.xor_starts + epoch, total, metrics | {"baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
