r"""Convolutional network: one small detector slid over the whole image, trained end to end.

Y. LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition", Neural Computation 1(4), 1989, section 4
(the network); the architecture without backpropagation: K. Fukushima, "Neocognitron", Biological Cybernetics 36, 1980.

What it changes against the multilayer perceptron: units see only a 5x5 patch, and all units of a map share their
weights (though each keeps its own bias), so 64,660 connections need 9,760 free parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import classify, digits, nearest_mean, seeded

METADATA = {
    "node": "cnn",
    "title": {"en": "Convolutional network (zip codes)", "zh": "卷积神经网络（邮政编码）"},
    "year": 1989,
    "paper": {
        "title": "Backpropagation Applied to Handwritten Zip Code Recognition",
        "doi": "10.1162/neco.1989.1.4.541",
        "sections": "4.2 feature maps and weight sharing, 4.3 network architecture, figure 3",
    },
    "parents": ["mlp", "backprop"],
    "demo": {
        "task": {
            "en": "The 1989 network, all of its 9,760 parameters, on digits enlarged to its 16x16 input",
            "zh": "1989 年的原始网络（9,760 个参数），识别放大到 16x16 的手写数字",
        },
        "metric": "test accuracy",
        "target": 0.95,
        "baseline": "nearest class mean",
        "margin": 0.04,
    },
    # section 4.3: 1,256 units, 64,660 connections, 9,760 independent parameters
    "presets": {"zip codes 1989": 9_760},
}


@dataclass(frozen=True)
class Config:
    maps: int = 12  # feature maps in H1 and in H2
    seen: int = 8  # of the 12 maps of H1 each map of H2 is connected to
    hidden: int = 30  # units of H3
    epochs: int = 8  # passes over the digits
    rate: float = 5e-3  # of Adam; the paper used a quasi-Newton step


TINY = Config(epochs=1)
PRESETS = {"zip codes 1989": Config()}


class SharedMaps(nn.Module):
    """Maps of 5x5 detectors at stride 2, with weights shared over the image and a bias for each unit."""

    def __init__(self, inputs: int, maps: int, size: int, seen: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(maps, seen, 5, 5).uniform_(-1, 1) * 2.4 / (25 * seen) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(maps, size, size))
        # which maps below each map sees; the paper does not print its scheme, here they follow each other in a ring
        self.scheme = [(m + k) % inputs for m in range(maps) for k in range(seen)]

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (2, 2, 2, 2), value=-1.0)  # outside the image is background; (B, C, S+4, S+4)
        x = x[:, self.scheme]  # (B, maps * seen, S+4, S+4): what each map sees, side by side
        a = F.conv2d(x, self.weight, stride=2, groups=len(self.weight)) + self.bias  # (B, maps, S/2, S/2)
        # y = A tanh(S a),   A = 1.7159, S = 2/3
        return 1.7159 * torch.tanh(2 / 3 * a)


class ZipNet(nn.Module):
    """16x16 image -> H1 12 maps 8x8 -> H2 12 maps 4x4 -> H3 30 units -> 10."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.h1 = SharedMaps(1, config.maps, 8, 1)
        self.h2 = SharedMaps(config.maps, config.maps, 4, config.seen)
        self.h3 = nn.Linear(config.maps * 16, config.hidden)
        self.out = nn.Linear(config.hidden, 10)

    def forward(self, x: Tensor) -> Tensor:
        B = x.shape[0]
        x = self.h2(self.h1(2 * x - 1))  # pixels in [-1, 1]; (B, 1, 16, 16) -> (B, 12, 4, 4)
        x = 1.7159 * torch.tanh(2 / 3 * self.h3(x.reshape(B, -1)))  # (B, 192) -> (B, 30)
        return self.out(x)  # (B, 10)


def build(config: Config) -> ZipNet:
    return ZipNet(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(16)
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
