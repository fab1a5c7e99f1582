r"""Transfer learning: what was learned for one task is the start for another that has few examples.

S. Bozinovski and A. Fulgosi (1976) first put it for neural networks; L. Y. Pratt, "Discriminability-Based Transfer
between Neural Networks", NIPS 1992; how general each layer is: J. Yosinski, J. Clune, Y. Bengio and H. Lipson, "How
transferable are features in deep neural networks?", arXiv:1411.1792, sections 2 and 4.

What it changes against training from nothing: the first layers come from a net that learned other classes, here the
digits 0 to 4 at any place of the frame; with a new last layer all of it goes on learning from three examples each of 5
to 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import Split, accuracy, digits, minibatches, seeded

METADATA = {
    "node": "transfer-learning",
    "title": {"en": "Transfer learning", "zh": "迁移学习"},
    "year": 1992,
    "paper": {
        "title": "How transferable are features in deep neural networks?",
        "arxiv": "1411.1792",
        "sections": "2, 4",
    },
    "parents": ["cnn"],
    "demo": {
        "task": {
            "en": "A net that knows 0 to 4 wherever they stand learns 5 to 9 from three examples each",
            "zh": "能在任意位置认出 0 到 4 的网络，每类只用三个样本学会 5 到 9",
        },
        "metric": "test accuracy",
        "target": 0.6,
        "baseline": "the same net trained on those examples alone",
        "margin": 0.04,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    maps: int = 16  # of the first convolution; the second has twice as many
    labels: int = 3  # examples a class of the second task
    draws: int = 5  # sets of examples, averaged over
    epochs: int = 20  # passes over the first task
    updates: int = 120  # training steps on the second
    rate: float = 2e-3  # of Adam


TINY = Config(maps=4, draws=1, epochs=1, updates=10)
PRESETS: dict[str, Config] = {}


class Net(nn.Module):
    """Features (B, 1, 12, 12) -> (B, 64) that can be handed on, and a last layer for the task."""

    def __init__(self, config: Config, classes: int = 5) -> None:
        super().__init__()
        m = config.maps
        self.features = nn.Sequential(
            *(nn.Conv2d(1, m, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(m, 2 * m, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(72 * m, 64), nn.ReLU()),
        )
        self.head = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def build(config: Config) -> Net:
    return Net(config)


def moved(x: Tensor) -> Tensor:
    """Digits (B, 1, 8, 8) at random places of frames of 12x12."""
    places = F.pad(x, (4, 4, 4, 4)).unfold(2, 12, 1).unfold(3, 12, 1)  # (B, 1, 5, 5, 12, 12)
    down, right = torch.randint(5, (2, len(x)))
    return places[torch.arange(len(x)), :, down, right]


def part(split: Split, first: int) -> Split:
    """The five classes from `first` on, numbered from 0."""
    here, there = ((y >= first) & (y < first + 5) for y in (split.y, split.y_test))
    return Split(split.x[here], split.y[here] - first, split.x_test[there], split.y_test[there] - first)


def few(split: Split, labels: int) -> Tensor:
    """Indices of `labels` random examples of each class."""
    order = torch.randperm(len(split.y))
    return torch.cat([order[split.y[order] == c][:labels] for c in range(5)])


def learn(net: nn.Module, learned: list[nn.Parameter], x: Tensor, y: Tensor, updates: int, rate: float) -> None:
    """Fit some of a net's parameters to few examples."""
    optimizer = torch.optim.Adam(learned, rate, weight_decay=1e-4)
    for _ in range(updates):
        loss = F.cross_entropy(net(moved(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    source, target = part(digits(), 0), part(digits(), 5)
    source = source._replace(x_test=moved(source.x_test))
    target = target._replace(x_test=moved(target.x_test))
    total = config.epochs + config.draws
    old = build(config)
    optimizer = torch.optim.Adam(old.parameters(), config.rate)
    for epoch in range(1, config.epochs + 1):
        for index in minibatches(len(source.x), 32):
            loss = F.cross_entropy(old(moved(source.x[index])), source.y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield Step(epoch, total, {"accuracy on 0 to 4": accuracy(old, source.x_test, source.y_test)})
    kept, alone = 0.0, 0.0
    for draw in range(1, config.draws + 1):
        index = few(target, config.labels)
        x, y = target.x[index], target.y[index]
        # theta_features <- theta_features of the first task;   theta_head anew
        new, scratch = build(config), build(config)
        new.features.load_state_dict(old.features.state_dict())
        learn(new, list(new.parameters()), x, y, config.updates, config.rate)
        learn(scratch, list(scratch.parameters()), x, y, config.updates, config.rate)
        kept += accuracy(new, target.x_test, target.y_test) / config.draws
        alone += accuracy(scratch, target.x_test, target.y_test) / config.draws
        if draw < config.draws:
            yield Step(config.epochs + draw, total)
    yield Step(total, total, {"test accuracy": kept, "baseline": alone})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
