r"""FCN: a classifier slid over the whole image, its full layers turned into convolutions.

J. Long, E. Shelhamer and T. Darrell, "Fully Convolutional Networks for Semantic Segmentation", arXiv:1411.4038, section
3.1 (full layers as convolutions), 3.3 (upsampling), 4.2 (the skips of FCN-16s and FCN-8s).

What it changes against VGG: no flattening, so images of any size give a map of scores, which is enlarged to the image;
scores from shallower layers are added on the way for finer edges.
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
    "node": "fcn",
    "title": {"en": "Fully convolutional network", "zh": "全卷积网络 FCN"},
    "year": 2014,
    "paper": {
        "title": "Fully Convolutional Networks for Semantic Segmentation",
        "arxiv": "1411.4038",
        "sections": "3.1, 3.3, 4.1, 4.2; figure 3",
    },
    "parents": ["vgg16"],
    "demo": {
        "task": {
            "en": "Discs and boxes, brighter or darker than a sloping ground, found in noise",
            "zh": "在噪声与渐变背景中分割出或明或暗的圆盘与方块",
        },
        "metric": "IoU",
        "target": 0.7,
        "baseline": "the best single threshold on the brightness",
        "margin": 0.1,
    },
    # table 1: "134M" for FCN-VGG16. 32s: VGG's convolutions 14,714,688 + fc6 102,764,544 + fc7 16,781,312 + scores of
    # 21 classes 86,037; 8s adds scores of pool4 and pool3 (10,773 + 5,397) and two learned enlargements (2 * 7,056)
    "presets": {"FCN-32s": 134_346_581, "FCN-8s": 134_376_863},
}


@dataclass(frozen=True)
class Config:
    stages: tuple[tuple[int, int], ...] = ((2, 8), (2, 16), (2, 32))  # (convolutions, maps) before each pooling
    kernel: int = 3  # of the first full layer as a convolution; 7 in VGG
    hidden: int = 48  # maps of the two former full layers; 4096 in VGG
    skips: int = 2  # shallower poolings whose scores are added: 0 is FCN-32s, 2 is FCN-8s
    colours: int = 1  # channels of the image
    classes: int = 2  # ground and shape
    epochs: int = 14  # passes over 400 pictures
    rate: float = 3e-3  # of Adam; the paper used SGD with momentum 0.9


_VGG = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
TINY = Config(stages=((1, 8), (1, 8), (1, 8)), hidden=8, epochs=1)
PRESETS = {"FCN-32s": Config(_VGG, 7, 4096, 0, 3, 21), "FCN-8s": Config(_VGG, 7, 4096, 2, 3, 21)}


def bilinear(classes: int, factor: int) -> Tensor:
    """Weights (classes, classes, 2f, 2f) of a transposed convolution that interpolates, class by class."""
    place = 1 - (torch.arange(2 * factor) - factor + 0.5).abs() / factor  # (2f,)
    return torch.eye(classes)[:, :, None, None] * (place[:, None] * place)


class FCN(nn.Module):
    """Image (B, colours, S, S) -> logits (B, classes, S, S); S a multiple of 2 to the number of stages."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, width = config, config.colours
        self.stages = nn.ModuleList()
        for count, maps in config.stages:
            convs = [nn.Conv2d(width if i == 0 else maps, maps, 3, padding=1) for i in range(count)]
            self.stages.append(nn.ModuleList(convs))
            width = maps
        # section 3.1: a full layer over a 7x7 map is a 7x7 convolution
        self.fc6 = nn.Conv2d(width, config.hidden, config.kernel, padding=config.kernel // 2)
        self.fc7 = nn.Conv2d(config.hidden, config.hidden, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
        self.score = nn.Conv2d(config.hidden, config.classes, 1)
        below = [maps for _, maps in config.stages[-2 : -2 - config.skips : -1]]
        self.skips = nn.ModuleList(nn.Conv2d(maps, config.classes, 1) for maps in below)
        # section 3.3: enlargement is a transposed convolution that starts as interpolation; the last one is fixed
        self.enlarge = nn.ParameterList(bilinear(config.classes, 2) for _ in below)
        self.factor = 2 ** (len(config.stages) - config.skips)
        self.register_buffer("last", bilinear(config.classes, self.factor))

    def forward(self, x: Tensor) -> Tensor:
        pooled = []
        for stage in self.stages:
            for conv in stage:  # type: ignore[attr-defined]
                x = F.relu(conv(x))
            x = F.max_pool2d(x, 2)  # (B, C, S, S) -> (B, C', S/2, S/2)
            pooled.append(x)
        x = F.dropout(F.relu(self.fc6(x)), 0.5, self.training and self.config.hidden > 1000)
        x = F.dropout(F.relu(self.fc7(x)), 0.5, self.training and self.config.hidden > 1000)
        x = self.score(x)  # (B, classes, s, s)
        for skip, weight, shallower in zip(self.skips, self.enlarge, pooled[-2::-1], strict=False):
            # section 4.2: enlarge twice and add the scores of the pooling below
            x = F.conv_transpose2d(x, weight, stride=2, padding=1) + skip(shallower)
        return F.conv_transpose2d(x, self.last, stride=self.factor, padding=self.factor // 2)


def build(config: Config) -> FCN:
    return FCN(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    for epoch, metrics, picture in segment(build(config), config.epochs, config.rate, seed):
        yield Step(epoch, config.epochs, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
