r"""Autoencoder: squeeze the data through a few units and unfold it again; what passes is its structure.

D. E. Rumelhart, G. E. Hinton and R. J. Williams, PDP chapter 8, 1986 (the encoder problem); G. E. Hinton and R. R.
Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 2006, figure 1.

What it changes against the multilayer perceptron: the target is the input itself, so no labels are needed. With one
linear layer it would find the principal components; with depth it bends them and loses less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, minibatches, seeded

METADATA = {
    "node": "autoencoder",
    "title": {"en": "Autoencoder", "zh": "自编码器"},
    "year": 1986,
    "paper": {
        "title": "Reducing the Dimensionality of Data with Neural Networks",
        "doi": "10.1126/science.1127647",
        "sections": "figure 1; PDP chapter 8 for the encoder problem",
    },
    "parents": ["mlp", "backprop"],
    "demo": {
        "task": {
            "en": "Unseen digits through eight numbers and back, against eight principal components",
            "zh": "未见过的手写数字压缩为八个数再还原，与八个主成分比较",
        },
        "metric": "squared error a pixel",
        "target": 0.021,
        "baseline": "eight principal components of the training digits",
        "margin": 0.001,
        "lower": True,
    },
    # figure 1's 784-1000-500-250-30 and back for MNIST:
    # 785*1000 + 1001*500 + 501*250 + 251*30 + 31*250 + 251*500 + 501*1000 + 1001*784
    "presets": {"Science 2006": 2_837_314},
}


@dataclass(frozen=True)
class Config:
    sizes: tuple[int, ...] = (64, 128, 48, 8)  # from the pixels to the code; the decoder goes back
    epochs: int = 60  # passes over the digits
    rate: float = 3e-3  # highest learning rate of Adam; the paper pre-trained each layer as a Boltzmann machine


TINY = Config(sizes=(64, 16, 8), epochs=2)
PRESETS = {"Science 2006": Config((784, 1000, 500, 250, 30))}


class Autoencoder(nn.Module):
    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.decoder = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes[::-1]))

    def encode(self, x: Tensor) -> Tensor:
        """(B, pixels) -> (B, code); the code is linear, as in the paper."""
        for layer in self.encoder[:-1]:
            x = F.elu(layer(x))  # the paper has sigmoid units
        return self.encoder[-1](x)

    def forward(self, x: Tensor) -> Tensor:
        z = self.encode(x)
        for layer in self.decoder[:-1]:
            z = F.elu(layer(z))
        return torch.sigmoid(self.decoder[-1](z))  # (B, code) -> (B, pixels)


def build(config: Config) -> Autoencoder:
    return Autoencoder(config.sizes)


def principal_components(train: Tensor, test: Tensor, count: int) -> float:
    """Mean squared error of `test` (N, D) kept on the first components of `train`."""
    mean = train.mean(0)
    basis = torch.linalg.svd(train - mean, full_matrices=False)[2][:count]  # (count, D)
    kept = (test - mean) @ basis.T @ basis + mean
    return float(((kept - test) ** 2).mean())


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    train, test = split.x.flatten(1), split.x_test.flatten(1)  # (N, 64)
    baseline = principal_components(train, test, config.sizes[-1])
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(train), 32):
            # E = 1/N sum |x' - x|^2
            loss = ((model(train[index]) - train[index]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        with torch.no_grad():
            back = model(test)
        error = float(((back - test) ** 2).mean())
        picture = grid(torch.cat([test[:10], back[:10]]).reshape(-1, 8, 8))
        yield Step(epoch, config.epochs, {"squared error a pixel": error, "baseline": baseline}, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
