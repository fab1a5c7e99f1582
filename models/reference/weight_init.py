r"""Weight initialisation: start where signals keep their size through the layers.

X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010,
section 4.2.1; K. He et al., "Delving Deep into Rectifiers", arXiv:1502.01852.

What it changes against back-propagation's small random weights: their variance follows from the sizes of the layers,
so that neither activations nor gradients shrink from layer to layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import accuracy, digits, minibatches, seeded

METADATA = {
    "node": "weight-init",
    "title": {"en": "Weight initialisation", "zh": "权重初始化"},
    "year": 2010,
    "paper": {
        "title": "Understanding the difficulty of training deep feedforward neural networks",
        "url": "https://proceedings.mlr.press/v9/glorot10a.html",
        "sections": "4.2.1, equations 10 to 16",
    },
    "parents": ["backprop"],
    "demo": {
        "task": {
            "en": "Ten tanh layers on digits, from normalised against from small Gaussian weights",
            "zh": "十层 tanh 网络识别数字：归一化初始化对比小高斯初始化",
        },
        "metric": "test accuracy",
        "target": 0.85,
        "baseline": "the same net from Gaussians of 0.01",
        "margin": 0.4,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    width: int = 64  # units a layer
    layers: int = 10  # hidden layers
    epochs: int = 4  # passes over the digits
    rate: float = 0.08  # of gradient descent


TINY = Config(layers=3, epochs=1)
PRESETS: dict[str, Config] = {}


def xavier(weight: Tensor) -> None:
    """Fill (outputs, inputs) in place."""
    outputs, inputs = weight.shape
    # (16)   W ~ U[-sqrt(6) / sqrt(n_j + n_{j+1}), sqrt(6) / sqrt(n_j + n_{j+1})]
    bound = (6 / (inputs + outputs)) ** 0.5
    with torch.no_grad():
        weight.uniform_(-bound, bound)


def he(weight: Tensor) -> None:
    """The same for ReLU, which halves the variance: He et al. 2015, equation 10."""
    with torch.no_grad():
        weight.normal_(0, (2 / weight.shape[1]) ** 0.5)


def small(weight: Tensor) -> None:
    """As it was done before."""
    with torch.no_grad():
        weight.normal_(0, 0.01)


def build(config: Config, start: Callable[[Tensor], None] = xavier) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]  # (B, 1, 8, 8) -> (B, 64)
    for i in range(config.layers + 1):
        linear = nn.Linear(64 if i == 0 else config.width, 10 if i == config.layers else config.width)
        start(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    models = {"test accuracy": build(config), "baseline": build(config, small)}
    with torch.no_grad():
        sizes = {f"last signal, {name}": float(m(split.x[:200]).std()) for name, m in models.items()}
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(split.x), 16):
            for model in models.values():
                model.zero_grad()
                F.cross_entropy(model(split.x[index]), split.y[index]).backward()
                with torch.no_grad():
                    for p in model.parameters():
                        p -= config.rate * p.grad
        found = {name: accuracy(model, split.x_test, split.y_test) for name, model in models.items()}
        yield Step(epoch, config.epochs, found | sizes)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
