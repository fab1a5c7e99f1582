r"""1x1 convolution: at every place of a picture the same small network over its channels.

M. Lin, Q. Chen and S. Yan, "Network In Network", arXiv:1312.4400, section 3.1 (equation 2, mlpconv layers) and 3.2
(global average pooling). A linear filter sees a patch; two 1x1 convolutions with rectifiers after it make what it says
of each place non-linear in its channels, at the price of C x C' weights.

What it changes against a convolutional net: depth between the channels without a wider view, and no dense layer at the
end: the last maps are averaged, one for each class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from ailineage.models.reference import Step, main, parameter_count
from ailineage.models.reference.data import classify, digits, seeded

METADATA = {
    "node": "conv1x1",
    "title": {"en": "1×1 convolution (Network in Network)", "zh": "1×1 卷积（网络中的网络）"},
    "year": 2013,
    "paper": {
        "title": "Network In Network",
        "arxiv": "1312.4400",
        "sections": "3.1, equation 2; 3.2",
    },
    "parents": ["cnn"],
    "demo": {
        "task": {
            "en": "Digits by two convolutions, each followed by two 1x1 ones, and averaged maps",
            "zh": "两个卷积层各接两个 1x1 卷积，再对特征图取平均，识别手写数字",
        },
        "metric": "test accuracy",
        "target": 0.9,
        "baseline": "the same net without its 1x1 convolutions",
        "margin": 0.02,
    },
    # the authors' CIFAR-10 net (gist mavenlin/e56253735ef32c3c296d: 192-160-96, 192-192-192, 192-192-10), counted as
    # 966,986 in the table of imgclsmob's nin_cifar10; the paper prints no count
    "presets": {"CIFAR-10": 966_986},
}


@dataclass(frozen=True)
class Config:
    stages: tuple[tuple[int, ...], ...] = ((3, 24, 24, 24), (3, 24, 24, 24))  # kernel, its maps, maps of the 1x1 ones
    colours: int = 1  # channels of the picture
    classes: int = 10  # outputs
    ones: bool = True  # the 1x1 convolutions inside the stages
    epochs: int = 12  # passes over the digits
    rate: float = 4e-3  # of Adam


TINY = Config(stages=((3, 8, 8), (3, 8, 8)), epochs=1)
PRESETS = {"CIFAR-10": Config(((5, 192, 160, 96), (5, 192, 192, 192), (3, 192, 192)), 3)}


class PointwiseConv(nn.Module):
    """(B, C, H, W) -> (B, D, H, W): one matrix for every place."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(outputs, inputs)), nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        # (2)   f_{i,j,k_n} = max(w_{k_n}^T f_{i,j}^{n-1} + b_{k_n}, 0), the maximum being taken outside
        return torch.einsum("dc,bchw->bdhw", self.weight, x) + self.bias[:, None, None]


class MLPConv(nn.Sequential):
    """A convolution and, after it, 1x1 ones, each with a rectifier: (B, C, H, W) -> (B, D, H, W)."""

    def __init__(self, inputs: int, kernel: int, *maps: int) -> None:
        layers: list[nn.Module] = [nn.Conv2d(inputs, maps[0], kernel, padding=kernel // 2), nn.ReLU()]
        for below, above in pairwise(maps):
            layers += [PointwiseConv(below, above), nn.ReLU()]
        super().__init__(*layers)


class NetworkInNetwork(nn.Module):
    """Figure 2: stages with pooling between them, and one map for each class in the end."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stages, width = nn.ModuleList(), config.colours
        for kernel, *maps in config.stages:
            kept = maps if config.ones else maps[:1]
            self.stages.append(MLPConv(width, kernel, *kept))
            width = kept[-1]
        self.last, self.pool = PointwiseConv(width, config.classes), nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:  # (B, colours, S, S)
        for number, stage in enumerate(self.stages):
            x = stage(self.pool(x) if number else x)  # (B, C, S, S) -> (B, D, S/2, S/2)
        # section 3.2: one map for each class, averaged: no dense layer that could overfit
        return self.last(x).mean((2, 3))  # (B, classes)


def build(config: Config) -> NetworkInNetwork:
    return NetworkInNetwork(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split, reached = digits(), {}
    for number, ones in enumerate((False, True)):
        model = build(replace(config, ones=ones))
        optimizer = torch.optim.Adam(model.parameters(), config.rate)
        for epoch, loss, right in classify(model, split, config.epochs, optimizer):
            reached[ones] = right
            metrics = {"loss": loss, "parameters": float(parameter_count(model)), "baseline": reached[False]}
            if ones:
                metrics["test accuracy"] = right
            yield Step(number * config.epochs + epoch, 2 * config.epochs, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
