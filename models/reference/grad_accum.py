r"""Gradient accumulation: many small batches, one step of a large one.

D. Rumelhart, G. Hinton, R. Williams, "Learning representations by back-propagating errors", Nature 323, 1986, already
accumulates over all cases; as a way to save memory it is common practice without a paper of its own.

What it changes against gradient descent: nothing in the numbers, since the gradient is a sum; the memory for
activations falls by the number of pieces. (Batch normalisation would break the equality.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ailineage.models.reference import Step, main
from ailineage.models.reference.data import digits, seeded

METADATA = {
    "node": "grad-accum",
    "title": {"en": "Gradient accumulation", "zh": "梯度累积"},
    "year": 1986,
    "paper": {
        "title": "Learning representations by back-propagating errors",
        "doi": "10.1038/323533a0",
        "sections": "accumulating dE/dw over all cases before changing the weights",
    },
    "parents": ["gradient_descent"],
    "demo": {
        "task": {
            "en": "Weights after 20 steps in 8 pieces each, against 20 steps on the whole batch",
            "zh": "每步分 8 片累积，与整批训练 20 步后的权重比较",
        },
        "metric": "largest difference",
        "target": 1e-09,
        "baseline": "one step a piece, at an eighth of the rate",
        "margin": 1e-05,
        "lower": True,
    },
    "presets": {},
}


@dataclass(frozen=True)
class Config:
    batch: int = 256  # examples a step
    pieces: int = 8  # the batch goes through the net in so many parts
    steps: int = 20  # weight changes
    rate: float = 0.5  # of gradient descent


TINY = Config(steps=4)
PRESETS: dict[str, Config] = {}


def accumulate(model: nn.Module, x: Tensor, y: Tensor, pieces: int) -> int:
    """Leave the gradient of the mean loss over x (N, ...) in the weights; the most examples held at once."""
    model.zero_grad()
    largest = 0
    for a, b in zip(x.chunk(pieces), y.chunk(pieces), strict=True):
        # grad E = sum over pieces of (n_piece / N) grad E_piece: backward() adds to what is there
        loss = F.cross_entropy(model(a), b) * (len(a) / len(x))
        loss.backward()
        largest = max(largest, len(a))
    return largest


def descend(model: nn.Module, rate: float) -> None:
    with torch.no_grad():
        for p in model.parameters():
            p -= rate * p.grad


def build(config: Config) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10)).double()


def difference(a: nn.Module, b: nn.Module) -> float:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return max(float((p - q).abs().max().detach()) for p, q in pairs)


@seeded
def run(config: Config, seed: int = 0) -> Iterator[Step]:
    split = digits()
    whole, pieced, hasty = build(config), build(config), build(config)
    pieced.load_state_dict(whole.state_dict())
    hasty.load_state_dict(whole.state_dict())
    for step in range(1, config.steps + 1):
        index = torch.randint(len(split.x), (config.batch,))
        x, y = split.x[index].double(), split.y[index]
        accumulate(whole, x, y, 1)
        descend(whole, config.rate)
        largest = accumulate(pieced, x, y, config.pieces)
        descend(pieced, config.rate)
        for a, b in zip(x.chunk(config.pieces), y.chunk(config.pieces), strict=True):
            accumulate(hasty, a, b, 1)
            descend(hasty, config.rate / config.pieces)
        metrics = {"largest difference": difference(whole, pieced), "baseline": difference(whole, hasty)}
        yield Step(step, config.steps, metrics | {"examples held at once": largest})


if __name__ == "__main__":
    raise SystemExit(main(__file__))
