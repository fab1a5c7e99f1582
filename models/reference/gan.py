r"""GAN: a forger and a detective who teach each other.

I. J. Goodfellow et al., "Generative Adversarial Networks", arXiv:1406.2661, equation 1, algorithm 1 and the remark on
log D(G(z)) at the end of section 3.

What it changes against all earlier generators: no likelihood is computed. A second net that tells real from made gives
the error that trains the first, and both improve until neither gains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, judge, minibatches, seeded

METADATA = {
    "node": "gan",
    "title": {"en": "Generative adversarial network", "zh": "生成对抗网络"},
    "year": 2014,
    "paper": {
        "title": "Generative Adversarial Networks",
        "arxiv": "1406.2661",
        "sections": "3, equation 1, algorithm 1",
    },
    "parents": ["mlp", "backprop"],
    "demo": {
        "task": {
            "en": "Makes digits from noise; a classifier that never saw them says whether they look like one",
            "zh": "由噪声生成手写数字，再由独立训练的分类器判断像不像数字",
        },
        "metric": "taken for a digit",
        "target": 0.35,
        "baseline": "the same generator before training",
        "margin": 0.2,
    },
    "presets": {},  # the paper gives no count
}


@dataclass(frozen=True)
class Config:
    noise: int = 16  # numbers of z
    hidden: int = 128  # units of the hidden layers
    pieces: int = 4  # linear pieces of a maxout unit of the discriminator
    epochs: int = 100  # passes over the digits
    rate: float = 1e-3  # of Adam; the paper used SGD with momentum


TINY = Config(hidden=16, epochs=2)
PRESETS: dict[str, Config] = {}


class Maxout(nn.Module):
    """h = max_k (x W_k + b_k), the discriminator's units in the paper."""

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.linear, self.pieces = nn.Linear(inputs, units * pieces), pieces

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(-1)  # (B, D) -> (B, units)


class GAN(nn.Module):
    """A generator (B, noise) -> (B, 64) and a discriminator (B, 64) -> logits (B,)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        h = config.hidden
        self.generator = nn.Sequential(
            nn.Linear(config.noise, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, 64), nn.Sigmoid()
        )
        self.first, self.second = Maxout(64, h, config.pieces), nn.Linear(h, 1)
        self.noise = config.noise

    def make(self, count: int) -> Tensor:
        return self.generator(torch.randn(count, self.noise))

    def discriminate(self, x: Tensor) -> Tensor:
        return self.second(F.dropout(self.first(x), 0.3, self.training))[:, 0]


def build(config: Config) -> GAN:
    return GAN(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    real = digits().x.flatten(1)  # (N, 64)
    model = build(config)
    with torch.no_grad():
        baseline, _ = judge(model.make(500).reshape(-1, 1, 8, 8))
    others = [*model.first.parameters(), *model.second.parameters()]
    for_d = torch.optim.Adam(others, config.rate, betas=(0.5, 0.999))
    for_g = torch.optim.Adam(model.generator.parameters(), config.rate, betas=(0.5, 0.999))
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(real), 64):
            # (1)   min_G max_D  E log D(x) + E log(1 - D(G(z)))
            made = model.make(len(index))
            loss_d = F.softplus(-model.discriminate(real[index])) + F.softplus(model.discriminate(made.detach()))
            for_d.zero_grad()
            loss_d.mean().backward()
            for_d.step()
            # section 3: G ascends log D(G(z)) rather than descend log(1 - D(G(z)))
            loss_g = F.softplus(-model.discriminate(made))
            for_g.zero_grad()
            loss_g.mean().backward()
            for_g.step()
        if epoch % max(1, config.epochs // 20) == 0:
            with torch.no_grad():
                made = model.make(500)
            share, classes = judge(made.reshape(-1, 1, 8, 8))
            metrics = {"taken for a digit": share, "different digits": classes, "baseline": baseline}
            yield Step(epoch, config.epochs, metrics, picture=grid(made[:30].reshape(-1, 8, 8)))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
