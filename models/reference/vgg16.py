r"""VGG: nothing but 3x3 convolutions, and many of them.

K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv:1409.1556,
table 1 (configurations A to E) and table 2 (their sizes); section 2.3 argues for the 3x3.

What it changes against AlexNet: one recipe throughout. Two stacked 3x3 see what one 5x5 sees, three what a 7x7 sees,
with fewer weights and more non-linearities; no response normalisation.
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
    "node": "vgg16",
    "title": {"en": "VGG-16", "zh": "VGG-16"},
    "year": 2014,
    "paper": {
        "title": "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        "arxiv": "1409.1556",
        "sections": "2.1 to 2.3, tables 1 and 2",
    },
    "parents": ["alexnet"],
    "demo": {
        "task": {
            "en": "Six 3x3 convolutions in three stages on digits of 16x16",
            "zh": "三段六层 3x3 卷积识别 16x16 手写数字",
        },
        "metric": "test accuracy",
        "target": 0.95,
        "baseline": "nearest class mean",
        "margin": 0.04,
    },
    # table 2 gives 133, 133, 138 and 144 million; the exact counts are num_params of torchvision's vgg11, 13, 16, 19
    "presets": {"A": 132_863_336, "B": 133_047_848, "D (VGG-16)": 138_357_544, "E (VGG-19)": 143_667_240},
}


@dataclass(frozen=True)
class Config:
    stages: tuple[tuple[int, int], ...] = ((2, 16), (2, 32), (2, 64))  # (convolutions, maps) before each pooling
    image: int = 16  # side of the input
    colours: int = 1  # channels of the input
    hidden: int = 64  # units in each of the two full layers
    classes: int = 10  # outputs
    epochs: int = 10  # passes over the digits
    rate: float = 2e-3  # of Adam; the paper used SGD with momentum 0.9


def _published(*convolutions: int) -> Config:
    return Config(tuple(zip(convolutions, (64, 128, 256, 512, 512), strict=True)), 224, 3, 4096, 1000)


TINY = Config(stages=((1, 8), (1, 16)), epochs=1)
PRESETS = {
    "A": _published(1, 1, 2, 2, 2),
    "B": _published(2, 2, 2, 2, 2),
    "D (VGG-16)": _published(2, 2, 3, 3, 3),
    "E (VGG-19)": _published(2, 2, 4, 4, 4),
}


class VGG(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        width = config.colours
        for count, maps in config.stages:
            stage = nn.ModuleList()
            for _ in range(count):
                stage.append(nn.Conv2d(width, maps, 3, padding=1))
                width = maps
            self.stages.append(stage)
        side = config.image // 2 ** len(config.stages)
        self.full = nn.ModuleList(
            [nn.Linear(width * side * side, config.hidden), nn.Linear(config.hidden, config.hidden)]
        )
        self.out = nn.Linear(config.hidden, config.classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)  # the paper first trained A and copied its layers
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            for conv in stage:  # type: ignore[attr-defined]
                x = F.relu(conv(x))  # (B, C, S, S) -> (B, C', S, S)
            x = F.max_pool2d(x, 2)  # -> (B, C', S/2, S/2)
        x = x.flatten(1)
        for layer in self.full:
            x = F.dropout(F.relu(layer(x)), 0.5, self.training)
        return self.out(x)  # (B, classes)


def build(config: Config) -> VGG:
    return VGG(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(config.image)
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
