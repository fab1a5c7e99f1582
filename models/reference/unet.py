r"""U-Net: down to see what, back up to see where, and at each level the two joined.

O. Ronneberger, P. Fischer and T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
arXiv:1505.04597, section 2 and figure 1.

What it changes against fully convolutional networks: the way up is as wide as the way down, and at every level the
contracting path's maps are concatenated instead of added as scores. Few training images suffice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import seeded, segment

METADATA = {
    "node": "unet",
    "title": {"en": "U-Net", "zh": "U-Net"},
    "year": 2015,
    "paper": {
        "title": "U-Net: Convolutional Networks for Biomedical Image Segmentation",
        "arxiv": "1505.04597",
        "sections": "2, figure 1",
    },
    "parents": ["fcn"],
    "demo": {
        "task": {
            "en": "Discs and boxes, brighter or darker than a sloping ground, found in noise",
            "zh": "在噪声与渐变背景中分割出或明或暗的圆盘与方块",
        },
        "metric": "IoU",
        "target": 0.85,
        "baseline": "the best single threshold on the brightness",
        "margin": 0.2,
    },
    # figure 1 summed by hand: contracting 18,842,048 + up-convolutions 2,786,240 + expanding 9,402,240 + 1x1 to 2
    # classes 130
    "presets": {"figure 1": 31_030_658},
}


@dataclass(frozen=True)
class Config:
    widths: tuple[int, ...] = (8, 16, 32)  # maps of each level, from the image down
    padding: int = 1  # 0 in the paper: maps shrink, and the left ones are cropped to join
    colours: int = 1  # channels of the image
    classes: int = 2  # ground and shape
    epochs: int = 12  # passes over 400 pictures
    rate: float = 5e-3  # of Adam; the paper used SGD with momentum 0.99


TINY = Config(widths=(4, 8), epochs=1)
PRESETS = {"figure 1": Config((64, 128, 256, 512, 1024), padding=0)}


class Twice(nn.Module):
    """Two 3x3 convolutions with ReLU: (B, C, S, S) -> (B, C', S', S'), S' = S - 4 without padding."""

    def __init__(self, inputs: int, maps: int, padding: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(inputs, maps, 3, padding=padding), nn.Conv2d(maps, maps, 3, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))))


class UNet(nn.Module):
    """Image (B, colours, S, S) -> logits (B, classes, S', S')."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, p = config.widths, config.padding
        self.down = nn.ModuleList(Twice(a, b, p) for a, b in zip((config.colours, *w[:-1]), w, strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in zip(w[:0:-1], w[-2::-1], strict=True))
        self.join = nn.ModuleList(Twice(2 * b, b, p) for b in w[-2::-1])
        self.out = nn.Conv2d(w[0], config.classes, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                # section 3: a standard deviation of sqrt(2 / N), N the incoming connections of a neuron
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        levels = []
        for level, down in enumerate(self.down):
            x = down(F.max_pool2d(x, 2) if level else x)
            levels.append(x)
        for up, join, left in zip(self.up, self.join, levels[-2::-1], strict=True):
            x = up(x)  # (B, C, S, S) -> (B, C/2, 2S, 2S)
            cut = (left.shape[-1] - x.shape[-1]) // 2
            left = left[..., cut : cut + x.shape[-2], cut : cut + x.shape[-1]]  # the paper's "copy and crop"
            x = join(torch.cat([left, x], 1))
        return self.out(x)


def build(config: Config) -> UNet:
    return UNet(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    for epoch, metrics, picture in segment(build(config), config.epochs, config.rate, seed):
        yield Step(epoch, config.epochs, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
