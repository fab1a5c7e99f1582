r"""Deep networks on a GPU: plain back-propagation, made deep and big, on images that are bent anew in every pass.

D. C. Ciresan, U. Meier, L. M. Gambardella and J. Schmidhuber, "Deep, Big, Simple Neural Nets for Handwritten Digit
Recognition", arXiv:1003.0358, sections 2 and 3 (five perceptrons of 2 to 9 hidden layers); the convolutional nets that
followed are arXiv:1102.0183. The elastic deformation is that of P. Simard, D. Steinkraus and J. Platt (2003).

What it changes against the multilayer perceptron: nothing in the model. Graphics cards made training some forty times
as fast, so that depth, width and endlessly deformed examples alone were enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import accuracy, digits, grid, minibatches, seeded

METADATA = {
    "node": "gpu-cnn",
    "title": {"en": "GPU-trained deep networks", "zh": "GPU 训练的深层网络"},
    "year": 2010,
    "paper": {
        "title": "Deep, Big, Simple Neural Nets for Handwritten Digit Recognition",
        "arxiv": "1003.0358",
        "sections": "2, 3, table 1",
    },
    "parents": ["mlp", "backprop"],
    "demo": {
        "task": {
            "en": "A perceptron of three hidden layers learns from 100 digits, bent elastically in every pass",
            "zh": "三个隐藏层的感知机只用 100 个手写数字学习，每一遍都对图像作弹性变形",
        },
        "metric": "test accuracy",
        "target": 0.89,
        "baseline": "the same net on the same 100 digits without deformation",
        "margin": 0.01,
    },
    # table 1: the largest, 2500-2000-1500-1000-500 units, has 12.11 million weights
    "presets": {"2500-2000-1500-1000-500": 12_115_010},
}


@dataclass(frozen=True)
class Config:
    side: int = 16  # pixels; digits of 8x8 are enlarged
    hidden: tuple[int, ...] = (200, 150, 100)  # units of each hidden layer
    examples: int = 100  # training digits
    epochs: int = 150  # passes, each over newly deformed images
    rate: float = 1e-3  # of Adam; the paper used plain SGD from 1e-3 down to 1e-6
    sigma: float = 2.0  # smoothness of the displacement, pixels
    alpha: float = 8.0  # its strength; 36 with sigma 5 to 6 for 29x29 in the paper
    turn: float = 0.1  # rotation, radians at most
    scale: float = 0.08  # change of size at most


TINY = Config(hidden=(32, 16), epochs=2)
PRESETS = {"2500-2000-1500-1000-500": Config(29, (2500, 2000, 1500, 1000, 500))}


class ScaledTanh(nn.Module):
    """The activation of all layers, (B, D) -> (B, D)."""

    def forward(self, a: Tensor) -> Tensor:
        # section 3   y(a) = A tanh(B a),   A = 1.7159, B = 0.6666
        return 1.7159 * torch.tanh(0.6666 * a)


def build(config: Config) -> nn.Sequential:
    """(B, 1, S, S) -> (B, 10)."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = config.side**2
    for units in config.hidden:
        layers += [nn.Linear(width, units), ScaledTanh()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 10))


def smooth(field: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (B, 2, S, S), by rows and then by columns."""
    reach = int(3 * sigma)
    at = torch.arange(-reach, reach + 1.0)
    kernel = torch.exp(-(at**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(2, 1, 1, -1)
    field = F.conv2d(field, kernel, padding=(0, reach), groups=2)
    return F.conv2d(field, kernel.transpose(2, 3), padding=(reach, 0), groups=2)


def deform(x: Tensor, config: Config) -> Tensor:
    """Images (B, 1, S, S), each turned, scaled and bent at random."""
    B, _, S, _ = x.shape
    turn = (2 * torch.rand(B) - 1) * config.turn
    size = 1 + (2 * torch.rand(B, 2) - 1) * config.scale
    rows = (
        torch.stack([turn.cos() * size[:, 0], -turn.sin(), torch.zeros(B)], 1),
        torch.stack([turn.sin(), turn.cos() * size[:, 1], torch.zeros(B)], 1),
    )
    where = F.affine_grid(torch.stack(rows, 1), [B, 1, S, S], align_corners=False)  # (B, S, S, 2) in [-1, 1]
    # Simard et al.: a uniform random displacement of every pixel, smoothed by a Gaussian and scaled by alpha
    moved = config.alpha * smooth(2 * torch.rand(B, 2, S, S) - 1, config.sigma)  # (B, 2, S, S) in pixels
    where = where + moved.permute(0, 2, 3, 1) * 2 / S
    return F.grid_sample(x, where, align_corners=False)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits(config.side).first(config.examples)
    nets = {bent: build(config) for bent in (False, True)}
    optimizers = {bent: torch.optim.Adam(net.parameters(), config.rate) for bent, net in nets.items()}
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(split.x), 20):
            for bent, net in nets.items():
                x = deform(split.x[index], config) if bent else split.x[index]
                loss = F.cross_entropy(net(x), split.y[index])
                optimizers[bent].zero_grad()
                loss.backward()
                optimizers[bent].step()
        if epoch % max(1, config.epochs // 15) == 0 or epoch == config.epochs:
            right = {bent: accuracy(net, split.x_test, split.y_test) for bent, net in nets.items()}
            picture = grid(torch.cat([split.x[:10], deform(split.x[:10], config)])[:, 0])
            metrics = {"test accuracy": right[True], "loss": float(loss.detach()), "baseline": right[False]}
            yield Step(epoch, config.epochs, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
