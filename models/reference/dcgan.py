r"""DCGAN: adversarial nets made of convolutions, with the habits that keep them stable.

A. Radford, L. Metz and S. Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", arXiv:1511.06434, section 3 (the guidelines), figure 1, section 4 (training details).

What it changes against the GAN: strided convolutions instead of pooling and full layers, transposed ones in the
generator, batch normalisation in both, ReLU there and LeakyReLU here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, judge, minibatches, seeded

METADATA = {
    "node": "dcgan",
    "title": {"en": "DCGAN", "zh": "深度卷积生成对抗网络 DCGAN"},
    "year": 2015,
    "paper": {
        "title": "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
        "arxiv": "1511.06434",
        "sections": "3, 4, figure 1",
    },
    "parents": ["gan", "batchnorm", "cnn"],
    "demo": {
        "task": {
            "en": "Makes digits from noise; a classifier that never saw them says whether they look like one",
            "zh": "由噪声生成手写数字，再由独立训练的分类器判断像不像数字",
        },
        "metric": "taken for a digit",
        "target": 0.2,
        "baseline": "the same generator before training",
        "margin": 0.15,
    },
    # generator 3,576,704 + discriminator 2,765,568 of the dcgan in pytorch/examples (half the paper's maps, 4x4
    # kernels); the paper itself prints no count
    "presets": {"pytorch/examples 64x64": 6_342_272},
}


@dataclass(frozen=True)
class Config:
    noise: int = 24  # numbers of z
    maps: tuple[int, ...] = (48, 24)  # of the generator, at 4x4, 8x8, ...; the discriminator's mirror them
    colours: int = 1  # channels of an image; its side is 4 * 2^len(maps)
    epochs: int = 25  # passes over the digits
    rate: float = 1e-3  # of Adam; 2e-4 in the paper


TINY = Config(maps=(8, 8), epochs=1)
PRESETS = {"pytorch/examples 64x64": Config(100, (512, 256, 128, 64), 3)}


class DCGAN(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.noise, maps = config.noise, config.maps
        # figure 1: noise becomes 4x4 maps; each transposed convolution of stride 2 doubles the side
        up: list[nn.Module] = [nn.ConvTranspose2d(config.noise, maps[0], 4, bias=False)]
        for a, b in pairwise((*maps, config.colours)):
            up += [nn.BatchNorm2d(a), nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)]
        self.generator = nn.Sequential(*up, nn.Tanh())
        down: list[nn.Module] = []
        for depth, (a, b) in enumerate(pairwise((config.colours, *maps[::-1]))):
            down.append(nn.Conv2d(a, b, 4, 2, 1, bias=False))
            if depth > 0:  # section 3: none at the discriminator's input
                down.append(nn.BatchNorm2d(b))
            down.append(nn.LeakyReLU(0.2))
        self.discriminator = nn.Sequential(*down, nn.Conv2d(maps[0], 1, 4, bias=False), nn.Flatten(0))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=0.02)  # section 4

    def make(self, count: int) -> Tensor:
        """Images (count, colours, S, S) in [-1, 1]."""
        return self.generator(torch.randn(count, self.noise, 1, 1))


def build(config: Config) -> DCGAN:
    return DCGAN(config)


@torch.no_grad()
def samples(model: DCGAN, count: int) -> Tensor:
    """Images (count, 1, 8, 8) in [0, 1], made with the averages of the normalisation."""
    model.eval()
    made = F.interpolate((model.make(count) + 1) / 2, size=(8, 8), mode="area")
    model.train()
    return made


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    real = digits(4 * 2 ** len(config.maps)).x * 2 - 1  # (N, 1, S, S)
    model = build(config)
    baseline, _ = judge(samples(model, 500))
    for_d = torch.optim.Adam(model.discriminator.parameters(), config.rate, betas=(0.5, 0.999))
    for_g = torch.optim.Adam(model.generator.parameters(), config.rate, betas=(0.5, 0.999))
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(real), 64):
            made = model.make(len(index))
            # -log D(x) - log(1 - D(G(z)))
            loss_d = F.softplus(-model.discriminator(real[index])) + F.softplus(model.discriminator(made.detach()))
            for_d.zero_grad()
            loss_d.mean().backward()
            for_d.step()
            # -log D(G(z))
            loss_g = F.softplus(-model.discriminator(made))
            for_g.zero_grad()
            loss_g.mean().backward()
            for_g.step()
        made = samples(model, 500)
        share, classes = judge(made)
        metrics = {"taken for a digit": share, "different digits": classes, "baseline": baseline}
        yield Step(epoch, config.epochs, metrics, picture=grid(made[:30, 0]))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
