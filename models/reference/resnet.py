r"""ResNet: layers learn what to add to their input, and a hundred of them can be trained.

K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, equations 1 and 2,
figures 2 and 5 (the two blocks), table 1 (the ImageNet architectures), section 4.1 (plain against residual).

What it changes against VGG: a shortcut around every two or three layers, batch normalisation after each convolution, no
full layers but one. Without the shortcuts deeper nets had become worse even on their training data (degradation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import classify, digits, seeded

METADATA = {
    "node": "resnet",
    "title": {"en": "ResNet", "zh": "残差网络 ResNet"},
    "year": 2015,
    "paper": {
        "title": "Deep Residual Learning for Image Recognition",
        "arxiv": "1512.03385",
        "sections": "3.1 to 3.3, 4.1; equations 1 and 2, table 1",
    },
    "parents": ["vgg16", "batchnorm"],
    "demo": {
        "task": {
            "en": "Forty-one layers on the digits, with shortcuts and without: the same size, the same training",
            "zh": "四十一层网络识别手写数字：有无捷径连接，规模与训练完全相同",
        },
        "metric": "test accuracy",
        "target": 0.93,
        "baseline": "the same layers without their shortcuts",
        "margin": 0.1,
    },
    # num_params of torchvision's resnet18 ... resnet152, which follow table 1; its 25.6 million is the usual figure
    # for 50
    "presets": {
        "18": 11_689_512,
        "34": 21_797_672,
        "50": 25_557_032,
        "101": 44_549_160,
        "152": 60_192_808,
    },
}


@dataclass(frozen=True)
class Config:
    blocks: tuple[int, ...] = (7, 6, 6)  # blocks a stage; each stage halves the image and doubles the maps
    width: int = 12  # maps of the first stage
    bottleneck: bool = False  # three convolutions 1x1, 3x3, 1x1 instead of two 3x3
    residual: bool = True  # shortcuts; False is the paper's plain net
    imagenet: bool = False  # stem of a 7x7 convolution and pooling for images of 224x224
    colours: int = 1  # channels of the input
    classes: int = 10  # outputs
    epochs: int = 6  # passes over the digits
    rate: float = 2e-3  # of Adam; the paper used SGD with momentum 0.9


def _published(blocks: tuple[int, ...], bottleneck: bool) -> Config:
    return Config(blocks, 64, bottleneck, imagenet=True, colours=3, classes=1000)


TINY = Config(blocks=(1, 1), width=8, epochs=1)
PRESETS = {
    "18": _published((2, 2, 2, 2), False),
    "34": _published((3, 4, 6, 3), False),
    "50": _published((3, 4, 6, 3), True),
    "101": _published((3, 4, 23, 3), True),
    "152": _published((3, 8, 36, 3), True),
}


class Block(nn.Module):
    """Convolutions with (kernel, maps, stride), each normalised, and the shortcut around all of them."""

    def __init__(self, inputs: int, layers: list[tuple[int, int, int]], residual: bool) -> None:
        super().__init__()
        self.residual = residual
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        width, step = inputs, 1
        for kernel, maps, stride in layers:
            self.convs.append(nn.Conv2d(width, maps, kernel, stride, kernel // 2, bias=False))
            self.norms.append(nn.BatchNorm2d(maps))
            width, step = maps, step * stride
        self.project: nn.Module = nn.Identity()
        if residual and (width != inputs or step != 1):
            self.project = nn.Sequential(nn.Conv2d(inputs, width, 1, step, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        f = x
        for depth, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True), 1):
            f = norm(conv(f))  # (B, C, S, S) -> (B, C', S', S')
            if depth < len(self.convs):
                f = F.relu(f)
        # (1)   y = F(x, {W_i}) + x        (2)   y = F(x, {W_i}) + W_s x   where the shapes differ
        return F.relu(f + self.project(x)) if self.residual else F.relu(f)


class ResNet(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        width, self.imagenet = config.width, config.imagenet
        kernel, stride = (7, 2) if config.imagenet else (3, 1)
        self.stem = nn.Conv2d(config.colours, width, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks: list[nn.Module] = []
        for stage, count in enumerate(config.blocks):
            maps = config.width * 2**stage
            for index in range(count):
                step = 2 if stage > 0 and index == 0 else 1
                if config.bottleneck:  # figure 5, right; the 3x3 takes the stride
                    layers = [(1, maps, 1), (3, maps, step), (1, 4 * maps, 1)]
                else:  # figure 5, left
                    layers = [(3, maps, step), (3, maps, 1)]
                blocks.append(Block(width, layers, config.residual))
                width = layers[-1][1]
        self.blocks = nn.Sequential(*blocks)
        self.out = nn.Linear(width, config.classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.stem(x)))  # (B, colours, S, S) -> (B, width, S, S)
        if self.imagenet:
            x = F.max_pool2d(x, 3, 2, 1)
        x = self.blocks(x).mean((2, 3))  # average over the image: (B, C, s, s) -> (B, C)
        return self.out(x)  # (B, classes)


def build(config: Config) -> ResNet:
    return ResNet(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    total, plain_accuracy = 2 * config.epochs, 0.0
    plain = build(replace(config, residual=False))
    optimizer = torch.optim.Adam(plain.parameters(), config.rate)
    for epoch, loss, plain_accuracy in classify(plain, split, config.epochs, optimizer, batch=48):
        yield Step(epoch, total, {"plain loss": loss, "baseline": plain_accuracy})
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer, batch=48):
        metrics = {"test accuracy": accuracy, "loss": loss, "baseline": plain_accuracy}
        yield Step(config.epochs + epoch, total, metrics)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
