r"""GoogLeNet: modules that look at several scales at once, made affordable by 1x1 convolutions.

C. Szegedy et al., "Going Deeper with Convolutions", arXiv:1409.4842, section 4 (figure 2b, the module), section 5
(table 1, figure 3); 1x1 convolutions: M. Lin et al., "Network In Network", arXiv:1312.4400.

What it changes against AlexNet: width by parallel branches of 1x1, 3x3, 5x5 and pooling, each narrowed by a 1x1 before
it; no large full layers; twelve times fewer parameters. Auxiliary classifiers send error into the middle while
training.
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
    "node": "googlenet",
    "title": {"en": "GoogLeNet (Inception v1)", "zh": "GoogLeNet（Inception v1）"},
    "year": 2014,
    "paper": {
        "title": "Going Deeper with Convolutions",
        "arxiv": "1409.4842",
        "sections": "4, 5; table 1, figures 2 and 3",
    },
    "parents": ["alexnet", "lenet5"],
    "demo": {
        "task": {
            "en": "Three narrow inception modules on digits of 16x16",
            "zh": "三个窄版 Inception 模块识别 16x16 手写数字",
        },
        "metric": "test accuracy",
        "target": 0.95,
        "baseline": "nearest class mean",
        "margin": 0.04,
    },
    # Caffe's bvlc_googlenet, which follows table 1 (its 6.8 million are rounded, layer by layer, and without biases)
    "presets": {"paper": 6_998_552, "with auxiliary classifiers": 13_378_280},
}

Module = tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class Config:
    # a module's maps: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection; a stage ends in pooling
    stages: tuple[tuple[Module, ...], ...] = (
        ((8, 8, 12, 4, 6, 6),),
        ((16, 12, 24, 4, 12, 12), (24, 12, 32, 6, 16, 16)),
    )
    stem: tuple[int, int, int] = (16, 16, 16)  # maps of the first three convolutions
    image: int = 16  # side of the input; 224 has a stem of strides and pooling
    colours: int = 1  # channels of the input
    classes: int = 10  # outputs
    auxiliary: bool = False  # classifiers after modules 4a and 4d, while training
    epochs: int = 12  # passes over the digits
    rate: float = 4e-3  # of Adam


_TABLE_1: tuple[tuple[Module, ...], ...] = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),  # 3a, 3b
    (
        (192, 96, 208, 16, 48, 64),  # 4a
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),  # 4d
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),  # 5a, 5b
)
TINY = Config(stages=(((4, 4, 4, 4, 4, 4),),), stem=(8, 8, 8), epochs=1)
PRESETS = {
    "paper": Config(_TABLE_1, (64, 64, 192), 224, 3, 1000),
    "with auxiliary classifiers": Config(_TABLE_1, (64, 64, 192), 224, 3, 1000, auxiliary=True),
}


class Inception(nn.Module):
    """Figure 2b: four branches side by side, (B, C, S, S) -> (B, C', S, S)."""

    def __init__(self, inputs: int, maps: Module) -> None:
        super().__init__()
        one, three_in, three, five_in, five, pool = maps
        self.one = nn.Conv2d(inputs, one, 1)
        self.three_in, self.three = nn.Conv2d(inputs, three_in, 1), nn.Conv2d(three_in, three, 3, padding=1)
        self.five_in, self.five = nn.Conv2d(inputs, five_in, 1), nn.Conv2d(five_in, five, 5, padding=2)
        self.pool = nn.Conv2d(inputs, pool, 1)
        self.width = one + three + five + pool

    def forward(self, x: Tensor) -> Tensor:
        a = self.one(x)
        b = self.three(F.relu(self.three_in(x)))
        c = self.five(F.relu(self.five_in(x)))
        d = self.pool(F.max_pool2d(x, 3, 1, 1))
        return F.relu(torch.cat([a, b, c, d], 1))


class Auxiliary(nn.Module):
    """Section 5: average pooling to 4x4, 128 1x1 maps, 1024 units, 70 % dropout."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv, self.hidden, self.out = nn.Conv2d(inputs, 128, 1), nn.Linear(2048, 1024), nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(F.adaptive_avg_pool2d(x, 4))).flatten(1)  # (B, 2048)
        return self.out(F.dropout(F.relu(self.hidden(x)), 0.7, self.training))


class GoogLeNet(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        a, b, c = config.stem
        self.large = config.image >= 128
        kernel, stride = (7, 2) if self.large else (3, 1)
        self.conv1 = nn.Conv2d(config.colours, a, kernel, stride, kernel // 2)
        self.conv2_in, self.conv2 = nn.Conv2d(a, b, 1), nn.Conv2d(b, c, 3, padding=1)
        width, self.stages, self.auxiliary = c, nn.ModuleList(), nn.ModuleList()
        for number, stage in enumerate(config.stages):
            modules = nn.ModuleList()
            for index, maps in enumerate(stage):
                modules.append(Inception(width, maps))
                width = maps[0] + maps[2] + maps[4] + maps[5]
                if config.auxiliary and number == 1 and index in (0, 3):
                    self.auxiliary.append(Auxiliary(width, config.classes))
            self.stages.append(modules)
        self.out = nn.Linear(width, config.classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        others: list[Tensor] = []
        x = F.relu(self.conv1(x))
        if self.large:
            x = F.local_response_norm(F.max_pool2d(x, 3, 2, ceil_mode=True), 5)
        x = F.relu(self.conv2(F.relu(self.conv2_in(x))))
        if self.large:
            x = F.local_response_norm(x, 5)
        for number, stage in enumerate(self.stages):
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            for index, module in enumerate(stage):  # type: ignore
                x = module(x)
                if self.training and len(self.auxiliary) and number == 1 and index in (0, 3):
                    others.append(self.auxiliary[len(others)](x))
        x = F.dropout(x.mean((2, 3)), 0.4, self.training)  # (B, C, s, s) -> (B, C)
        return (self.out(x), *others) if others else self.out(x)


def build(config: Config) -> GoogLeNet:
    return GoogLeNet(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(config.image)
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
