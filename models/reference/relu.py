r"""Rectified linear unit: pass what is positive, cut the rest.

V. Nair, G. E. Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", ICML 2010; K. Fukushima used
the function in 1969, X. Glorot et al. trained deep nets with it in 2011.

What it changes against the sigmoid: the derivative of an active unit is 1, not at most 1/4, so that the gradient
reaches the first layers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import accuracy, digits, minibatches, seeded

METADATA = {
    "node": "relu",
    "title": {"en": "Rectified linear unit", "zh": "ReLU"},
    "year": 2010,
    "paper": {
        "title": "Rectified Linear Units Improve Restricted Boltzmann Machines",
        "url": "https://icml.cc/Conferences/2010/papers/432.pdf",
        "sections": "2",
    },
    "parents": ["backprop"],
    "demo": {
        "task": {
            "en": "A net of 8 hidden layers on digits after the same training as one of sigmoids",
            "zh": "八个隐层的网络识别数字，与同样训练的 sigmoid 网络比较",
        },
        "metric": "test accuracy",
        "target": 0.9,
        "baseline": "the same net with sigmoids",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    width: int = 64  # units a layer
    layers: int = 8  # hidden layers
    epochs: int = 5  # passes over the digits
    rate: float = 2e-3  # of Adam


TINY = Config(layers=2, epochs=1)
PRESETS: dict[str, Config] = {}


class ReLU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        # f(x) = max(0, x),   f'(x) = 1 where x > 0, else 0: no factor below one on the way back
        return x * (x > 0)


def build(config: Config, activation: type[nn.Module] = ReLU) -> nn.Sequential:
    sizes = [64, *[config.width] * config.layers]
    layers: list[nn.Module] = [nn.Flatten()]  # (B, 1, 8, 8) -> (B, 64)
    for a, b in itertools.pairwise(sizes):
        linear = nn.Linear(a, b)
        nn.init.xavier_normal_(linear.weight)
        layers += [linear, activation()]
    return nn.Sequential(*layers, nn.Linear(config.width, 10))


def first_gradient(model: nn.Sequential) -> float:
    """The size of the last gradient at the first layer's weights."""
    weight = next(model.parameters())
    return float(weight.grad.norm()) if weight.grad is not None else 0.0


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    models = {"test accuracy": build(config), "baseline": build(config, nn.Sigmoid)}
    steps = {name: torch.optim.Adam(model.parameters(), config.rate) for name, model in models.items()}
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(split.x), 64):
            for name, model in models.items():
                steps[name].zero_grad()
                F.cross_entropy(model(split.x[index]), split.y[index]).backward()
                steps[name].step()
        metrics = {name: accuracy(model, split.x_test, split.y_test) for name, model in models.items()}
        metrics["first gradient"] = first_gradient(models["test accuracy"])
        metrics["first gradient of sigmoids"] = first_gradient(models["baseline"])
        yield Step(epoch, config.epochs, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
