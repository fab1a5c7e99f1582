r"""LeNet-5: the convolutional network that read cheques.

Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of
the IEEE 86(11), 1998, section II.B, table I (which maps C3 sees), equations 5 (squashing) and 7 (output units).

What it changes against the 1989 network: subsampling layers between the convolutions, seven layers, one bias for each
map, and outputs that measure the distance to a drawing of the digit.
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
    "node": "lenet5",
    "title": {"en": "LeNet-5", "zh": "LeNet-5"},
    "year": 1998,
    "paper": {
        "title": "Gradient-Based Learning Applied to Document Recognition",
        "doi": "10.1109/5.726791",
        "sections": "II.B, table I, equations 5 to 7",
    },
    "parents": ["cnn"],
    "demo": {
        "task": {
            "en": "The full network of 60,000 parameters on digits enlarged to 32x32",
            "zh": "完整的六万参数网络识别放大到 32x32 的手写数字",
        },
        "metric": "test accuracy",
        "target": 0.96,
        "baseline": "nearest class mean",
        "margin": 0.05,
    },
    "presets": {
        "paper": 60_000,  # section II.B: "60,000 trainable free parameters", the RBF centres being fixed
        "modern": 61_706,  # the common form: C3 sees all maps, pooling has no weights, ten linear outputs (850)
    },
}


@dataclass(frozen=True)
class Config:
    sparse: bool = True  # C3 sees the maps of table I, subsampling is trained, outputs are distances
    epochs: int = 10  # passes over the digits
    rate: float = 3e-3  # of Adam; the paper used a diagonal Levenberg-Marquardt method


TINY = Config(epochs=1)
PRESETS = {"paper": Config(), "modern": Config(sparse=False)}

# table I: the maps of S2 that each of the 16 maps of C3 combines
TABLE_1 = (
    *[[(i + k) % 6 for k in range(3)] for i in range(6)],
    *[[(i + k) % 6 for k in range(4)] for i in range(6)],
    [0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5],
    [0, 1, 2, 3, 4, 5],
)  # fmt: skip


def squash(a: Tensor) -> Tensor:
    # (6)   f(a) = A tanh(S a),   A = 1.7159, S = 2/3
    return 1.7159 * torch.tanh(2 / 3 * a)


class Subsample(nn.Module):
    """The mean of 2x2 pixels times one weight plus one bias a map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(maps, 1, 1)), nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return squash(F.avg_pool2d(x, 2) * self.weight + self.bias)  # (B, C, S, S) -> (B, C, S/2, S/2)


class TableConv(nn.Module):
    """Sixteen maps, each convolving only the maps below that table I gives it: 60 of the 96 pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.above = [above for above, seen in enumerate(TABLE_1) for _ in seen]
        self.below = [below for seen in TABLE_1 for below in seen]
        self.weight = nn.Parameter(torch.empty(60, 5, 5).uniform_(-0.1, 0.1))
        self.bias = nn.Parameter(torch.zeros(16))

    def forward(self, x: Tensor) -> Tensor:
        dense = self.weight.new_zeros(16, 6, 5, 5)
        dense[self.above, self.below] = self.weight
        return F.conv2d(x, dense, self.bias)  # (B, 6, 14, 14) -> (B, 16, 10, 10)


class Drawings(nn.Module):
    """Minus the squared distance to ten fixed codes of +-1, the paper's 7x12 drawings of the digits."""

    def __init__(self) -> None:
        super().__init__()
        codes = torch.rand(10, 84, generator=torch.Generator("cpu").manual_seed(7), device="cpu") > 0.5
        self.register_buffer("codes", codes.float() * 2 - 1)

    def forward(self, x: Tensor) -> Tensor:
        # (7)   y_i = sum_j (x_j - w_ij)^2: the smaller the better, so minus it serves as logit
        return -((x[:, None] - self.codes) ** 2).sum(-1)  # (B, 84) -> (B, 10)


class LeNet5(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        sparse = config.sparse
        self.c1 = nn.Conv2d(1, 6, 5)
        self.s2: nn.Module = Subsample(6) if sparse else nn.AvgPool2d(2)
        self.c3: nn.Module = TableConv() if sparse else nn.Conv2d(6, 16, 5)
        self.s4: nn.Module = Subsample(16) if sparse else nn.AvgPool2d(2)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.out: nn.Module = Drawings() if sparse else nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = squash(self.c1(x))  # (B, 1, 32, 32) -> (B, 6, 28, 28)
        x = squash(self.c3(self.s2(x)))  # (B, 6, 14, 14) -> (B, 16, 10, 10)
        x = squash(self.c5(self.s4(x)))  # (B, 16, 5, 5) -> (B, 120, 1, 1)
        return self.out(squash(self.f6(x.flatten(1))))  # (B, 120) -> (B, 84) -> (B, 10)


def build(config: Config) -> LeNet5:
    return LeNet5(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(32)
    baseline, model = nearest_mean(split), build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch, loss, accuracy in classify(model, split, config.epochs, optimizer):
        yield Step(epoch, config.epochs, {"test accuracy": accuracy, "loss": loss, "baseline": baseline})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
