r"""DenseNet: every layer reads the maps of all layers before it.

G. Huang, Z. Liu, L. van der Maaten and K. Q. Weinberger, "Densely Connected Convolutional Networks", arXiv:1608.06993,
section 3 (equation 2), table 1.

What it changes against ResNet: maps are concatenated instead of added, so each layer need only contribute a few new
ones (the growth rate); 1x1 convolutions keep the input narrow, transitions between blocks halve the maps.
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
    "node": "densenet",
    "title": {"en": "DenseNet", "zh": "密集连接网络 DenseNet"},
    "year": 2016,
    "paper": {
        "title": "Densely Connected Convolutional Networks",
        "arxiv": "1608.06993",
        "sections": "3, equation 2, table 1",
    },
    "parents": ["resnet", "batchnorm"],
    "demo": {
        "task": {
            "en": "Three dense blocks with growth 8 on digits of 8x8",
            "zh": "三个增长率为 8 的密集块识别 8x8 手写数字",
        },
        "metric": "test accuracy",
        "target": 0.95,
        "baseline": "nearest class mean",
        "margin": 0.04,
    },
    # num_params of torchvision's densenet121, 161, 169 and 201, which follow table 1
    "presets": {"121": 7_978_856, "161": 28_681_000, "169": 14_149_480, "201": 20_013_928},
}


@dataclass(frozen=True)
class Config:
    blocks: tuple[int, ...] = (4, 4, 4)  # layers of each dense block
    growth: int = 8  # k, new maps a layer
    stem: int = 16  # maps of the first convolution, 2k in the paper
    imagenet: bool = False  # stem of a 7x7 convolution and pooling for images of 224x224
    colours: int = 1  # channels of the input
    classes: int = 10  # outputs
    epochs: int = 8  # passes over the digits
    rate: float = 5e-3  # of Adam; the paper used SGD with momentum 0.9


def _published(blocks: tuple[int, ...], growth: int = 32) -> Config:
    return Config(blocks, growth, 2 * growth, True, 3, 1000)


TINY = Config(blocks=(2, 2), epochs=1)
PRESETS = {
    "121": _published((6, 12, 24, 16)),
    "161": _published((6, 12, 36, 24), 48),
    "169": _published((6, 12, 32, 32)),
    "201": _published((6, 12, 48, 32)),
}


class Layer(nn.Module):
    """BN-ReLU-Conv(1x1)-BN-ReLU-Conv(3x3), section 3 "Bottleneck layers": (B, C, S, S) -> (B, k, S, S)."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))


class Transition(nn.Module):
    """Half the maps by a 1x1 convolution, half the side by average pooling."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, inputs // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)  # (B, C, S, S) -> (B, C/2, S/2, S/2)


class DenseNet(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        kernel, stride = (7, 2) if config.imagenet else (3, 1)
        self.imagenet = config.imagenet
        self.stem = nn.Conv2d(config.colours, config.stem, kernel, stride, kernel // 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(config.stem) if config.imagenet else nn.Identity()
        width, self.blocks, self.transitions = config.stem, nn.ModuleList(), nn.ModuleList()
        for number, count in enumerate(config.blocks, 1):
            self.blocks.append(nn.ModuleList(Layer(width + i * config.growth, config.growth) for i in range(count)))
            width += count * config.growth
            if number < len(config.blocks):
                self.transitions.append(Transition(width))
                width //= 2
        self.norm, self.out = nn.BatchNorm2d(width), nn.Linear(width, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if self.imagenet:
            x = F.max_pool2d(F.relu(self.stem_norm(x)), 3, 2, 1)
        for number, block in enumerate(self.blocks):
            for layer in block:  # type: ignore[attr-defined]
                # (2)   x_l = H_l([x_0, x_1, ..., x_{l-1}])
                x = torch.cat([x, layer(x)], 1)
            if number < len(self.transitions):
                x = self.transitions[number](x)
        return self.out(F.relu(self.norm(x)).mean((2, 3)))  # (B, C, s, s) -> (B, C) -> (B, classes)


def build(config: Config) -> DenseNet:
    return DenseNet(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
