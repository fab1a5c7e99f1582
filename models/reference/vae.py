r"""Variational autoencoder: a code that is a distribution, so that new data can be drawn from it.

D. P. Kingma and M. Welling, "Auto-Encoding Variational Bayes", arXiv:1312.6114, equations 3 and 4 (the bound and the
reparametrisation), 10 (the Gaussian case), appendix B (KL) and C (the two MLPs).

What it changes against the autoencoder: the encoder gives a mean and a variance, a sample of which is decoded; the
divergence from a standard normal is added to the loss, so the codes fill the space and any point decodes to a digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, minibatches, seeded

METADATA = {
    "node": "vae",
    "title": {"en": "Variational autoencoder", "zh": "变分自编码器"},
    "year": 2013,
    "paper": {
        "title": "Auto-Encoding Variational Bayes",
        "arxiv": "1312.6114",
        "sections": "equations 3, 4, 7, 10; appendices B and C",
    },
    "parents": ["autoencoder"],
    "demo": {
        "task": {
            "en": "Bound on the surprise of an unseen digit, in nats; the picture is drawn from the prior",
            "zh": "未见过的手写数字的负对数似然上界（纳特）；图片从先验采样",
        },
        "metric": "negative bound in nats",
        "target": 25.0,
        "baseline": "the mean training image as the only code",
        "margin": 1.5,
        "lower": True,
    },
    "presets": {},  # the paper gives sizes (500 hidden units for MNIST) but no count
}


@dataclass(frozen=True)
class Config:
    pixels: int = 64  # of an image
    hidden: int = 256  # units of the encoder's and of the decoder's hidden layer
    code: int = 8  # J, numbers of the code z
    epochs: int = 70  # passes over the digits
    rate: float = 2e-3  # of Adam; the paper used Adagrad


TINY = Config(hidden=32, epochs=2)
PRESETS: dict[str, Config] = {}


class VAE(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.hidden = nn.Linear(config.pixels, config.hidden)
        self.mean, self.log_variance = nn.Linear(config.hidden, config.code), nn.Linear(config.hidden, config.code)
        self.unfold, self.out = nn.Linear(config.code, config.hidden), nn.Linear(config.hidden, config.pixels)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(z | x): mean and log variance (B, J) of pixels (B, D)."""
        h = torch.tanh(self.hidden(x))
        return self.mean(h), self.log_variance(h)

    def decode(self, z: Tensor) -> Tensor:
        """p(x | z): logits (B, D) of the pixels."""
        return self.out(torch.tanh(self.unfold(z)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction and divergence, the two terms of the negative bound, for each image (B,)."""
        mean, log_variance = self.encode(x)
        # (4)   z = mu + sigma * epsilon,   epsilon ~ N(0, I)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        # (10)  -log p(x | z), Bernoulli
        reconstruction = F.binary_cross_entropy_with_logits(self.decode(z), x, reduction="none").sum(1)
        # appendix B   KL = -1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2)
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)
        return reconstruction, divergence


def build(config: Config) -> VAE:
    return VAE(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    train, test = split.x.flatten(1), split.x_test.flatten(1)  # (N, 64)
    mean = train.mean(0).clamp(1e-3, 1 - 1e-3).expand_as(test)
    baseline = float(F.binary_cross_entropy(mean, test, reduction="none").sum(1).mean())
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(train), 64):
            reconstruction, divergence = model(train[index])
            # (3)   L = -KL(q(z | x) || p(z)) + E_q log p(x | z)
            loss = (reconstruction + divergence).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            parts = [float(part.mean()) for part in model(test)]
            dreams = torch.sigmoid(model.decode(torch.randn(20, config.code))).reshape(-1, 8, 8)
        metrics = {"negative bound in nats": sum(parts), "reconstruction": parts[0], "divergence": parts[1]}
        yield Step(epoch, config.epochs, metrics | {"baseline": baseline}, picture=grid(dreams))


if __name__ == "__main__":
    raise SystemExit(main(__file__))
