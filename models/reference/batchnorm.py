r"""Batch normalisation: each layer's inputs are kept at mean zero and variance one while it learns.

S. Ioffe and C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
arXiv:1502.03167, algorithms 1 and 2, section 4.1 (sigmoid units in a full net).

What it changes against a plain net: one more operation before each non-linearity, with a learned scale and shift.
Deep nets of sigmoid units, and learning rates that were far too high, become trainable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import classify, digits, seeded

METADATA = {
    "node": "batchnorm",
    "title": {"en": "Batch normalization", "zh": "批量归一化"},
    "year": 2015,
    "paper": {
        "title": "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
        "arxiv": "1502.03167",
        "sections": "algorithms 1 and 2, 4.1",
    },
    "parents": ["mlp"],
    "demo": {
        "task": {
            "en": "Six layers of sigmoid units learn the digits in a few passes with the normalisation, not without it",
            "zh": "六层 S 型单元网络：加上归一化几轮即学会手写数字，去掉则学不会",
        },
        "metric": "test accuracy",
        "target": 0.93,
        "baseline": "the same net, start and learning rate without normalisation",
        "margin": 0.3,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    layers: int = 6  # hidden layers
    width: int = 100  # units a layer, as in the paper's section 4.1
    normalise: bool = True  # False: the baseline
    epochs: int = 8  # passes over the digits
    rate: float = 0.2  # of plain SGD


TINY = Config(layers=3, epochs=2)
PRESETS: dict[str, Config] = {}


class BatchNorm(nn.Module):
    """Normalises activations (B, D) or (B, C, H, W) by unit, or by map, over the minibatch."""

    def __init__(self, units: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))
        self.eps, self.momentum = eps, momentum

    def forward(self, x: Tensor) -> Tensor:
        others = [i for i in range(x.dim()) if i != 1]
        shape = [-1 if i == 1 else 1 for i in range(x.dim())]
        if self.training:
            # algorithm 1   mu = 1/m sum x_i,   sigma^2 = 1/m sum (x_i - mu)^2
            mean, variance = x.mean(others), x.var(others, unbiased=False)
            m = x.numel() // x.shape[1]
            with torch.no_grad():  # algorithm 2, lines 8-11: averages for inference, m / (m - 1) sigma^2
                self.mean += self.momentum * (mean - self.mean)
                self.variance += self.momentum * (variance * m / (m - 1) - self.variance)
        else:
            mean, variance = self.mean, self.variance
        # x^ = (x - mu) / sqrt(sigma^2 + eps)
        x = (x - mean.reshape(shape)) / torch.sqrt(variance.reshape(shape) + self.eps)
        # y = gamma x^ + beta
        return self.gamma.reshape(shape) * x + self.beta.reshape(shape)


def build(config: Config) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    width = 64
    for _ in range(config.layers):
        layers.append(nn.Linear(width, config.width))
        if config.normalise:
            layers.append(BatchNorm(config.width))
        layers.append(nn.Sigmoid())
        width = config.width
    return nn.Sequential(*layers, nn.Linear(width, 10))


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, total, baseline = digits(), 2 * config.epochs, 0.0
    plain = build(replace(config, normalise=False))
    optimizer = torch.optim.SGD(plain.parameters(), config.rate)
    for epoch, loss, baseline in classify(plain, split, config.epochs, optimizer):
        yield Step(epoch, total, {"loss without": loss, "baseline": baseline})
    model = build(config)
    optimizer = torch.optim.SGD(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(config.epochs + epoch, total, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
