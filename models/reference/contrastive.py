r"""Contrastive learning: what belongs together lies close, everything else apart; no class is ever named.

R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006, section 2,
equations 1 to 4, and 4.2 (shifted digits); F. Schroff et al., "FaceNet", arXiv:1503.03832, equations 1 and 2 (the
triplet); A. van den Oord et al., "Representation Learning with Contrastive Predictive Coding", arXiv:1807.03748,
section 2.3, equation 4 (InfoNCE).

What it changes against data augmentation: two distorted views of one picture are no longer two labelled examples but
a pair, and the pair itself is the target. A convolutional net learns which differences do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, grid, minibatches, seeded
from ailineage.models.reference.data_augmentation import Config as Distortion
from ailineage.models.reference.data_augmentation import distort

METADATA = {
    "node": "contrastive",
    "title": {"en": "Contrastive learning", "zh": "对比学习"},
    "year": 2006,
    "paper": {
        "title": "Dimensionality Reduction by Learning an Invariant Mapping",
        "doi": "10.1109/CVPR.2006.100",
        "sections": "2 and 4.2, equations 1 to 4; InfoNCE: arXiv:1807.03748, equation 4",
    },
    "parents": ["cnn", "data_augmentation"],
    "demo": {
        "task": {
            "en": "Shifted and turned digits find neighbours of their own class in a space learned without labels",
            "zh": "平移旋转后的数字在无标签学得的空间里找到同类近邻",
        },
        "metric": "kNN accuracy",
        "target": 0.8,
        "baseline": "neighbours by pixels",
        "margin": 0.12,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    loss: str = "infonce"  # or "pair" (2006) or "triplet" (2015)
    maps: int = 32  # channels of the first convolution, half those of the second
    code: int = 32  # numbers a picture becomes; 2 in the paper's figures
    temperature: float = 0.2  # tau of InfoNCE
    margin: float = 1.0  # m of the pair and the triplet
    epochs: int = 30  # passes over the digits
    batch: int = 128  # pictures, each with all others as its negatives
    rate: float = 3e-3  # of Adam


TINY = Config(maps=8, epochs=2)
PRESETS: dict[str, Config] = {}
DISTORTION = Distortion(shift=0.35, turn=0.35, scale=0.15)


def pair_loss(one: Tensor, two: Tensor, dissimilar: Tensor, margin: float) -> Tensor:
    """Codes (B, D) and (B, D) of pairs that are similar (0) or dissimilar (1)."""
    # (1)   D_W = || G_W(X1) - G_W(X2) ||
    distance = (one - two).square().sum(1).clamp(min=1e-12).sqrt()  # (B,)
    # (4)   L = (1 - Y) 1/2 D_W^2 + Y 1/2 max(0, m - D_W)^2
    return ((1 - dissimilar) * distance**2 / 2 + dissimilar * (margin - distance).clamp(min=0) ** 2 / 2).mean()


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Codes (B, D) each."""
    # FaceNet (2)   L = max(0, ||a - p||^2 - ||a - n||^2 + alpha)
    near, far = ((anchor - other).square().sum(1) for other in (positive, negative))
    return (near - far + margin).clamp(min=0).mean()


def info_nce(one: Tensor, two: Tensor, temperature: float) -> Tensor:
    """Codes (B, D) and (B, D): the i-th of one belongs to the i-th of two and to no other."""
    scores = F.normalize(one, dim=1) @ F.normalize(two, dim=1).T / temperature  # (B, B), log f_k(x_j, c_i)
    # CPC (4)   L = -E log( f_k(x, c) / sum_{x_j in X} f_k(x_j, c) )
    return (scores.logsumexp(1) - scores.diagonal()).mean()


class Encoder(nn.Module):
    """G_W: pictures (B, 1, 12, 12) -> codes (B, D)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        m = config.maps
        self.first, self.second = nn.Conv2d(1, m, 3, padding=1), nn.Conv2d(m, 2 * m, 3, padding=1)
        self.hidden, self.out = nn.Linear(2 * m * 9, 128), nn.Linear(128, config.code)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.first(x)), 2)  # (B, M, 6, 6)
        x = F.max_pool2d(F.relu(self.second(x)), 2)  # (B, 2 M, 3, 3)
        return self.out(F.relu(self.hidden(x.flatten(1))))


def loss_of(config: Config, one: Tensor, two: Tensor) -> Tensor:
    """The chosen loss of two views' codes (B, D); where a single negative is wanted it is the neighbour's view."""
    if config.loss == "infonce":
        return (info_nce(one, two, config.temperature) + info_nce(two, one, config.temperature)) / 2
    one, two = F.normalize(one, dim=1), F.normalize(two, dim=1)
    if config.loss == "triplet":
        return triplet_loss(one, two, two.roll(1, 0), config.margin)
    similar, dissimilar = torch.zeros(len(one)), torch.ones(len(one))
    return pair_loss(one, two, similar, config.margin) + pair_loss(one, two.roll(1, 0), dissimilar, config.margin)


def neighbours(bank: Tensor, labels: Tensor, codes: Tensor, k: int = 5) -> Tensor:
    """The class (M,) most frequent among the k codes of the bank (N, D) nearest to each of codes (M, D)."""
    nearest = torch.cdist(codes, bank).topk(k, largest=False).indices  # (M, k)
    return labels[nearest].mode(1).values


def build(config: Config) -> Encoder:
    return Encoder(config)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    x, x_test = F.pad(split.x, [2] * 4), F.pad(split.x_test, [2] * 4)  # room to move: (N, 1, 12, 12)
    bank, asked = distort(x, DISTORTION), distort(x_test, DISTORTION)
    found = neighbours(bank.flatten(1), split.y, asked.flatten(1))
    baseline = float((found == split.y_test).float().mean())
    model = build(config)
    optimizer = torch.optim.Adam(model.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(x), config.batch):
            loss = loss_of(config, model(distort(x[index], DISTORTION)), model(distort(x[index], DISTORTION)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        with torch.no_grad():
            codes, wanted = F.normalize(model(bank), dim=1), F.normalize(model(asked), dim=1)
        right = float((neighbours(codes, split.y, wanted) == split.y_test).float().mean())
        # ten digits, and below each the picture nearest to it in the learned space
        picture = grid(torch.cat([asked[:10, 0], bank[torch.cdist(wanted[:10], codes).argmin(1), 0]]), scale=4)
        metrics = {"kNN accuracy": right, "loss": float(loss.detach()), "baseline": baseline}
        yield Step(epoch, config.epochs, metrics, picture=picture)


if __name__ == "__main__":
    raise SystemExit(main(__file__))
