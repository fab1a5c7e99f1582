r"""AlexNet: a deep convolutional network, big data and two graphics cards.

A. Krizhevsky, I. Sutskever and G. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012,
sections 3.1 (ReLU), 3.2 (two GPUs), 3.3 (local response normalisation), 3.4 (overlapping pooling), 4.2 (dropout); the
one-column variant: A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.

What it changes against LeNet-5: size, rectified units, dropout, response normalisation, and layers that are split
over two cards (two groups of maps that meet only in some layers).
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
    "node": "alexnet",
    "title": {"en": "AlexNet", "zh": "AlexNet"},
    "year": 2012,
    "paper": {
        "title": "ImageNet Classification with Deep Convolutional Neural Networks",
        "doi": "10.1145/3065386",
        "sections": "3.1 to 3.5, 4.2; figure 2",
    },
    "parents": ["lenet5", "dropout"],
    "demo": {
        "task": {
            "en": "A narrow AlexNet, its groups, normalisation and dropout kept, on digits of 24x24",
            "zh": "保留分组、归一化与 dropout 的窄版 AlexNet 识别 24x24 手写数字",
        },
        "metric": "test accuracy",
        "target": 0.92,
        "baseline": "nearest class mean",
        "margin": 0.02,
    },
    "presets": {
        "two GPUs": 60_965_224,  # figure 2; "60 million parameters"; the count of Caffe's bvlc_alexnet
        "one column": 61_100_840,  # arXiv:1404.5997 as in torchvision.models.alexnet (its documented num_params)
    },
}


@dataclass(frozen=True)
class Config:
    image: int = 24  # side of the input; 227 in fact where the paper says 224
    colours: int = 1  # channels of the input
    channels: tuple[int, int, int, int, int] = (16, 32, 48, 48, 32)  # maps of the five convolutions
    groups: int = 2  # cards; convolutions 2, 4 and 5 see only the maps on their own
    first: tuple[int, int, int] = (5, 1, 2)  # kernel, stride and padding of the first convolution
    hidden: int = 128  # units in each of the two full layers
    classes: int = 10  # outputs
    normalise: bool = True  # local response normalisation after convolutions 1 and 2
    epochs: int = 14  # passes over the digits
    rate: float = 2e-3  # of Adam; the paper used SGD with momentum 0.9


_BIG = Config(227, 3, (96, 256, 384, 384, 256), 2, (11, 4, 0), 4096, 1000)
_ONE = Config(224, 3, (64, 192, 384, 256, 256), 1, (11, 4, 2), 4096, 1000, normalise=False)
TINY = Config(channels=(8, 8, 8, 8, 8), hidden=32, epochs=1)
PRESETS = {"two GPUs": _BIG, "one column": _ONE}


def local_response(a: Tensor, n: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75) -> Tensor:
    """Neighbouring maps (B, C, H, W) inhibit each other."""
    C = a.shape[1]
    squares = F.pad(a.square(), (0, 0, 0, 0, n // 2, n // 2))  # (B, C + n - 1, H, W)
    near = sum(squares[:, i : i + C] for i in range(n))  # (B, C, H, W)
    # section 3.3   b_i = a_i / (k + alpha sum_{j = i-n/2..i+n/2} a_j^2)^beta
    return a / (k + alpha * near) ** beta


class AlexNet(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        (c1, c2, c3, c4, c5), g = config.channels, config.groups
        kernel, stride, padding = config.first
        self.normalise = config.normalise
        self.conv1 = nn.Conv2d(config.colours, c1, kernel, stride, padding)
        self.conv2 = nn.Conv2d(c1, c2, 5, padding=2, groups=g)
        self.conv3 = nn.Conv2d(c2, c3, 3, padding=1)  # here the cards meet
        self.conv4 = nn.Conv2d(c3, c4, 3, padding=1, groups=g)
        self.conv5 = nn.Conv2d(c4, c5, 3, padding=1, groups=g)
        side = (config.image + 2 * padding - kernel) // stride + 1
        for _ in range(3):
            side = (side - 3) // 2 + 1  # overlapping pooling: windows of 3 at steps of 2
        self.fc6 = nn.Linear(c5 * side * side, config.hidden)
        self.fc7 = nn.Linear(config.hidden, config.hidden)
        self.fc8 = nn.Linear(config.hidden, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        # section 3.1   f(x) = max(0, x)
        for conv in (self.conv1, self.conv2):
            x = F.relu(conv(x))
            x = F.max_pool2d(local_response(x) if self.normalise else x, 3, 2)
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        x = F.max_pool2d(F.relu(self.conv5(x)), 3, 2)  # (B, c5, s, s): 6x6 in the paper
        x = x.flatten(1)
        # section 4.2: each hidden unit is silent with probability one half
        x = F.relu(self.fc6(F.dropout(x, 0.5, self.training)))
        x = F.relu(self.fc7(F.dropout(x, 0.5, self.training)))
        return self.fc8(x)  # (B, classes)


def build(config: Config) -> AlexNet:
    return AlexNet(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(config.image)
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
