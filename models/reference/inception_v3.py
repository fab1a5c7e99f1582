r"""Inception v3: the modules of GoogLeNet with their large filters factorised into small and thin ones.

C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, "Rethinking the Inception Architecture for Computer Vision",
arXiv:1512.00567, section 3 (factorisation), 4 (auxiliary classifier), 5 (reduction), table 1, figures 5 to 7 and 10.

What it changes against GoogLeNet: 5x5 becomes two 3x3, 7x7 becomes 1x7 and 7x1, the side is reduced by convolution and
pooling in parallel, and every convolution is batch-normalised.
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
    "node": "inception-v3",
    "title": {"en": "Inception v3", "zh": "Inception v3"},
    "year": 2015,
    "paper": {
        "title": "Rethinking the Inception Architecture for Computer Vision",
        "arxiv": "1512.00567",
        "sections": "3, 4, 5; table 1, figures 5, 6, 7, 10",
    },
    "parents": ["googlenet", "batchnorm"],
    "demo": {
        "task": {
            "en": "One module of each kind, a sixteenth as wide, on digits of 16x16",
            "zh": "每种模块各一个、宽度为十六分之一，识别 16x16 手写数字",
        },
        "metric": "test accuracy",
        "target": 0.93,
        "baseline": "nearest class mean",
        "margin": 0.02,
    },
    # the paper says less than 25 million; torchvision's inception_v3 (its num_params is the one with the auxiliary
    # head)
    "presets": {"without auxiliary head": 23_834_568, "with auxiliary head": 27_161_264},
}


@dataclass(frozen=True)
class Config:
    scale: float = 1 / 16  # every number of maps is multiplied by this
    pools: tuple[int, ...] = (32,)  # pool projection of each module on the 35x35 grid
    sevens: tuple[int, ...] = (128,)  # inner maps of each module on the 17x17 grid
    last: int = 1  # modules on the 8x8 grid
    large: bool = False  # the stem for 299x299 images
    auxiliary: bool = False  # second classifier on the 17x17 grid, while training
    colours: int = 1  # channels of the input
    classes: int = 10  # outputs
    epochs: int = 9  # passes over the digits
    rate: float = 3e-3  # of Adam; the paper used RMSProp


TINY = Config(epochs=1, scale=1 / 32)
PRESETS = {
    "without auxiliary head": Config(1, (32, 64, 64), (128, 160, 160, 192), 2, True, False, 3, 1000),
    "with auxiliary head": Config(1, (32, 64, 64), (128, 160, 160, 192), 2, True, True, 3, 1000),
}


class Conv(nn.Module):
    """Convolution, normalisation, ReLU; (height, width) of the kernel; "same" padding unless `valid`."""

    def __init__(self, inputs: int, maps: int, kernel: tuple[int, int], stride: int = 1, valid: bool = False) -> None:
        super().__init__()
        padding = (0, 0) if valid else (kernel[0] // 2, kernel[1] // 2)
        self.conv = nn.Conv2d(inputs, maps, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(maps, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


ONE, THREE, FIVE, WIDE, TALL = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1)


class Builder:
    """Makes chains of convolutions whose numbers of maps are scaled."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def maps(self, n: int) -> int:
        return max(2, round(n * self.scale))

    def chain(self, inputs: int, *layers: tuple[int, tuple[int, int]], reduce: bool = False) -> nn.Sequential:
        """Layers (maps, kernel) in a row; `reduce` gives the last one stride 2 without padding."""
        convs: list[nn.Module] = []
        for index, (n, kernel) in enumerate(layers):
            halve = reduce and index == len(layers) - 1
            convs.append(Conv(inputs, self.maps(n), kernel, 2 if halve else 1, halve))
            inputs = self.maps(n)
        return nn.Sequential(*convs)


class Branches(nn.Module):
    """Branches side by side, their maps concatenated."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def pooled(chain: nn.Sequential) -> nn.Sequential:
    return nn.Sequential(nn.AvgPool2d(3, 1, 1), chain)


class Auxiliary(nn.Module):
    """Section 4: 17x17 averaged to 5x5, 128 maps, a 5x5 convolution to 768, the classes."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.first, self.second = Conv(inputs, 128, ONE), Conv(128, 768, FIVE, valid=True)
        self.out = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.second(self.first(F.avg_pool2d(x, 5, 3))).mean((2, 3)))


class InceptionV3(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        make = Builder(config.scale)
        m, chain = make.maps, make.chain
        if config.large:
            self.stem = nn.Sequential(
                Conv(config.colours, 32, THREE, 2, True), Conv(32, 32, THREE, 1, True), Conv(32, 64, THREE),
                nn.MaxPool2d(3, 2), Conv(64, 80, ONE), Conv(80, 192, THREE, 1, True), nn.MaxPool2d(3, 2),
            )  # fmt: skip
        else:
            self.stem = nn.Sequential(Conv(config.colours, m(192), THREE))
        width, first, second, third = m(192), [], [], []
        for pool in config.pools:  # figure 5: two 3x3 in place of a 5x5
            first.append(
                Branches(
                    chain(width, (64, ONE)),
                    chain(width, (48, ONE), (64, FIVE)),
                    chain(width, (64, ONE), (96, THREE), (96, THREE)),
                    pooled(chain(width, (pool, ONE))),
                )
            )
            width = 2 * m(64) + m(96) + m(pool)
        reduce_1 = Branches(  # figure 10
            chain(width, (384, THREE), reduce=True),
            chain(width, (64, ONE), (96, THREE), (96, THREE), reduce=True),
            nn.MaxPool2d(3, 2),
        )
        width += m(384) + m(96)
        for c in config.sevens:  # figure 6: n x n as 1 x n and n x 1, n = 7
            second.append(
                Branches(
                    chain(width, (192, ONE)),
                    chain(width, (c, ONE), (c, WIDE), (192, TALL)),
                    chain(width, (c, ONE), (c, TALL), (c, WIDE), (c, TALL), (192, WIDE)),
                    pooled(chain(width, (192, ONE))),
                )
            )
            width = 4 * m(192)
        self.auxiliary = Auxiliary(width, config.classes) if config.auxiliary else None
        reduce_2 = Branches(
            chain(width, (192, ONE), (320, THREE), reduce=True),
            chain(width, (192, ONE), (192, WIDE), (192, TALL), (192, THREE), reduce=True),
            nn.MaxPool2d(3, 2),
        )
        width += m(320) + m(192)
        for _ in range(config.last):  # figure 7: 1x3 and 3x1 side by side, for high-dimensional features

            def fan() -> Branches:
                return Branches(chain(m(384), (384, (1, 3))), chain(m(384), (384, (3, 1))))

            third.append(
                Branches(
                    chain(width, (320, ONE)),
                    nn.Sequential(chain(width, (384, ONE)), fan()),
                    nn.Sequential(chain(width, (448, ONE), (384, THREE)), fan()),
                    pooled(chain(width, (192, ONE))),
                )
            )
            width = m(320) + 4 * m(384) + m(192)
        self.lower = nn.Sequential(*first, reduce_1, *second)
        self.upper = nn.Sequential(reduce_2, *third)
        self.out = nn.Linear(width, config.classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        middle = self.lower(self.stem(x))  # (B, 768, 17, 17) of a (B, 3, 299, 299) image
        x = self.upper(middle).mean((2, 3))  # (B, 2048, 8, 8) -> (B, 2048)
        x = self.out(F.dropout(x, 0.2, self.training))
        return (x, self.auxiliary(middle)) if self.auxiliary is not None and self.training else x


def build(config: Config) -> InceptionV3:
    return InceptionV3(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(16)
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
